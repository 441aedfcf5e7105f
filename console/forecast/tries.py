"""How often a gateway tries the same deployment before it picks another one, inferred from what failing ones get.

One that fails gets more attempts than its part of the requests: they are made again, and some of them right there.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.forecast.load import repeated
from console.forecast.trend import SLOT_S, Past

MOST: Final = 4
"""No gateway is taken to try the same one more often."""
WELL: Final = 0.02
"""A smaller part of failures is no reason for many tries."""
FAILING: Final = 0.15
"""From this part on what is tried again can be told from chance."""
FEW: Final = 0.1
"""Who gets less than this part of its attempts is asked for another reason."""
ROUTES: Final = 8
"""Routes that are looked at, at the most."""
NOW_S: Final = 60.0
HOUR_S: Final = 3600.0
ENOUGH: Final = 12
"""Slots in which all were well, to know what is usual."""


_Slots = Sequence[tuple[float | None, float | None]]
"""One deployment's (attempts a minute, part that failed), slot by slot, the newest first."""


def same_place(board: Board, source: str, past: Past) -> int:
    """Attempts at one deployment of a gateway before another is picked; 1 where nothing tells.

    In each route the one that fails most is held against those that are well: how much more of their attempts it gets
    than it did when all were well.
    """
    telling = [route for route in board.of(Route) if route.ref.source == source and _tells(board, route)]
    found = [pair for route in telling[:ROUTES] if (pair := _repeats(board, route, past)) is not None]
    if not found:
        return 1
    return min(range(1, MOST + 1), key=lambda times: sum(abs(repeated(fails, times) - more) for fails, more in found))


def _tells(board: Board, route: Route) -> bool:
    """Whether one of a route's deployments fails, and another does not."""
    there = [board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, item.deployment)) for item in route.targets]
    fails = [one.traffic.error_ratio or 0.0 for one in there if isinstance(one, Deployment) and one.traffic is not None]
    return max(fails, default=0.0) >= FAILING and min(fails, default=1.0) < WELL


def _repeats(board: Board, route: Route, past: Past) -> tuple[float, float] | None:
    """(part that fails at the ill one, its attempts for each time that it is picked) of one route."""
    names = [item.deployment for item in route.targets]
    seen = {name: slots for name in names if (slots := _slots(board, route, name, past))}
    now = {name: pair for name, slots in seen.items() if (pair := _lately(slots)) is not None}
    ill = max(now, key=lambda name: now[name][1], default="")
    well = [name for name, (flow, fails) in now.items() if fails < WELL and flow > FEW * now[ill][0]]
    if not ill or now[ill][1] < FAILING or not well:
        return None
    usual = _usual(seen[ill], [seen[name] for name in well])
    return None if usual is None else (now[ill][1], now[ill][0] / sum(now[name][0] for name in well) / usual)


def _lately(slots: _Slots) -> tuple[float, float] | None:
    """Means of the last minute; None where nothing was seen."""
    recent = [(flow, fails) for flow, fails in slots[: round(NOW_S / SLOT_S)] if flow is not None and fails is not None]
    if not recent:
        return None
    return sum(flow for flow, _ in recent) / len(recent), sum(fails for _, fails in recent) / len(recent)


def _usual(ill: _Slots, well: Sequence[_Slots]) -> float | None:
    """Attempts at the one ÷ attempts at the others while all were well; None where that is not remembered."""
    over = under = 0.0
    count = 0
    for (flow, fails), *others in zip(ill, *well, strict=False):
        whole = sum(one or 0.0 for one, _ in others)
        if flow and whole and all(part is not None and part < WELL for part in (fails, *(part for _, part in others))):
            over, under, count = over + flow, under + whole, count + 1
    return over / under if count >= ENOUGH else None


def _slots(board: Board, route: Route, name: str, past: Past) -> _Slots:
    """What is remembered of one deployment; nothing where others decide what reaches it: an operator, a breaker."""
    ref = Ref(route.ref.source, Kind.DEPLOYMENT, name)
    one = board.readings.get(ref)
    if not isinstance(one, Deployment) or one.circuit.observed in (Observed.OPEN, Observed.HALF_OPEN):
        return ()
    if board.overrides_of(ref):
        return ()
    flows, fails = (list(past(ref, metric, HOUR_S)) for metric in ("requests_per_min", "error_ratio"))
    return list(zip_longest(reversed(flows), reversed(fails)))[: len(flows)]
