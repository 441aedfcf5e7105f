"""One incident: who is to blame, what may be done, what was seen, and what the engine makes of the platform now."""

from textual.app import ComposeResult

from console.domain.alerts import Alert, AlertState
from console.domain.analysis import Analysis
from console.domain.board import Board
from console.domain.incidents import Incident
from console.domain.refs import Ref
from console.ui.cells import Cell, Line
from console.ui.room import Room
from console.ui.screens.asked import Asked
from console.ui.screens.keys import spelled
from console.ui.view import incident as view
from console.ui.view.incidents import about
from console.ui.widgets.folding import FoldingCanvas

AGAIN_S = 15.0
"""The analysis is asked for again when the board has become this much older."""


class IncidentScreen(Room):
    """The page of one incident; the cursor begins on what may be done."""

    NAME = "incident"
    FILTERS = False
    CSS_PATH = "incident.tcss"

    def __init__(self, incident_id: str) -> None:
        """Make the page of one incident."""
        super().__init__()
        self.incident_id = incident_id
        """Whose page this is."""
        self._last: Incident | None = None
        self._page = FoldingCanvas(id="incident")
        self._asked: Asked[Analysis] = Asked("an analysis")
        self._asked_at = float("-inf")
        self._placed = False

    def compose_body(self) -> ComposeResult:
        """One page of lines."""
        yield self._page

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self.update_board()

    def show(self, board: Board) -> None:
        """Write the page; ask for an analysis when the last one is too old."""
        self._last = board.incidents.get(self.incident_id, self._last)
        if self._last is None:
            self._page.show(
                [Line((Cell(" this incident is over and has left the board; the Log has its past", "muted"),))]
            )
            return
        news = board.at - self._asked_at >= AGAIN_S
        if not self.desk.lost and self._asked.due(board.at, news=news):
            self._asked_at = board.at
            self.desk.perform(self._fetch(board.at))
        width = max(40, self.app.size.width - 2)
        keys = spelled(self.desk.preferences.keymap)
        self._page.show(view.page(board, self._last, self._asked.value, width, self.desk.glyphs, keys))
        if not self._placed:
            self._placed = True
            self._page.select(view.begin_at(board, self._last))

    async def _fetch(self, at: float) -> None:
        before = self._asked.value
        await self._asked.ask(at, self.desk.api.analysis())
        if self._asked.value != before:
            self.update_board()

    def on_folding_canvas_opened(self, event: FoldingCanvas.Opened) -> None:
        """Begin what is advised, open what is blamed or what shows it."""
        key = event.key
        if isinstance(key, view.Entry) and key.part is view.Part.OFFER:
            self.desk.pick_runbook(key.name, dry=False)
            return
        if not isinstance(key, view.Entry) or key.ref is None or self._last is None:
            return
        if key.part is view.Part.ADVICE:
            verb = self._last.advice[int(key.name)].verb
            if verb is not None:
                self.desk.act(key.ref, verb, "")
                return
        self.desk.drill(key.ref)

    def incident(self) -> str | None:
        """This one."""
        return self.incident_id

    def alarms(self, board: Board) -> list[Alert]:
        """The alert under the cursor, otherwise all of the incident's."""
        key = self._page.cursor
        if isinstance(key, view.Entry) and key.part is view.Part.ALERT and key.name in board.alerts:
            alert = board.alerts[key.name]
            return [alert] if alert.state is AlertState.FIRING else []
        return super().alarms(board)

    def selected(self) -> Ref | None:
        """What the line under the cursor is about, otherwise what the incident is about."""
        key = self._page.cursor
        if isinstance(key, view.Entry) and key.ref is not None:
            return key.ref
        return about(self.desk.board, self._last) if self._last is not None else None
