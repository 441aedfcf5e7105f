"""Who is asked for a route's requests, one group after the other: its own by their order, then its fallbacks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from console.domain.actions import Action, Plan, Switch, Trip
from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.forecast.flow import Shift
from console.forecast.load import Carrier, Pool, repeated
from console.forecast.routing import slots, spread

Known = Callable[[str], Carrier | None]
"""From a deployment's name to what is known of it."""

LEAST: Final = 1e-6


def pools(board: Board, route: Route, flows: Mapping[str, float], gone: str, known: Known, same: int = 1) -> list[Pool]:
    """The groups that are asked, the first with its parts as they flow.

    Args:
        board: as it is.
        route: whose requests these are; where another answers for it, that one is meant.
        flows: attempts a minute of this route's requests, by deployment: who is asked first, and in which parts.
        gone: a deployment that gets nothing more; empty when all may.
        known: what is known of each deployment.
        same: attempts at one of them, before another one is picked.
    """
    own = [slot for slot in slots(board, route) if slot.name != gone and not _half_open(board, route, slot.name)]
    flows = {name: flow for name, flow in flows.items() if flow > LEAST and not _half_open(board, route, name)}
    order = {slot.name: slot.order for slot in own if slot.order is not None}
    first = min((order[name] for name in flows if name in order), default=None)
    asked = {n: flow for n, flow in flows.items() if order.get(n) == first}
    mine = {item.deployment for item in route.targets}
    strangers = {n: flow for n, flow in flows.items() if n not in mine and n != gone}
    parts = {name: flow / _repeated(known(name), same) for name, flow in asked.items()}
    groups = [parts | strangers if first is None or not asked else parts]
    later = sorted({one for one in order.values() if not asked or (first is not None and one > first)})
    groups += [spread(1.0, [slot for slot in own if slot.order == number])[0] for number in later]
    for name in route.fallbacks:
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, name))
        if isinstance(other, Route):
            groups.append(spread(1.0, slots(board, other))[0])
    asked_before: set[str] = set()
    for place, group in enumerate(groups):  # who could not take it is not asked for it by another name
        groups[place] = {name: part for name, part in group.items() if name not in asked_before}
        asked_before |= group.keys()
    return [pool for group in groups if (pool := _pool(group, mine, known, same)).shares]


def _repeated(carrier: Carrier | None, same: int) -> float:
    """How many of the attempts that one gets are made for each time that it is picked, as it fares now."""
    return 1.0 if carrier is None else repeated(carrier.failing(carrier.flow), same)


def _half_open(board: Board, route: Route, name: str) -> bool:
    """Whether only probes reach a deployment, whatever happens elsewhere."""
    one = board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, name))
    return isinstance(one, Deployment) and one.circuit.observed is Observed.HALF_OPEN


def _pool(group: Mapping[str, float], mine: set[str], known: Known, same: int) -> Pool:
    carriers = [(carrier, part) for name, part in group.items() if (carrier := known(name)) is not None]
    beside = {carrier.name: carrier.flow for carrier, _ in carriers if carrier.name not in mine}
    return Pool(carriers, beside, same)


def flows_now(board: Board, route: Route, moved: Shift) -> dict[str, float] | None:
    """Attempts a minute of a route's requests by deployment, as they are; None where nothing says."""
    if route.answered_by:
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, route.answered_by))
        return spread(1.0, slots(board, other))[0] if isinstance(other, Route) else None
    seen = {item.deployment: _flow(board, route, item.deployment) for item in route.targets}
    return _of(route, seen | moved.before, {})


def flows_then(
    board: Board, route: Route, moved: Shift, action: Action, target: Ref, undoes: Sequence[Plan]
) -> dict[str, float] | None:
    """The same after an action; None where nothing says."""
    if isinstance(action, Switch) or (route.answered_by and undoes):
        gained = {name: moved.gained(name) for name in moved.after}
        if any(value is None for value in gained.values()):
            return None
        if isinstance(action, Switch) and action.to in {item.deployment for item in route.targets}:
            return {action.to: 1.0}
        mine = {item.deployment for item in route.targets}
        return {n: (moved.after[n] or 0.0) if n in mine else gain for n, gain in gained.items() if gain and gain > 0}
    found = _of(route, moved.after, moved.before)
    if found is not None and isinstance(action, Trip):
        found.pop(target.name, None)
    return found


def _of(route: Route, flows: Mapping[str, float | None], before: Mapping[str, float | None]) -> dict[str, float] | None:
    """A route's own part: all that its deployments get, and what others get in addition."""
    mine, found = {item.deployment for item in route.targets}, dict[str, float]()
    for name, flow in flows.items():
        if flow is None:
            continue
        part = flow if name in mine else flow - (before.get(name) or 0.0)
        if part > 0 and (name in mine or before):
            found[name] = part
    return found or None


def _flow(board: Board, route: Route, name: str) -> float | None:
    one = board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, name))
    return one.traffic.requests_per_min if isinstance(one, Deployment) and one.traffic is not None else None
