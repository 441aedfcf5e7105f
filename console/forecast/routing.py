"""What a gateway's router does, as far as the board tells: who of a route is asked, and how often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref


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


def routes_of(board: Board, target: Ref) -> list[Route]:
    """The routes that an action on `target` concerns: itself, or those that ask the deployment now; else none."""
    if target.kind is Kind.ROUTE:
        found = board.readings.get(target)
        return [found] if isinstance(found, Route) else []
    if target.kind is not Kind.DEPLOYMENT:
        return []
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


def spread_or_fall_back(
    board: Board, route: Route, demand: float, places: Sequence[Slot]
) -> tuple[dict[str, float], float]:
    """As `spread`; what nobody takes goes to the first fallback route that does."""
    flow, left = spread(demand, places)
    for name in route.fallbacks if left else ():
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, name))
        if isinstance(other, Route):
            flow, left = spread(demand, slots(board, other))
            if not left:
                break
    return flow, left
