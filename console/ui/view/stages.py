"""A request as its seven stages: each in one line; its spans and their words stand beneath when it is unfolded."""

from functools import partial
from itertools import chain
from typing import NamedTuple

from console.domain.health import Level
from console.domain.reconstruction import Piece, Reconstruction, Stage, StageKind
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy
from console.ui.view import piece as pieces
from console.ui.view.folding import Folds, Page
from console.ui.view.wrapped import wrapped

WHY = "not recorded: "
"""What `missing` begins with."""

_STATE, _AT, _TOOK, _TOKENS = 11, 8, 8, 10
_INDENT = 6


class StageKey(NamedTuple):
    """The key of a stage's line."""

    kind: StageKind


class PieceKey(NamedTuple):
    """The key of the line of one span in a stage."""

    kind: StageKind
    place: int


def name_width(width: int) -> int:
    """Columns for the name of a stage; those of its spans stand in two less."""
    return 18 if width < 96 else 30


def heading(whole: Reconstruction, width: int) -> Line:
    """The titles of the columns; of tokens there is one only where some were counted."""
    name = fit("stage", name_width(width))
    text = f"   {fit('', _STATE)}{name}{fit('start', _AT, right=True)}{fit('took', _TOOK, right=True)}"
    tokens = fit("tokens", _TOKENS, right=True) if _counted(whole) else ""
    return Line((Cell(f"{text}{tokens}  what it was", "title"),))


def _counted(whole: Reconstruction) -> bool:
    return any(stage.tokens_in is not None or stage.tokens_out is not None for stage in whole.stages)


def page(whole: Reconstruction, folds: Folds, width: int, glyphs: Glyphs) -> Lazy[Line]:
    """The seven stages; lines that nobody looks at are not made."""
    drawn = Page(folds, glyphs)
    view = _Stages(whole, width, glyphs)
    for stage in whole.stages:
        if drawn.fold(StageKey(stage.kind), partial(view.stage, stage)):
            _unfolded(drawn, view, stage, width)
    return drawn.lines()


def _unfolded(drawn: Page, view: "_Stages", stage: Stage, width: int) -> None:
    """What stands beneath a stage; of a single span its words at once."""
    key = StageKey(stage.kind)
    why = fmt.name(stage.missing, 600)
    if not (stage.pieces or why):
        why = f"{WHY}no span says anything of it"
    lines = ((Cell(line, "stale"),) for line in wrapped(why, width - _INDENT)) if why else iter(())
    if len(stage.pieces) <= 1:
        inside = (pieces.content(piece, stage.kind, width - _INDENT - 1, drawn.glyphs) for piece in stage.pieces)
        drawn.within(key, chain(lines, *inside), _INDENT)
    else:
        drawn.within(key, lines, _INDENT)
        for place, piece in enumerate(stage.pieces):
            at = PieceKey(stage.kind, place)
            if drawn.fold(at, partial(view.piece, stage, place)):
                drawn.within(at, pieces.content(piece, stage.kind, width - _INDENT - 3, drawn.glyphs), _INDENT + 2)


def first_wrong(whole: Reconstruction) -> StageKey | None:
    """The stage where something failed first; None where nothing did."""
    failed = ((piece.at, stage.kind) for stage in whole.stages for piece in stage.pieces if piece.failed)
    found = min(failed, default=None, key=lambda item: item[0])
    return StageKey(found[1]) if found is not None else None


