"""A queue and its workers as a flow: what waits in a quarter of an hour, from what comes in and what workers can do.

Arrivals and service are rates; between two steps the backlog grows by their difference. What chance leaves waiting
even where workers keep up is Sakasegawa's formula for several servers.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from console.domain.readings import Queue
from console.domain.refs import Ref
from console.forecast.trend import RECENT_S, SLOT_S, Past, trend

STEP_S: Final = 15.0
LOOKED_BACK_S: Final = 3600.0
RATE_S: Final = 300.0
"""Workers' pace is a mean over so long."""
BUSIEST: Final = 0.95
"""A queue is never taken to be nearer to its limit than this when chance is counted: the formula has no end there."""
LATELY_S: Final = 120.0
"""How a route answers now is a mean over so long."""
BUSY: Final = 0.7
"""Workers who hold a message in less than this part of their time tell little in a few minutes."""
CHANGED: Final = 0.25
"""A route that answers so much more slowly or faster than it did, as a part, makes another pace of it."""
OWN_WORK_LEAST: Final = 0.2
"""However much faster its calls get, a message takes this part of its time at least."""
LIKE: Final = 0.15
"""A route answers as fast as before when the difference is no more than this part …"""
ENOUGH: Final = 12
"""… and that was so in so many slots."""
ALIKE: Final = 0.6
"""From this correlation on arrivals are taken to come in a rhythm."""
SHORTEST_S: Final = 240.0
"""No rhythm is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """What takes messages out of a queue."""

    count: float | None
    """None where nobody tells."""
    minutes_each: float | None
    """Worker-minutes for a message that leaves, its failed deliveries included; None when none left."""
    again: float
    """Part of the deliveries that come back, 0 to 1."""
    fastest_per_min: float
    """The most that was seen to leave, lately."""

    def per_min(self, slower: float = 1.0) -> float | None:
        """What they can finish a minute, each message taking `slower` times as long; None where nothing says."""
        if self.count is not None and self.minutes_each:
            return self.count / (self.minutes_each * slower)
        return self.fastest_per_min / slower if self.fastest_per_min > 0 else None


def workers_of(queue: Queue, past: Past, routes: Sequence[Ref] = ()) -> Workers:
    """Who works on a queue and how fast.

    Each worker holds one message: messages held ÷ messages that leave is how long one takes (Little). That is seen in
    the last minutes in which anything was held or left; where workers had nothing to do for much of them, in all of the
    last hour in which the first of the `routes` that they call answered as it does now.
    """
    out = past(queue.ref, "out_per_min", LOOKED_BACK_S)
    left = [value for value in out if value is not None]
    again, gone = queue.redelivered_per_min or 0.0, queue.out_per_min or 0.0
    return Workers(
        count=None if queue.consumers is None else float(queue.consumers),
        minutes_each=_minutes_each(queue, past, routes),
        again=again / (again + gone) if again + gone > 0 else 0.0,
        fastest_per_min=max([*left, queue.out_per_min or 0.0]),
    )


def _minutes_each(queue: Queue, past: Past, routes: Sequence[Ref]) -> float | None:
    """Worker-minutes for a message as the routes answer now; None when none left."""
    recent = list(islice(_worked(queue, past), round(RATE_S / SLOT_S)))
    held = sum(one.held for one in recent)
    minutes = _ratio(held, sum(one.gone for one in recent))
    if minutes is None:
        return queue.in_flight / queue.out_per_min if queue.in_flight and queue.out_per_min else None
    if queue.consumers and held < BUSY * queue.consumers * len(recent):
        pace = _lately(past, routes[0]) if routes else None
        alike = None if pace is None else minutes_when(queue, past, routes[0], pace)
        if alike is not None:
            return alike
    changed = max((_slower_since(past, route, [one.place for one in recent]) for route in routes), default=0.0)
    return max(OWN_WORK_LEAST * minutes, minutes + changed / 60.0)


class _Slot(NamedTuple):
    """A quarter of a minute in which a queue was worked on."""

    place: int
    """How many slots ago."""
    gone: float
    """Messages a minute that left."""
    held: float
    """Messages that workers held."""


def _worked(queue: Queue, past: Past) -> Iterator[_Slot]:
    """The slots of the last hour in which workers held anything or let anything go, the newest first."""
    series = (reversed(past(queue.ref, metric, LOOKED_BACK_S)) for metric in ("out_per_min", "in_flight"))
    for place, (gone, held) in enumerate(zip(*series, strict=False)):
        if gone is not None and held is not None and (gone or held):
            yield _Slot(place, gone, held)


def _lately(past: Past, route: Ref) -> float | None:
    """Seconds of a typical call of a route, over the last two minutes."""
    paces = [pace for pace in past(route, "p50_s", LATELY_S) if pace is not None]
    return sum(paces) / len(paces) if paces else None


def _slower_since(past: Past, route: Ref, places: Sequence[int]) -> float:
    """Seconds that a typical call of a route takes more in the last minutes than it took in some slots, told by how
    many slots ago they were; 0 where it answers about as it did."""
    paces = list(reversed(past(route, "p50_s", LOOKED_BACK_S)))
    then = [pace for place in places if place < len(paces) and (pace := paces[place]) is not None]
    now = _lately(past, route)
    if now is None or not then:
        return 0.0
    before = sum(then) / len(then)
    return now - before if abs(now - before) > CHANGED * before else 0.0


def minutes_when(queue: Queue, past: Past, route: Ref, p50_s: float) -> float | None:
    """Worker-minutes for a message, in those minutes of the last hour in which a route answered about as fast as
    `p50_s`; None when it did not for long enough."""
    paces = list(reversed(past(route, "p50_s", LOOKED_BACK_S)))
    like = [
        one
        for one in _worked(queue, past)
        if one.place < len(paces) and (pace := paces[one.place]) is not None and abs(pace - p50_s) <= LIKE * p50_s
    ]
    if len(like) < ENOUGH:
        return None
    return _ratio(sum(one.held for one in like), sum(one.gone for one in like))


def arrivals_of(queue: Queue, past: Past, working: bool) -> Callable[[float], float] | None:
    """What comes in a minute, in so many seconds from now; None where nothing says.

    Where what came in the last hour has a rhythm (a batch every ten minutes), the next hour has the same.
    """
    if queue.in_per_min is None:
        return None
    values = past(queue.ref, "in_per_min", LOOKED_BACK_S)
    known = [queue.in_per_min if value is None else value for value in values]
    rhythm = rhythm_of(known) if working else 0
    if rhythm:
        one_round = known[-rhythm:]
        return lambda seconds: one_round[int(seconds / SLOT_S) % rhythm]
    going = trend(values[-round(900.0 / SLOT_S) :], queue.in_per_min)
    lately = [value for value in values[-round(RECENT_S / SLOT_S) :] if value is not None]
    level = sum(lately) / len(lately) if going.slope and lately else going.level  # few messages make slopes by chance
    return lambda _seconds: level


def rhythm_of(values: Sequence[float]) -> int:
    """After how many slots a series repeats itself; 0 when it does not, or was not seen twice."""
    least, most = round(SHORTEST_S / SLOT_S), len(values) // 2
    if most <= least:
        return 0
    mean = sum(values) / len(values)
    away = [value - mean for value in values]
    power = sum(one * one for one in away) / len(away)
    if power <= (0.5 * mean) ** 2:  # it is chance, not a rhythm, that moves it
        return 0
    best, found = ALIKE, 0
    for lag in range(least, most + 1):
        pairs = len(away) - lag
        alike = sum(away[place] * away[place + lag] for place in range(pairs)) / pairs / power
        if alike > best:
            best, found = alike, lag
    return found


def waiting_by_chance(per_min: float, capacity: float, workers: float) -> float:
    """Messages that wait on the average although workers keep up (Sakasegawa 1977)."""
    busy = min(BUSIEST, per_min / capacity) if capacity > 0 else BUSIEST
    return float(busy ** math.sqrt(2.0 * (max(1.0, workers) + 1.0)) / (1.0 - busy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What an action does to a queue's flows, by the seconds from now."""

    arrivals: Callable[[float], float]
    """Messages a minute that come in."""
    capacity: Callable[[float], float]
    """Messages a minute that workers can finish."""
    workers: float = 1.0


def backlog_after(seconds: float, depth: float, course: Course) -> tuple[float, float]:
    """(messages that wait after so many seconds, messages a minute that leave then)."""
    waiting, at, leaving = depth, 0.0, 0.0
    while at < seconds:
        step = min(STEP_S, seconds - at) / 60.0
        coming, can = course.arrivals(at), course.capacity(at)
        leaving = min(can, coming + waiting / step)
        waiting = max(0.0, waiting + (coming - leaving) * step)
        at += STEP_S
    coming, can = course.arrivals(seconds), course.capacity(seconds)
    floor = waiting_by_chance(coming, can, course.workers) if coming <= can else 0.0
    return max(waiting, floor if can > 0 else 0.0), leaving


def _ratio(over: float, under: float) -> float | None:
    return over / under if under > 0 else None
