"""A world in which forecasts are made and waited for: incidents branch off, and in each branch one thing is done.

Beside each forecast stands the naive one: all stays as it is.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from adapters.simulator import SPEC
from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.options import SimulatorOptions
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.scenario import Scenario
from adapters.simulator.scoring.run import Ticking
from console.domain.actions import Plan
from console.domain.errors import BackendError
from console.domain.forecasts import HORIZON_S, Foreseen, Quantity
from console.domain.ports import AdapterContext
from console.domain.refs import Ref
from console.domain.verbs import Isolate, Park, Pause, Resume, SetWeight, Switch, Trip
from console.engine.history import Memory
from console.engine.store import Store
from console.forecast.daily import Daily, no_days
from console.forecast.outlook import Doing, Outlook
from console.forecast.quantities import relative_error, seen
from evaluation.doings import HELD_UP, LET_GO, Role, doing_of, roles, with_a_backlog
from evaluation.forking import Branch
from evaluation.looks import Looks
from evaluation.protocol import drawn
from evaluation.stand import MONDAY

LOOK_S: Final = 15.0
TICK_S: Final = 5.0
WARM_UP_S: Final = 3900.0
"""The engine's memory of an hour is full when an incident begins."""
MOMENTS_S: Final = (300.0, 1200.0)
"""Seconds after an onset at which forecasts are made."""
LEAD_S: Final = 900.0
"""An incident begins at any time in so many seconds."""
HELD_S: Final = 7200.0
"""What is done in a branch stays done."""
HELD_UP_S: Final = 600.0
"""So long a queue is held up, to have a backlog."""
LOOSE_S: Final = 60.0
"""So long it is worked off when something is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One quantity of one branch."""

    scenario: str
    where: str
    verb: str
    """`nothing`, or the verb that was done."""
    role: str
    """`nothing`, `right`, `trap`, `other`; `backlog`: something held work up before, so that much waits."""
    quantity: Quantity
    object: str
    moment_s: float
    now: float
    expected: float
    actual: float

    @property
    def error(self) -> float:
        """Of the forecast."""
        return relative_error(self.quantity, self.expected, self.actual)

    @property
    def naive(self) -> float:
        """Of `as it is now`."""
        return relative_error(self.quantity, self.now, self.actual)


class Compared(NamedTuple):
    """One row of one forecast, when its time had come."""

    verb: str
    quantity: Quantity
    object: str
    now: float
    expected: float
    actual: float


class Stage:
    """One world with a gateway and queues, looked at every quarter of a minute and remembered as the engine does."""

    def __init__(self, seed: int, traffic: Path | None) -> None:
        self.clock = Ticking(MONDAY)
        self.store = Store("forecasts", self.clock)
        self.memory = Memory(MONDAY)
        self.store.listen(lambda change: self.memory.feed(change))
        options = {"world": "forecasts", "scenario": "calm", "speed": 1.0, "seed": seed, "tick_s": TICK_S}
        options |= {"traffic": str(traffic)} if traffic else {}
        gateway, jobs = self._adapter("gateway", "gateway", options), self._adapter("jobs", "queues", options)
        assert isinstance(gateway, SimulatorAdapter) and isinstance(jobs, SimulatedQueues)  # noqa: S101, PT018
        self.gateway, self.jobs = gateway, jobs
        self._looks = [
            Looks(name, adapter, self.store, self.clock, LOOK_S)
            for name, adapter in (("gateway", gateway), ("jobs", jobs))
        ]

    def _adapter(self, source: str, part: str, options: dict[str, object]) -> object:
        return SPEC.create(
            AdapterContext(
                source=source,
                clock=self.clock,
                secret=lambda _: "",
                timeout_s=1.0,
                options=SimulatorOptions.model_validate({**options, "part": part}),
            )
        )

    async def run(self, seconds: float) -> None:
        """Let time pass, look by look."""
        end = self.clock.now() + seconds
        while self.clock.now() + LOOK_S <= end + 1e-6:
            self.clock.turn(self.clock.now() + LOOK_S)
            for _ in range(3):
                await asyncio.sleep(0)
            for looks in self._looks:
                await looks.look()
            self.memory.roll(self.clock.now())

    def remember(self, memory: Memory) -> None:
        """Remember in another memory from now on."""
        self.memory = memory

    def outlook(self, target: Ref, daily: Daily = no_days) -> Outlook:
        """What can be forecast around an object, now."""
        now = self.clock.now()
        past = partial(self._lately, now)
        return Outlook(self.store.board, past, now, target, daily=daily)

    def _lately(self, now: float, ref: Ref, metric: str, seconds: float) -> Sequence[float | None]:
        return self.memory.lately(ref, metric, seconds, now)

    async def planned(self, doing: Doing) -> Plan:
        """The plan of one action.

        Raises:
            BackendError: it cannot be done now.
        """
        match doing.action:
            case Trip():
                return await self.gateway.plan_trip(doing.target, HELD_S)
            case SetWeight(weight=weight):
                return await self.gateway.plan_weight(doing.target, weight)
            case Switch(to=to):
                return await self.gateway.plan_switch(doing.target, to, "")
            case Pause() | Resume() | Park() | Isolate() as action:
                return await self.jobs.plan_queue(doing.target, action, HELD_S)
        raise AssertionError(doing.action)

    async def perform(self, plan: Plan) -> list[asyncio.Task[None]]:
        """Do a plan; what lasts goes on beside."""
        adapter, lasting = (self.jobs if plan.target.source == "jobs" else self.gateway), []
        for step in plan.steps:
            if step.lasting:
                lasting.append(asyncio.ensure_future(self.jobs.carry(step, lambda _: None)))
            else:
                await adapter.execute(step)
        return lasting


