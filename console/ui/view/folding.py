"""Pages with parts that fold: what is folded away is not made, and a long part is shown a stretch at a time."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from console.ui.cells import Cell, Line
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy

STRETCH = 200
"""Lines of one part that are made at first, and that each further look adds."""


class Within(NamedTuple):
    """The key of a line inside a part that can be folded away."""

    part: Hashable
    """The part's own key."""
    row: int


class Rest(NamedTuple):
    """The key of the line that stands for all that is left of a part."""

    part: Hashable


@dataclass(slots=True)
class Folds:
    """Which parts of a page are unfolded, and how much of each is made."""

    unfolded: set[Hashable] = field(default_factory=set)
    _stretches: dict[Hashable, int] = field(default_factory=dict)

    def turn(self, key: Hashable) -> Hashable:
        """Fold or unfold the part to which a line belongs; gives the key of the line to stay on."""
        if isinstance(key, Rest):
            self.more(key)
            return Within(key.part, self.most(key.part) - STRETCH)
        part = key.part if isinstance(key, Within) else key
        self.unfolded ^= {part}
        return part

    def more(self, rest: Rest) -> None:
        """Make another stretch of a part."""
        self._stretches[rest.part] = self._stretches.get(rest.part, 1) + 1

    def most(self, part: Hashable) -> int:
        """Lines of a part that are made."""
        return self._stretches.get(part, 1) * STRETCH


class Page:
    """Lines in order, each made when it is looked at."""

    def __init__(self, folds: Folds, glyphs: Glyphs) -> None:
        """Begin an empty page.

        Args:
            folds: which parts are unfolded.
            glyphs: the signs that this terminal can show.
        """
        self.folds = folds
        self.glyphs = glyphs
        self._keys: list[Hashable | None] = []
        self._makes: list[Callable[[], Line] | Line] = []

    def add(self, key: Hashable | None, make: Callable[[], Line]) -> None:
        """Add a line; None is passed by the cursor."""
        self._keys.append(key)
        self._makes.append(make)

    def put(self, line: Line) -> None:
        """Add a line that is made already."""
        self._keys.append(line.key)
        self._makes.append(line)

    def fold(self, key: Hashable, make: Callable[[str], Line]) -> bool:
        """Add the line of a part that folds, made with its sign; True when what is in it stands beneath."""
        unfolded = key in self.folds.unfolded
        sign = self.glyphs.unfolded if unfolded else self.glyphs.folded
        self.add(key, lambda: make(sign))
        return unfolded

    def within(self, part: Hashable, lines: Iterable[tuple[Cell, ...]], indent: int) -> None:
        """Add what is in a part, as much of it as was asked for, and a line for the rest."""
        most = self.folds.most(part)
        for row, cells in enumerate(islice(lines, most + 1)):
            if row == most:
                words = " " * indent + f"{self.glyphs.ellipsis} and more: go on down"
                self.put(Line((Cell(words, "accent"),), Rest(part)))
                return
            self.put(Line((Cell(" " * indent), *cells), Within(part, row)))

    def lines(self) -> Lazy[Line]:
        """The whole page."""
        return Lazy(self._keys, self._made)

    def _made(self, at: int) -> Line:
        make = self._makes[at]
        return make if isinstance(make, Line) else make()
