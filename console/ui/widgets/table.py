"""A table of keyed rows on the canvas: fixed widths, sorting, filtering, 10,000 rows."""

from collections.abc import Iterator, Sequence
from functools import partial

from console.ui.cells import Cell, Column, Line, Row, Sort, fit
from console.ui.glyphs import UNICODE, Glyphs
from console.ui.lazy import Lazy
from console.ui.rows import Rows
from console.ui.view.kept import Kept
from console.ui.widgets.canvas import Canvas

_GAP = "  "

AT_ONCE = 50
"""Rows that are made without a break: one or two milliseconds."""


class Table(Canvas):
    """Rows in columns. Give it all rows with `show_rows`; it sorts, filters, lays out and repaints what differs."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        glyphs: Glyphs = UNICODE,
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """Make an empty table.

        Args:
            columns: in the order in which they stand.
            glyphs: for the sort mark.
            empty: what to say when there is no row: what to do about it.
            id: the widget's id.
            classes: the widget's classes.
        """
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._glyphs = glyphs
        self.empty = empty
        """What to say when there is no row."""
        self._rows: Sequence[Row] = ()
        self._sort = Sort()
        self._hidden: frozenset[str] = frozenset()
        self._filter = ""
        self._plan: tuple[tuple[int, Column, int], ...] = ()
        self._laid: Kept[Line] = Kept()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, the hidden ones too."""
        return self._columns

    @property
    def rows(self) -> Sequence[Row]:
        """All rows as they were given, before filter and sort."""
        return self._rows

    @property
    def sort(self) -> Sort:
        """How the rows are sorted."""
        return self._sort

    @sort.setter
    def sort(self, sort: Sort) -> None:
        if sort != self._sort:
            self._sort = sort
            self._show()

    @property
    def filter(self) -> str:
        """Rows are shown when one of their cells contains this text; upper and lower case are the same."""
        return self._filter

    @filter.setter
    def filter(self, words: str) -> None:
        if words != self._filter:
            self._filter = words
            self._show()

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the columns that are not shown."""
        return self._hidden

    @hidden.setter
    def hidden(self, names: frozenset[str]) -> None:
        if names != self._hidden:
            self._hidden = names
            self._relayout()

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Replace all rows. Only those in view are looked at; a filter or a sort needs all, unless they are `Rows`."""
        self._rows = rows
        self._show()

    def prepare(self, rows: Sequence[Row]) -> Iterator[None]:
        """Make what `show_rows` is going to need of these rows, a few at a step.

        That is all of them for a filter or a sort, of `Rows` only their order; then those that will be in view, with
        their lines.
        """
        all_needed = bool(self._filter or self._sort.column) and not isinstance(rows, Rows)
        if isinstance(rows, Rows):
            if self._filter:
                rows = yield from rows.containing_in_steps(self._filter)
            yield
            if self._sorts_at is not None:
                rows = yield from rows.sorted_in_steps(self._sort)
            yield
        for done, place in enumerate(range(len(rows)) if all_needed else self._in_view()):
            if done % AT_ONCE == AT_ONCE - 1:
                yield
            if place < len(rows):
                row = rows[place]
                if not all_needed:
                    self._laid.get(row.key, row, partial(self._lay, row))

    def on_resize(self) -> None:
        """Another width moves the columns."""
        super().on_resize()
        self._relayout()

    def _relayout(self) -> None:
        self._laid = Kept()
        self._plan = _widths(self._columns, self._hidden, self.page_width)
        self._show()

    def _show(self) -> None:
        if not self.page_width:
            return
        rows = self._sorted(self._filtered(self._rows))
        keys = rows.keys if isinstance(rows, Lazy) else [row.key for row in rows]
        lines = Lazy(keys, lambda at: self._laid.get(keys[at], rows[at], lambda: self._lay(rows[at])))
        if rows:
            self.show(lines, fixed=(self._heading(),), keys=keys)
        else:
            self.show(self._nothing(), fixed=(self._heading(),))

    def _nothing(self) -> list[Line]:
        words = f"nothing matches {self._filter!r}; Esc shows all" if self._filter and self._rows else self.empty
        return [Line((Cell(" " + words, "muted"),))] if words else []

    def _filtered(self, rows: Sequence[Row]) -> Sequence[Row]:
        if not self._filter:
            return rows
        if isinstance(rows, Rows):
            return rows.containing(self._filter)
        wanted = self._filter.casefold()
        return [row for row in rows if any(wanted in cell.text.casefold() for cell in row.cells)]

    @property
    def _sorts_at(self) -> int | None:
        """The place of the column by which the rows are sorted; None keeps them as they come."""
        return next((at for at, column in enumerate(self._columns) if column.name == self._sort.column), None)

    def _sorted(self, rows: Sequence[Row]) -> Sequence[Row]:
        place = self._sorts_at
        if place is None:
            return rows
        if isinstance(rows, Rows):
            return rows.sorted(self._sort)
        numbers: list[tuple[float, Row]] = []
        words: list[tuple[str, Row]] = []
        nothing: list[Row] = []
        for row in rows:
            cell = row.cells[place]
            if isinstance(cell.value, (int, float)):
                numbers.append((cell.value, row))
            elif self._columns[place].right and cell.value is None:
                nothing.append(row)
            else:
                words.append(((cell.value or cell.text).casefold(), row))
        down = self._sort.descending
        numbers.sort(key=lambda item: item[0], reverse=down)
        words.sort(key=lambda item: item[0], reverse=down)
        return [row for _, row in numbers] + [row for _, row in words] + nothing

    def _heading(self) -> Line:
        cells = [Cell(" ")]
        for _, column, width in self._plan:
            mark = ""
            if column.name == self._sort.column:
                mark = self._glyphs.descending if self._sort.descending else self._glyphs.ascending
            cells.append(
                Cell(
                    fit(mark + column.title if column.right else column.title + mark, width, right=column.right),
                    "title",
                )
            )
            cells.append(Cell(_GAP))
        return Line(tuple(cells))

    def _lay(self, row: Row) -> Line:
        cells = [Cell(" ")]
        for place, column, width in self._plan:
            cell = row.cells[place]
            cells.append(Cell(fit(cell.text, width, right=column.right), cell.style))
            cells.append(Cell(_GAP))
        return Line(tuple(cells), row.key, row.dim)


def _widths(columns: tuple[Column, ...], hidden: frozenset[str], width: int) -> tuple[tuple[int, Column, int], ...]:
    """(place, column, width) of every column that fits; the ones with the highest `keep` go first."""
    chosen = [(place, column) for place, column in enumerate(columns) if column.name not in hidden]
    room = width - 1

    def needed() -> int:
        return sum(column.width for _, column in chosen) + len(_GAP) * max(0, len(chosen) - 1)

    while len(chosen) > 1 and needed() > room:
        chosen.remove(max(chosen, key=lambda item: (item[1].keep, item[0])))
    spare = max(0, room - needed())
    flexible = [place for place, column in chosen if column.flex]
    plan = []
    for place, column in chosen:
        extra = 0
        if column.flex:
            extra = spare // len(flexible) + (1 if flexible.index(place) < spare % len(flexible) else 0)
        plan.append((place, column, column.width + extra))
    return tuple(plan)
