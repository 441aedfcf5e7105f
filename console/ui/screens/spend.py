"""The Spend screen: money by scope, booked against priced, and how long the budgets last."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.ui.room import Room
from console.ui.view import spending
from console.ui.widgets.table import Table


class SpendScreen(Room):
    """One row a sum of money."""

    NAME = "spend"
    CSS_PATH = "spend.tcss"

    def compose_body(self) -> ComposeResult:
        """The table fills the body."""
        self._rows = Table(spending.COLUMNS, glyphs=self.desk.glyphs, empty=spending.EMPTY, id="spend")
        yield self._rows

    def show(self, board: Board) -> None:
        """Fill the table."""
        self._rows.show_rows(spending.rows(board, self.desk.sight.judged, self.desk.glyphs))
