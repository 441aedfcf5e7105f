"""A forecast that waits for its time, and what it comes to then; pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from console.control.forecast.calibration import NAMES, Miss
from console.domain.actions import Plan
from console.domain.board import Board
from console.domain.forecasts import Comparison, Course, Outturn, Quantity
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.forecast.quantities import relative_error, seen

LATE_S: Final = 120.0
"""A reading so much later than the due moment still tells how it was then."""
_PLAIN: Final = {Quantity.BACKLOG: "{:,.0f}", Quantity.USD_PER_H: "{:,.1f}"}


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """One forecast whose time has not come."""

    id: str
    """Of the action; of doing nothing, one of its own."""
    course: Course
    due_at: float
    touched: tuple[Ref, ...]
    """What another action must leave alone meanwhile, for the comparison to count."""
    disturbed: str = ""
    """What was done in between; empty when nothing was."""

    @property
    def verb(self) -> Verb | None:
        """None: it is a forecast of doing nothing."""
        return self.course.verb


def touched_by(course: Course, target: Ref, plan: Plan | None) -> tuple[Ref, ...]:
    """What another action must leave alone for a forecast to count: its own objects, the routes and queues around."""
    around = {item.ref for item in course.foreseen if item.ref.kind in (Kind.ROUTE, Kind.QUEUE)}
    own = {expected.ref for expected in plan.expects} if plan else set()
    return tuple(sorted({target, *around, *own}))


def ready(pending: Pending, board: Board) -> bool:
    """Whether everything that was forecast can be seen now."""
    return all(
        seen(board, item.quantity, item.ref) is not None for item in pending.course.foreseen if item.then is not None
    )


def compared(pending: Pending, board: Board, now: float) -> Comparison:
    """Hold a forecast against the board, which is as near to its due moment as it ever will be."""
    late = now > pending.due_at + LATE_S
    rows = tuple(_rows(pending, board, late))
    unseen = bool(rows) and all(row.actual is None for row in rows)
    why = pending.disturbed or ("nobody was looking at the time" if unseen else "")
    return Comparison(
        due_at=pending.due_at, compared_at=now, rows=rows, words=_words(pending, rows, why), counts=not why
    )


def misses(pending: Pending, comparison: Comparison) -> Iterator[Miss]:
    """What a comparison teaches; nothing, where it does not count."""
    for row in comparison.rows if comparison.counts else ():
        if row.actual is not None:
            yield Miss(pending.verb, row.quantity, row.expected, row.actual)


def _rows(pending: Pending, board: Board, late: bool) -> Iterator[Outturn]:
    for item in pending.course.foreseen:
        if item.then is None:
            continue
        actual = None if late else seen(board, item.quantity, item.ref)
        error = None if actual is None else relative_error(item.quantity, item.then, actual)
        yield Outturn(quantity=item.quantity, ref=item.ref, expected=item.then, actual=actual, error=error)


def _words(pending: Pending, rows: tuple[Outturn, ...], why: str) -> str:
    said = ", ".join(_said(row, first=number == 0) for number, row in enumerate(rows) if row.actual is not None)
    line = f"{pending.course.words}: after 15 min {said}" if said else f"{pending.course.words}: not compared"
    return f"{line}; does not count: {why}" if why else line


def _said(row: Outturn, *, first: bool) -> str:
    """`backlog 131 (120 expected, 8 % off)`."""
    shape = _PLAIN.get(row.quantity, "{:.1%}")
    actual, expected = shape.format(row.actual), shape.format(row.expected)
    off = f", {100.0 * (row.error or 0.0):.0f} % off" if row.quantity in _PLAIN else ""
    return f"{NAMES[row.quantity]} {actual} ({expected}{' expected' if first else ''}{off})"
