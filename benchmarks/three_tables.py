"""The console with three live tables on one screen: `python -m benchmarks.three_tables ENV`."""

import os
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

os.environ.setdefault("TEXTUAL_FPS", "120")

from textual.app import ComposeResult
from textual.containers import Horizontal

from console.client import attach
from console.domain.board import Board
from console.ui import collector
from console.ui.app import SwitchgearApp
from console.ui.cells import Row
from console.ui.lazy import Lazy
from console.ui.room import Room
from console.ui.view import providers
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept
from console.ui.widgets.table import Table

NOT_SHOWN = frozenset({"transport", "circuit", "provider", "p50", "ttft", "headroom", "override"})


class ThreeTables(Room):
    """A third of all providers and deployments in each table, as the Providers screen shows them."""

    NAME = "overview"
    DEFAULT_CSS = "ThreeTables Table { width: 1fr; }"

    def compose_body(self) -> ComposeResult:
        """Side by side."""
        with Horizontal():
            for place in range(3):
                yield Table(providers.COLUMNS, glyphs=self.desk.glyphs, id=f"third-{place}")

    def on_mount(self) -> None:
        """Nothing is kept yet."""
        super().on_mount()
        self._kept: Kept[Row] = Kept()
        self._ready: tuple[Board, list[Lazy[Row]]] | None = None
        self._thirds = list(self.query(Table))
        for table in self._thirds:  # a third of the line has room for the name and the numbers, which move
            table.hidden = NOT_SHOWN

    def prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        """Put the rows in order."""
        yield
        rows = yield from providers.rows_in_steps(board, judged, self.desk.glyphs, self._kept)
        self._ready = board, [rows[place::3] for place in range(3)]
        for table, third in zip(self._thirds, self._ready[1], strict=True):
            yield
            yield from table.prepare(third)

    def show(self, board: Board) -> None:
        """Fill all three."""
        if self._ready is None or self._ready[0] is not board:
            rows = providers.rows(board, self.desk.sight.judged, self.desk.glyphs, self._kept)
            self._ready = board, [rows[place::3] for place in range(3)]
        for table, third in zip(self._thirds, self._ready[1], strict=True):
            table.show_rows(third)


class Console(SwitchgearApp):
    """The product's app with that screen."""

    MODES: ClassVar[Any] = {**SwitchgearApp.MODES, "overview": ThreeTables}


if __name__ == "__main__":
    collector.rest()  # as `console.ui.run` does
    Console(attach(sys.argv[1]), sys.argv[1]).run(mouse=False)
