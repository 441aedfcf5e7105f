"""The atoms of everything that is drawn: a piece of text and what it means. No colour is named here."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """What a piece of text means; the themes decide how each looks (colour, bold, dim, reverse)."""

    TEXT = "text"
    """Ordinary."""
    STRONG = "strong"
    """Names and what the eye should find first."""
    DIM = "dim"
    """Units, labels, and whatever may be overlooked."""
    OK = "ok"
    NOTICE = "notice"
    """Not as usual, but somebody meant it."""
    WARN = "warn"
    BAD = "bad"
    STALE = "stale"
    """Nobody knows: dimmed and never green."""
    KEY = "key"
    """A key to press."""
    TITLE = "title"
    """The heading of a part of the screen."""


class Cell(NamedTuple):
    """One piece of text in one tone. The text is already clean (`domain.text.clean`) and is never markup."""

    text: str
    tone: Tone = Tone.TEXT


class Row(NamedTuple):
    """One row of a table."""

    key: str
    """What stays the same while the values change; unique in its table."""
    cells: tuple[Cell, ...]
    """One cell a column, in the columns' order."""
    sort: tuple[float | str, ...] = ()
    """One value a column to sort by; empty sorts by the cells' texts."""
    dimmed: bool = False
    """Whether its source is stale: the whole row is drawn dim."""


def plain(cells: Iterable[Cell]) -> str:
    """The cells' text in one string."""
    return "".join(cell.text for cell in cells)
