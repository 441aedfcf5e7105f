"""D5: queues that will not get empty in time: the age of the oldest job, whether it grows, how long draining takes.

A batch job that fills a queue and drains is no alarm: while the depth falls, and what is left will be done soon,
nothing is told, however old the oldest job is. How old it usually gets is learnt by the half-hour, so that a batch
of every night, or of every ten minutes, is usual.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Queue
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.stats.recent import Recent
from console.engine.detectors.stats.season import Season, SeasonMemory
from console.engine.detectors.stats.theil_sen import slope

POINT_S = 30.0
POINTS = 20
"""Ten minutes."""
FEWEST = 6
LATELY = 4
"""Points of the last moments: a batch that has just come makes the ten minutes grow, and has begun to drain."""
IN_TIME_S = 300.0
"""A job is late when it waits for longer than this, or than `TIMES` the oldest age that is usual."""
TIMES = 3.0
OLD = 0.5
"""From this part of being late on a backlog that grows is told."""
HOPELESS_S = 7200.0
"""A backlog that shrinks and needs longer than this is told too."""
NOBODY_S = 120.0
FEWEST_JOBS = 5
PEAK_S = 900.0
AGE_STEADY = 0.3


class _Memory(msgspec.Struct, frozen=True, gc=False):
    season: SeasonMemory


@dataclass(slots=True)
class _Case:
    season: Season = field(default_factory=lambda: Season(AGE_STEADY))
    """Of ln(1 + the oldest age in the last quarter of an hour)."""
    depths: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=POINTS))
    ages: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=POINTS))
    flow: Recent = field(default_factory=lambda: Recent(12, 3))
    """Seconds seen, jobs that came, jobs that were done."""
    peak: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=int(PEAK_S / POINT_S)))
    nobody_since: float | None = None
    sampled_at: float = -math.inf
    found: Condition | None = None

    def remember(self) -> _Memory | None:
        return _Memory(self.season.remember()) if self.season.closed else None

    def late_s(self, now: float) -> float:
        """The age from which on a job is late here."""
        usual = self.season.usual(now)
        return IN_TIME_S if usual is None else max(IN_TIME_S, TIMES * math.expm1(usual.level))


class Backlogs:
    """Watches every queue whose workers are meant to work."""

    name = "backlog"
    patience = Patience(fire_after_s=60.0, resolve_after_s=120.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Queue, _Case] = Rounds(Queue, _begin, _Memory)

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition for each queue that will not get empty in time."""
        return self._rounds.go(now, board, self._judge)

    def _judge(self, queue: Queue, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        if queue.paused or queue.holds_dead:
            case.depths.clear()
            case.ages.clear()
            case.nobody_since = case.found = None
            return
        if passed and queue.in_per_min is not None and queue.out_per_min is not None:
            minutes = passed / 60.0
            case.flow.add(now, passed, queue.in_per_min * minutes, queue.out_per_min * minutes)
        if now - case.sampled_at >= POINT_S - 1.0:
            case.sampled_at = now
            self._sample(queue, case, now)
        if case.found is not None:
            yield case.found

    def _sample(self, queue: Queue, case: _Case, now: float) -> None:
        age = _age(queue)
        case.depths.append((now, float(queue.depth)))
        case.ages.append((now, age))
        case.peak.append((now, age))
        late = case.late_s(now)
        idle = queue.consumers == 0 and queue.depth > 0
        case.nobody_since = (case.nobody_since or now) if idle else None
        case.found = self._found(queue, case, age, late, now)
        if case.found is None or not case.found.begins:
            case.season.add(now, math.log1p(max(one for _, one in case.peak)))

    def _found(self, queue: Queue, case: _Case, age: float, late: float, now: float) -> Condition | None:
        many = f"{clean(queue.ref.name, 80)}: {queue.depth:,} wait"
        if case.nobody_since is not None and now - case.nobody_since >= NOBODY_S:
            words = f"{many} and nobody takes them for {words_of(now - case.nobody_since)}"
            return Condition(self.name, queue.ref, Severity.PAGE, words, age)
        if queue.depth < FEWEST_JOBS or len(case.depths) < FEWEST or age < OLD * late:
            return None
        depths = list(case.depths)
        grows, lately = slope(depths) or 0.0, slope(depths[-LATELY:]) or 0.0
        ages = slope(list(case.ages)) or 0.0
        oldest = f"the oldest for {words_of(age)}, more than {words_of(late)} is late here"
        if grows > 0.0 and ages > 0.0:
            page = age > late and len(case.depths) == POINTS
            when = "" if age >= late else f"; it will be late in {words_of((late - age) / ages)}"
            words = f"{many} and {60 * grows:,.1f} more each minute, {oldest}{when}"
            severity = Severity.PAGE if page else Severity.TICKET
            return Condition(self.name, queue.ref, severity, words, age, begins=lately > 0.0)
        drain_s = _drain_s(queue, case, grows, now)
        if drain_s is not None and age > late and age + drain_s > max(HOPELESS_S, 2.0 * late):
            words = f"{many}, and draining takes {words_of(drain_s)} at this rate; {oldest}"
            return Condition(self.name, queue.ref, Severity.TICKET, words, age)
        return None

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """How many queues have a usual age."""
        seen = [case.season.usual(now) for case in self._rounds.cases.values()]
        new, partly = sum(u is None for u in seen), sum(u is not None and not u.whole_day for u in seen)
        unknown = []
        if new + partly:
            late = words_of(IN_TIME_S)
            unknown.append(f"{new + partly} queues: less than a day was seen; {late} is late where no batch was seen")
        return DetectorState(
            name=self.name,
            summary="queues that will not get empty in time",
            watching=len(seen) - new,
            learning=new,
            unknown=tuple(unknown),
        )


def _begin(_: Queue, memory: _Memory | None) -> _Case:
    case = _Case()
    if memory is not None:
        case.season = Season.recall(memory.season, AGE_STEADY)
    return case


def _age(queue: Queue) -> float:
    """How old the oldest job is; where nobody says, how long the depth takes at the present rate."""
    if queue.oldest_age_s is not None:
        return queue.oldest_age_s
    return 60.0 * queue.depth / queue.out_per_min if queue.out_per_min else 0.0


def _drain_s(queue: Queue, case: _Case, grows: float, now: float) -> float | None:
    """Seconds until nothing waits: by the rates of five minutes, or by how the depth fell; None for never."""
    seconds, came, done = case.flow.over(300.0, now)
    falls = (done - came) / seconds if seconds > 120.0 else -grows
    return queue.depth / falls if falls > 0.0 else None
