"""The simulator on the contract suite's bench."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from adapters.simulator import SPEC, SimulatorOptions
from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.plans import setting_of
from adapters.simulator.platform import Platform, standard
from console.domain.actions import Plan
from console.domain.ports import AdapterContext
from console.engine.clock import ManualClock
from tests.contract.bench import Bench, Subject
from tests.contract.hostile import NAMES


class SimulatedBench:
    """A world of two replicas on a clock that is turned by hand."""

    source = "sim"

    def __init__(self, platform: Platform) -> None:
        self.clock = ManualClock()
        options = SimulatorOptions(scenario="calm", seed=7)
        context = AdapterContext(self.source, self.clock, lambda reference: reference, 4.0, options)
        self.adapter = SimulatorAdapter(context, platform)

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        self.adapter.world.gateway.lose(replica)

    async def disturb(self, plan: Plan) -> None:
        world = self.adapter.world
        for step in plan.steps:
            setting, value = setting_of(step)
            others = {
                "mode": {"mode": "forced open", "until": self.clock.now() + 77.0},
                "alias": next(name for name in world.routes if name not in (value, setting.name)),
            }
            world.gateway.settings.store(self.clock.now(), setting, others.get(setting.field, 123))


def _hostile() -> Platform:
    """The standard world with hostile names for everything; the first of each sort has them as they are."""
    platform = standard()
    ordinary = [spec.name for spec in platform.providers] + [spec.name for spec in platform.routes]
    ordinary += [spec.name for route in platform.routes for spec in route.deployments]
    ordinary += [spec.name for spec in platform.queues]
    renamed = {name: NAMES[number % len(NAMES)] + "'" * (number // len(NAMES)) for number, name in enumerate(ordinary)}
    return msgspec.convert(_rename(msgspec.to_builtins(platform), renamed), Platform)


_OWN_NAMES = ("key", "tenant", "model", "around")


def _rename(value: object, names: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _rename(inner, names) if key not in _OWN_NAMES else inner for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rename(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


@asynccontextmanager
async def _open() -> AsyncIterator[Bench]:
    yield SimulatedBench(standard())


@asynccontextmanager
async def _open_hostile() -> AsyncIterator[Bench]:
    yield SimulatedBench(_hostile())


SIMULATOR = Subject("simulator", SPEC, _open, hostile=_open_hostile)
