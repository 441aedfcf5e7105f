"""Long actions under way, as their receipts tell: how far, how fast, how long still; and what came of the last ones."""

from collections.abc import Iterator

from console.domain.actions import Outcome, Progress, Receipt, Stage, Verb
from console.domain.board import Board
from console.domain.refs import Ref
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view.facts import fact, labelled
from console.ui.view.timeline import OUTCOME_STYLE

TOLD_FOR_S = 60.0
"""Seconds for which the end of a long action stays in sight."""
BAR = 12
ROOMY = 100
"""Columns of the screen from which on a long name has room."""


def under_way(board: Board) -> dict[Ref, Receipt]:
    """The long action of each object that has one; found again on any board that has its receipt."""
    return {item.intent.target: item for item in board.receipts.values() if _is_moving(item)}


def stoppable(board: Board, ref: Ref | None) -> Receipt | None:
    """What `stop` would end: the selected object's long action, otherwise the newest of all."""
    running = [item for item in board.receipts.values() if _is_moving(item) and item.stage is Stage.EXECUTING]
    own = [item for item in running if item.intent.target == ref]
    return max(own or running, key=lambda item: item.started_at, default=None)


def just_ended(board: Board) -> Receipt | None:
    """The long action that ended last, while that is news."""
    ended = [
        item
        for item in board.receipts.values()
        if item.progress is not None and item.stage is Stage.DONE and board.at - item.updated_at < TOLD_FOR_S
    ]
    return max(ended, key=lambda item: item.updated_at, default=None)


def told_for_s(board: Board) -> float | None:
    """Seconds until the end of the last long action leaves the header; None when it does not stand there."""
    ended = None if under_way(board) else just_ended(board)
    return None if ended is None else max(0.0, TOLD_FOR_S - (board.at - ended.updated_at))


def _is_moving(receipt: Receipt) -> bool:
    return receipt.progress is not None and receipt.stage is not Stage.DONE


def part_of(progress: Progress) -> float | None:
    """How much is done, 0 to 1; None when nobody knows how much there is."""
    if progress.total is None:
        return None
    return 1.0 if progress.total <= 0 else max(0.0, min(1.0, progress.done / progress.total))


def percent(progress: Progress) -> str:
    """`43%`, never 100% before all is done; the count when nobody knows how much there is."""
    part = part_of(progress)
    return fmt.count(progress.done) if part is None else f"{int(part * 100)}%"


def state(receipt: Receipt, glyphs: Glyphs) -> str:
    """A row's state while an action moves what is in it: `▶ park 43%`."""
    told = f" {percent(receipt.progress)}" if receipt.progress is not None else ""
    return f"{glyphs.moving} {word(receipt)}{told}"


def word(receipt: Receipt) -> str:
    """The verb of an action: an override that is put back is `undo`."""
    verb = receipt.intent.action.verb
    return "undo" if verb is Verb.RESTORE else str(verb)


def amount(progress: Progress) -> str:
    """`43.2k of 100k`."""
    of = "" if progress.total is None else f" of {fmt.count(progress.total)}"
    return f"{fmt.count(progress.done)}{of}"


def pace(progress: Progress) -> str:
    """Rate and time left: `6.1k/s, 9 s left`."""
    rate = "" if progress.per_s is None else f"{fmt.number(progress.per_s)}/s"
    left = "" if progress.left_s is None else f"{fmt.duration(progress.left_s)} left"
    return ", ".join(filter(None, (rate, left)))


def bar(progress: Progress, width: int, glyphs: Glyphs) -> Cell:
    """How much is done, as a bar."""
    return Cell(fmt.bar(part_of(progress), width, full=glyphs.full, empty=glyphs.empty), "accent")


def facts(receipt: Receipt, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """How far one action has come, for a page about it: bar, count, rate while it moves, what is going on."""
    progress = receipt.progress
    if progress is None:
        return
    now = "" if receipt.stage is Stage.DONE else pace(progress)
    told = "  ".join(filter(None, (f" {percent(progress)}", amount(progress), now)))
    yield fact("moved", bar(progress, 20, glyphs), Cell(told, "strong"), key=("progress", receipt.id))
    if progress.words:
        yield from labelled("", fmt.name(progress.words, 200), width, "muted")


def line(board: Board, glyphs: Glyphs, width: int) -> Line | None:
    """One line about what moves now, for every screen; about what has just ended when nothing does; else None."""
    running = sorted(under_way(board).values(), key=lambda item: -item.started_at)
    if not running:
        ended = just_ended(board)
        return None if ended is None else Line(_ended(ended, glyphs, width))
    newest, more = running[0], len(running) - 1
    return Line(_moving(newest, f"  and {more} more" if more else "", glyphs, width))


def _moving(receipt: Receipt, more: str, glyphs: Glyphs, width: int) -> tuple[Cell, ...]:
    progress = receipt.progress or Progress(done=0)
    name = fmt.name(receipt.intent.target.name, 16 if width < ROOMY else 32)
    head = f" {glyphs.moving} {word(receipt)} {name}  "
    told = f" {percent(progress)}  {amount(progress)}  {pace(progress)}"
    said = f"  {fmt.name(progress.words, 120)}" if progress.words else f"  by {fmt.name(receipt.operator, 16)}"
    room = max(0, width - width_of(head) - width_of(told) - width_of(more))
    drawn = min(BAR, room)
    return (
        Cell(head, "notice"),
        bar(progress, drawn, glyphs),
        Cell(told, "strong"),
        Cell(fit(said, min(room - drawn, width_of(said))), "muted"),
        Cell(more, "muted"),
    )


def _ended(receipt: Receipt, glyphs: Glyphs, width: int) -> tuple[Cell, ...]:
    head = f" {glyphs.outcome[receipt.outcome]} {word(receipt)} {fmt.name(receipt.intent.target.name, 24)}: "
    # What ended early says in its own words how much was moved.
    whole = receipt.progress if receipt.outcome is Outcome.VERIFIED else None
    moved = f", {amount(whole)} moved" if whole is not None else ""
    said = f"{receipt.outcome}{moved}. {fmt.name(receipt.words, 200)}".rstrip()
    return (
        Cell(head, OUTCOME_STYLE[receipt.outcome]),
        Cell(fit(said, max(0, min(width - width_of(head), width_of(said))))),
    )
