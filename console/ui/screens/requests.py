"""The Requests screen: the stream of requests, newest first; older ones are fetched at its end."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.readings import Request
from console.domain.refs import Ref
from console.domain.spans import RequestQuery
from console.ui.cells import Row
from console.ui.room import Room
from console.ui.view import requests
from console.ui.view.kept import Kept
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.stream import Stream

PAGE = 100
"""Older requests that are fetched at once."""
MOST = 5_000
"""Requests that are kept at the most; the oldest are forgotten first, and fetched again when wanted."""


class RequestsScreen(Room):
    """One row a request."""

    NAME = "requests"
    FAILURES = True
    CSS_PATH = "requests.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._kept: Kept[Row] = Kept()
        self._known: dict[Ref, Request] = {}
        self._fetching = False
        self._ended: set[tuple[str, bool]] = set()
        """(source, failed only) of which there is nothing older."""

    def compose_body(self) -> ComposeResult:
        """The table fills the body."""
        self._rows = Stream(requests.COLUMNS, glyphs=self.desk.glyphs, empty=requests.EMPTY, id="requests")
        yield self._rows

    def show(self, board: Board) -> None:
        """Take in what came, and show all that is known."""
        self._take({item.ref: item for item in board.of(Request)})
        found = [item for item in self._known.values() if item.failed or not self.failed_only]
        self._rows.empty = requests.NONE_FAILED if self.failed_only and self._known else requests.EMPTY
        self._rows.show_rows(requests.rows(board, requests.newest_first(found), self.desk.glyphs, self._kept))

    def _take(self, latest: dict[Ref, Request]) -> None:
        """Join the board's requests to those from before; where they do not meet, begin anew: a gap would be a lie."""
        mine = self._known.get(self._rows.cursor) if isinstance(self._rows.cursor, Ref) else None
        if latest and self._known and not latest.keys() & self._known.keys():
            self._known = {}
            self._ended = set()
        self._known.update(latest)
        if len(self._known) > MOST:
            self._known = {item.ref: item for item in requests.newest_first(list(self._known.values()))[:MOST]}
            self._ended = set()
        if mine is not None:
            self._known.setdefault(mine.ref, mine)

    # Older ones

    def pick_failed(self) -> None:
        """Show only what failed, with older ones that the board has no more, or all again."""
        super().pick_failed()
        self._more()

    def on_canvas_highlighted(self, event: Canvas.Highlighted | None = None) -> None:
        """Fetch older ones when the cursor comes to the end."""
        super().on_canvas_highlighted()
        at = self._rows.cursor_index
        if event is not None and at is not None and at >= len(self._rows.lines) - 2:
            self._more()

    def _more(self) -> None:
        if not self._fetching and not self.desk.lost:
            self._fetching = True
            self.desk.perform(self._fetch())

    async def _fetch(self) -> None:
        failed = self.failed_only
        try:
            for source in requests.sources(self.desk.board):
                if (source, failed) in self._ended:
                    continue
                query = RequestQuery(source=source, limit=PAGE, before=self._oldest(source, failed), failed=failed)
                page = await self.desk.api.requests(query)
                if not page:
                    self._ended.add((source, failed))
                self._known.update((item.ref, item) for item in page)
        finally:
            self._fetching = False
        self.update_board()

    def _oldest(self, source: str, failed: bool) -> float | None:
        starts = (
            item.started_at
            for item in self._known.values()
            if item.ref.source == source and (item.failed or not failed)
        )
        return min(starts, default=None)
