"""Small lines that drill and dialogs are made of: a label with its value, a heading, a list of words."""

from collections.abc import Hashable, Iterable, Iterator
from textwrap import wrap

from console.ui.cells import Cell, Line, fit
from console.ui.glyphs import Glyphs
from console.ui.view.parts import rule

LABEL = 16
"""Columns of a label."""


def heading(title: str, width: int, glyphs: Glyphs, right: str = "") -> Line:
    """A rule with a title."""
    return Line(rule(title, width, glyphs, right), key=("heading", title))


def fact(label: str, *cells: Cell, key: Hashable | None = None) -> Line:
    """A label and what is to be said to it."""
    return Line((Cell(f" {fit(label, LABEL - 2)} ", "muted"), *cells), key=key if key is not None else ("fact", label))


def words(text: str, width: int, style: str = "", *, indent: int = 1, key: str = "") -> Iterator[Line]:
    """Plain text over as many lines as it needs; the text must be clean."""
    room = max(10, width - indent - 1)
    for at, part in enumerate(wrap(text, room, break_on_hyphens=False) or [""]):
        yield Line((Cell(" " * indent + part, style),), key=("words", key or text, at))


def labelled(label: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    """A label, and text that is wrapped beside it."""
    room = max(10, width - LABEL - 1)
    for at, part in enumerate(wrap(text, room, break_on_hyphens=False) or [""]):
        yield fact("" if at else label, Cell(part, style), key=("labelled", label, text, at))


def numbered(lines: Iterable[str], width: int, style: str = "") -> Iterator[Line]:
    """`1. …`, `2. …`; a long one goes on beneath."""
    for place, text in enumerate(lines, 1):
        for at, part in enumerate(wrap(text, max(10, width - 5), break_on_hyphens=False) or [""]):
            head = f" {place}. " if at == 0 else "    "
            yield Line((Cell(head, "muted"), Cell(part, style)), key=("step", place, at))
