"""The Requests screen: the stream of requests, newest first; older ones are fetched at its end."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.readings import Request
from console.domain.refs import Ref
from console.domain.spans import LaneFilter, RequestQuery
from console.ui.cells import Row
from console.ui.traced import TracedRoom
from console.ui.view import lanes, requests
from console.ui.view.kept import Kept
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.stream import Stream

PAGE = 100
"""Older requests that are fetched at once."""
MOST = 5_000
"""Requests that are kept at the most; the oldest are forgotten first, and fetched again when wanted."""
AGAIN_S = 5.0
"""With a lane's filter the newest are fetched again when the board has become this much older."""

Picked = tuple[bool, tuple[LaneFilter, ...]]
"""(failed only, lanes): what is picked of all requests."""


class RequestsScreen(TracedRoom):
    """One row a request."""

    NAME = "requests"
    FAILURES = True
    CSS_PATH = "requests.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._kept: Kept[Row] = Kept()
        self._known: dict[Ref, Request] = {}
        self._lanes: tuple[LaneFilter, ...] = ()
        self._in_lanes: dict[Ref, Request] = {}
        """Those that the lanes' filters leave, as the sources found them."""
        self._fetched_at = float("-inf")
        self._fetching = False
        self._refused = ""
        self._ended: set[tuple[str, Picked]] = set()
        """(source, what is picked) of which there is nothing older."""

    def compose_body(self) -> ComposeResult:
        """The table fills the body; above it what it is narrowed to."""
        self._narrowed = Canvas(id="narrowed")
        self._narrowed.can_focus = False
        self._rows = Stream(requests.COLUMNS, glyphs=self.desk.glyphs, empty=requests.EMPTY, id="requests")
        yield self._narrowed
        yield self._rows

    def on_mount(self) -> None:
        """Begin with all of them."""
        super().on_mount()
        self._narrowed.display = False

    def on_resize(self) -> None:
        """Wrap the words anew."""
        super().on_resize()
        self._tell_narrowed()

    def show(self, board: Board) -> None:
        """Take in what came, and show all that is known."""
        self._take({item.ref: item for item in board.of(Request)})
        if self._lanes and board.at - self._fetched_at >= AGAIN_S:
            self._fetched_at = board.at
            self._more(newest=True)
        known = self._in_lanes if self._lanes else self._known
        found = [item for item in known.values() if item.failed or not self.failed_only]
        self._rows.empty = self._nothing(bool(known))
        self._rows.show_rows(requests.rows(board, requests.newest_first(found), self.desk.glyphs, self._kept))

    def _nothing(self, others: bool) -> str:
        if self._lanes:
            if self._refused:
                return ""
            return "asking for them" if self._fetching else "No request that is stored has this; Esc shows all."
        return requests.NONE_FAILED if self.failed_only and others else requests.EMPTY

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

    def request(self, ref: Ref) -> Request | None:
        """A request in a line, those too that the board has no more."""
        return self._known.get(ref) or self._in_lanes.get(ref)

    # Picked by lane

    def pick_lane(self, lane: LaneFilter) -> None:
        """Show only those in one of whose lanes this holds too; of each lane the last filter counts."""
        others = (item for item in self._lanes if item.lane is not lane.lane)
        self._pick_lanes((*others, lane))

    def leave(self) -> bool:
        """Esc takes the lanes' filters away; False when there was none."""
        if not self._lanes:
            return False
        self._pick_lanes(())
        return True

    def _pick_lanes(self, picked: tuple[LaneFilter, ...]) -> None:
        self._lanes, self._in_lanes, self._refused = picked, {}, ""
        self._fetched_at = float("-inf")
        self._tell_narrowed()
        self.update_board()

    def _tell_narrowed(self) -> None:
        """Say above the table what it is narrowed to, and which source cannot do that."""
        width = max(40, self.app.size.width - 2)
        lines = requests.narrowed(lanes.words_of(self._lanes), self._refused, width) if self._lanes else []
        self._narrowed.display = bool(lines)
        self._narrowed.styles.height = max(1, len(lines))
        self._narrowed.show(lines)

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

    def _more(self, *, newest: bool = False) -> None:
        if not self._fetching and not self.desk.lost:
            self._fetching = True
            self.desk.perform(self._fetch(newest=newest))

    async def _fetch(self, *, newest: bool) -> None:
        picked: Picked = (self.failed_only, self._lanes)
        refused = ""
        try:
            for source in requests.sources(self.desk.board):
                try:
                    await self._fetch_from(source, picked, newest=newest)
                except Refusal as refusal:
                    refused = f"{source}: {refusal.words}"
        finally:
            self._fetching = False
        if picked[1] != self._lanes:
            self._fetched_at = float("-inf")
        elif picked[1]:
            self._refused = refused
            self._tell_narrowed()
        elif refused:
            self.desk.say(refused, "warn")
        self.update_board()

    async def _fetch_from(self, source: str, picked: Picked, *, newest: bool) -> None:
        """A page of one source's, older than what is known, or the newest ones."""
        failed, narrowed = picked
        if not newest and (source, picked) in self._ended:
            return
        before = None if newest else self._oldest(source, picked)
        query = RequestQuery(source=source, limit=PAGE, before=before, failed=failed, lanes=narrowed)
        page = await self.desk.api.requests(query)
        if not page and not newest:
            self._ended.add((source, picked))
        if narrowed == self._lanes:
            found = self._in_lanes if narrowed else self._known
            found.update((item.ref, item) for item in page)

    def _oldest(self, source: str, picked: Picked) -> float | None:
        failed, narrowed = picked
        known = self._in_lanes if narrowed else self._known
        starts = (
            item.started_at for item in known.values() if item.ref.source == source and (item.failed or not failed)
        )
        return min(starts, default=None)
