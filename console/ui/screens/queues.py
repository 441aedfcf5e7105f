"""The Queues screen: every backlog in a table."""

from collections.abc import Iterator

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.refs import Ref
from console.ui.cells import Row
from console.ui.room import Room
from console.ui.rows import Rows
from console.ui.view import queues
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept
from console.ui.widgets.table import Table


class QueuesScreen(Room):
    """One row a queue."""

    NAME = "queues"
    CSS_PATH = "queues.tcss"

    def compose_body(self) -> ComposeResult:
        """The table fills the body."""
        self._kept: Kept[Row] = Kept()
        self._ready: tuple[Board, Rows] | None = None
        self._rows = Table(queues.COLUMNS, glyphs=self.desk.glyphs, empty=queues.EMPTY, id="queues")
        yield self._rows

    def on_mount(self) -> None:
        """Follow the eye: other queues are looked at when the table was scrolled."""
        super().on_mount()
        self.watch(self._rows, "scroll_y", self.update_gaze, init=False)

    def prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        """Put the rows in order: thousands of queues take longer than a key may."""
        yield
        rows = yield from queues.rows_in_steps(board, judged, self.desk.glyphs, self._kept)
        self._ready = board, rows
        yield
        yield from self._rows.prepare(rows)
        yield

    def show(self, board: Board) -> None:
        """Fill the table."""
        if self._ready is None or self._ready[0] is not board:
            self._ready = board, queues.rows(board, self.desk.sight.judged, self.desk.glyphs, self._kept)
        self._rows.show_rows(self._ready[1])

    def in_sight(self) -> tuple[Ref, ...]:
        """The queues whose rows are seen."""
        return tuple(key for key in self._rows.keys_in_sight() if isinstance(key, Ref))
