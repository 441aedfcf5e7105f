"""What an action will do, in numbers, from the board alone. What is not known stays None: it is never a zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from console.domain.actions import Action, Effect, Plan, Reset, Restore, SetWeight, Switch, Trip, Verb
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.readings import Deployment, Headroom, Route, RouteTarget, Traffic
from console.domain.refs import Kind, Ref
from console.domain.text import clean

LISTED = 6
"""Deployments named one by one in a preview; the rest is summed up."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One deployment's place in a route, as the router sees it."""

    name: str
    open: bool
    weight: float | None
    order: int | None

    @property
    def takes(self) -> bool:
        """Whether requests may reach it."""
        return not self.open and self.weight != 0


@dataclass(slots=True)
class Shift:
    """Where requests go: requests a minute by deployment, before and after; None where nothing says."""

    source: str
    before: dict[str, float | None] = field(default_factory=dict)
    after: dict[str, float | None] = field(default_factory=dict)
    homeless: float = 0.0
    """Requests a minute that no deployment would take."""
    known: bool = True
    """Whether the routes say enough to tell."""

    def gained(self, name: str) -> float | None:
        """Requests a minute that a deployment gets in addition (below 0 it loses them)."""
        before, after = self.before.get(name), self.after.get(name)
        return None if before is None or after is None else after - before

    def receivers(self) -> list[str]:
        """Who gets more, most first."""
        gains = {name: self.gained(name) or 0.0 for name in self.after}
        return sorted((name for name in gains if gains[name] > 1e-9), key=lambda name: -gains[name])


def shift(board: Board, target: Ref, action: Action, undoes: Sequence[Plan] = ()) -> Shift:
    """Where the load goes when `action` is done to `target`; `undoes` are the plans that a restore takes back."""
    result = Shift(target.source)
    for route in routes_of(board, target):
        now = slots(board, route)
        demand = demand_of(board, route)
        if demand is None:
            result.known = False
            continue
        before = _flow_now(board, route, demand, now)
        after, homeless = _flow_then(board, route, demand, before, target, action, undoes)
        result.homeless += homeless
        for name in before | after:
            _add(board, result, name, after.get(name, 0.0) - before.get(name, 0.0))
    return result


def _add(board: Board, result: Shift, name: str, change: float) -> None:
    found = board.readings.get(Ref(result.source, Kind.DEPLOYMENT, name))
    traffic = found.traffic if isinstance(found, Deployment) else None
    if name not in result.before:
        result.before[name] = result.after[name] = traffic.requests_per_min if traffic else None
    value = result.after[name]
    if value is not None:
        result.after[name] = max(0.0, value + change)


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


def _flow_now(board: Board, route: Route, demand: float, places: Sequence[Slot]) -> dict[str, float]:
    """Who gets a route's requests now: as observed where that is known, otherwise as the router would."""
    if route.answered_by:
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, route.answered_by))
        return spread(demand, slots(board, other))[0] if isinstance(other, Route) else {}
    seen = {item.deployment: _seen(board, route, item, demand) for item in route.targets}
    known = {name: flow for name, flow in seen.items() if flow is not None}
    return known if known and len(known) == len(seen) else spread(demand, places)[0]


def _seen(board: Board, route: Route, item: RouteTarget, demand: float) -> float | None:
    """A deployment's part of a route as observed: its share, or all its own traffic when it serves no other route."""
    if item.share is not None:
        return item.share * demand
    ref = Ref(route.ref.source, Kind.DEPLOYMENT, item.deployment)
    reading = board.readings.get(ref)
    if not isinstance(reading, Deployment) or reading.traffic is None or routes_of(board, ref) != [route]:
        return None
    return reading.traffic.requests_per_min


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


def headroom_per_min(board: Board, name: str, source: str) -> float | None:
    """Requests a minute that a deployment's provider still allows: the scarcer of requests and tokens."""
    deployment = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    if not isinstance(deployment, Deployment) or deployment.headroom is None:
        return None
    limits = [deployment.headroom.requests_left, _tokens_as_requests(deployment.headroom, deployment.traffic)]
    return min((limit for limit in limits if limit is not None), default=None)


