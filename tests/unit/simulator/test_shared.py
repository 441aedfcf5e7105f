"""Sources that name one world show one world, and others do not."""

import gc
from dataclasses import replace
from weakref import ref

import pytest

from adapters.simulator import SPEC, SimulatorOptions
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.stage import stage_of
from console.domain.errors import ConfigError
from console.domain.ports import AdapterContext, Breakers, Mover, Queues, Routing, Traces
from console.domain.readings import Queue
from console.engine.clock import ManualClock
from tests.unit.simulator.worlds import Yard


def _context(clock: ManualClock, source: str = "x", **options: object) -> AdapterContext:
    return AdapterContext(source, clock, lambda ref: ref, 1.0, SimulatorOptions.model_validate(options))


def test_one_name_on_one_clock_is_one_world() -> None:
    clock = ManualClock()
    one = stage_of(_context(clock, world="w"))
    assert stage_of(_context(clock, world="w", part="queues")) is one
    assert stage_of(_context(clock, world="other")) is not one
    assert stage_of(_context(ManualClock(), world="w")) is not one
    assert stage_of(_context(clock)) is not stage_of(_context(clock))


def test_a_world_that_nobody_shows_is_forgotten() -> None:
    clock = ManualClock()
    stage = ref(stage_of(_context(clock, world="w")))
    gc.collect()
    assert stage() is None


def test_two_descriptions_of_one_world_are_refused() -> None:
    clock = ManualClock()
    first = stage_of(_context(clock, world="w", scenario="calm"))
    with pytest.raises(ConfigError, match=r"source y: .*'w'"):
        stage_of(_context(clock, "y", world="w", scenario="provider-brownout"))
    assert first.options.scenario == "calm"


@pytest.mark.parametrize(
    ("part", "ports"), [("gateway", (Breakers, Routing)), ("queues", (Queues, Mover)), ("traces", (Traces,))]
)
def test_each_part_has_its_own_capabilities_and_no_others(part: str, ports: tuple[type, ...]) -> None:
    adapter = SPEC.create(_context(ManualClock(), part=part))
    for port in (Breakers, Routing, Queues, Mover, Traces):
        assert isinstance(adapter, port) == (port in ports), port


async def test_queues_feed_the_routes_of_the_same_world_unless_the_config_says_otherwise() -> None:
    yard = Yard()
    assert (await yard.queue("chat-jobs")).feeds == ("sim:route/chat",)
    context = _context(ManualClock(), "jobs", part="queues")
    alone = SimulatedQueues(context)
    assert await _feeds(alone) == {()}
    told = SimulatedQueues(replace(context, clock=ManualClock(), feeds=lambda name: (f"gw:route/{name}",)))
    assert ("gw:route/evals",) in await _feeds(told)


async def _feeds(adapter: SimulatedQueues) -> set[tuple[str, ...]]:
    return {one.feeds for one in (await adapter.observe()).readings if isinstance(one, Queue)}


async def test_on_a_game_day_no_source_says_which_scenario_it_is() -> None:
    yard = Yard("hard-outage", told=False)
    looks = (await yard.sim.look(), await yard.jobs.observe(), await yard.traces.observe())
    assert not any("hard-outage" in note for look in looks for note in look.notes)
    told = Yard("hard-outage")
    looks = (await told.sim.look(), await told.jobs.observe(), await told.traces.observe())
    assert all("hard-outage" in look.notes[0] for look in looks)
