"""Lazy rows of a table that can be sorted and searched without being made: 10,000 of them cost what is in view."""

from collections.abc import Callable, Hashable, Sequence

from console.ui.cells import Row, Sort
from console.ui.lazy import Lazy

Value = float | str | None


class Rows(Lazy[Row]):
    """Rows by place, with what they sort by and what a search looks at."""

    __slots__ = ("_found", "_text", "_value")

    def __init__(
        self,
        keys: Sequence[Hashable],
        make: Callable[[int], Row],
        value: Callable[[int, str], Value],
        text: Callable[[int], str],
    ) -> None:
        """Make no row yet.

        Args:
            keys: the rows' keys.
            make: makes the row at a place.
            value: what the row at a place sorts by in a column, by the column's name; None sorts last.
            text: what a search looks at in the row at a place.
        """
        super().__init__(keys, make)
        self._value = value
        self._text = text
        self._found: tuple[object, Rows] | None = None

    def containing(self, words: str) -> "Rows":
        """Those whose text contains the words; upper and lower case are the same."""
        wanted = words.casefold()
        return self._once(
            wanted, lambda: [place for place in range(len(self)) if wanted in self._text(place).casefold()]
        )

    def sorted(self, sort: Sort) -> "Rows":
        """In another order: numbers before words before what is not known."""
        return self._once(sort, lambda: self._order(sort))

    def _order(self, sort: Sort) -> list[int]:
        numbers: list[tuple[float, int]] = []
        words: list[tuple[str, int]] = []
        nothing: list[int] = []
        for place in range(len(self)):
            value = self._value(place, sort.column)
            if value is None:
                nothing.append(place)
            elif isinstance(value, str):
                words.append((value.casefold(), place))
            else:
                numbers.append((value, place))
        numbers.sort(key=lambda item: item[0], reverse=sort.descending)
        words.sort(key=lambda item: item[0], reverse=sort.descending)
        return [*(place for _, place in numbers), *(place for _, place in words), *nothing]

    def _once(self, what: object, find: Callable[[], list[int]]) -> "Rows":
        """The rows that were found; the last answer is kept, so that it can be had beforehand."""
        if self._found is None or self._found[0] != what:
            self._found = what, self._at(find())
        return self._found[1]

    def _at(self, places: list[int]) -> "Rows":
        # The new rows must not hold these, which hold them: only the collector would end such a ring, and it rests.
        make, value, text = self._make, self._value, self._text
        return Rows(
            [self.keys[place] for place in places],
            lambda at: make(places[at]),
            lambda at, column: value(places[at], column),
            lambda at: text(places[at]),
        )
