"""One request: its spans as a tree on a time axis, and beneath it all that the span under the cursor says."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.readings import Request
from console.domain.refs import Ref
from console.domain.spans import Trace, TraceQuery
from console.ui.cells import Cell, Line
from console.ui.room import Room
from console.ui.view import trace as view
from console.ui.widgets.canvas import Canvas

AGAIN_S = 2.0
"""A request that goes on is fetched again when the board has become this much older."""


class RequestScreen(Room):
    """One request, span by span."""

    NAME = "request"
    FILTERS = False
    CSS_PATH = "request.tcss"
    AUTO_FOCUS = "#tree"

    def __init__(self, ref: Ref) -> None:
        """Make the page of one request; the reference's name is its trace id."""
        super().__init__()
        self.ref = ref
        """Whose page this is."""
        self._summary = Canvas(id="summary")
        self._summary.can_focus = False
        self._tree = Canvas(id="tree")
        self._about = Canvas(id="about")
        self._trace: Trace | None = None
        self._refused = ""
        self._asked: Request | None = None
        self._asked_at = float("-inf")
        self._spans: view.Tree | None = None

    def compose_body(self) -> ComposeResult:
        """What it was, its tree, and one span of it."""
        yield self._summary
        yield self._tree
        yield self._about

    def on_resize(self) -> None:
        """Another width has room for a longer axis."""
        super().on_resize()
        self._draw()
        self.update_board()

    def show(self, board: Board) -> None:
        """Say what it was; fetch its spans at first, and again when more of them have come."""
        reading = board.readings.get(self.ref)
        request = reading if isinstance(reading, Request) else None
        changed = (self._trace is None and not self._refused) or (request is not None and request != self._asked)
        if changed and board.at - self._asked_at >= AGAIN_S and not self.desk.lost:
            self._asked, self._asked_at = request, board.at
            self.desk.perform(self._fetch())
        if request is None and self._trace is not None:
            request = self._trace.request
        width = max(40, self.app.size.width - 2)
        lines = view.summary(board, self.ref, request, self._trace, width, self.desk.glyphs)
        self._summary.styles.height = len(lines)
        self._summary.show([line._replace(key=None) for line in lines])

    async def _fetch(self) -> None:
        try:
            self._trace = await self.desk.api.trace(TraceQuery(source=self.ref.source, trace_id=self.ref.name))
            self._refused = ""
        except Refusal as refusal:
            self._refused = refusal.words
        self._draw()
        self.update_board()

    def _draw(self) -> None:
        if self._trace is None:
            words = self._refused or "asking the source for its spans"
            self._tree.show([Line((Cell(f" {words}", "bad" if self._refused else "muted"),))])
            return
        self._spans = view.tree(self._trace, max(40, self._tree.page_width), self.desk.glyphs)
        lines = self._spans.lines
        self._tree.show(lines, fixed=[self._spans.heading], keys=lines.keys)
        self._show_span()

    def on_canvas_highlighted(self) -> None:
        """Another span is under the cursor."""
        super().on_canvas_highlighted()
        self._show_span()

    def _show_span(self) -> None:
        at = self._tree.cursor
        if self._spans is None or self._trace is None or not isinstance(at, int):
            return
        axis = view.Axis.of(self._trace.spans)
        self._about.show(view.about(self._spans.spans[at], axis, max(40, self._about.page_width), self.desk.glyphs))
        self._about.scroll_to(y=0, animate=False)

    def selected(self) -> Ref | None:
        """The request itself."""
        return self.ref
