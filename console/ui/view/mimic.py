"""The mimic panel as a list of spots: which lines there are, in which order. How a line looks is `mimic_lines`'s work.

Each route is a busbar, its deployments are feeders with a breaker each; beneath come deployments that no route uses,
queues (once there are any) and the sources. A large platform shows the worst first and folds the rest away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from console.domain.board import Board
from console.domain.health import Level
from console.domain.readings import Deployment, Queue, Route, RouteTarget, Source
from console.domain.refs import Kind, Ref
from console.ui.view.judged import Judgements

FOLD_FROM = 60
"""Lines from which on quiet feeders are folded away."""
SHOWN = 6
"""Feeders of one route that a folded panel shows."""


class Part(StrEnum):
    """What a line of the panel is."""

    WORST = "worst"
    MONEY = "money"
    TITLE = "title"
    ROUTE = "route"
    FEEDER = "feeder"
    FOLDED = "folded"
    QUEUE = "queue"
    SOURCE = "source"
    EMPTY = "empty"


class Spot(NamedTuple):
    """One line: its key for the cursor, and what the keys act on."""

    part: Part
    ref: Ref | None = None
    """The object of this line; None when there is nothing to act on."""
    route: Ref | None = None
    """The route to which a feeder belongs."""
    text: str = ""
    """A title's words."""

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
    """Feeders that end their busbar."""
    folds: dict[Ref, Fold]
    """Route → what of it is folded away."""


def layout(board: Board, judged: Judgements, words: str = "") -> Layout:
    """Decide which lines the panel has; with `words` only those whose names contain them."""
    routes = _ordered(board, judged)
    if words:
        return _only(layout(board, judged), words.casefold())
    lines = sum(1 + len(route.targets) for route in routes)
    found = Layout((), {}, frozenset(), {})
    spots: list[Spot] = []
    last: set[tuple[Ref, Ref]] = set()
    for route in routes:
        spots.append(Spot(Part.ROUTE, route.ref, route.ref))
        shown = _feeders(board, judged, route, lines > FOLD_FROM, found)
        spots += (Spot(Part.FEEDER, ref, route.ref) for ref in shown)
        if route.ref in found.folds:
            spots.append(Spot(Part.FOLDED, None, route.ref))
        elif shown:
            last.add((route.ref, shown[-1]))
    spots += _loose(board, routes, judged)
    spots += _section("Queues", Part.QUEUE, sorted(queue.ref for queue in board.of(Queue)))
    spots += _section("Sources", Part.SOURCE, sorted(source.ref for source in board.of(Source)))
    return Layout(tuple(spots), found.targets, frozenset(last), found.folds)


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
    spots = [Spot(part, ref) for ref in refs]
    return [Spot(Part.TITLE, text=title), *spots] if spots else []