def environment(
    scenarios: Sequence[Path | str], seed: int, shape: Path | None, vary: float, say: Callable[[str], None]
) -> list[Outcome]:
    """One environment (a seed, a shape of traffic): it gets warm once, and every incident branches off."""
    stage = Stage(seed, shape)
    asyncio.run(stage.run(WARM_UP_S))
    found: list[Outcome] = []
    for name in scenarios:
        found += Branch(partial(incident, stage, drawn(name, seed, vary), shape, seed)).result()
        say(f"{seed} {shape.stem if shape else 'usual'}: {Path(name).stem}")
    return found


def incident(stage: Stage, scenario: Scenario, shape: Path | None, seed: int) -> list[Outcome]:
    """One incident, and what is done at some moments of it, each in a branch of its own."""
    chance = random.Random(f"{scenario.name} {seed}")  # noqa: S311  no secret
    asyncio.run(stage.run(chance.uniform(0.0, LEAD_S)))
    stage.gateway.world.play(scenario, stage.clock.now())
    passed, found = 0.0, list[tuple[float, str, Compared]]()
    for moment in MOMENTS_S:
        asyncio.run(stage.run(scenario.onset + moment - passed))
        passed = scenario.onset + moment
        found += [(moment, *row) for row in tried(stage, roles(scenario))]
        if moment == MOMENTS_S[0]:
            found += [(moment + HELD_UP_S, *row) for row in Branch(partial(held_up, stage)).result()]
    where = f"{seed} {shape.stem if shape else 'usual'}"
    return [
        Outcome(scenario=scenario.name, where=where, moment_s=moment, role=role, verb=one.verb, quantity=one.quantity,
                object=one.object, now=one.now, expected=one.expected, actual=one.actual)
        for moment, role, one in found
    ]  # fmt: skip


def tried(stage: Stage, acts: Iterable[Role]) -> list[tuple[str, Compared]]:
    """Each in a branch of its own. What nothing being done brings to an object counts once, whoever is asked about."""
    found, known = list[tuple[str, Compared]](), set[tuple[Quantity, str]]()
    for role, doing in acts:
        for one in Branch(partial(branch, stage, doing, role)).result():
            if role != "nothing" or (one.quantity, one.object) not in known:
                found.append((role, one))
            if role == "nothing":
                known.add((one.quantity, one.object))
    return found


def held_up(stage: Stage) -> list[tuple[str, Compared]]:
    """A queue is held up until much waits in it; then it is let go, or other things are done while it is worked off."""
    hold, let_go = doing_of(HELD_UP), doing_of(LET_GO)
    assert hold is not None and let_go is not None  # noqa: S101, PT018
    if not asyncio.run(_done(stage, hold)):
        return []
    asyncio.run(stage.run(HELD_UP_S))
    found = tried(stage, [("backlog", let_go)])
    if not asyncio.run(_done(stage, let_go)):
        return found
    asyncio.run(stage.run(LOOSE_S))
    return found + tried(stage, with_a_backlog())


async def _done(stage: Stage, doing: Doing) -> bool:
    """Whether it could be done: no broker that cannot be reached pauses anything."""
    try:
        await stage.perform(await stage.planned(doing))
    except BackendError:
        return False
    return True


def branch(stage: Stage, doing: Doing, role: str) -> list[Compared]:
    """Forecast, do it, wait, look."""
    return asyncio.run(_branch(stage, doing, role))


async def _branch(stage: Stage, doing: Doing, role: str) -> list[Compared]:
    outlook, lasting = stage.outlook(doing.target), list[asyncio.Task[None]]()
    if role == "nothing":
        course = outlook.nothing()
    else:
        try:
            plan = await stage.planned(doing)
        except BackendError:
            return []
        course = outlook.course(Doing(target=doing.target, action=doing.action, plan=plan))
        lasting = await stage.perform(plan)
    await stage.run(HORIZON_S)
    for task in lasting:
        task.cancel()
    verb = "nothing" if role == "nothing" else str(doing.action.verb)
    return [row for item in course.foreseen if (row := _compared(stage, item, verb)) is not None]


def _compared(stage: Stage, item: Foreseen, verb: str) -> Compared | None:
    actual = seen(stage.store.board, item.quantity, item.ref)
    if item.then is None or item.now is None or actual is None:
        return None
    return Compared(verb, item.quantity, str(item.ref), item.now, item.then, actual)
