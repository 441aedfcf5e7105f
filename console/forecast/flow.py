"""Where requests go, now and after an action, from the board alone. What is not known stays None: never a zero.

Two things are counted. *Requests* ask for a route once. *Attempts* reach deployments: a failed one is tried again
elsewhere, so that an ill deployment makes more of them than there are requests. Taking it away ends its retries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.domain.actions import Action, Plan, Reset, Restore, SetWeight, Switch, Trip, Verb
from console.domain.board import Board
from console.domain.readings import Deployment, Route, RouteTarget
from console.domain.refs import Kind, Ref
from console.forecast.routing import Slot, demand_of, routes_of, slots, spread, spread_or_fall_back


@dataclass(slots=True)
class Shift:
    """Attempts a minute by deployment, before and after; None where nothing says."""

    source: str
    before: dict[str, float | None] = field(default_factory=dict)
    after: dict[str, float | None] = field(default_factory=dict)
    homeless: float = 0.0
    """Requests a minute that no deployment would take."""
    retries: tuple[float, float] = (0.0, 0.0)
    """Attempts a minute that only repeat failed ones, before and after."""
    known: bool = True
    """Whether the routes say enough to tell."""

    def gained(self, name: str) -> float | None:
        """Attempts a minute that a deployment gets in addition (below 0 it loses them)."""
        before, after = self.before.get(name), self.after.get(name)
        return None if before is None or after is None else after - before

    def receivers(self) -> list[str]:
        """Who gets more, most first."""
        gains = {name: self.gained(name) or 0.0 for name in self.after}
        return sorted((name for name in gains if gains[name] > 1e-9), key=lambda name: -gains[name])


def shift(board: Board, target: Ref, action: Action, undoes: Sequence[Plan] = ()) -> Shift:
    """Where the load goes when `action` is done to `target`; `undoes` are the plans that a restore takes back."""
    result = Shift(target.source)
    concerned = routes_of(board, target)
    serving = _serving(board, target.source) if concerned else {}
    for route in concerned:
        demand = demand_of(board, route)
        if demand is None:
            result.known = False
        else:
            _Move(board, route, demand, serving).put(result, target, action, undoes)
    return result


def _serving(board: Board, source: str) -> dict[str, set[str]]:
    """For each deployment the names of the routes that list it, whether they answer themselves now or not."""
    found: dict[str, set[str]] = {}
    for route in board.of(Route):
        if route.ref.source == source:
            for item in route.targets:
                found.setdefault(item.deployment, set()).add(route.ref.name)
    return found


class _Move:
    """What an action does to one route's requests. `serving`: deployment's name → names of all its routes."""

    def __init__(self, board: Board, route: Route, demand: float, serving: Mapping[str, set[str]]) -> None:
        self._board = board
        self._route = route
        self._demand = demand
        self._serving = serving
        self._places = slots(board, route)
        self._now, self._late = self._flow_now()

    def put(self, result: Shift, target: Ref, action: Action, undoes: Sequence[Plan]) -> None:
        """Add this route's part to a shift.

        Retries are shared out like the requests. Those that failures of a deployment cause end when it gets none.
        """
        then, homeless = self._flow_then(target, action, undoes)
        result.homeless += homeless
        retries = self._retries([slot.name for slot in self._places if slot.forced] if self._late else [])
        left = [name for name, flow in self._now.items() if flow > 0 and not then.get(name)]
        remaining = max(0.0, retries - sum(map(self._failures, left)))
        result.retries = (result.retries[0] + retries, result.retries[1] + remaining)
        before, after = (1.0 + part / self._demand if self._demand else 1.0 for part in (retries, remaining))
        for name in dict.fromkeys((*self._now, *then)):
            self._add(result, name, self._now.get(name, 0.0) * before, then.get(name, 0.0) * after)

    def _add(self, result: Shift, name: str, before: float, after: float) -> None:
        """Count attempts at a deployment: all that it gets, or, where it serves other routes too, the difference."""
        found = self._deployment(name)
        traffic = found.traffic if found else None
        if name not in result.before:
            result.before[name] = result.after[name] = traffic.requests_per_min if traffic else None
        value, alone = result.after[name], self._serves_only_this(name)
        if value is not None:
            result.after[name] = after if alone else max(0.0, value + after - before)
        if alone and self._late:
            result.before[name] = before

    def _retries(self, gone: Sequence[str]) -> float:
        """Attempts a minute that only repeat failed ones, without those caused by deployments that get nothing now."""
        return max(0.0, self._demand * (self._amplified - 1.0) - sum(map(self._failures, gone)))

    def _flow_now(self) -> tuple[dict[str, float], bool]:
        """Who gets the requests now, and whether what was observed is too late to say.

        As observed where that is known, otherwise as the router would. Traffic is counted over a while: where a
        deployment that is kept away still shows some, the figures are from before that, and the router's rule tells
        more.
        """
        if self._route.answered_by:
            other = self._board.readings.get(Ref(self._route.ref.source, Kind.ROUTE, self._route.answered_by))
            return (spread(self._demand, slots(self._board, other))[0] if isinstance(other, Route) else {}), True
        seen = {item.deployment: self._seen(item) for item in self._route.targets}
        known = {name: flow for name, flow in seen.items() if flow is not None}
        late = any(slot.forced and known.get(slot.name, 0.0) > 0.01 * self._demand for slot in self._places)
        if late or not known or len(known) != len(seen):
            return spread(self._demand, self._places)[0], late
        return known, False

    def _seen(self, item: RouteTarget) -> float | None:
        """A deployment's part of the requests as observed: its share, or that of its own attempts."""
        if item.share is not None:
            return item.share * self._demand
        reading = self._deployment(item.deployment)
        if reading is None or reading.traffic is None or not self._serves_only_this(item.deployment):
            return None
        return reading.traffic.requests_per_min / self._amplified

    def _flow_then(self, target: Ref, action: Action, undoes: Sequence[Plan]) -> tuple[dict[str, float], float]:
        """Who gets the requests after the action, and how many nobody gets."""
        if isinstance(action, Switch):
            return self._switched(action.to)
        places = [_changed(slot, action, undoes) if slot.name == target.name else slot for slot in self._places]
        if not isinstance(action, Trip):
            return spread_or_fall_back(self._board, self._route, self._demand, places)
        flow, left = spread_or_fall_back(self._board, self._route, self._now.get(target.name, 0.0), places)
        kept = {name: value for name, value in self._now.items() if name != target.name}
        return {name: kept.get(name, 0.0) + flow.get(name, 0.0) for name in kept | flow} | {target.name: 0.0}, left

    def _switched(self, to: str) -> tuple[dict[str, float], float]:
        if to in {item.deployment for item in self._route.targets}:
            return {to: self._demand}, 0.0
        other = self._board.readings.get(Ref(self._route.ref.source, Kind.ROUTE, to))
        if not isinstance(other, Route):
            return {}, 0.0
        return spread_or_fall_back(self._board, other, self._demand, slots(self._board, other))

    @property
    def _amplified(self) -> float:
        """Attempts for each request; 1 where nothing says."""
        attempts = self._route.traffic.attempts_per_request if self._route.traffic else None
        return max(1.0, attempts or 1.0)

    def _deployment(self, name: str) -> Deployment | None:
        found = self._board.readings.get(Ref(self._route.ref.source, Kind.DEPLOYMENT, name))
        return found if isinstance(found, Deployment) else None

    def _failures(self, name: str) -> float:
        found = self._deployment(name)
        return found.traffic.errors_per_min if found and found.traffic else 0.0

    def _serves_only_this(self, name: str) -> bool:
        return self._serving.get(name) == {self._route.ref.name}


def _changed(slot: Slot, action: Action, undoes: Sequence[Plan]) -> Slot:
    match action:
        case Trip():
            return Slot(slot.name, True, slot.weight, slot.order)
        case Reset():
            return Slot(slot.name, False, slot.weight, slot.order)
        case SetWeight(weight=weight):
            return Slot(slot.name, slot.open, weight, slot.order)
        case Restore():
            untripped = any(plan.verb is Verb.TRIP for plan in undoes)
            first = next((plan.before["weight"] for plan in undoes if "weight" in plan.before), slot.weight)
            former = float(first) if isinstance(first, int | float) else None
            return Slot(slot.name, slot.open and not untripped, former, slot.order)
        case _:
            return slot
