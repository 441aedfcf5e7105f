"""The mimic panel as a list of spots: which lines there are, in which order. How a line looks is `mimic_lines`'s work.

Each route is a busbar, its deployments are feeders with a breaker each, and beneath them hang the queues whose workers
call it. Then come deployments that no route uses, queues that feed none, the applications as their traces show them,
and the sources. A large platform shows the worst first and folds the rest away.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from typing import NamedTuple

from console.domain.board import Board
from console.domain.health import Level
from console.domain.readings import Deployment, Queue, Route, RouteTarget, Service, Source
from console.domain.refs import Kind, Ref
from console.ui.format import count
from console.ui.lazy import Steps, whole
from console.ui.view.judged import Judgements

FOLD_FROM = 60
"""Lines from which on quiet feeders are folded away."""
SHOWN = 6
"""Feeders of one route that a folded panel shows."""
QUEUES = 3
"""Queues of one route, or of none, that stand in the panel; the Queues screen has all."""
AT_ONCE = 300
"""Routes whose lines are decided without a break."""
SERVICES = 4
"""Services that stand in the panel."""


class Part(StrEnum):
    """What a line of the panel is."""

    WORST = "worst"
    INCIDENT = "incident"
    MONEY = "money"
    TITLE = "title"
    ROUTE = "route"
    FEEDER = "feeder"
    FOLDED = "folded"
    QUEUE = "queue"
    SERVICE = "service"
    SOURCE = "source"
    EMPTY = "empty"


class Spot(NamedTuple):
    """One line: its key for the cursor, and what the keys act on."""

    part: Part
    ref: Ref | None = None
    """The object of this line; None when there is nothing to act on."""
    route: Ref | None = None
    """The route to which a feeder or a queue belongs."""
    text: str = ""
    """A title's words, or those of what is folded away when it is no feeder; an incident's id."""

    @property
    def selectable(self) -> bool:
        """Whether the cursor stops here."""
        return self.ref is not None


@dataclass(frozen=True, slots=True)
class Fold:
    """The feeders of one route that are not shown."""

    count: int
    flow: float
    """Requests a minute that pass them."""


class Layout(NamedTuple):
    """The panel's body."""

    spots: tuple[Spot, ...]
    targets: dict[tuple[Ref, Ref], RouteTarget]
    """(route, deployment) → the route's own view of that feeder."""
    last: frozenset[tuple[Ref, Ref]]
    """Feeders and queues that end their busbar."""
    folds: dict[Ref, Fold]
    """Route → what of it is folded away."""


def layout(board: Board, judged: Judgements, words: str = "") -> Layout:
    """Decide which lines the panel has; with `words` only those whose names contain them."""
    return whole(layout_in_steps(board, judged, words))


def layout_in_steps(board: Board, judged: Judgements, words: str = "") -> Steps[Layout]:
    """The same in steps of a few milliseconds."""
    found = yield from _whole_layout(board, judged)
    return _only(found, words.casefold()) if words else found


def _whole_layout(board: Board, judged: Judgements) -> Steps[Layout]:
    routes = _ordered(board, judged)
    yield
    lines = sum(1 + len(route.targets) for route in routes)
    found = Layout((), {}, frozenset(), {})
    waiting = waiting_for(board, routes)
    spots: list[Spot] = []
    last: set[tuple[Ref, Ref]] = set()
    for done, route in enumerate(routes, 1):
        if not done % AT_ONCE:
            yield
        spots.append(Spot(Part.ROUTE, route.ref, route.ref))
        shown = _feeders(board, judged, route, lines > FOLD_FROM, found)
        hung = [Spot(Part.FEEDER, ref, route.ref) for ref in shown]
        if route.ref in found.folds:
            hung.append(Spot(Part.FOLDED, None, route.ref))
        hung += _worst_queues(waiting.pop(route.ref, []), judged, route.ref)
        if hung and (end := hung[-1].ref) is not None:
            last.add((route.ref, end))
        spots += hung
    yield
    spots += _loose(board, routes, judged)
    yield
    unfed = [queue for queue in waiting.get(None, []) if not queue.holds_dead or queue.consumers]
    spots += _titled("Queues that feed no route", _worst_queues(unfed, judged, None))
    spots += _titled("Applications", _services(board, judged))
    spots += _section("Sources", Part.SOURCE, sorted(source.ref for source in board.of(Source)))
    return Layout(tuple(spots), found.targets, frozenset(last), found.folds)


def waiting_for(board: Board, routes: Iterable[Route]) -> dict[Ref | None, list[Queue]]:
    """Route → the queues that feed it; None → those that feed none that is on the board."""
    named = {str(route.ref): route.ref for route in routes}
    found: dict[Ref | None, list[Queue]] = defaultdict(list)
    for queue in board.of(Queue):
        fed = [named[name] for name in dict.fromkeys(queue.feeds) if name in named]
        for ref in fed or (None,):
            found[ref].append(queue)
    return found


