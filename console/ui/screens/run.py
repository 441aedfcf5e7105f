"""One run: whose turn it is, its steps, what is waited for. Leaving the page leaves the run going."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.refs import Ref
from console.domain.runbooks import Run
from console.ui.cells import Cell, Line
from console.ui.room import Room
from console.ui.screens.keys import spelled
from console.ui.view import runs as view
from console.ui.widgets.folding import FoldingCanvas


class RunScreen(Room):
    """The page of one run; the cursor stays on its present step until it is moved elsewhere."""

    NAME = "run"
    FILTERS = False
    CSS_PATH = "run.tcss"
    FIRST = ("yes", "retry", "skip", "hold-run", "abort", "take")

    def __init__(self, run_id: str) -> None:
        """Make the page of one run."""
        super().__init__()
        self.run_id = run_id
        """Whose page this is."""
        self._last: Run | None = None
        self._page = FoldingCanvas(id="run")
        self._turned: set[str] = set()
        self._current: str | None = None
        self._asked = False

    def compose_body(self) -> ComposeResult:
        """One page of lines."""
        yield self._page

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self.update_board()

    def show(self, board: Board) -> None:
        """Write the page; one that has left the board is asked for."""
        self._last = board.runs.get(self.run_id, self._last)
        if self._last is None:
            self._page.show([Line((Cell(" asking the engine for this run", "muted"),))])
            if not self._asked and not self.desk.lost:
                self._asked = True
                self.desk.perform(self._fetch())
            return
        width = max(40, self.app.size.width - 2)
        frame = view.Frame(width, self.desk.glyphs, spelled(self.desk.preferences.keymap), frozenset(self._turned))
        self._page.show(view.page(board, self._last, self.desk.access, frame))
        self._follow(self._last)

    def _follow(self, run: Run) -> None:
        """Go with the run to its next step, unless the cursor was put somewhere else."""
        if run.current == self._current:
            return
        cursor = self._page.cursor
        stayed = isinstance(cursor, view.Place) and cursor.name == self._current
        place = view.begin_at(run)
        if place is not None and (self._current is None or stayed):
            self._page.select(place)
        self._turned -= {run.current, self._current or ""} - {""}
        self._current = run.current

    async def _fetch(self) -> None:
        try:
            self._last = await self.desk.api.run(self.run_id)
        except Refusal as refusal:
            self._page.show([Line((Cell(f" {refusal.words}", "bad"),)), Line((Cell(" Esc goes back", "muted"),))])
            return
        self.update_board()

    def on_folding_canvas_opened(self, event: FoldingCanvas.Opened) -> None:
        """Fold or unfold a step, or show what was kept of it."""
        key = event.key
        if not isinstance(key, view.Place):
            return
        if key.part == "evidence":
            from console.ui.screens.evidence import EvidenceScreen

            self.app.push_screen(EvidenceScreen(self.run_id, key.name))
            return
        self._turned ^= {key.name}
        self.update_board()

    def followed(self) -> str | None:
        """This one."""
        return self.run_id

    def selected(self) -> Ref | None:
        """What the step under the cursor works on."""
        key = self._page.cursor
        return key.ref if isinstance(key, view.Place) else None
