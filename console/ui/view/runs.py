"""A run as a page of lines: whose turn it is on top, then its steps, of which the present one is unfolded."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.runbooks import Run, RunStep
from console.domain.wire import Access
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view import run_steps, run_words
from console.ui.view.facts import heading
from console.ui.view.wrapped import wrapped

STATE = 14
"""Columns of a step's state."""


class Place(NamedTuple):
    """The key of a line that the cursor stops at and Enter works on."""

    part: str
    """`step` folds, `evidence` opens what was kept of it, `preconditions` folds."""
    name: str = ""
    """The step's id."""
    ref: Ref | None = None
    """What keys act on while the cursor is here."""


class Frame(NamedTuple):
    """What the page is made for."""

    width: int
    glyphs: Glyphs
    keys: Mapping[str, str]
    """Command name → its key as a person reads it."""
    turned: Collection[str] = ()
    """Ids of steps (`""`: the preconditions) that are not as they are by themselves: only the present one unfolded."""


def page(board: Board, run: Run, access: Access | None, frame: Frame) -> list[Line]:
    """The whole page.

    Args:
        board: the latest of everything.
        run: what it is about.
        access: this operator's own.
        frame: width, signs, keys, and what was folded or unfolded by hand.
    """
    lines = [*_turn(run, access, frame), *_title(board, run, access, frame), *_preconditions(run, frame)]
    done = sum(run_words.has_ended(step) for step in run.steps)
    steps = fmt.plural(len(run.steps), "step")
    lines.append(heading(f"{steps}, {done} over", frame.width, frame.glyphs, "Enter unfolds"))
    for at, step in enumerate(run.steps, 1):
        lines += _step(board, run, step, at, frame)
    return [line if isinstance(line.key, Place) else line._replace(key=("line", at)) for at, line in enumerate(lines)]


def begin_at(run: Run) -> Place | None:
    """Where the cursor stands while a run goes on: at its present step."""
    step = run.step(run.current)
    return Place("step", step.id, step.target) if step is not None else None


def _turn(run: Run, access: Access | None, frame: Frame) -> Iterator[Line]:
    found = run_words.turn(run, access, frame.glyphs)
    key = frame.keys.get(found.command, "") if found.command else ""
    head = (Cell(f" {found.sign} ", found.style), Cell(f"  {key} " if key else " ", "key"))
    indent = sum(width_of(cell.text) for cell in head)
    first, *rest = wrapped(found.words, max(20, frame.width - indent - 1))
    yield Line((*head, Cell(first, "strong" if found.command else "")))
    for part in rest[:3]:
        yield Line((Cell(" " * indent), Cell(part, "strong" if found.command else "")))


def _title(board: Board, run: Run, access: Access | None, frame: Frame) -> Iterator[Line]:
    dry = [Cell("DRY RUN: nothing is done ", "warn")] if run.dry else []
    title = fmt.name(run.title, 120)
    yield Line((Cell(" "), *dry, Cell(title, "title"), Cell(f"  run {fmt.name(run.id, 40)}", "muted")))
    you = " (you)" if run_words.is_mine(run, access) else ""
    begun = f"begun {fmt.moment(run.started_at, board.at)}"
    by = "" if run.started_by == run.holder else f" by {fmt.name(run.started_by, 24)}"
    over = f", over {fmt.moment(run.ended_at, board.at)}" if run.ended_at is not None else ""
    cells = [Cell(f" {fmt.name(run.holder, 24)}{you}", "accent"), Cell(f" has control, {begun}{by}{over}", "muted")]
    yield Line(tuple(cells))
    asked = {name: value for name, value in run.parameters.items() if value and name not in run.reckoned}
    given = ", ".join(f"{fmt.name(name, 24)} {fmt.name(value, 60)}" for name, value in asked.items())
    for part in wrapped(given, frame.width - 2) if given else ():
        yield Line((Cell(f" {part}", "muted"),))


def _preconditions(run: Run, frame: Frame) -> Iterator[Line]:
    if not run.preconditions:
        return
    bad = [item for item in run.preconditions if item.holds is not True]
    unfolded = bool(bad) is not ("" in frame.turned)
    sign = frame.glyphs.unfolded if unfolded else frame.glyphs.folded
    held = len(run.preconditions) - len(bad)
    words = f" {sign} preconditions: {held} of {len(run.preconditions)} hold"
    yield Line((Cell(words, "warn" if bad else "muted"),), key=Place("preconditions"))
    for item in run.preconditions if unfolded else ():
        yield from run_steps.condition(item, frame.width, frame.glyphs)


def _step(board: Board, run: Run, step: RunStep, at: int, frame: Frame) -> Iterator[Line]:
    current = step.id == run.current and not run.state.over
    unfolded = current is not (step.id in frame.turned)
    yield _step_line(step, at, current=current, frame=frame)
    if not unfolded:
        return
    if step.evidence:
        words = f"{run_steps.INDENT}{fmt.plural(step.evidence, 'piece')} of evidence: Enter shows"
        yield Line((Cell(words, "accent"),), key=Place("evidence", step.id, step.target))
    yield from run_steps.body(board, run, step, frame.width, frame.glyphs)


def _step_line(step: RunStep, at: int, *, current: bool, frame: Frame) -> Line:
    state = run_words.state_text(step, frame.glyphs)
    kept = f" {frame.glyphs.bullet}{step.evidence}" if step.evidence else ""
    when = f" {fmt.clock(step.since)}" if step.since is not None else ""
    room = max(16, frame.width - STATE - 6 - width_of(kept) - width_of(when))
    title = fmt.name(step.title or step.id, 160)
    told = "" if current else fmt.name(step.reason or step.words, 160).removeprefix("left out: ")
    both = f"{title}  {told}" if told else title
    shown = fit(both, room)
    split = min(len(title), len(shown))
    cells = (
        Cell(f" {fit(state, STATE)}", run_words.state_style(step.state)),
        Cell(f"{at:>2} ", "muted"),
        Cell(shown[:split], "strong" if current else ""),
        Cell(shown[split:], "muted"),
        Cell(kept, "accent"),
        Cell(when, "muted"),
    )
    return Line(cells, key=Place("step", step.id, step.target))
