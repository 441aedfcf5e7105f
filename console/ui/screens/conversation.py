"""One conversation: its requests in time, which knowledge each answered from, and where its services disagree."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.conversations import Conversation, ConversationQuery, Turn
from console.domain.readings import Request
from console.domain.refs import Ref
from console.ui import format as fmt
from console.ui.cells import Cell, Line
from console.ui.screens.asked import Asked
from console.ui.traced import TracedRoom
from console.ui.view import conversation as view
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.table import Table


class ConversationScreen(TracedRoom):
    """One row a request."""

    NAME = "conversation"
    CSS_PATH = "conversation.tcss"
    AUTO_FOCUS = "#turns"

    def __init__(self, ref: Ref) -> None:
        """Make the page of one conversation; the reference's name is its id."""
        super().__init__()
        self.ref = ref
        """Whose page this is."""
        self._asked: Asked[Conversation] = Asked("the requests of this conversation")
        self._seen: Request | None = None
        self._drawn: Conversation | None = None
        self._head = Canvas(id="head")
        self._head.can_focus = False
        self._about = Canvas(id="about")

    def compose_body(self) -> ComposeResult:
        """What is wrong in words, the requests, and one of them in full."""
        self._rows = Table(view.COLUMNS, glyphs=self.desk.glyphs, id="turns")
        yield self._head
        yield self._rows
        yield self._about

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self._draw()

    def show(self, board: Board) -> None:
        """Ask for it at first, and again when another request of it has come."""
        newest = self._newest(board)
        news = newest is not None and newest != self._seen
        if self._asked.due(board.at, news=news) and not self.desk.lost:
            self._seen = newest
            self.desk.perform(self._fetch(board.at))
        if self._asked.value is None or self._asked.value is not self._drawn:
            self._draw()

    def _newest(self, board: Board) -> Request | None:
        mine = (
            item
            for item in board.of(Request)
            if item.conversation == self.ref.name and item.ref.source == self.ref.source
        )
        return max(mine, key=lambda item: item.started_at, default=None)

    async def _fetch(self, at: float) -> None:
        first = self._asked.value is None
        query = ConversationQuery(source=self.ref.source, conversation=self.ref.name)
        await self._asked.ask(at, self.desk.api.conversation(query))
        if not self.is_mounted:
            return
        self.update_board()
        found = self._asked.value
        if first and found is not None:
            differing = (turn.request.ref for turn in found.turns if turn.first_difference)
            last = found.turns[-1].request.ref if found.turns else None
            self._rows.select(next(differing, last))

    def _draw(self) -> None:
        found = self._drawn = self._asked.value
        width = max(40, self.app.size.width - 2)
        if found is None:
            lines = [Line((Cell(f" conversation {fmt.name(self.ref.name)}", "strong"),)), *self._asked.words(width)]
        else:
            lines = view.head(found, width, self.desk.glyphs)
            self._rows.empty = "No request of this conversation is in the store."
            self._rows.show_rows(view.rows(found, self.desk.glyphs))
        self._head.styles.height = len(lines)
        self._head.show(lines)
        self._show_turn()

    def on_canvas_highlighted(self) -> None:
        """Tell of the request under the cursor."""
        super().on_canvas_highlighted()
        self._show_turn()

    def _show_turn(self) -> None:
        turn, found = self._turn(), self._asked.value
        if found is None or turn is None:
            self._about.show([])
            return
        width = max(40, self.app.size.width - 2)
        self._about.show(view.about(found, turn, width, self.desk.glyphs))

    def _turn(self, ref: Ref | None = None) -> Turn | None:
        wanted = self._rows.cursor if ref is None else ref
        turns = self._asked.value.turns if self._asked.value is not None else ()
        return next((turn for turn in turns if turn.request.ref == wanted), None)

    def selected(self) -> Ref | None:
        """The request under the cursor."""
        key = self._rows.cursor
        return key if isinstance(key, Ref) else None

    def request(self, ref: Ref) -> Request | None:
        """A request of this conversation in a line."""
        turn = self._turn(ref)
        return turn.request if turn is not None else None

    def span_of(self, ref: Ref) -> str:
        """The first span of a request that differs; empty where none does."""
        turn = self._turn(ref)
        return turn.first_difference if turn is not None else ""
