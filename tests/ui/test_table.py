"""The table: keyed rows, sort, filter, columns, a cursor that stays on its row, and repaints of what differs only."""

from collections.abc import Sequence
from typing import Any

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from console.ui import themes
from console.ui.cells import Cell, Column, Line, Row, Sort
from console.ui.lazy import Lazy
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.table import Table

COLUMNS = (
    Column("name", "name", 8, flex=True, keep=1),
    Column("errors", "errors", 6, right=True, keep=2),
    Column("note", "note", 20, keep=9),
)


class Painted(Table):
    """A table that remembers which regions it was asked to repaint."""

    def __init__(self, columns: Sequence[Column], **options: Any) -> None:
        super().__init__(columns, **options)
        self.repainted: list[Region] = []

    def refresh(self, *regions: Region, **options: Any) -> Any:
        self.repainted += regions or (Region(0, 0, 999, 999),)
        return super().refresh(*regions, **options)


class Stand(App[None]):
    """A table on its own."""

    def __init__(self, count: int = 5) -> None:
        super().__init__()
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DARK.name
        self.count = count

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.INKS

    def compose(self) -> ComposeResult:
        yield Painted(COLUMNS, empty="nothing here: add a source")

    @property
    def table(self) -> Painted:
        return self.query_one(Painted)

    def fill(self, **errors: float) -> None:
        self.table.show_rows([row(f"dep-{n}", errors.get(f"dep_{n}", float(n))) for n in range(self.count)])


def row(name: str, errors: float | None, *, dim: bool = False) -> Row:
    shown = "–" if errors is None else f"{errors:.0f}"
    return Row(name, (Cell(name, "strong"), Cell(shown, "bad", errors), Cell("a note")), dim)


def lines(table: Table) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


def names(table: Table) -> list[str]:
    return [line.split()[0] for line in lines(table)[1:] if line.strip()]


async def test_columns_fill_the_width_and_the_least_needed_go_first() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.fill()
        await pilot.pause()
        assert lines(app.table)[0].split() == ["name", "errors", "note"]
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert lines(app.table)[0].split() == ["name", "errors"]
        assert all(len(line) <= 30 for line in lines(app.table))
        app.table.hidden = frozenset({"errors"})
        assert "errors" not in lines(app.table)[0]


async def test_numbers_sort_by_value_words_by_text_and_nothing_comes_last() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show_rows([row("b", 9.0), row("a", None), row("c", 10.0)])
        await pilot.pause()
        app.table.sort = Sort("errors")
        assert names(app.table) == ["b", "c", "a"]
        app.table.sort = Sort("errors", descending=True)
        assert names(app.table) == ["c", "b", "a"]
        app.table.sort = Sort("name")
        assert names(app.table) == ["a", "b", "c"]
        app.table.sort = Sort()
        assert names(app.table) == ["b", "a", "c"]


async def test_the_cursor_stays_on_its_row_when_rows_move_and_finds_a_neighbour_when_it_leaves() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.fill()
        await pilot.pause()
        app.table.focus()
        await pilot.press("down", "down")
        seen = [app.table.cursor]
        app.table.sort = Sort("errors", descending=True)
        seen.append(app.table.cursor)
        app.table.filter = "dep-4"
        seen.append(app.table.cursor)
        app.table.filter = "zzz"
        assert [*seen, app.table.cursor] == ["dep-2", "dep-2", "dep-4", None]
        assert "nothing matches" in lines(app.table)[1]
        app.table.filter = ""
        app.table.show_rows([])
        assert "add a source" in lines(app.table)[1]


async def test_only_the_changed_cell_is_repainted() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.fill()
        await pilot.pause()
        app.table.repainted.clear()
        app.fill()
        assert app.table.repainted == []
        app.fill(dep_3=7.0)
        (region,) = app.table.repainted
        assert (region.y, region.height) == (4, 1)
        assert region.width == 6, "the cell, not the line"


async def test_a_paint_makes_the_lines_anew_that_were_refreshed_and_a_theme_makes_all() -> None:
    made: list[int] = []

    class Counting(Painted):
        def render_line(self, y: int) -> Strip:
            made.append(y)
            return super().render_line(y)

    class CountingStand(Stand):
        def compose(self) -> ComposeResult:
            yield Counting(COLUMNS)

    app = CountingStand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.fill()
        await pilot.pause()
        made.clear()
        app.fill(dep_3=7.0)
        await pilot.pause()
        assert set(made) == {4}, "the heading is line 0"
        made.clear()
        colours = app.table.render_line(4)
        app.theme = themes.LIGHT.name
        await pilot.pause()
        assert set(made) >= set(range(6))
        assert app.table.render_line(4) != colours


async def test_a_row_that_turns_stale_is_repainted_and_looks_different() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show_rows([row("a", 1.0), row("b", 2.0)])
        await pilot.pause()
        before = list(app.table.render_line(2))
        app.table.repainted.clear()
        app.table.show_rows([row("a", 1.0), row("b", 2.0, dim=True)])
        assert [region.y for region in app.table.repainted] == [2]
        assert list(app.table.render_line(2)) != before


async def test_ten_thousand_rows_lay_out_what_is_in_view_and_scroll() -> None:
    app = Stand(10_000)
    async with app.run_test(size=(60, 10)) as pilot:
        app.fill()
        await pilot.pause()
        app.table.focus()
        await pilot.press("end")
        await pilot.pause()
        assert names(app.table)[-1] == "dep-9999"
        await pilot.press("pageup")
        await pilot.pause()
        assert app.table.cursor == "dep-9991"
        await pilot.press("home")
        await pilot.pause()
        assert names(app.table)[0] == "dep-0"


async def test_markup_and_wide_names_are_plain_text() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show_rows([row("[red]x[/] 日本語", 1.0), row("plain", 2.0)])
        await pilot.pause()
        assert "[red]x[/] 日本語" in lines(app.table)[1]
        edge = [app.table.render_line(y).cell_length for y in (1, 2)]
        assert edge[0] == edge[1], "columns stay in line beside wide characters"


async def test_lines_without_a_key_are_passed_over() -> None:
    class Page(App[None]):
        def compose(self) -> ComposeResult:
            yield Canvas()

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return themes.INKS

    app = Page()
    async with app.run_test(size=(40, 10)) as pilot:
        canvas = app.query_one(Canvas)
        canvas.show([Line((Cell("title", "title"),)), Line((Cell("a"),), "a"), Line(), Line((Cell("b"),), "b")])
        canvas.focus()
        seen = [canvas.cursor]
        for _ in range(2):
            await pilot.press("j")
            seen.append(canvas.cursor)
        assert seen == ["a", "b", "b"]
        assert canvas.select("a")
        assert not canvas.select("gone")


async def test_prepared_rows_are_not_made_again_when_they_are_shown() -> None:
    app = Stand()
    async with app.run_test(size=(60, 10)) as pilot:
        made: list[int] = []

        def make(place: int) -> Row:
            made.append(place)
            return row(f"dep-{place}", float(place))

        rows = Lazy([f"dep-{n}" for n in range(200)], make)
        for _ in app.table.prepare(rows):
            pass
        assert made == list(range(9)), "those that will be in view"
        app.table.show_rows(rows)
        await pilot.pause()
        assert names(app.table)[0] == "dep-0"
        assert len(made) == 9
        app.table.sort = Sort("errors", descending=True)
        again = Lazy([f"dep-{n}" for n in range(200)], make)
        steps = sum(1 for _ in app.table.prepare(again))
        assert steps > 1, "all of them are needed, so they are made in steps"
        before = len(made)
        app.table.show_rows(again)
        assert len(made) == before
