"""One request, whole: its stages, its spans as a tree, its lanes, and played back step by step."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.readings import Request
from console.domain.reconstruction import Reconstruction
from console.domain.refs import Ref
from console.domain.spans import Span, TraceQuery
from console.ui.cells import Line
from console.ui.lazy import Lazy
from console.ui.screens.asked import Asked
from console.ui.screens.keys import spelled
from console.ui.traced import TracedRoom
from console.ui.turns import FRAME_S
from console.ui.view import lanes, playback, span, stages, trace
from console.ui.view.facts import heading
from console.ui.view.folding import Folds, Rest
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.folding import FoldingCanvas

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp

STAGES, TREE, LANES, PLAYBACK = "stages", "tree", "lanes", "playback"


class RequestScreen(TracedRoom):
    """One request, in one of four views."""

    NAME = "request"
    VIEWS = True
    FILTERS = False
    CSS_PATH = "request.tcss"
    AUTO_FOCUS = "#page"

    def __init__(self, ref: Ref, view: str = STAGES, span_id: str = "") -> None:
        """Make the page of one request.

        Args:
            ref: its name is the trace id.
            view: the one that is shown first.
            span_id: the span that the cursor is on in the tree; empty for the first.
        """
        super().__init__()
        self.ref = ref
        """Whose page this is."""
        self._view = view
        self._span_id = span_id
        self._asked: Asked[Reconstruction] = Asked("everything that was recorded of this request")
        self._seen: Request | None = None
        self._summary_of: tuple[Request | None, Reconstruction | None, int] | None = None
        self._summary = Canvas(id="summary")
        self._summary.can_focus = False
        self._page = FoldingCanvas(id="page")
        self._about = Canvas(id="about")
        self._folds = {name: Folds() for name in (STAGES, LANES, PLAYBACK)}
        self._cursors: dict[str, Hashable] = {}
        self._tree: trace.Tree | None = None
        self._step = 0
        self._begun = False

    def ask_ahead(self, app: "SwitchgearApp") -> None:
        """Ask for all of it before this page is there: the engine puts it together while the page is made."""
        if not app.lost:
            app.perform(self._fetch(app.sight.board))

    def compose_body(self) -> ComposeResult:
        """What it was, the view, and of the tree one span in full."""
        yield self._summary
        yield self._page
        yield self._about

    def on_mount(self) -> None:
        """Begin with the view that was asked for."""
        super().on_mount()
        self._about.display = self._view == TREE
        self._draw()

    def on_resize(self) -> None:
        """Another width has room for longer lines."""
        super().on_resize()
        self._draw()
        self.update_board()

    def show(self, board: Board) -> None:
        """Say what it was; ask for all of it at first, and again when more of it has come."""
        request = self._on(board)
        news = request is not None and request != self._seen
        if self._asked.due(board.at, news=news, more=self._brief) and not self.desk.lost:
            self.desk.perform(self._fetch(board))
        self._summarise(board)

    def _on(self, board: Board) -> Request | None:
        reading = board.readings.get(self.ref)
        return reading if isinstance(reading, Request) else None

    def _summarise(self, board: Board) -> None:
        """Say what it was, when that or the width is another than before: a long request's path is not walked twice."""
        known, whole = self.request(self.ref), self._asked.value
        before = self._summary_of
        if before is not None and before[0] is known and before[1] is whole and before[2] == self._width:
            return
        self._summary_of = (known, whole, self._width)
        lines = trace.summary(board, self.ref, known, whole, self._width, self.desk.glyphs)
        self._summary.styles.height = len(lines)
        self._summary.show([line._replace(key=None) for line in lines])

    @property
    def _width(self) -> int:
        return max(40, self.app.size.width - 2)

    async def _fetch(self, board: Board) -> None:
        """Ask for what is shown first, and when that is painted for the rest of it."""
        self._seen = self._on(board)
        brief = self._asked.value is None and self._view in (STAGES, PLAYBACK)
        while True:
            query = TraceQuery(source=self.ref.source, trace_id=self.ref.name, brief=brief)
            await self._asked.ask(board.at, self.desk.api.reconstruct(query))
            if self.is_mounted:
                self._draw()
                self.update_board()
            if not (brief and self._brief):
                return
            await self.desk.turns.pause(FRAME_S)
            brief = False

    @property
    def _brief(self) -> bool:
        """Whether what is there is enough for the stages only."""
        return self._asked.value is not None and self._asked.value.brief

    def _begin(self, whole: Reconstruction) -> None:
        """Put the cursor where somebody will want to look first."""
        if self._view == STAGES and (wrong := stages.first_wrong(whole)) is not None:
            self._page.select(wrong)
        if self._view == TREE and self._span_id and self._tree is not None:
            found = (at for at, item in self._tree.spans.items() if item.span_id == self._span_id)
            self._page.select(next(found, 0))

    # The views

    def _draw(self) -> None:
        whole = self._asked.value
        if not self.is_mounted:
            return
        if whole is None or (whole.brief and self._view in (TREE, LANES)):
            self._page.show(self._asked.words(self._width))
            return
        fixed, lines = self._lines(whole, self._width)
        self._page.show(lines, fixed=fixed, keys=lines.keys)
        if not self._begun:
            self._begun = True
            self._begin(whole)
        self._show_span()

    def _lines(self, whole: Reconstruction, width: int) -> tuple[Sequence[Line], Lazy[Line]]:
        glyphs, keys = self.desk.glyphs, spelled(self.desk.preferences.keymap)
        if self._view == TREE:
            self._tree = trace.tree(whole.trace, width, glyphs, whole.critical)
            return [self._tree.heading], self._tree.lines
        folds = self._folds[self._view]
        if self._view == LANES:
            title = heading("Lanes", width, glyphs, "Enter on a value finds the requests that have the same")
            return [title], lanes.page(whole, folds, width, glyphs)
        if self._view == PLAYBACK:
            both = f"{keys.get('next', '')} {keys.get('previous', '')}".strip()
            right = f"{self._step + 1} of {len(playback.steps(whole))}  {both} steps  Esc ends"
            title = heading(playback.LABEL, width, glyphs, right)
            return [title], playback.page(whole, self._step, folds, width, glyphs)
        right = f"Enter unfolds  {keys.get('next', '')} plays it step by step"
        title = heading("Stages", width, glyphs, right)
        return [title, stages.heading(whole, width)], stages.page(whole, folds, width, glyphs)

    def turn_to(self, view: str) -> None:
        """Show another view; each keeps its place."""
        if self._page.cursor is not None and self._asked.value is not None:
            self._cursors[self._view] = self._page.cursor
        self._view = view
        self._about.display = view == TREE
        self._draw()
        if view not in self._cursors or not self._page.select(self._cursors[view]):
            self._page.action_edge(0)
        self.update_bar()

    @property
    def view(self) -> str:
        """The view that is shown."""
        return self._view

    def step(self, by: int) -> None:
        """Play back: show the next (1) or the previous (-1) recorded step."""
        whole = self._asked.value
        count = len(playback.steps(whole)) if whole is not None else 0
        if not count:
            self.desk.say("nothing was recorded that could be played back", "warn")
            return
        if self._view == PLAYBACK:
            self._step = max(0, min(count - 1, self._step + by))
        self._cursors.pop(PLAYBACK, None)
        self.turn_to(PLAYBACK)

    def leave(self) -> bool:
        """Esc ends the playback first; True when it did."""
        if self._view != PLAYBACK:
            return False
        self._step = 0
        self.turn_to(STAGES)
        return True

    # The cursor

    def on_folding_canvas_opened(self, event: FoldingCanvas.Opened) -> None:
        """Fold or unfold; of a lane's value, find the requests that have the same."""
        if isinstance(event.key, lanes.ValueKey):
            self.desk.narrow_lane(event.key.filter)
        elif self._view != TREE:
            at = self._folds[self._view].turn(event.key)
            self._draw()
            self._page.select(at)

    def on_canvas_highlighted(self) -> None:
        """Another line is under the cursor: tell of its span, or make more of a long text."""
        super().on_canvas_highlighted()
        key = self._page.cursor
        if isinstance(key, Rest):
            at = self._folds[self._view].turn(key)
            self._draw()
            self._page.select(at)
        self._show_span()

    def _show_span(self) -> None:
        at = self._page.cursor
        if self._view != TREE or self._tree is None or not isinstance(at, int):
            return
        width = self._width
        self._about.show(span.about(self._tree.spans[at], self._tree.axis, width, self.desk.glyphs))
        self._about.scroll_to(y=0, animate=False)

    def span_here(self) -> Span | None:
        """The span under the cursor of the tree."""
        at = self._page.cursor
        return self._tree.spans[at] if self._view == TREE and self._tree is not None and isinstance(at, int) else None

    def selected(self) -> Ref | None:
        """The request itself."""
        return self.ref

    def request(self, ref: Ref) -> Request | None:
        """The request in a line, as the board or the trace has it."""
        reading = self.desk.sight.board.readings.get(ref)
        if isinstance(reading, Request):
            return reading
        return self._asked.value.trace.request if self._asked.value is not None and ref == self.ref else None
