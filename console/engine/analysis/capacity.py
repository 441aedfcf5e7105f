"""If one provider goes, can the rest carry what it carries now? By rate limits, as the gateway shows them."""

from typing import NamedTuple

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
NAMED = 3
"""Deployments that are named before the rest is counted."""

_Serving = dict[tuple[str, str], list[Deployment]]
"""(source, route) → the deployments that serve it."""


def without(board: Board, only: str = "") -> tuple[Without, ...]:
    """One verdict a provider that has traffic (`only`: those of that name), the one with the most first.

    A route moves to its other deployments; where it has none that answer, to those of its fallbacks. Deployments at
    the same provider do not help, nor do those that are open or stale. Every route has to find its room, and all of
    them together where they move to the same deployments.
    """
    wanted = [provider for provider in board.of(Provider) if only in ("", provider.ref.name)]
    if not wanted:
        return ()
    serving: dict[tuple[str, str], list[Deployment]] = {}
    for one in board.of(Deployment):
        for route in one.routes:
            serving.setdefault((one.ref.source, route), []).append(one)
    found = [verdict for provider in wanted if (verdict := _of(provider, serving, board)) is not None]
    return tuple(sorted(found, key=lambda one: (-one.demand_per_min, str(one.provider))))


class _Move(NamedTuple):
    """What one route would move, and to whom."""

    route: str
    per_min: float
    to: tuple[Deployment, ...]

    @property
    def room(self) -> float | None:
        """What those can take on top; None when no limit of one of them is known."""
        rooms = [room_of(one) for one in self.to]
        known = [room for room in rooms if room is not None]
        return sum(known) if known and len(known) == len(rooms) else None

    @property
    def tightness(self) -> float:
        """Room ÷ demand."""
        return (self.room or 0.0) / self.per_min


def _of(provider: Provider, serving: _Serving, board: Board) -> Without | None:
    moves = _moves(provider, serving, board)
    demand = sum(move.per_min for move in moves)
    if not moves:
        return None
    if board.freshness(provider.ref) is not Freshness.FRESH:
        return Without(provider=provider.ref, demand_per_min=demand, words="not known: the gateway does not answer")
    stranded = next((move.route for move in moves if not move.to), "")
    if stranded:
        words = f"{clean(stranded, 60)} has nothing but {clean(provider.ref.name, 60)}"
        return Without(provider=provider.ref, demand_per_min=demand, room_per_min=0.0, carries=False, words=words)
    unknown = next((move for move in moves if move.room is None), None)
    if unknown is not None:
        words = f"not known: no rate limit is told of some of {_names(unknown.to)}"
        return Without(provider=provider.ref, demand_per_min=demand, words=words)
    rooms = {one.ref: room_of(one) or 0.0 for move in moves for one in move.to}
    whole = _Move("all of it", demand, tuple({one.ref: one for move in moves for one in move.to}.values()))
    tightest = min((*moves, whole), key=lambda move: move.tightness)
    return Without(
        provider=provider.ref,
        demand_per_min=demand,
        room_per_min=sum(rooms.values()),
        carries=tightest.tightness >= SAFE,
        words=_words(tightest),
    )


def _words(move: _Move) -> str:
    have = "has" if len(move.to) == 1 else "have"
    room, demand = move.room or 0.0, move.per_min
    moves = f"{room / demand:.1f}× the {demand:,.0f} of {clean(move.route, 60)} that would move"
    return f"{_names(move.to)} {have} room for {room:,.0f} more requests/min, {moves}"


def _names(deployments: tuple[Deployment, ...]) -> str:
    shown = ", ".join(clean(one.ref.name, 60) for one in deployments[:NAMED])
    return f"{shown} and {len(deployments) - NAMED} more" if len(deployments) > NAMED else shown


def _moves(provider: Provider, serving: _Serving, board: Board) -> list[_Move]:
    """What each route would have to send elsewhere; of a deployment that serves several, each an equal part."""
    source = provider.ref.source
    per_min: dict[str, float] = {}
    gone = {Ref(source, Kind.DEPLOYMENT, name) for name in provider.deployments}
    for ref in sorted(gone):
        one = board.readings.get(ref)
        if isinstance(one, Deployment) and _per_min(one) > QUIET_PER_MIN:
            for route in one.routes:
                per_min[route] = per_min.get(route, 0.0) + _per_min(one) / len(one.routes)
    return [_Move(route, rate, _takers(source, route, gone, serving, board)) for route, rate in sorted(per_min.items())]


def _takers(source: str, name: str, gone: set[Ref], serving: _Serving, board: Board) -> tuple[Deployment, ...]:
    """Who would answer instead: the route's other deployments, else those of the first fallback that has any."""
    route = board.readings.get(Ref(source, Kind.ROUTE, name))
    for other in (name, *(route.fallbacks if isinstance(route, Route) else ())):
        fit = [one for one in serving.get((source, other), ()) if one.ref not in gone and _answers(one, board)]
        if fit:
            return tuple(fit)
    return ()


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
