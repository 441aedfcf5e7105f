"""Two requests held against each other: what is the same is folded away, what changed stands there in words."""

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.difference import Comparison
from console.domain.readings import Request
from console.domain.refs import Ref
from console.ui.cells import Cell, Line
from console.ui.screens.asked import Asked
from console.ui.traced import TracedRoom
from console.ui.view import compare as view
from console.ui.view.facts import heading
from console.ui.view.folding import Folds, Rest
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.folding import FoldingCanvas


class CompareScreen(TracedRoom):
    """The difference of two requests, stage by stage."""

    NAME = "compare"
    FILTERS = False
    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = "#page"

    def __init__(self, ref: Ref, title: str, ask: Callable[[], Awaitable[Comparison]]) -> None:
        """Make the page.

        Args:
            ref: the request that is looked at: the second of the comparison.
            title: what is compared, for the time until the answer is there; clean.
            ask: asks the engine for the difference.
        """
        super().__init__()
        self.ref = ref
        """The request that is looked at."""
        self._title = title
        self._ask = ask
        self._asked: Asked[Comparison] = Asked("both requests")
        self._head = Canvas(id="head")
        self._head.can_focus = False
        self._page = FoldingCanvas(id="page")
        self._folds = Folds()

    def compose_body(self) -> ComposeResult:
        """Which two, and the stages."""
        yield self._head
        yield self._page

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self._draw()

    def show(self, board: Board) -> None:
        """Ask for the difference, once."""
        if self._asked.due(board.at) and not self.desk.lost:
            self.desk.perform(self._fetch(board.at))

    async def _fetch(self, at: float) -> None:
        await self._asked.ask(at, self._ask())
        differing = view.unfolded_at_first(self._asked.value) if self._asked.value is not None else []
        self._folds.unfolded.update(differing)
        if self.is_mounted:
            self._draw()
            if differing:
                self._page.select(differing[0])
            self.update_bar()

    def _draw(self) -> None:
        found, glyphs = self._asked.value, self.desk.glyphs
        width = max(40, self.app.size.width - 2)
        if found is None:
            lines = [Line((Cell(f" {self._title}", "strong"),))]
            self._page.show(self._asked.words(width))
        else:
            lines = view.head(found, width, glyphs)
            page = view.page(found, self._folds, width, glyphs)
            title = heading("Stages, the first one's figures before the second one's", width, glyphs, "Enter unfolds")
            self._page.show(page, fixed=[title], keys=page.keys)
        self._head.styles.height = len(lines)
        self._head.show(lines)

    def on_folding_canvas_opened(self, event: FoldingCanvas.Opened) -> None:
        """Fold or unfold."""
        at = self._folds.turn(event.key)
        self._draw()
        self._page.select(at)

    def on_canvas_highlighted(self) -> None:
        """Make more of a long text when the cursor comes to its end."""
        super().on_canvas_highlighted()
        if isinstance(self._page.cursor, Rest):
            at = self._folds.turn(self._page.cursor)
            self._draw()
            self._page.select(at)

    def selected(self) -> Ref | None:
        """The request that is looked at."""
        return self.ref

    def request(self, ref: Ref) -> Request | None:
        """One of the two in a line."""
        found = self._asked.value
        both = (found.second, found.first) if found is not None else ()
        return next((item for item in both if item.ref == ref), None)
