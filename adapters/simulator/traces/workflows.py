"""Long runs of agents: step by step, with a checkpoint after each, and what becomes of them when something is wrong."""

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from adapters.simulator.answers.draws import poisson
from adapters.simulator.faults import Fault
from adapters.simulator.world import World
from console.domain.readings import Checkpoint, Workflow

OWN_CHANCE: Final = 0x57_E9
"""Keeps the runs' chance apart from everything else's."""

STEP_SPREAD: Final = 0.6
"""Standard deviation of the logarithm of the seconds that a step takes."""

P99: Final = math.exp(2.326 * STEP_SPREAD)
"""99th percentile of a step's seconds as a factor on the median."""

STUCK_AFTER: Final = 3.0
"""A run is stuck that has made no progress for so many times the 99th percentile of a step."""

RESCUED_S: Final = 60.0
"""A run that was stuck goes on about so long after what held it is gone."""

HOUR_S: Final = 3600.0

LONG_AGO: Final = 1800.0
"""Seconds before the world is first seen at which the first runs began."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One workflow."""

    name: str
    steps: tuple[str, ...]
    step_s: float
    """Median seconds of a step."""
    per_min: float
    """Runs that begin in a minute."""


KINDS: Final = (
    Kind("refund-review", ("opened", "collected", "assessed", "decided", "paid"), 22.0, 5.0),
    Kind("supplier-audit", ("planned", "fetched", "compared", "drafted", "reviewed", "filed"), 55.0, 1.5),
)
"""The workflows of every simulated agent service."""


@dataclass(slots=True)
class _Run:
    """One run under way."""

    number: int
    passed: int
    """Steps that it has passed."""
    moved_at: float
    """Unix seconds of its last checkpoint."""


@dataclass(slots=True)
class _Runs:
    """All runs of one workflow of one service."""

    service: str
    route: str
    kind: Kind
    chance: random.Random
    under_way: dict[int, _Run] = field(default_factory=dict)
    due: list[tuple[float, int]] = field(default_factory=list)
    """(unix seconds of its next checkpoint, run)."""
    held: set[int] = field(default_factory=set)
    """Runs that make no progress, however long it takes."""
    next_at: float = 0.0
    begun: int = 0
    doubled: deque[float] = field(default_factory=deque)
    """Unix seconds of every side effect that was done twice, of the last hour."""


class Workflows:
    """The workflows of a world's agent services."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed ^ OWN_CHANCE
        self._runs: list[_Runs] = []

    def join(self, service: str, route: str) -> None:
        """A service whose workers carry agents' runs; `route` is what they call."""
        if any(one.service == service for one in self._runs):
            return
        for kind in KINDS:
            chance = random.Random(self._seed << 32 | crc32(f"{service}/{kind.name}".encode()))  # noqa: S311 - a game
            runs = _Runs(service, route, kind, chance, next_at=self._world.now - LONG_AGO)
            self._runs.append(runs)
            _go_on(runs, self._world.now, 0.0)

    def step(self, dt: float) -> None:
        """The world has moved by `dt` seconds."""
        now = self._world.now
        for runs in self._runs:
            targets = (f"service/{runs.service}", f"route/{runs.route}")
            stuck = self._world.fault(Fault.STUCK, *targets)
            _release(runs, now, stuck)
            _go_on(runs, now, stuck)
            twice = self._world.fault(Fault.DUPLICATES, *targets)
            if twice > 0.0:
                share = 1.0 / len(KINDS)
                runs.doubled.extend([now] * poisson(runs.chance, twice * share * dt / 60.0))
            while runs.doubled and runs.doubled[0] < now - HOUR_S:
                runs.doubled.popleft()

    def of(self, service: str) -> tuple[Workflow, ...]:
        """What a service's workflows look like now; empty for services without any."""
        return tuple(_told(runs, self._world.now) for runs in self._runs if runs.service == service)


def _go_on(runs: _Runs, now: float, stuck: float) -> None:
    """Let everything happen that is due: runs begin, pass steps, end, or get stuck."""
    while True:
        at = min(runs.next_at, runs.due[0][0] if runs.due else math.inf)
        if at > now:
            return
        if at == runs.next_at:
            runs.begun += 1
            runs.under_way[runs.begun] = _Run(runs.begun, 0, at)
            runs.next_at = at + runs.chance.expovariate(runs.kind.per_min / 60.0)
            _plan(runs, runs.begun, at, stuck)
            continue
        _, number = heapq.heappop(runs.due)
        run = runs.under_way[number]
        run.passed, run.moved_at = run.passed + 1, at
        if run.passed >= len(runs.kind.steps):
            del runs.under_way[number]
        else:
            _plan(runs, number, at, stuck)


def _plan(runs: _Runs, number: int, at: float, stuck: float) -> None:
    """When a run will have passed its next step; one that is held has no such moment."""
    drawn = runs.chance.random()
    lasts = runs.kind.step_s * math.exp(STEP_SPREAD * runs.chance.gauss(0.0, 1.0))
    # The chance is a run's, and it has several steps at which it may be held.
    if stuck > 0.0 and drawn < 1.0 - (1.0 - min(0.999, stuck)) ** (1.0 / len(runs.kind.steps)):
        runs.held.add(number)
    else:
        heapq.heappush(runs.due, (at + lasts, number))


def _release(runs: _Runs, now: float, stuck: float) -> None:
    """What held runs is gone: they go on from their checkpoints."""
    if stuck > 0.0 or not runs.held:
        return
    for number in sorted(runs.held):
        heapq.heappush(runs.due, (now + runs.chance.expovariate(1.0 / RESCUED_S), number))
    runs.held.clear()


def _told(runs: _Runs, now: float) -> Workflow:
    kind = runs.kind
    idle = [now - run.moved_at for run in runs.under_way.values()]
    counts = [0] * len(kind.steps)
    for run in runs.under_way.values():
        counts[run.passed - 1 if run.passed else 0] += run.passed > 0
    p99 = kind.step_s * P99
    return Workflow(
        name=kind.name,
        running=len(runs.under_way),
        checkpoints=tuple(Checkpoint(step, count) for step, count in zip(kind.steps, counts, strict=True)),
        idle_most_s=round(max(idle), 1) if idle else None,
        step_p99_s=round(p99, 1),
        stuck=sum(one > STUCK_AFTER * p99 for one in idle),
        duplicates=len(runs.doubled),
    )
