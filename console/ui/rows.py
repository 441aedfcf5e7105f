"""Lazy rows of a table that can be sorted and searched without being made: 10,000 of them cost what is in view."""

from collections.abc import Callable, Hashable, Sequence

from console.ui.cells import Row, Sort
from console.ui.lazy import Lazy, Steps, whole

Value = float | str | None

AT_ONCE = 500
"""Rows that are searched or put in order without a break."""


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
        return whole(self.containing_in_steps(words))

    def containing_in_steps(self, words: str) -> "Steps[Rows]":
        """The same in steps of about a millisecond."""
        wanted = words.casefold()
        return self._once(wanted, self._places(wanted))

    def sorted(self, sort: Sort) -> "Rows":
        """In another order: numbers before words before what is not known."""
        return whole(self.sorted_in_steps(sort))

    def sorted_in_steps(self, sort: Sort) -> "Steps[Rows]":
        """The same in steps of a few milliseconds."""
        return self._once(sort, self._order(sort))

    def _places(self, wanted: str) -> Steps[list[int]]:
        found: list[int] = []
        for place in range(len(self)):
            if place and not place % AT_ONCE:
                yield
            if wanted in self._text(place).casefold():
                found.append(place)
        return found

    def _order(self, sort: Sort) -> Steps[list[int]]:
        numbers: list[tuple[float, int]] = []
        words: list[tuple[str, int]] = []
        nothing: list[int] = []
        for place in range(len(self)):
            if place and not place % AT_ONCE:
                yield
            value = self._value(place, sort.column)
            if value is None:
                nothing.append(place)
            elif isinstance(value, str):
                words.append((value.casefold(), place))
            else:
                numbers.append((value, place))
        yield
        numbers.sort(key=lambda item: item[0], reverse=sort.descending)
        yield
        words.sort(key=lambda item: item[0], reverse=sort.descending)
        return [*(place for _, place in numbers), *(place for _, place in words), *nothing]

    def _once(self, what: object, find: Steps[list[int]]) -> "Steps[Rows]":
        """The rows that were found; the last answer is kept, so that it can be had beforehand."""
        if self._found is None or self._found[0] != what:
            places = yield from find
            yield
            self._found = what, self._at(places)
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
