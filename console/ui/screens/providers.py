"""The Providers screen: every provider and deployment in a table."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.ui.cells import Row
from console.ui.room import Room
from console.ui.view import providers
from console.ui.view.kept import Kept
from console.ui.widgets.table import Table


class ProvidersScreen(Room):
    """One row a provider, one a deployment."""

    NAME = "providers"
    CSS_PATH = "providers.tcss"

    def compose_body(self) -> ComposeResult:
        """The table fills the body."""
        self._kept: Kept[Row] = Kept()
        self._rows = Table(providers.COLUMNS, glyphs=self.desk.glyphs, empty=providers.EMPTY, id="providers")
        yield self._rows

    def show(self, board: Board) -> None:
        """Fill the table."""
        self._rows.show_rows(providers.rows(board, self.desk.sight.judged, self.desk.glyphs, self._kept))
