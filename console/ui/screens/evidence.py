"""What was kept of one step of a run: readings, alerts, requests that show it. Enter opens what can be opened."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.runbooks import Evidence, EvidenceQuery
from console.ui.room import Room
from console.ui.screens.asked import Asked
from console.ui.screens.run import RunScreen
from console.ui.view import evidence as view
from console.ui.widgets.folding import FoldingCanvas


class EvidenceScreen(Room):
    """The pieces of one step, the oldest first."""

    NAME = "evidence"
    FILTERS = False
    CSS_PATH = "run.tcss"
    FIRST = RunScreen.FIRST

    def __init__(self, run_id: str, step_id: str) -> None:
        """Make the page of one step's evidence."""
        super().__init__()
        self.run_id, self.step_id = run_id, step_id
        self._page = FoldingCanvas(id="run")
        self._asked: Asked[tuple[Evidence, ...]] = Asked("what was kept")
        self._count = -1

    def compose_body(self) -> ComposeResult:
        """One page of lines."""
        yield self._page

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self.update_board()

    def show(self, board: Board) -> None:
        """Write the page; ask again when more was kept."""
        run = board.runs.get(self.run_id)
        step = run.step(self.step_id) if run is not None else None
        count = step.evidence if step is not None else self._count
        if not self.desk.lost and self._asked.due(board.at, news=count != self._count):
            self._count = count
            self.desk.perform(self._fetch(board.at))
        width = max(40, self.app.size.width - 2)
        if self._asked.value is None:
            self._page.show(self._asked.words(width))
            return
        self._page.show(view.page(board, run, self._asked.value, width, self.desk.glyphs))

    async def _fetch(self, at: float) -> None:
        before = self._asked.value
        await self._asked.ask(at, self.desk.api.evidence(EvidenceQuery(run=self.run_id, step=self.step_id)))
        if self._asked.value != before or self._asked.why_not:
            self.update_board()

    def on_folding_canvas_opened(self, event: FoldingCanvas.Opened) -> None:
        """Open a request that shows it, or the object of a reading."""
        if isinstance(event.key, view.Shown):
            self.desk.drill(event.key.ref)

    def followed(self) -> str | None:
        """The run that it is of: it can be answered from here too."""
        return self.run_id

    def selected(self) -> Ref | None:
        """The object under the cursor."""
        key = self._page.cursor
        return key.ref if isinstance(key, view.Shown) else None
