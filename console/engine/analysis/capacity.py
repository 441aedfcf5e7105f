"""If one provider goes, can the rest carry what it carries now? By rate limits, as the gateway shows them."""

from console.domain.analysis import Without
from console.domain.board import Board
from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Provider, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean

SAFE = 1.3
"""Room that is wanted for each request that moves: bursts, and retries of what fails meanwhile."""
QUIET_PER_MIN = 0.5


def without(board: Board) -> tuple[Without, ...]:
    """One verdict a provider that has traffic, the one with the most first.

    A route moves to its other deployments; where it has none that answer, to those of its fallbacks. Deployments at
    the same provider do not help, nor do those that are open or stale. A deployment that several routes would move to
    is counted once.
    """
    at = {d.ref: d for d in board.of(Deployment)}
    found = [one for provider in board.of(Provider) if (one := _of(provider, at, board)) is not None]
    return tuple(sorted(found, key=lambda one: (-one.demand_per_min, str(one.provider))))


def _of(provider: Provider, at: dict[Ref, Deployment], board: Board) -> Without | None:
    source = provider.ref.source
    gone = {Ref(source, Kind.DEPLOYMENT, name) for name in provider.deployments}
    leaving = {ref: _per_min(at[ref]) for ref in gone if ref in at and _per_min(at[ref]) > QUIET_PER_MIN}
    demand = sum(leaving.values())
    if not leaving:
        return None
    if board.freshness(provider.ref) is not Freshness.FRESH:
        return Without(provider=provider.ref, demand_per_min=demand, words="not known: the gateway does not answer")
    routes = {name for ref in leaving for name in at[ref].routes}
    taking, stranded = _taking(sorted(routes), source, gone, at, board)
    if stranded:
        words = f"{clean(stranded, 60)} has nothing but {clean(provider.ref.name, 60)}"
        return Without(provider=provider.ref, demand_per_min=demand, room_per_min=0.0, carries=False, words=words)
    rooms = [room for ref in sorted(taking) if (room := room_of(at[ref])) is not None]
    names = ", ".join(clean(ref.name, 60) for ref in sorted(taking)[:3])
    if len(rooms) < len(taking):
        words = f"not known: no rate limit is told of some of {names}"
        known = sum(rooms) if rooms else None
        carries = True if known is not None and known >= SAFE * demand else None
        words = words if carries is None else _words(known or 0.0, demand, names)
        return Without(provider=provider.ref, demand_per_min=demand, room_per_min=known, carries=carries, words=words)
    room = sum(rooms)
    return Without(
        provider=provider.ref,
        demand_per_min=demand,
        room_per_min=room,
        carries=room >= SAFE * demand,
        words=_words(room, demand, names),
    )


def _words(room: float, demand: float, names: str) -> str:
    ratio = f"{room / demand:.1f}×" if demand else "no"
    return f"{names} have room for {room:,.0f} more requests/min, {ratio} the {demand:,.0f} that would move"


def _taking(
    routes: list[str], source: str, gone: set[Ref], at: dict[Ref, Deployment], board: Board
) -> tuple[set[Ref], str]:
    """Who would answer instead, and the first route that nobody could answer."""
    taking: set[Ref] = set()
    for name in routes:
        route = board.readings.get(Ref(source, Kind.ROUTE, name))
        asked = [name, *(route.fallbacks if isinstance(route, Route) else ())]
        for other in asked:
            fit = {ref for ref in _deployments(source, other, at) if ref not in gone and _answers(at[ref], board)}
            if fit:
                taking |= fit
                break
        else:
            return taking, name
    return taking, ""


def _deployments(source: str, route: str, at: dict[Ref, Deployment]) -> list[Ref]:
    return [ref for ref, one in at.items() if ref.source == source and route in one.routes]


def _answers(one: Deployment, board: Board) -> bool:
    return one.circuit.observed is not Observed.OPEN and board.freshness(one.ref) is Freshness.FRESH


def room_of(one: Deployment) -> float | None:
    """Requests a minute that a deployment could take on top: the scarcer of its requests and tokens; None unknown."""
    limits, flow = one.headroom, one.traffic
    if limits is None:
        return None
    rooms = [limits.requests_left] if limits.requests_left is not None else []
    per_request = None
    if flow is not None and flow.requests_per_min > QUIET_PER_MIN:
        tokens = (flow.tokens_in_per_min or 0.0) + (flow.tokens_out_per_min or 0.0)
        per_request = tokens / flow.requests_per_min if tokens else None
    if limits.tokens_left is not None and per_request:
        rooms.append(limits.tokens_left / per_request)
    return min(rooms, default=None)


def _per_min(one: Deployment) -> float:
    return 0.0 if one.traffic is None else one.traffic.requests_per_min