def _worst_queues(queues: Sequence[Queue], judged: Judgements, route: Ref | None) -> list[Spot]:
    """The worst and deepest of them by name, and how many more there are."""
    worst = nsmallest(QUEUES, queues, key=lambda queue: (-judged.of(queue.ref).level, -queue.depth, queue.ref))
    spots = [Spot(Part.QUEUE, queue.ref, route) for queue in sorted(worst, key=lambda queue: queue.ref)]
    if len(queues) > QUEUES:
        depth = sum(queue.depth for queue in queues) - sum(queue.depth for queue in worst)
        words = f"{len(queues) - QUEUES:,} queues more with {count(depth)} waiting; the Queues screen lists them"
        spots.append(Spot(Part.FOLDED, None, route, words))
    return spots


def _services(board: Board, judged: Judgements) -> list[Spot]:
    services = list(board.of(Service))
    worst = nsmallest(SERVICES, services, key=lambda item: (-judged.of(item.ref).level, -_requests(item), item.ref))
    spots = [Spot(Part.SERVICE, item.ref) for item in sorted(worst, key=lambda item: item.ref)]
    if len(services) > SERVICES:
        spots.append(Spot(Part.FOLDED, text=f"{len(services) - SERVICES:,} more, none of them worse"))
    return spots


def _requests(service: Service) -> float:
    return service.traffic.requests_per_min if service.traffic else 0.0


def apart(whole: Layout, height: int) -> Layout:
    """The same with an empty line before each route but the first and before each title, where the lines allow it."""
    starts = [at for at, spot in enumerate(whole.spots) if at and spot.part in (Part.ROUTE, Part.TITLE)]
    if len(whole.spots) + len(starts) > height:
        return whole
    spots: list[Spot] = []
    for at, spot in enumerate(whole.spots):
        if at in starts:
            spots.append(Spot(Part.EMPTY, text=str(at)))
        spots.append(spot)
    return whole._replace(spots=tuple(spots))


def _only(whole: Layout, words: str) -> Layout:
    """Lines that match, each feeder with its route, each route with its feeders."""
    named = {spot.ref for spot in whole.spots if spot.ref and words in spot.ref.name.casefold()}
    above = {spot.route for spot in whole.spots if spot.ref in named}
    kept = [spot for spot in whole.spots if spot.ref in named or spot.ref in above or spot.route in named]
    return whole._replace(spots=tuple(kept))


def _ordered(board: Board, judged: Judgements) -> list[Route]:
    """By name; a panel that does not fit a screen shows routes in trouble first."""
    routes = sorted(board.of(Route), key=lambda route: route.ref)
    if sum(1 + len(route.targets) for route in routes) > FOLD_FROM:
        routes.sort(key=lambda route: -_worst(judged, route))
    return routes


def _worst(judged: Judgements, route: Route) -> Level:
    refs = (Ref(route.ref.source, Kind.DEPLOYMENT, target.deployment) for target in route.targets)
    return max((judged.of(ref).level for ref in refs), default=Level.OK)


def _feeders(board: Board, judged: Judgements, route: Route, fold: bool, found: Layout) -> list[Ref]:
    """The feeders to show, in the route's own order."""
    refs: list[Ref] = []
    for target in route.targets:
        ref = Ref(route.ref.source, Kind.DEPLOYMENT, target.deployment)
        found.targets[route.ref, ref] = target
        refs.append(ref)
    if not fold or len(refs) <= SHOWN:
        return refs
    ranked = sorted(range(len(refs)), key=lambda at: (-judged.of(refs[at]).level, at))
    kept = set(ranked[:SHOWN])
    hidden = [ref for at, ref in enumerate(refs) if at not in kept]
    found.folds[route.ref] = Fold(len(hidden), sum(_flow(board, ref) for ref in hidden))
    return [ref for at, ref in enumerate(refs) if at in kept]


def _flow(board: Board, ref: Ref) -> float:
    reading = board.readings.get(ref)
    return reading.traffic.requests_per_min if isinstance(reading, Deployment) and reading.traffic else 0.0


def _loose(board: Board, routes: list[Route], judged: Judgements) -> list[Spot]:
    """Deployments that no route on the board uses."""
    used = {(route.ref.source, target.deployment) for route in routes for target in route.targets}
    loose = [item.ref for item in board.of(Deployment) if (item.ref.source, item.ref.name) not in used]
    loose.sort(key=lambda ref: (-judged.of(ref).level, ref) if len(loose) > FOLD_FROM else (0, ref))
    return _section("Deployments without a route", Part.FEEDER, loose)


def _section(title: str, part: Part, refs: Iterable[Ref]) -> list[Spot]:
    return _titled(title, [Spot(part, ref) for ref in refs])


def _titled(title: str, spots: list[Spot]) -> list[Spot]:
    return [Spot(Part.TITLE, text=title), *spots] if spots else []
