"""The Overview: would a stranger know in five seconds what is wrong and which key to press?"""

from collections.abc import Iterator

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.refs import Ref
from console.ui.room import Room
from console.ui.screens.keys import spelled
from console.ui.view.judged import Judgements
from console.ui.view.mimic import Part
from console.ui.view.overview import WIDE, Overview
from console.ui.widgets.mimic import MimicPanel


class OverviewScreen(Room):
    """The mimic panel."""

    NAME = "overview"
    CSS_PATH = "overview.tcss"
    AUTO_FOCUS = "#panel"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it so

    def __init__(self) -> None:
        super().__init__()
        self._panel = MimicPanel(id="mimic")

    def compose_body(self) -> ComposeResult:
        """The panel fills the body."""
        self._overview = Overview(self.desk.glyphs)
        yield self._panel

    def on_mount(self) -> None:
        """Follow the eye: other queues are looked at when the panel was scrolled."""
        super().on_mount()
        self.watch(self.query_one("#panel"), "scroll_y", self.update_gaze, init=False)

    def on_resize(self) -> None:
        """Another width has room for other numbers."""
        super().on_resize()
        self.update_board()

    def prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        """Find out which lines there will be."""
        yield
        yield from self._overview.lay_in_steps(board, judged, self.filter_words)
        yield

    def show(self, board: Board) -> None:
        """Draw the board."""
        keys = spelled(self.desk.preferences.keymap)
        width = self.app.size.width
        words, lost = self.filter_words, self.desk.lost
        judged, size = self.desk.sight.judged, self._panel.body_size
        self._panel.show(self._overview.page(board, judged, width, size, keys, words, lost))

    def update_frame(self) -> None:
        """Everything fades when the engine is lost, but not the words that say so."""
        super().update_frame()
        if self.is_mounted:
            self._panel.says_lost(bool(self.desk.lost))

    def in_sight(self) -> tuple[Ref, ...]:
        """The objects of the panel's lines that are seen."""
        return self._panel.refs_in_sight()

    def incident(self) -> str | None:
        """The incident of the line under the cursor."""
        spot = self._panel.spot
        return spot.text if spot is not None and spot.part is Part.INCIDENT else None

    def selected(self) -> Ref | None:
        """The object of the line under the cursor."""
        spot = self._panel.spot
        return spot.ref if spot is not None else None
