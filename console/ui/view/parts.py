"""Pieces that several screens share: an object's name, its state, its circuit, a rule with a title."""

from console.domain.actions import OverrideState
from console.domain.board import Board
from console.domain.circuit import Circuit, Mode, Observed
from console.domain.health import BAD_ERROR_RATIO, NOT_SEEN, WARN_ERROR_RATIO, Health, Level
from console.domain.readings import Deployment, Provider, Queue, Route, Service, Spend
from console.domain.refs import Kind, Ref
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, fit, width_of
from console.ui.glyphs import Glyphs

MODE_WORD = {Mode.FORCED_OPEN: "forced open", Mode.FORCED_CLOSED: "forced closed", Mode.DISABLED: "disabled"}
CIRCUIT_STYLE = {Observed.CLOSED: "ok", Observed.OPEN: "bad", Observed.HALF_OPEN: "warn", Observed.UNKNOWN: "stale"}


def label(board: Board, ref: Ref, limit: int = 60) -> str:
    """What a person calls an object: its name, and for money what the money is about."""
    reading = board.readings.get(ref)
    if isinstance(reading, Spend):
        return fmt.name(f"{reading.scope} {reading.subject}", limit)
    return fmt.name(ref.name, limit)


def state_text(health: Health, glyphs: Glyphs) -> str:
    """Glyph and word of a judgement."""
    return f"{glyphs.level[health.level]} {fmt.name(health.word, 24)}"


def padded(text: str, width: int, style: str, *, right: bool = False) -> tuple[Cell, ...]:
    """`text` in exactly `width` columns, with the room beside it unpainted: a reversed cell marks its word only."""
    if width_of(text) >= width:
        return (Cell(fit(text, width), style),)
    room = Cell(" " * (width - width_of(text)))
    return (room, Cell(text, style)) if right else (Cell(text, style), room)


def answers(health: Health, glyphs: Glyphs, width: int) -> tuple[Cell, ...]:
    """How answers are, with a column's gap behind it; where nobody tells, that is no `ok`."""
    if health == NOT_SEEN:
        return (Cell(fit("  not seen", width), "muted"),)
    return padded(fit(state_text(health, glyphs), width - 1).rstrip(), width, LEVEL_STYLE[health.level])


def answers_cell(health: Health, glyphs: Glyphs) -> Cell:
    """The same as a table's cell."""
    return Cell("  not seen", "muted", -1.0) if health == NOT_SEEN else state(health, glyphs)


def state(health: Health, glyphs: Glyphs) -> Cell:
    """Glyph, word and colour of a judgement; it sorts by how bad it is."""
    return Cell(state_text(health, glyphs), LEVEL_STYLE[health.level], float(health.level))


def transport(board: Board, item: Deployment | Route | Provider | Service, health: Health, glyphs: Glyphs) -> Cell:
    """How requests get through; where an operator's hand or an open breaker is all there is to say, until when."""
    text, style, until = state_text(health, glyphs), LEVEL_STYLE[health.level], _until(board, item)
    if until and health.level <= Level.NOTICE:
        text, style = f"{glyphs.level[Level.NOTICE]} {until}", "notice"
    elif until and health.word == str(Observed.OPEN):
        text = f"{glyphs.level[health.level]} {until}"
    return Cell(text, style, float(health.level))


def _until(board: Board, item: Deployment | Route | Provider | Service) -> str:
    for override in board.overrides_of(item.ref):
        if override.state is OverrideState.ACTIVE and override.expires_at is not None:
            return f"until {fmt.moment(override.expires_at, board.at)[-5:]}"
    if isinstance(item, Deployment) and item.circuit.until is not None:
        return f"to {fmt.clock(item.circuit.until)}"
    return ""


def circuit_word(circuit: Circuit) -> str:
    """What a breaker shows, in one word: an operator's hand before the breaker's own state."""
    return MODE_WORD.get(circuit.mode) or str(circuit.observed)


def circuit_style(circuit: Circuit) -> str:
    """The style of a breaker's state; what an operator meant is no alarm."""
    return "notice" if circuit.mode in MODE_WORD else CIRCUIT_STYLE[circuit.observed]


def agreement(circuit: Circuit) -> str:
    """`1/2` when one of two replicas shows the state; empty with one replica or none."""
    agree, total = circuit.agreement
    return f"{agree}/{total}" if total > 1 else ""


def is_split(circuit: Circuit) -> bool:
    """Whether the replicas do not agree."""
    agree, total = circuit.agreement
    return agree != total


def rule(title: str, width: int, glyphs: Glyphs, right: str = "") -> tuple[Cell, ...]:
    """A line across the screen with a title in it, and words at its right end."""
    head = f"{glyphs.line * 2} "
    gap = width - width_of(head) - width_of(title) - width_of(right) - (2 if right else 1)
    line = f" {glyphs.line * max(0, gap)}"
    tail = (Cell(f" {right}", "muted"),) if right else ()
    return (Cell(head, "muted"), Cell(title, "title"), Cell(line, "muted"), *tail)


def error_cell(errors: float | None) -> Cell:
    """An error ratio in the colour of how bad it is."""
    if errors is None:
        return Cell(fmt.NONE, "muted")
    style = "bad" if errors >= BAD_ERROR_RATIO else "warn" if errors >= WARN_ERROR_RATIO else ""
    return Cell(fmt.ratio(errors), style, errors)


def flows(reading: Deployment | Route | Provider | Queue) -> float:
    """Requests or jobs a minute that pass an object; 0 when nothing is known."""
    if isinstance(reading, Queue):
        return reading.out_per_min or 0.0
    return reading.traffic.requests_per_min if reading.traffic else 0.0


def deployment_of(board: Board, source: str, name: str) -> Deployment | None:
    """A deployment by its name in a source."""
    found = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    return found if isinstance(found, Deployment) else None