def _tokens_as_requests(headroom: Headroom, traffic: Traffic | None) -> float | None:
    if headroom.tokens_left is None or traffic is None or not traffic.requests_per_min:
        return None
    flows = [flow for flow in (traffic.tokens_in_per_min, traffic.tokens_out_per_min) if flow is not None]
    each = sum(flows) / traffic.requests_per_min
    return headroom.tokens_left / each if each else None


def headroom_ratio(board: Board, moved: Shift, name: str) -> float | None:
    """How many times a deployment could carry what is shifted to it; None when nothing says, or nothing is shifted."""
    gain, left = moved.gained(name), headroom_per_min(board, name, moved.source)
    return left / gain if gain and gain > 0 and left is not None else None


def usd_per_h(board: Board, moved: Shift) -> float | None:
    """What the shift costs or saves, in dollars an hour; None when the price of anything that moves is not known."""
    total = 0.0
    for name in moved.after:
        gain = moved.gained(name)
        reading = board.readings.get(Ref(moved.source, Kind.DEPLOYMENT, name))
        price = reading.usd_per_request if isinstance(reading, Deployment) else None
        if gain is None or (price is None and gain):
            return None
        total += 60.0 * gain * (price or 0.0)
    return total


def effects(board: Board, moved: Shift, wanted: float) -> tuple[Effect, ...]:
    """A preview's lines: requests by deployment, headroom, errors and latency of who gets more, and the cost.

    `wanted` is the least headroom, in times of the shifted demand, that worries nobody.
    """
    if not moved.known or not moved.after:
        return (Effect(label="requests", before=None, after=None, unit="req/min", words="no traffic figures here"),)
    changed = [name for name in moved.after if moved.gained(name) != 0]
    named = sorted(changed or moved.after, key=lambda name: -abs(moved.gained(name) or 0.0))
    lines = [_requests(moved, name) for name in named[:LISTED]]
    if moved.homeless:
        words = "no deployment takes these requests: they fail"
        lines.append(
            Effect(label="without a target", before=0.0, after=moved.homeless, unit="req/min", bad=True, words=words)
        )
    for name in moved.receivers()[:LISTED]:
        lines += _receiver(board, moved, name, wanted)
    if len(named) > LISTED:
        words = f"and {len(named) - LISTED} more deployments"
        lines.append(Effect(label="others", before=None, after=None, unit="req/min", words=words))
    return (*lines, _cost(board, moved))


def _requests(moved: Shift, name: str) -> Effect:
    return Effect(
        label=f"{clean(name)} requests", before=moved.before[name], after=moved.after[name], unit="req/min",
        words="" if moved.before[name] is not None else "its traffic is not known",
    )  # fmt: skip


def _receiver(board: Board, moved: Shift, name: str, wanted: float) -> list[Effect]:
    shown, ratio = clean(name), headroom_ratio(board, moved, name)
    words = "its rate limit is not known" if ratio is None else f"wanted: at least {wanted:g} ×"
    low = ratio is not None and ratio < wanted
    lines = [
        Effect(label=f"{shown} headroom", before=None, after=ratio, unit="× demand", bad=low, words=words),
    ]
    reading = board.readings.get(Ref(moved.source, Kind.DEPLOYMENT, name))
    if isinstance(reading, Deployment):
        errors = reading.traffic.error_ratio if reading.traffic else None
        if errors is not None:
            percent = 100.0 * errors
            bad = errors >= BAD_ERRORS
            lines.append(
                Effect(label=f"{shown} errors", before=percent, after=None, unit="%", bad=bad, words="as it is now")
            )
        if reading.latency and reading.latency.p95_s is not None:
            p95 = reading.latency.p95_s
            lines.append(Effect(label=f"{shown} p95", before=p95, after=None, unit="s", words="as it is now"))
    return lines


def _cost(board: Board, moved: Shift) -> Effect:
    change = usd_per_h(board, moved)
    words = "a price is not known" if change is None else "list or booked price a request × requests"
    return Effect(label="cost", before=None if change is None else 0.0, after=change, unit="$/h", words=words)


BAD_ERRORS = 0.02
"""The part of failing requests from which on a receiver is one to worry about."""
