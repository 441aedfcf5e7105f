"""Where requests go, now and after an action, from the board alone. What is not known stays None: never a zero.

Two things are counted. *Requests* ask for a route once. *Attempts* reach deployments: a failed one is tried again
elsewhere, so that an ill deployment makes more of them than there are requests. Taking it away ends its retries.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from console.domain.actions import Action, Plan, Reset, Restore, SetWeight, Switch, Trip, Verb
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.readings import Deployment, Route, RouteTarget
from console.domain.refs import Kind, Ref

Serving = dict[str, set[str]]
"""Deployment's name → names of its routes."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One deployment's place in a route, as the router sees it."""

    name: str
    open: bool
    weight: float | None
    order: int | None
    forced: bool = False
    """Whether an operator keeps requests away."""

    @property
    def takes(self) -> bool:
        """Whether requests may reach it."""
        return not self.open and self.weight != 0


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
            continue
        places = slots(board, route)
        now, late = _flow_now(board, route, demand, places, serving)
        then, homeless = _flow_then(board, route, demand, now, target, action, undoes)
        result.homeless += homeless
        retries = _retries(board, route, demand, [slot.name for slot in places if slot.forced] if late else [])
        _repeat(board, result, route, demand, now, then, serving, retries=retries, late=late)
    return result


def _retries(board: Board, route: Route, demand: float, gone: Sequence[str]) -> float:
    """Attempts a minute that only repeat failed ones, without those that deployments caused which get nothing now."""
    amplified = route.traffic.attempts_per_request if route.traffic else None
    seen = demand * max(0.0, (amplified or 1.0) - 1.0)
    return max(0.0, seen - sum(_failures(board, route.ref.source, name) for name in gone))


def _repeat(
    board: Board,
    result: Shift,
    route: Route,
    demand: float,
    now: Mapping[str, float],
    then: Mapping[str, float],
    serving: Serving,
    *,
    retries: float,
    late: bool,
) -> None:
    """From a route's requests to attempts at its deployments.

    Retries are shared out like the requests. Those that failures of a deployment cause end when it gets none.
    """
    left = [name for name, flow in now.items() if flow > 0 and not then.get(name)]
    remaining = max(0.0, retries - sum(_failures(board, route.ref.source, name) for name in left))
    result.retries = (result.retries[0] + retries, result.retries[1] + remaining)
    before, after = (1.0 + part / demand if demand else 1.0 for part in (retries, remaining))
    for name in dict.fromkeys((*now, *then)):
        _add(board, result, route, name, now.get(name, 0.0) * before, then.get(name, 0.0) * after, serving, late=late)


def _failures(board: Board, source: str, name: str) -> float:
    reading = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    return reading.traffic.errors_per_min if isinstance(reading, Deployment) and reading.traffic else 0.0


def _add(
    board: Board, result: Shift, route: Route, name: str, before: float, after: float, serving: Serving, *, late: bool
) -> None:
    """Count one route's attempts at a deployment: all that it gets, or, where it serves others too, the difference."""
    ref = Ref(result.source, Kind.DEPLOYMENT, name)
    found = board.readings.get(ref)
    traffic = found.traffic if isinstance(found, Deployment) else None
    if name not in result.before:
        result.before[name] = result.after[name] = traffic.requests_per_min if traffic else None
    value, alone = result.after[name], serving.get(name) == {route.ref.name}
    if value is not None:
        result.after[name] = after if alone else max(0.0, value + after - before)
    if alone and late:
        result.before[name] = before


def _serving(board: Board, source: str) -> Serving:
    """For each deployment the names of the routes that list it, whether they answer themselves now or not."""
    found: Serving = {}
    for route in board.of(Route):
        if route.ref.source == source:
            for item in route.targets:
                found.setdefault(item.deployment, set()).add(route.ref.name)
    return found


def routes_of(board: Board, target: Ref) -> list[Route]:
    """The routes that an action on `target` concerns: itself, or those that ask the deployment now."""
    if target.kind is Kind.ROUTE:
        found = board.readings.get(target)
        return [found] if isinstance(found, Route) else []
    return [
        route
        for route in board.of(Route)
        if route.ref.source == target.source
        and not route.answered_by
        and any(item.deployment == target.name for item in route.targets)
    ]


def slots(board: Board, route: Route) -> list[Slot]:
    """The deployments of a route with what decides who is asked."""
    found = []
    for item in route.targets:
        reading = board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, item.deployment))
        deployment = reading if isinstance(reading, Deployment) else None
        found.append(
            Slot(
                item.deployment,
                open=deployment is not None and is_open(deployment),
                weight=item.weight if item.weight is not None or deployment is None else deployment.weight,
                order=item.order if item.order is not None or deployment is None else deployment.order,
                forced=deployment is not None and deployment.circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED),
            )
        )
    return found


