"""What is forecast, as the board shows it: the same rule reads a quantity now and when the forecast's time has come."""

from typing import Final

from console.domain.board import Board
from console.domain.forecasts import Quantity
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Queue, Route, Spend, SpendScope
from console.domain.refs import Kind, Ref

GRAIN: Final = {Quantity.BACKLOG: 10.0, Quantity.ERRORS: 0.02, Quantity.USD_PER_H: 1.0, Quantity.HEADROOM: 0.05}
"""What is no difference worth a word, in the quantity's own unit: an error is a part of the actual value, but never of
less than this: 2 messages instead of 1 are not 50 % off."""
CARRYING: Final = 0.02
"""A deployment with less than this part of a route's attempts does not carry it."""


def relative_error(quantity: Quantity, expected: float, actual: float) -> float:
    """|expected − actual| ÷ the larger of |actual| and the quantity's grain."""
    return abs(expected - actual) / max(abs(actual), GRAIN[quantity])


def seen(board: Board, quantity: Quantity, ref: Ref) -> float | None:
    """A quantity of an object as the board has it; None when nobody can see it now."""
    if ref.kind is not Kind.SOURCE and board.freshness(ref) is not Freshness.FRESH:
        return None
    match quantity:
        case Quantity.BACKLOG:
            queue = board.readings.get(ref)
            return float(queue.depth) if isinstance(queue, Queue) else None
        case Quantity.ERRORS:
            return errors_of(board, ref)
        case Quantity.USD_PER_H:
            return usd_per_h(board, ref)
        case Quantity.HEADROOM:
            return headroom_of(board, ref)


def errors_of(board: Board, ref: Ref) -> float | None:
    """The part of a route's requests that fail; 0 where nothing is asked, None where nothing says."""
    route = board.readings.get(ref)
    if not isinstance(route, Route) or route.traffic is None:
        return None
    return route.traffic.error_ratio or 0.0


def purse(board: Board, source: str) -> Ref:
    """Where a gateway's spending is read: its own total where it keeps books, otherwise the gateway itself."""
    for one in board.of(Spend):
        if one.ref.source == source and one.scope is SpendScope.TOTAL and one.usd_per_h is not None:
            return one.ref
    return Ref(source, Kind.SOURCE, source)


def usd_per_h(board: Board, ref: Ref) -> float | None:
    """What the calls of a `purse` cost; None where no deployment says."""
    reading = board.readings.get(ref)
    if isinstance(reading, Spend):
        return reading.usd_per_h
    costs = [one.usd_per_h for one in board.of(Deployment) if one.ref.source == ref.source]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def headroom_of(board: Board, ref: Ref) -> float | None:
    """What is left of the tightest limit of those who carry a route's requests; None where no limit is told."""
    route = board.readings.get(ref)
    if not isinstance(route, Route):
        return None
    if route.answered_by:
        return headroom_of(board, Ref(ref.source, Kind.ROUTE, route.answered_by))
    flows: list[tuple[float, float | None]] = []
    for item in route.targets:
        one = board.readings.get(Ref(ref.source, Kind.DEPLOYMENT, item.deployment))
        if isinstance(one, Deployment) and one.traffic is not None:
            left = one.headroom.left_ratio if one.headroom else None
            flows.append((one.traffic.requests_per_min, left))
    whole = sum(flow for flow, _ in flows)
    return min((left for flow, left in flows if left is not None and flow > CARRYING * whole), default=None)
