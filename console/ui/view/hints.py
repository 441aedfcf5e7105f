"""What is wrong and which key to press: for each finding the command that helps most, and what it does."""

from typing import NamedTuple

from console.domain.actions import Verb
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.health import Finding, Level
from console.domain.readings import Deployment, Provider, Queue, Route, Service, Source, Spend
from console.domain.refs import Kind, Ref
from console.ui.view.judged import Judgements


class Hint(NamedTuple):
    """A command's name in the registry, and what it does here in two or three words."""

    command: str
    words: str


LOOK = Hint("drill", "tells more")


def next_step(board: Board, judged: Judgements, finding: Finding) -> Hint:
    """The command that helps most against one finding."""
    if finding.ref.kind is Kind.CONVERSATION:
        return Hint("drill", "shows where")
    match board.readings.get(finding.ref):
        case Source():
            return Hint("drill", "says why")
        case Deployment() as deployment:
            return _deployment(board, judged, deployment)
        case Route() as route:
            return _route(board, route, finding)
        case Provider():
            return Hint("drill", "says where")
        case Spend():
            return Hint("drill", "says who")
        case Queue() as queue:
            return _queue(board, judged, queue, finding)
        case Service():
            return Hint("drill", "says which")
        case _:
            return LOOK


def _deployment(board: Board, judged: Judgements, deployment: Deployment) -> Hint:
    if board.overrides_of(deployment.ref):
        # Who put a hand on it knows why: going back is the way out only when nothing else is wrong with it.
        return Hint("undo", "puts it back") if judged.of(deployment.ref).level <= Level.NOTICE else LOOK
    if deployment.circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED):
        return Hint("reset", "resets it")
    if deployment.circuit.observed is Observed.OPEN:
        return LOOK if _has_sibling(board, judged, deployment) else _switch_any(board, deployment)
    if judged.of(deployment.ref).level < Level.WARN:
        return LOOK
    if deployment.ability(Verb.TRIP).able and _has_sibling(board, judged, deployment):
        return Hint("trip", "trips it")
    return _switch_any(board, deployment)


def _has_sibling(board: Board, judged: Judgements, deployment: Deployment) -> bool:
    """Whether each of its routes has another deployment that could answer."""
    routes = routes_of(board, deployment)
    return bool(routes) and all(_others(board, judged, route, deployment) for route in routes)


def _others(board: Board, judged: Judgements, route: Route, but: Deployment) -> bool:
    refs = (Ref(route.ref.source, Kind.DEPLOYMENT, target.deployment) for target in route.targets)
    return any(_could_answer(board, judged, ref) for ref in refs if ref != but.ref)


def _could_answer(board: Board, judged: Judgements, ref: Ref) -> bool:
    other = board.readings.get(ref)
    if not isinstance(other, Deployment) or judged.of(ref).level >= Level.STALE:
        return False
    shut = other.circuit.observed is Observed.OPEN or other.circuit.mode in (Mode.FORCED_OPEN, Mode.DISABLED)
    return not shut


def routes_of(board: Board, deployment: Deployment) -> list[Route]:
    """The routes that a deployment serves."""
    found = (board.readings.get(Ref(deployment.ref.source, Kind.ROUTE, name)) for name in deployment.routes)
    return [route for route in found if isinstance(route, Route)]


def _switch_any(board: Board, deployment: Deployment) -> Hint:
    able = any(route.ability(Verb.SWITCH).able and route.switch_options for route in routes_of(board, deployment))
    return Hint("switch", "switches its route") if able else LOOK


def _route(board: Board, route: Route, finding: Finding) -> Hint:
    if board.overrides_of(route.ref):
        return Hint("undo", "puts it back")
    if finding.health.word == "degraded" or not (route.ability(Verb.SWITCH).able and route.switch_options):
        return LOOK
    return Hint("switch", "switches it")


def _queue(board: Board, judged: Judgements, queue: Queue, finding: Finding) -> Hint:
    """Pausing helps where the work itself fails, moving where it only piles up; what was set aside can come back."""
    match finding.health.word:
        case "old" | "growing" if _fails(judged, queue) and queue.ability(Verb.PAUSE).able:
            return Hint("hold", "pauses it")
        case "old" | "growing" if queue.ability(Verb.FINISH).able or queue.ability(Verb.PARK).able:
            return Hint("backlog", "finish, park")
        case "redelivered" if queue.ability(Verb.ISOLATE).able:
            return Hint("backlog", "isolates")
        case "paused" | "pause" if queue.paused and queue.ability(Verb.RESUME).able:
            return Hint("hold", "resumes it")
        case "parked" | "park" if queue.ability(Verb.REPLAY).able:
            return Hint("backlog", "replays it")
        case _:
            return Hint("undo", "puts it back") if board.overrides_of(queue.ref) else LOOK


def _fails(judged: Judgements, queue: Queue) -> bool:
    """Whether a route that its workers call is in trouble: then each job that they take fails, and costs."""
    return any(judged.of(ref).level >= Level.BAD for ref in map(route_of, queue.feeds) if ref is not None)


def route_of(name: str) -> Ref | None:
    """The route that a queue says it feeds; None when that is no reference."""
    try:
        return Ref.parse(name)
    except ValueError:
        return None
