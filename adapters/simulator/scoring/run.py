"""One game played in a fresh world: who acts is a tape, nobody, or the one who knows what helps."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.options import SimulatorOptions
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.scenario import Act, Scenario
from adapters.simulator.scoring.harm import Meter, together
from adapters.simulator.scoring.tape import EMPTY, Taken, Tape
from console.domain.actions import Plan
from console.domain.errors import BackendError
from console.domain.games import Game, Harm, Played
from console.domain.ports import AdapterContext
from console.domain.refs import Kind, Ref
from console.domain.verbs import Isolate, Park, Pause, QueueAction, Resume, Verb

LOOK_S: Final = 5.0
"""Seconds of the world between two looks at it."""
CALM_S: Final = 120.0
"""As good as before: so long, and to the end of the game."""
WORSE: Final = 1.3
"""So many times the harm before the onset is still as good as before."""
HELD_S: Final = 86_400.0
"""What is done in a reference run stays done."""
_QUEUE_ACTIONS: dict[Verb, QueueAction] = {
    Verb.PAUSE: Pause(), Verb.RESUME: Resume(), Verb.PARK: Park(), Verb.ISOLATE: Isolate()
}  # fmt: skip


class Ticking:
    """A clock that only the run moves; nobody sleeps on it for longer than a turn of the loop."""

    def __init__(self, start: float) -> None:
        self._now = start

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """The same: only differences mean anything."""
        return self._now

    def turn(self, to: float) -> None:
        """Let time pass."""
        self._now = max(self._now, to)

    async def sleep(self, seconds: float) -> None:
        """Wait until the run has moved on by that much."""
        until = self._now + seconds
        while self._now < until:  # noqa: ASYNC110 - the run moves this clock between two turns of the loop
            await asyncio.sleep(0)


@dataclass(slots=True)
class Run:
    """What a run came to."""

    harm: Harm
    recovered_s: float | None
    """Seconds after the onset from which on all was as before; None when it was not, and 0 when it always was."""


class Platform:
    """A fresh world with its gateway and its queues."""

    def __init__(self, game: Game, begun_at: float) -> None:
        self.clock = Ticking(begun_at)
        gateway, queues = (self._context(game, part) for part in ("gateway", "queues"))
        self.gateway = SimulatorAdapter(gateway)
        self.queues = SimulatedQueues(queues)
        self.world = self.gateway.world

    def _context(self, game: Game, part: str) -> AdapterContext:
        options = SimulatorOptions.model_validate(
            {"part": part, "world": "game", "scenario": game.scenario, "seed": game.seed, "speed": game.speed}
        )
        return AdapterContext(
            source={"gateway": "gateway", "queues": "jobs"}[part],
            clock=self.clock,
            secret=lambda _: "",
            timeout_s=1.0,
            options=options,
        )

    async def take(self, source: str, taken: Plan | Taken) -> None:
        """Do a step, or all steps of a plan; what the world refuses now was refused then, too."""
        adapter = self.queues if source == "jobs" else self.gateway
        for step in taken.steps if isinstance(taken, Plan) else (taken.step,):
            try:
                if step.lasting:
                    await self.queues.carry(step, lambda _: None)
                else:
                    await adapter.execute(step)
            except BackendError:
                return


Doer = Callable[[Platform, float], Sequence[Awaitable[None]]]
"""What is to be done up to a moment (unix seconds); asked once a look, in the order of time."""


def following(tape: Tape) -> Doer:
    """Does what a tape says, when it says it."""
    left = list(tape.taken)

    def due(platform: Platform, now: float) -> Sequence[Awaitable[None]]:
        found: list[Awaitable[None]] = []
        while left and left[0].at <= now:
            item = left.pop(0)
            found.append(platform.take(item.source, item))
        return found

    return due


def knowing(act: Act, at: float) -> Doer:
    """Does one right thing at a moment."""
    done: list[float] = []

    def due(platform: Platform, now: float) -> Sequence[Awaitable[None]]:
        if done or now < at:
            return []
        done.append(now)
        return [_perform(platform, act)]

    return due


NOBODY: Final = following(EMPTY)
"""Does nothing."""


async def _perform(platform: Platform, act: Act) -> None:
    kind, _, name = act.target.partition("/")
    target = Ref("jobs" if kind == Kind.QUEUE else "gateway", Kind(kind), name)
    match act.verb:
        case Verb.TRIP:
            plan = await platform.gateway.plan_trip(target, HELD_S)
        case Verb.WEIGHT:
            plan = await platform.gateway.plan_weight(target, 0.0)
        case Verb.SWITCH:
            plan = await platform.gateway.plan_switch(target, act.to, "")
        case Verb.PAUSE | Verb.RESUME | Verb.PARK | Verb.ISOLATE:
            plan = await platform.queues.plan_queue(target, _QUEUE_ACTIONS[act.verb], HELD_S)
        case _:
            return
    await platform.take(target.source, plan)


def can_be_done(act: Act) -> bool:
    """Whether the console has an action for it."""
    return bool(act.target) and act.verb in (Verb.TRIP, Verb.WEIGHT, Verb.SWITCH, *_QUEUE_ACTIONS)


def onset_of(scenario: Scenario, played: Played) -> float:
    """Unix seconds at which a person could first see it."""
    return played.begun_at + float(scenario.quiet_s) + float(scenario.onset) / played.game.speed


async def play(played: Played, onset_at: float, doer: Doer) -> Run:
    """Play a game from its beginning to its end, and add up the harm from the onset on."""
    platform = Platform(played.game, played.begun_at)
    meter = Meter(platform.world, platform.queues.broker)
    series: list[tuple[float, Harm]] = []
    under_way: list[asyncio.Task[None]] = []
    while platform.clock.now() < played.ended_at:
        platform.clock.turn(min(platform.clock.now() + LOOK_S, played.ended_at))
        now = platform.clock.now()
        platform.world.advance(now)
        series.append((now, meter.look(LOOK_S)))
        under_way += [asyncio.ensure_future(one) for one in doer(platform, now)]
        for _ in range(3):
            await asyncio.sleep(0)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    return _judged(series, onset_at)


def _judged(series: Sequence[tuple[float, Harm]], onset_at: float) -> Run:
    before = [harm.requests for at, harm in series if at <= onset_at]
    after = [(at, harm) for at, harm in series if at > onset_at]
    total = Harm()
    for _, harm in after:
        total = together(total, harm)
    usual = sum(before) / len(before) if before else 0.0
    ill = [at for at, harm in after if harm.requests > WORSE * usual + 1.0]
    end = series[-1][0] if series else onset_at
    if not ill:
        return Run(total, 0.0)
    return Run(total, ill[-1] - onset_at if end - ill[-1] >= CALM_S else None)
