"""What is drawn, as plain data: cells with a style's name, lines of cells, rows of a table. No Textual here.

View code makes these from the board; the widgets lay them out and repaint what differs.
"""

from collections.abc import Hashable
from typing import NamedTuple

from console.domain.health import Level

STYLES = (
    "ok",
    "notice",
    "warn",
    "stale",
    "bad",
    "alarm",
    "muted",
    "strong",
    "title",
    "accent",
    "flow",
    "key",
)
"""Every style's name. `""` is the plain text colour. What each looks like stands in `widgets/canvas.tcss`."""


class Cell(NamedTuple):
    """A piece of text in one style. The text must be clean (`domain.text.clean`) and is never read as markup."""

    text: str
    style: str = ""
    """One of `STYLES`, or empty."""
    value: float | str | None = None
    """What a table sorts by; None takes the text. Cells without a number sort last."""


class Line(NamedTuple):
    """One line of cells, side by side."""

    cells: tuple[Cell, ...] = ()
    key: Hashable | None = None
    """What the cursor selects here; None is a line that the cursor skips. Keys are unique within a widget."""
    dim: bool = False
    """Shown faded: the values are stale."""


class Row(NamedTuple):
    """One row of a table: as many cells as the table has columns."""

    key: Hashable
    cells: tuple[Cell, ...]
    dim: bool = False


class Column(NamedTuple):
    """One column of a table."""

    name: str
    """What sort and hide commands call it: `errors`."""
    title: str
    width: int
    """Cells of text; with `flex`, the least."""
    right: bool = False
    """Flush right, for numbers."""
    flex: bool = False
    """Takes what is left of the line, shared evenly between all flexible columns."""
    keep: int = 5
    """1 to 9: when the line is too short, columns with the highest number go first."""


class Sort(NamedTuple):
    """How a table is sorted."""

    column: str = ""
    """A column's name; empty keeps the order in which the rows were given."""
    descending: bool = False


LEVEL_STYLE = {
    Level.OK: "ok",
    Level.NOTICE: "notice",
    Level.WARN: "warn",
    Level.STALE: "stale",
    Level.BAD: "bad",
}
"""The style in which a judgement is written."""


def width_of(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` columns: padded, or cut with `…`."""
    length = width_of(text)
    if length > width:
        text = _cut(text, width - 1) + "…" if width > 0 else ""
        length = width_of(text)
    room = " " * (width - length)
    return room + text if right else text + room


def _cut(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    while width_of(text) > width:
        text = text[:-1]
    return text
