"""The Providers screen: every provider and deployment in a table."""

from collections.abc import Iterator

from textual.app import ComposeResult

from console.domain.board import Board
from console.ui.cells import Row
from console.ui.lazy import Lazy
from console.ui.room import Room
from console.ui.view import providers
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept
from console.ui.widgets.table import Table


class ProvidersScreen(Room):
    """One row a provider, one a deployment."""

    NAME = "providers"
    CSS_PATH = "providers.tcss"

    def compose_body(self) -> ComposeResult:
        """The table fills the body."""
        self._kept: Kept[Row] = Kept()
        self._ready: tuple[Board, Lazy[Row]] | None = None
        self._rows = Table(providers.COLUMNS, glyphs=self.desk.glyphs, empty=providers.EMPTY, id="providers")
        yield self._rows

    def prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        """Put the rows in order; make those that a filter or a sort has to see."""
        yield
        rows = yield from providers.rows_in_steps(board, judged, self.desk.glyphs, self._kept)
        self._ready = board, rows
        yield from self._rows.prepare(rows)
        yield

    def show(self, board: Board) -> None:
        """Fill the table."""
        if self._ready is None or self._ready[0] is not board:
            self._ready = board, providers.rows(board, self.desk.sight.judged, self.desk.glyphs, self._kept)
        self._rows.show_rows(self._ready[1])
