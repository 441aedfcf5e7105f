"""A request played back: its recorded steps in the order of time, one at a time. Nothing is called."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.domain.reconstruction import Piece, Reconstruction, Stage
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy
from console.ui.view import piece as pieces
from console.ui.view.folding import Folds, Page
from console.ui.view.stages import start_of, state_of

LABEL = "playback: as recorded, nothing is called"
"""Says what it is and what it is not."""


class Step(NamedTuple):
    """One recorded step."""

    stage: Stage
    piece: Piece


def steps(whole: Reconstruction) -> list[Step]:
    """All recorded steps in the order of time; of one moment in the order of the stages."""
    found = [Step(stage, piece) for stage in whole.stages for piece in stage.pieces]
    return sorted(found, key=lambda step: step.piece.at)


def page(whole: Reconstruction, at: int, folds: Folds, width: int, glyphs: Glyphs) -> Lazy[Line]:
    """The step at a place, with all that was recorded of it, and what comes next."""
    played = steps(whole)
    step = played[at]
    drawn = Page(folds, glyphs)
    start = start_of(whole)
    for line in _head(whole, step, start, width, glyphs):
        drawn.put(line)
    drawn.put(Line())
    drawn.within(at, pieces.content(step.piece, step.stage.kind, width - 3, glyphs), 2)
    drawn.put(Line())
    drawn.put(_next(played, at, start))
    return drawn.lines()


def _head(whole: Reconstruction, step: Step, start: float, width: int, glyphs: Glyphs) -> Iterator[Line]:
    piece = step.piece
    level, word = state_of(piece)
    took = "" if piece.took_s is None else f", took {fmt.took(piece.took_s)}"
    yield Line(
        (
            Cell(f" {glyphs.level[level]} {word}  ", LEVEL_STYLE[level]),
            Cell(f"{step.stage.kind}: ", "title"),
            Cell(fmt.name(piece.name, 60) or "(no name)", "strong"),
            Cell(f"  {fmt.name(piece.service, 24)}", "muted"),
        )
    )
    tokens = piece.tokens_in is not None or piece.tokens_out is not None
    spent = f"  {fmt.number(piece.tokens_in)} tokens in, {fmt.number(piece.tokens_out)} out" if tokens else ""
    yield Line((Cell(f"   {fmt.took(max(0.0, piece.at - start))} after the start{took}{spent}", "muted"),))
    error = next((span.error for span in whole.trace.spans if span.span_id == piece.span_id and span.failed), "")
    if error:
        yield Line((Cell(fit(f"   {fmt.name(error, 400)}", width - 1).rstrip(), "bad"),))


def _next(played: Sequence[Step], at: int, start: float) -> Line:
    if at + 1 == len(played):
        return Line((Cell("   this was the last recorded step", "muted"),))
    step = played[at + 1]
    after = fmt.took(max(0.0, step.piece.at - start))
    return Line((Cell(f"   next: {step.stage.kind}, {fmt.name(step.piece.name, 60)} at {after}", "muted"),))