class _Stages:
    """Makes the lines of one request's stages."""

    def __init__(self, whole: Reconstruction, width: int, glyphs: Glyphs) -> None:
        self._width = width
        self._glyphs = glyphs
        self._start = start_of(whole)
        self._tokens = _TOKENS if _counted(whole) else 0
        self._errors = {span.span_id: span.error for span in whole.trace.spans if span.failed}

    def stage(self, stage: Stage, sign: str) -> Line:
        """A stage in one line."""
        level, word = _state(stage)
        cells: tuple[Cell, ...] = (
            *self._head(sign, level, word, 0),
            Cell(fit(str(stage.kind), name_width(self._width)), "strong"),
        )
        if stage.pieces:
            tokens = _tokens(stage.tokens_in, stage.tokens_out)
            cells = (*cells, *self._figures(stage.at, stage.took_s, tokens))
        said, style = self._said(stage)
        return self._line(cells, said, style, StageKey(stage.kind))

    def piece(self, stage: Stage, place: int, sign: str) -> Line:
        """One span of a stage in one line."""
        piece = stage.pieces[place]
        level, word = state_of(piece)
        name = fmt.name(piece.name, 60) or "(no name)"
        service = fmt.name(piece.service, 24)
        cells = (
            *self._head(sign, level, word, 2),
            Cell(fit(name, name_width(self._width) - 2)),
            *self._figures(piece.at, piece.took_s, _tokens(piece.tokens_in, piece.tokens_out)),
        )
        error = fmt.name(self._errors.get(piece.span_id, ""), 200)
        said = error or pieces.preview(piece)
        beside = f"{service}: {said}" if service and said and self._width >= 100 else said or service
        style = "bad" if error else "stale" if said == piece.missing else "muted"
        return self._line(cells, beside, style, PieceKey(stage.kind, place))

    def _head(self, sign: str, level: Level, word: str, indent: int) -> tuple[Cell, ...]:
        return (
            Cell(f" {' ' * indent}{sign} ", "muted"),
            Cell(fit(f"{self._glyphs.level[level]} {word}", _STATE), LEVEL_STYLE[level]),
        )

    def _figures(self, at: float | None, took_s: float | None, tokens: str) -> tuple[Cell, ...]:
        after = "" if at is None else f"+{fmt.took(max(0.0, at - self._start))}"
        return (
            Cell(fit(after, _AT, right=True), "muted"),
            Cell(fit("" if at is None else fmt.took(took_s), _TOOK, right=True)),
            Cell(fit(tokens, self._tokens, right=True), "muted"),
        )

    def _line(self, cells: tuple[Cell, ...], said: str, style: str, key: StageKey | PieceKey) -> Line:
        room = self._width - sum(width_of(cell.text) for cell in cells) - 2
        return Line((*cells, Cell("  "), Cell(fit(said, max(1, room)).rstrip(), style)), key)

    def _said(self, stage: Stage) -> tuple[str, str]:
        """What a stage was, in the room that is left: an error before what was said in it."""
        failed = [piece for piece in stage.pieces if piece.failed]
        count = len(stage.pieces)
        if failed:
            why = next((words for piece in failed if (words := self._errors.get(piece.span_id))), "")
            many = f"{len(failed)} of {count} failed: " if count > 1 else ""
            return f"{many}{fmt.name(why, 200)}", "bad"
        if stage.missing or not stage.pieces:
            return fmt.name(stage.missing.removeprefix(WHY), 300), "stale"
        said = next((words for piece in reversed(stage.pieces) if (words := pieces.preview(piece))), "")
        if all(piece.missing for piece in stage.pieces):
            return fmt.name(stage.pieces[0].missing, 300), "stale"
        return (f"{count} spans: {said}" if count > 1 else said), "muted"


def start_of(whole: Reconstruction) -> float:
    """Unix seconds of a request's first moment that is known."""
    starts = [span.started_at for span in whole.trace.spans]
    if whole.trace.request is not None:
        starts.append(whole.trace.request.started_at)
    return min(starts, default=0.0)


def _state(stage: Stage) -> tuple[Level, str]:
    if any(piece.failed for piece in stage.pieces):
        return Level.BAD, "failed"
    if stage.missing or not stage.pieces:
        return Level.STALE, "missing"
    if all(piece.missing for piece in stage.pieces):
        return Level.STALE, "no words"
    return Level.OK, "ok"


def state_of(piece: Piece) -> tuple[Level, str]:
    """What is to be said of one span of a stage in a word."""
    if piece.failed:
        return Level.BAD, "failed"
    return (Level.STALE, "no words") if piece.missing else (Level.OK, "ok")


def _tokens(into: int | None, out: int | None) -> str:
    return "" if into is None and out is None else f"{fmt.number(into)}/{fmt.number(out)}"
