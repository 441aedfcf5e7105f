"""What is watched for, and what cannot be judged yet and why: no alert is only good news when somebody looks."""

from textual.app import ComposeResult

from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.ui.room import Room
from console.ui.screens.asked import Asked
from console.ui.view.detectors import page
from console.ui.widgets.canvas import Canvas

AGAIN_S = 10.0
"""It is asked for again when the board has become this much older."""


class DetectorsScreen(Room):
    """One part a detector."""

    NAME = "detectors"
    FILTERS = False
    CSS_PATH = "detectors.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._page = Canvas(id="detectors")
        self._asked: Asked[tuple[DetectorState, ...]] = Asked("the detectors")
        self._asked_at = float("-inf")

    def compose_body(self) -> ComposeResult:
        """One page of lines."""
        yield self._page

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self.update_board()

    def show(self, board: Board) -> None:
        """Write the page; ask again when it is too old."""
        if not self.desk.lost and self._asked.due(board.at, news=board.at - self._asked_at >= AGAIN_S):
            self._asked_at = board.at
            self.desk.perform(self._fetch(board.at))
        width = max(40, self.app.size.width - 2)
        found = self._asked.value
        self._page.show(self._asked.words(width) if found is None else page(found, width, self.desk.glyphs))

    async def _fetch(self, at: float) -> None:
        await self._asked.ask(at, self.desk.api.detectors())
        self.update_board()
