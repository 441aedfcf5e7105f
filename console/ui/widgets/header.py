"""The lines at the top: where am I, what may I do, is what I see true; a banner when requests get through and answers
are wrong, or the other way round; and a line while a long action is under way."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from console.domain.alerts import AlertState, Severity
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.health import Level
from console.domain.readings import Source
from console.domain.text import clean
from console.domain.wire import Access, AccessLevel
from console.ui.cells import LEVEL_STYLE, Cell, Line, width_of
from console.ui.commands import ROOMS
from console.ui.glyphs import Glyphs
from console.ui.view import doing, run_words
from console.ui.view.judged import Judgements
from console.ui.widgets.canvas import Canvas

_SPACE = Cell("  ")
_SHORT = {**ROOMS, "overview": "Over", "providers": "Prov", "queues": "Queue", "requests": "Req"}
"""The screens' names where there is little room."""
_ROOMY = 110
"""Columns from which on the screens' names stand in the first line."""


class Standing(NamedTuple):
    """What the header tells of, besides the board."""

    environment: str
    room: str
    """The present screen's name."""
    access: Access | None
    """This operator's own; None before the engine has answered."""
    lost: str
    """Why the engine cannot be reached; empty when it can."""
    keys: Mapping[str, str] = MappingProxyType({})
    """Command name → its key as a person reads it."""
    rooms: tuple[str, ...] = tuple(ROOMS)


class Header(Canvas, can_focus=False):
    """Environment, access, alerts, screens; then the engine and the freshness of every source."""

    DEFAULT_CSS = """
    Header { height: 2; dock: top; background: $panel; overflow-y: hidden; scrollbar-gutter: auto; }
    """

    def show_all(self, lines: tuple[Line, ...]) -> None:
        """Show as many lines as there are."""
        if self.styles.height is None or self.styles.height.value != len(lines):
            self.styles.height = len(lines)
        self.show(lines)


def header_lines(board: Board, judged: Judgements, standing: Standing, glyphs: Glyphs, width: int) -> tuple[Line, ...]:
    """The lines, cut to `width` columns. The screens stand at the right, where there is more room for them."""
    runs = [] if standing.lost else run_words.told(board, standing.access, glyphs, standing.keys)
    own = _own(board, standing, glyphs, runs if width < _ROOMY else [])
    sources = _cut(_second(board, judged, standing, glyphs, width), width)
    told = doing.line(board, glyphs, width)
    third = (*_banner(judged, standing, glyphs, width), *(() if told is None else (told,)))
    if width >= _ROOMY:
        second = _both_ends(sources, [*runs, _SPACE], width) if runs else Line(tuple(sources))
        return _both_ends(own, _tabs(standing, ROOMS), width), second, *third
    tabs = [] if standing.lost else _narrow_tabs(standing, width - _size(sources) - 1)
    return Line(tuple(_cut(own, width))), _both_ends(sources, tabs, width), *third


def _banner(judged: Judgements, standing: Standing, glyphs: Glyphs, width: int) -> tuple[Line, ...]:
    """Where transport and answers disagree; what nobody sees live is no news."""
    found = judged.disagreement
    if found is None or standing.lost:
        return ()
    style, level = ("alarm", Level.BAD) if found.hidden else ("warn", Level.WARN)
    words = f" {glyphs.level[level]} {found.words[:1].upper()}{found.words[1:]} "
    return (Line(tuple(_cut([Cell(words, style)], width))),)


def _narrow_tabs(standing: Standing, room: int) -> list[Cell]:
    """The screens by name, by short name, or by digit alone, as there is room beside the sources."""
    whole = _tabs(standing, ROOMS)
    if _size(whole) <= room:
        return whole
    short = _tabs(standing, _SHORT, " ")
    return short if _size(short) <= room else _tabs(standing, {standing.room: ROOMS.get(standing.room, "")}, " ")


def _size(cells: Iterable[Cell]) -> int:
    return sum(width_of(cell.text) for cell in cells)


def _both_ends(left: Iterable[Cell], right: list[Cell], width: int) -> Line:
    right = _cut(right, width)
    size = _size(right)
    kept = _cut(left, width - size - 1 if right else width)
    gap = width - size - _size(kept)
    return Line((*kept, Cell(" " * max(0, gap)), *right))


