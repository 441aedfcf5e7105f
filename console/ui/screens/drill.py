"""The drill page: everything about one object, with its past. Enter on a neighbour goes on to that one."""

from textual.app import ComposeResult

from console.domain.actions import Verb
from console.domain.board import Board
from console.domain.refs import Kind, Ref
from console.domain.wire import History, HistoryQuery
from console.ui.room import Room
from console.ui.screens.keys import spelled
from console.ui.view.drill import drill
from console.ui.view.incidents import command_of
from console.ui.widgets.canvas import Canvas

LONGEST_S = 3600.0
"""How far back the sparklines go, at the most: to the engine's start when that was later."""
SHORTEST_S = 300.0
POINTS = 60
AGAIN_S = 20.0
"""The past is fetched again when the board has become this much older."""

_WITHOUT_PAST = (Kind.SOURCE, Kind.REQUEST)


class DrillScreen(Room):
    """One object."""

    NAME = "drill"
    FILTERS = False
    CSS_PATH = "drill.tcss"

    def __init__(self, ref: Ref) -> None:
        """Make the page of one object."""
        super().__init__()
        self.ref = ref
        """Whose page this is."""
        self._page = Canvas(id="drill")
        self._history: History | None = None
        self._fetched_at = float("-inf")

    def compose_body(self) -> ComposeResult:
        """One page of lines."""
        yield self._page

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self.update_board()

    def show(self, board: Board) -> None:
        """Write the page; fetch the past when it is too old."""
        if board.at - self._fetched_at >= AGAIN_S and self.ref.kind not in _WITHOUT_PAST and not self.desk.lost:
            self._fetched_at = board.at
            self.desk.perform(self._fetch())
        by_name = spelled(self.desk.preferences.keymap)
        keys = {verb: by_name.get(command_of(verb), "") for verb in Verb}
        width = max(40, self.app.size.width - 2)
        self._page.show(drill(board, self.desk.sight.judged, self.desk.glyphs, self.ref, self._history, width, keys))

    async def _fetch(self) -> None:
        hello = self.desk.hello
        known = self.desk.board.at - hello.started_at if hello is not None else LONGEST_S
        window = min(LONGEST_S, max(SHORTEST_S, known))
        query = HistoryQuery(ref=self.ref, window_s=window, points=POINTS)
        history = await self.desk.api.history(query)
        if history != self._history:
            self._history = history
            self.update_board()

    def in_sight(self) -> tuple[Ref, ...]:
        """The object itself."""
        return (self.ref,)

    def selected(self) -> Ref | None:
        """The neighbour under the cursor, otherwise the object itself."""
        key = self._page.cursor
        return key if isinstance(key, Ref) else self.ref
