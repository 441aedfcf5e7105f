"""The Spend screen: money by scope, booked against priced, and how long the budgets last."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.ui.room import Room
from console.ui.view import spending
from console.ui.view.judged import Judgements
from console.ui.widgets.table import Table


class SpendScreen(Room):
    """One row a sum of money."""

    NAME = "spend"
    CSS_PATH = "spend.tcss"

    def compose_body(self) -> ComposeResult:
        """The table fills the body."""
        yield Table(spending.COLUMNS, glyphs=self.desk.glyphs, empty=spending.EMPTY, id="spend")

    def on_mount(self) -> None:
        """Begin with no judgement."""
        super().on_mount()
        self._judged = Judgements()
        self._rows = self.query_one("#spend", Table)

    def show(self, board: Board) -> None:
        """Fill the table."""
        self._judged.refresh(board)
        self._rows.show_rows(spending.rows(board, self._judged, self.desk.glyphs))
