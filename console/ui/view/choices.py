"""Where a route can be switched to, as lines: the mechanism, how well the place is, how much it still takes."""

from console.domain.board import Board
from console.domain.health import Health
from console.domain.readings import Deployment, Route, SwitchOption
from console.domain.refs import Kind, Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view import parts
from console.ui.view.judged import Judgements

_WIDTHS = (30, 10, 16, 6)


def heading() -> Line:
    """The titles of the columns."""
    titles = ("to", "how", "state", "room")
    cells = tuple(
        Cell(fit(title, size, right=title == "room") + " ", "title")
        for title, size in zip(titles, _WIDTHS, strict=True)
    )
    return Line((Cell(" "), *cells))


def choices(board: Board, judged: Judgements, route: Route, glyphs: Glyphs) -> list[Line]:
    """One line an option; its key is the option's place in `route.switch_options`."""
    return [_line(board, judged, route, option, at, glyphs) for at, option in enumerate(route.switch_options)]


def notes(route: Route) -> dict[str, str]:
    """What happens with each option, by the key of its line."""
    return {str(at): fmt.name(option.words, 300) for at, option in enumerate(route.switch_options)}


def _line(board: Board, judged: Judgements, route: Route, option: SwitchOption, at: int, glyphs: Glyphs) -> Line:
    ref = _place(board, route, option)
    left = _room(board, ref) if ref else None
    health = judged.of(ref) if ref else None
    name, how, state, room = _WIDTHS
    cells = (
        Cell(" " + fit(fmt.name(option.to), name) + " ", "strong"),
        Cell(fit(fmt.name(option.mechanism), how) + " "),
        *_state(health, glyphs, state),
        Cell(" " + fit(fmt.ratio(left), room, right=True) + " ", "warn" if left is not None and left < 0.2 else ""),
    )
    return Line(cells, key=str(at))


def _state(health: Health | None, glyphs: Glyphs, width: int) -> tuple[Cell, ...]:
    if health is None:
        return (Cell(fit("not reported", width), "stale"),)
    return parts.padded(parts.state_text(health, glyphs), width, LEVEL_STYLE[health.level])


def _place(board: Board, route: Route, option: SwitchOption) -> Ref | None:
    """The deployment or route that an option leads to, when it is on the board."""
    refs = (Ref(route.ref.source, kind, option.to) for kind in (Kind.DEPLOYMENT, Kind.ROUTE))
    return next((ref for ref in refs if ref in board.readings), None)


def _room(board: Board, ref: Ref) -> float | None:
    """The headroom of a deployment; of a route, that of its best deployment."""
    reading = board.readings[ref]
    if isinstance(reading, Deployment):
        return reading.headroom.left_ratio if reading.headroom else None
    if not isinstance(reading, Route):
        return None
    found = (parts.deployment_of(board, ref.source, target.deployment) for target in reading.targets)
    rooms = [item.headroom.left_ratio for item in found if item is not None and item.headroom is not None]
    return max((room for room in rooms if room is not None), default=None)