def hhmm(at: float) -> str:
    """A moment as local `HH:MM`."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M")


def _own(board: Board, standing: Standing, glyphs: Glyphs, runs: list[Cell]) -> list[Cell]:
    name = Cell(clean(standing.environment, 24) or "switchgear", "title")
    return [
        Cell(" "),
        name,
        _SPACE,
        _access(standing.access, glyphs),
        *_alerts(board, glyphs),
        *([_SPACE, *runs] if runs else ()),
        *_others(board, standing.access),
    ]


def _tabs(standing: Standing, names: Mapping[str, str], gap: str = "  ") -> list[Cell]:
    tabs: list[Cell] = []
    for digit, room in enumerate(standing.rooms, 1):
        name = names.get(room, "")
        here = room == standing.room
        tabs.append(Cell(f"{digit}{' ' if name else ''}", "key"))
        tabs.append(Cell(f"{name}{gap}", "strong" if here else "muted"))
    return tabs


def _access(access: Access | None, glyphs: Glyphs) -> Cell:
    if access is None:
        return Cell("access not known", "muted")
    if access.level is AccessLevel.OPERATE:
        until = f" until {hhmm(access.until)}" if access.until is not None else ""
        return Cell(f"{glyphs.key} OPERATE{until}", "warn")
    if access.level is AccessLevel.NONE:
        return Cell(f"{glyphs.lock} NO ACCESS", "alarm")
    return Cell(f"{glyphs.lock} READ-ONLY", "strong")


def _others(board: Board, own: Access | None) -> list[Cell]:
    names = [clean(item.operator, 16) for item in board.access if own is None or item.operator != own.operator]
    if not names:
        return []
    more = f" +{len(names) - 2}" if len(names) > 2 else ""
    return [_SPACE, Cell(f"{', '.join(names[:2])}{more} in operate", "accent")]


def _alerts(board: Board, glyphs: Glyphs) -> list[Cell]:
    loud = (Severity.PAGE, Severity.TICKET)
    firing = [one for one in board.alerts.values() if one.state is AlertState.FIRING and one.severity in loud]
    if not firing:
        return []
    new = sum(not alert.acknowledged_by for alert in firing)
    words = f"{len(firing)} alert{'s' if len(firing) > 1 else ''}" + (f", {new} new" if 0 < new < len(firing) else "")
    level = Level.BAD if new else Level.WARN
    return [_SPACE, Cell(f"{glyphs.level[level]} {words}", LEVEL_STYLE[level])]


def _second(board: Board, judged: Judgements, standing: Standing, glyphs: Glyphs, width: int) -> Iterable[Cell]:
    if standing.lost:
        words = f" {glyphs.level[Level.STALE]} ENGINE LOST, nothing below is live: {clean(standing.lost, 400)}"
        return [Cell(f"{words} ", "alarm")]
    sources = list(board.of(Source))
    if not sources:
        return [Cell(" no sources yet" if board.seq else f" {glyphs.engine} connecting to the engine", "muted")]
    return _sources(judged, sources, glyphs, width)


def _sources(judged: Judgements, sources: list[Source], glyphs: Glyphs, width: int) -> Iterable[Cell]:
    good = [source for source in sources if judged.of(source.ref).level is Level.OK]
    bad = [source for source in sources if judged.of(source.ref).level is not Level.OK]
    bad.sort(key=lambda source: -judged.of(source.ref).level)
    yield Cell(" ")
    for source in bad:
        health = judged.of(source.ref)
        glyph, style = glyphs.level[health.level], LEVEL_STYLE[health.level]
        yield Cell(f"{glyph} {source.ref.name} {_state(source, health.word)}", style)
        yield _SPACE
    names = " ".join(source.ref.name for source in good)
    if len(good) > 4 or len(names) > width // 2:
        names = f"{len(good)} sources"
    if good:
        yield Cell(f"{glyphs.level[Level.OK]} {names} fresh", "ok")


def _state(source: Source, word: str) -> str:
    if source.freshness is Freshness.FRESH or source.last_ok_at is None:
        return word
    return f"{word} since {datetime.fromtimestamp(source.last_ok_at).astimezone():%H:%M:%S}"


def _cut(cells: Iterable[Cell], width: int) -> list[Cell]:
    """As many cells as have room; no more are asked for, so that those which nobody sees cost nothing."""
    kept: list[Cell] = []
    for cell in cells:
        size = width_of(cell.text)
        if size > width:
            if width > 1:
                kept.append(Cell(cell.text[: width - 1] + "…", cell.style))
            break
        kept.append(cell)
        width -= size
    return kept
