"""The Log screen: the timeline of what happened; the audit log of what was done is its other page."""

from textual.app import ComposeResult

from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.wire import AuditQuery, LogEntry, LogQuery
from console.ui.cells import Row
from console.ui.room import Room
from console.ui.view import timeline
from console.ui.view.kept import Kept
from console.ui.widgets.table import Table

PAGE = 200
"""Lines that are fetched at once."""


class LogScreen(Room):
    """The timeline, newest first; a second page shows the audit log."""

    NAME = "log"
    PAGES = 2
    CSS_PATH = "log.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._older: list[LogEntry] = []
        self._entries: dict[int, LogEntry] = {}
        self._fetched = False
        self._kept: Kept[Row] = Kept()

    def compose_body(self) -> ComposeResult:
        """The timeline's table, and the audit log's, which is hidden at first."""
        glyphs = self.desk.glyphs
        self._timeline = Table(timeline.COLUMNS, glyphs=glyphs, empty=timeline.EMPTY, id="timeline")
        self._audit = Table(timeline.AUDIT_COLUMNS, glyphs=glyphs, empty=timeline.AUDIT_EMPTY, id="audit")
        self._audit.display = False
        yield self._timeline
        yield self._audit

    @property
    def table(self) -> Table | None:
        """The table that is shown."""
        return self._audit if self.is_mounted and self._audit.display else self._table

    def show(self, board: Board) -> None:
        """Fill the timeline: the board's lines at once, older ones when they have been fetched."""
        if not self._fetched and board.seq and not self.desk.lost:
            self._fetched = True
            self.desk.perform(self._fetch())
        entries = timeline.merged(board.log, self._older)
        self._entries = {entry.id: entry for entry in entries}
        self._timeline.show_rows(timeline.rows(entries, self.desk.glyphs, self._kept))
        self._audit.filter = self.filter_words

    async def _fetch(self) -> None:
        self._older = list(await self.desk.api.log(LogQuery(limit=PAGE)))
        self.update_board()

    def turn(self) -> None:
        """Show the audit log instead of the timeline, or the other way round."""
        self._audit.display = not self._audit.display
        self._timeline.display = not self._timeline.display
        (self._audit if self._audit.display else self._timeline).focus()
        if self._audit.display:
            self.desk.perform(self._fetch_audit())

    async def _fetch_audit(self) -> None:
        self._audit.show_rows(timeline.audit_rows(await self.desk.api.audit(AuditQuery(limit=PAGE))))

    def selected(self) -> Ref | None:
        """The object that the line under the cursor is about."""
        key = self._timeline.cursor
        entry = self._entries.get(key) if isinstance(key, int) and self._timeline.display else None
        return entry.ref if entry is not None else None
