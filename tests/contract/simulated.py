"""The simulator on the contract suite's bench."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from adapters.simulator import SPEC, SimulatorOptions
from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.plans import setting_of
from adapters.simulator.platform import Platform, standard
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.queues.backlog import Message
from adapters.simulator.queues.broker import NODE
from adapters.simulator.traces.adapter import SimulatedTraces
from console.domain.actions import Park, Pause, Plan, QueueAction
from console.domain.ports import Actuator, AdapterContext, Mover, Queues, Traces
from console.domain.readings import Queue, Request, Service
from console.domain.refs import Kind, Ref
from console.engine.clock import ManualClock
from tests.contract.bench import Bench, Open, Subject
from tests.contract.hostile import NAMES
from tests.contract.rules import VERBS_OF


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
    return _renamed(platform, ordinary)


def _hostile_queues() -> Platform:
    """The same for queues and routes only: the providers of an incident keep the names that it gives them."""
    platform = standard()
    return _renamed(platform, [spec.name for spec in platform.queues] + [spec.name for spec in platform.routes])


def _renamed(platform: Platform, ordinary: list[str]) -> Platform:
    names = {name: NAMES[number % len(NAMES)] + "'" * (number // len(NAMES)) for number, name in enumerate(ordinary)}
    return msgspec.convert(_rename(msgspec.to_builtins(platform), names), Platform)


_OWN_NAMES = ("key", "tenant", "model", "around")


def _rename(value: object, names: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _rename(inner, names) if key not in _OWN_NAMES else inner for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rename(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


class SimulatedQueuesBench:
    """The queues of an outage: backlogs, retries and dead letters; one is paused, one parked."""

    source = "jobs"

    def __init__(self, platform: Platform, exports: Path) -> None:
        self.clock = ManualClock()
        options = SimulatorOptions(part="queues", scenario="outage-with-retries", seed=7)
        context = AdapterContext(
            self.source, self.clock, lambda reference: reference, 4.0, options, exports=exports / "exports"
        )
        self.queues = SimulatedQueues(context, platform)
        self.adapter: Any = self.queues

    async def prepare(self) -> None:
        """Let the outage do its work, then pause one queue and park another."""
        await self.clock.advance(100.0)
        await self.adapter.observe()
        first, second, third, fourth = self.queues.broker.queues.values()
        await self._do(second.spec.name, Pause())
        await self._do(fourth.spec.name, Park())
        while not (first.dead and any(message.tries for message in first.backlog)):
            await self.clock.advance(1.0)
            await self.adapter.observe()
        assert third.in_flight

    async def _do(self, queue: str, action: QueueAction) -> None:
        plan = await self.queues.plan_queue(Ref(self.source, Kind.QUEUE, queue), action, 36000.0)
        for step in plan.steps:
            if not step.lasting:
                await self.queues.execute(step)
                continue
            carried = asyncio.ensure_future(self.queues.carry(step, lambda _: None))
            while not carried.done():
                await self.clock.advance(1.0)
            await carried

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        assert replica == NODE
        self.queues.broker.lost = True

    async def disturb(self, plan: Plan) -> None:
        queue = self.queues.broker.queues[plan.target.name]
        queue.paused_until = 1.0 if queue.paused_until is None else None
        queue.diverted = not queue.diverted
        queue.purged += 1
        queue.requeued += 1
        for store in (queue.parked, queue.retries):
            store.append(Message(0, self.clock.now(), 0))

    async def missing(self, queue: str) -> int:
        found = self.queues.broker.queues[queue]
        return found.came - found.done - found.purged - found.everything()


class SimulatedTracesBench:
    """The requests of an outage."""

    source = "traces"

    def __init__(self, platform: Platform) -> None:
        self.clock = ManualClock()
        options = SimulatorOptions(part="traces", scenario="outage-with-retries", seed=7)
        context = AdapterContext(self.source, self.clock, lambda reference: reference, 4.0, options)
        self.adapter: Any = SimulatedTraces(context, platform)

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        raise AssertionError(f"{replica} is inside this process")

    async def disturb(self, plan: Plan) -> None:
        raise AssertionError(f"nothing plans {plan.verb}")


@asynccontextmanager
async def _open() -> AsyncIterator[Bench]:
    yield SimulatedBench(standard())


@asynccontextmanager
async def _open_hostile() -> AsyncIterator[Bench]:
    yield SimulatedBench(_hostile())


def _open_queues(platform: Callable[[], Platform]) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Bench]:
        with tempfile.TemporaryDirectory() as folder:
            bench = SimulatedQueuesBench(platform(), Path(folder))
            await bench.prepare()
            yield bench

    return opened


def _open_traces(platform: Callable[[], Platform]) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Bench]:
        bench = SimulatedTracesBench(platform())
        await bench.adapter.observe()
        await bench.clock.advance(120.0)
        yield bench

    return opened


SIMULATOR = Subject("simulator", SPEC, _open, hostile=_open_hostile)
SIMULATED_QUEUES = Subject(
    "simulated-queues",
    SPEC,
    _open_queues(standard),
    hostile=_open_queues(_hostile_queues),
    ports=(Queues, Mover, Actuator),
    shows=(Queue,),
    verbs=VERBS_OF[Kind.QUEUE],
)
SIMULATED_TRACES = Subject(
    "simulated-traces",
    SPEC,
    _open_traces(standard),
    acts=False,
    ports=(Traces,),
    shows=(Request, Service),
    verbs=(),
)