def is_open(deployment: Deployment) -> bool:
    """Whether requests are kept away from it on every replica that says so."""
    circuit = deployment.circuit
    return circuit.observed is Observed.OPEN or circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED)


def demand_of(board: Board, route: Route) -> float | None:
    """Requests a minute that ask for a route; None when neither it nor its deployments say."""
    if route.traffic is not None:
        return route.traffic.requests_per_min
    readings = [board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, t.deployment)) for t in route.targets]
    flows = [r.traffic.requests_per_min for r in readings if isinstance(r, Deployment) and r.traffic is not None]
    return sum(flows) if flows and len(flows) == len(route.targets) else None


def spread(demand: float, places: Iterable[Slot]) -> tuple[dict[str, float], float]:
    """Share out requests among those that take them: the lowest order only, by weight. Also what nobody takes."""
    taking = [slot for slot in places if slot.takes]
    if not taking:
        return {}, demand
    first = min((slot.order for slot in taking if slot.order is not None), default=None)
    asked = [slot for slot in taking if slot.order == first]
    weights = {slot.name: 1.0 if slot.weight is None else slot.weight for slot in asked}
    whole = sum(weights.values())
    return {name: demand * weight / whole for name, weight in weights.items()}, 0.0


def _spread_or_fall_back(
    board: Board, route: Route, demand: float, places: Sequence[Slot]
) -> tuple[dict[str, float], float]:
    flow, left = spread(demand, places)
    for name in route.fallbacks if left else ():
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, name))
        if isinstance(other, Route):
            flow, left = spread(demand, slots(board, other))
            if not left:
                break
    return flow, left


def _flow_now(
    board: Board, route: Route, demand: float, places: Sequence[Slot], serving: Serving
) -> tuple[dict[str, float], bool]:
    """Who gets a route's requests now, and whether what was observed is too late to say.

    As observed where that is known, otherwise as the router would. Traffic is counted over a while: where a
    deployment that is kept away still shows some, the figures are from before that, and the router's rule tells more.
    """
    if route.answered_by:
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, route.answered_by))
        return (spread(demand, slots(board, other))[0] if isinstance(other, Route) else {}), True
    seen = {item.deployment: _seen(board, route, item, demand, serving) for item in route.targets}
    known = {name: flow for name, flow in seen.items() if flow is not None}
    late = any(slot.forced and known.get(slot.name, 0.0) > 0.01 * demand for slot in places)
    if late or not known or len(known) != len(seen):
        return spread(demand, places)[0], late
    return known, False


def _seen(board: Board, route: Route, item: RouteTarget, demand: float, serving: Serving) -> float | None:
    """A deployment's part of a route's requests as observed: its share, or that of its own attempts."""
    if item.share is not None:
        return item.share * demand
    ref = Ref(route.ref.source, Kind.DEPLOYMENT, item.deployment)
    reading = board.readings.get(ref)
    if (
        not isinstance(reading, Deployment)
        or reading.traffic is None
        or serving.get(item.deployment) != {route.ref.name}
    ):
        return None
    amplified = route.traffic.attempts_per_request if route.traffic else None
    return reading.traffic.requests_per_min / (amplified or 1.0)


def _flow_then(
    board: Board,
    route: Route,
    demand: float,
    before: Mapping[str, float],
    target: Ref,
    action: Action,
    undoes: Sequence[Plan],
) -> tuple[dict[str, float], float]:
    places = slots(board, route)
    if isinstance(action, Switch):
        return _switched(board, route, demand, action.to)
    places = [_changed(slot, action, undoes) if slot.name == target.name else slot for slot in places]
    if isinstance(action, Trip):
        moved = before.get(target.name, 0.0)
        flow, left = _spread_or_fall_back(board, route, moved, places)
        kept = {name: value for name, value in before.items() if name != target.name}
        return {name: kept.get(name, 0.0) + flow.get(name, 0.0) for name in kept | flow} | {target.name: 0.0}, left
    return _spread_or_fall_back(board, route, demand, places)


def _switched(board: Board, route: Route, demand: float, to: str) -> tuple[dict[str, float], float]:
    if to in {item.deployment for item in route.targets}:
        return {to: demand}, 0.0
    other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, to))
    return _spread_or_fall_back(board, other, demand, slots(board, other)) if isinstance(other, Route) else ({}, 0.0)


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
