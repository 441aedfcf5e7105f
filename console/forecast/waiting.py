"""What a queue will come to: each verb's own arithmetic on what waits, what comes in and what workers can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from console.domain.actions import Action, Plan
from console.domain.board import Board
from console.domain.readings import Queue
from console.domain.refs import Ref
from console.domain.verbs import Finish, Isolate, Park, Pause, Purge, Replay, Requeue, Restore, Resume, Verb
from console.forecast.queueing import (
    OWN_WORK_LEAST,
    Course,
    Workers,
    arrivals_of,
    backlog_after,
    minutes_when,
    workers_of,
)
from console.forecast.trend import Past

CAREFUL_PER_S: Final = 8.0
"""Messages a second that come back where nobody says how many."""
TRIES: Final = 1.25
"""Where a call takes more than so many attempts, their pace alone says little of it."""
AGAIN_MOST: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """A queue in a quarter of an hour."""

    waiting: float | None
    """None where it cannot be said."""
    leaving_per_min: float = 0.0
    calls_each: float = 1.0
    """Deliveries for a message that leaves."""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """What of a route's fate reaches the workers that call it."""

    route: Ref | None = None
    p50_s: float | None = None
    """Seconds of a typical attempt then."""
    tries: float = 1.0
    """Attempts for a call then."""
    slower_s: float = 0.0
    """Seconds that a call takes more than now."""
    errors_ratio: float = 1.0
    errors: float = 0.0
    given_up: float = 0.0
    """Part of the calls, more than now, that take longer than anybody waits."""


SAME: Final = Road()


class Line:
    """One queue as it is, from which each course departs."""

    def __init__(self, board: Board, queue: Queue, past: Past, now: float, horizon_s: float) -> None:
        self.queue = queue
        self._past = past
        self._horizon_s = horizon_s
        self._workers = workers_of(queue, past, [ref for feed in queue.feeds if (ref := parsed(feed))])
        held = [one for one in board.overrides_of(queue.ref) if one.plan.verb in (Verb.PAUSE, Verb.FINISH)]
        ends = [one.expires_at - now for one in held if one.expires_at is not None]
        self._held_s = max(ends, default=horizon_s + 1.0) if queue.paused else 0.0
        self._arrivals = arrivals_of(queue, past, working=True)

    def left_alone(self, road: Road = SAME) -> Backlog:
        """Nothing is done to the queue; its route may fare in another way."""
        return self._course(float(self.queue.depth), road=road)

    def after(self, action: Action, plan: Plan | None, undoes: Sequence[Plan], ttl_s: float | None) -> Backlog:
        """A queue verb is done to it."""
        depth, ends = float(self.queue.depth), self._horizon_s + 1.0 if ttl_s is None else ttl_s
        match action:
            case Pause():
                return self._course(depth, held_s=ends)
            case Resume():
                return self._course(depth, held_s=0.0)
            case Park() | Purge():
                return self._course(0.0, words="what waits now goes at once")
            case Isolate():
                return self._isolated(depth, plan)
            case Finish():
                return self._course(depth, shut_s=ends, words="what comes in is held back")
            case Replay(per_s=per_s):
                return self._coming_back(self.queue.parked, per_s or _pace(plan))
            case Requeue(per_s=per_s):
                return self._coming_back(self.queue.dead_letters, per_s or _pace(plan))
            case Restore():
                return self._restored(undoes)
        return self.left_alone()

    def _restored(self, undoes: Sequence[Plan]) -> Backlog:
        verbs = {plan.verb for plan in undoes}
        if verbs & {Verb.PARK, Verb.ISOLATE, Verb.FINISH}:
            return self._coming_back(self.queue.parked, next(filter(None, map(_pace, undoes)), None))
        return self._course(float(self.queue.depth), held_s=0.0)

    def _isolated(self, depth: float, plan: Plan | None) -> Backlog:
        gone = (
            [(one.after or 0.0) - (one.before or 0.0) for one in plan.effects if one.unit == "messages"] if plan else []
        )
        if not gone:
            return Backlog(waiting=None, words="how many of them are retries is not told before the plan")
        return self._course(max(0.0, depth - abs(gone[0])))

    def _coming_back(self, count: int | None, per_s: float | None) -> Backlog:
        if count is None:
            return Backlog(waiting=None, words="how many would come back is not known")
        rate = per_s or CAREFUL_PER_S
        said = "" if per_s else f", {rate:g} a second"
        return self._course(float(self.queue.depth), back=(count, rate), words=f"{count:,} come back{said}")

    def _course(
        self,
        depth: float,
        *,
        road: Road = SAME,
        held_s: float | None = None,
        shut_s: float = 0.0,
        back: tuple[int, float] = (0, CAREFUL_PER_S),
        words: str = "",
    ) -> Backlog:
        arrivals, workers = self._arrivals, self._called(road)
        held = self._held_s if held_s is None else held_s
        can = workers.per_min()
        if arrivals is None:
            return Backlog(waiting=None, words="what comes in is not told")
        if can is None and held <= self._horizon_s:
            return Backlog(waiting=None, words="nothing has left it lately: how fast its workers are is not known")
        course = Course(
            arrivals=_with(arrivals, shut_s, back),
            capacity=lambda seconds: 0.0 if seconds < held else can or 0.0,
            workers=workers.count or 1.0,
        )
        waiting, leaving = backlog_after(self._horizon_s, depth, course)
        basis = (
            f"{arrivals(0.0):,.0f}/min come, workers can {can:,.0f}/min" if can else f"{arrivals(0.0):,.0f}/min come"
        )
        return Backlog(
            waiting=waiting,
            leaving_per_min=leaving,
            calls_each=1.0 / max(0.1, 1.0 - workers.again),
            words="; ".join(part for part in (basis, words) if part),
        )

    def _called(self, road: Road) -> Workers:
        """The workers when the route that they call answers otherwise.

        As they were in the last hour when it answered as fast as it will; where it never did, a message takes as much
        longer as a call does, and more or fewer come back.
        """
        if self._workers.minutes_each is None or road == SAME:
            return self._workers
        if road.route is not None and road.p50_s is not None and road.tries < TRIES:
            minutes = minutes_when(self.queue, self._past, road.route, road.p50_s)
            if minutes is not None:
                return replace(self._workers, minutes_each=minutes)
        return _slower(self._workers, road)


def _with(arrivals: Callable[[float], float], shut_s: float, back: tuple[int, float]) -> Callable[[float], float]:
    count, per_s = back

    def coming(seconds: float) -> float:
        usual = 0.0 if seconds < shut_s else arrivals(seconds)
        return usual + (60.0 * per_s if count and seconds < count / per_s else 0.0)

    return coming


def _slower(workers: Workers, road: Road) -> Workers:
    if workers.minutes_each is None:
        return workers
    errors = workers.again * road.errors_ratio + (road.errors if not workers.again else 0.0)
    again = min(AGAIN_MOST, errors + (1.0 - errors) * road.given_up)
    once = workers.minutes_each * (1.0 - workers.again)
    once = max(OWN_WORK_LEAST * once, once + road.slower_s / 60.0)
    return replace(workers, again=again, minutes_each=once / (1.0 - again))


def parsed(feed: str) -> Ref | None:
    """The route that a queue's work goes to; None where its name is none."""
    try:
        return Ref.parse(feed)
    except ValueError:
        return None


def _pace(plan: Plan | None) -> float | None:
    return plan.back_per_s if plan else None
