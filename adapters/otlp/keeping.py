"""Writing spans: each batch is one transaction, and a span that comes twice is kept once."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.otel import Arrival
from adapters.otlp.bodies import pack
from adapters.otlp.filing import file_spans, follow
from adapters.spans.row import COLUMNS, RequestRow, values

ROWS_REMEMBERED = 10_000
"""Rows of the newest requests that are kept in memory, about 1 KB each: most spans belong to one of them."""

_ROW = ", ".join(COLUMNS)
_UPSERT = (
    f"INSERT INTO requests ({_ROW}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608 - own column names
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[3:])}"
)
_SPAN = "INSERT OR IGNORE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_AT_ONCE = 500

Batch = Mapping[bytes, Mapping[bytes, Arrival]]
"""Spans by trace and span id."""


@dataclass(slots=True)
class Kept:
    """What became of a batch."""

    spans: int = 0
    """Newly kept; those that were there before are not counted."""
    cut: int = 0
    """Not kept, because their request has too many."""


class Keeper:
    """The one writer of an open file. Not for two threads at a time."""

    def __init__(self, connection: sqlite3.Connection, *, spans_most: int = 20_000) -> None:
        """`spans_most`: how many spans of one request are kept; a trace that never ends would fill the file alone."""
        self.connection = connection
        self._spans_most = spans_most
        self._rows: dict[bytes, RequestRow] = {}
        self._last = int(connection.execute("SELECT last_request FROM totals").fetchone()[0])

    def write(self, batch: Batch, now_ns: int, rejected: int = 0) -> Kept:
        """Keep a batch; when this returns it is on disk. `now_ns` is unix time.

        Raises:
            sqlite3.Error: nothing of it was kept.
        """
        last = self._last
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            kept = self._write(batch, now_ns, rejected)
            self.connection.execute("COMMIT")
        except BaseException:
            self._rows.clear()
            self._last = last
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        if len(self._rows) > ROWS_REMEMBERED:
            for trace in list(self._rows)[: len(self._rows) - ROWS_REMEMBERED // 2]:
                del self._rows[trace]
        return kept

    def _write(self, batch: Batch, now_ns: int, rejected: int) -> Kept:
        kept = Kept()
        added = self._find(list(batch), now_ns)
        fresh = self._insert(batch, kept)
        moved: list[RequestRow] = []
        renamed: list[RequestRow] = []
        for trace, arrivals in fresh.items():
            row = self._rows[trace]
            start_us, conversation = row.start_us, row.conversation
            known = row.spans > 0
            row.add(arrivals, now_ns)
            kept.spans += len(arrivals)
            if known and row.start_us != start_us:
                moved.append(row)
            if known and row.conversation != conversation:
                renamed.append(row)
        self.connection.executemany(_UPSERT, [values(self._rows[trace]) for trace in batch])
        follow(self.connection, moved, renamed)
        file_spans(
            self.connection,
            ((self._rows[trace], [(one.start_ns, one.span) for one in some]) for trace, some in fresh.items()),
        )
        self.connection.execute(
            "UPDATE totals SET last_request = ?, requests = requests + ?, spans = spans + ?, rejected = rejected + ?, "
            "newest_at = ?",
            (self._last, added, kept.spans, rejected + kept.cut, now_ns / 1e9),
        )
        return kept

    def _find(self, traces: list[bytes], now_ns: int) -> int:
        """Have a row in memory for each trace; returns how many are new."""
        unknown = [trace for trace in traces if trace not in self._rows]
        for begin in range(0, len(unknown), _AT_ONCE):
            some = unknown[begin : begin + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found = self.connection.execute(f"SELECT {_ROW} FROM requests WHERE trace IN ({marks})", some)  # noqa: S608
            self._rows.update({row.trace: row for row in (RequestRow(*each) for each in found)})
        added = 0
        for trace in unknown:
            if trace not in self._rows:
                self._last += 1
                added += 1
                self._rows[trace] = RequestRow(self._last, trace, now_ns // 10**9)
        return added

    def _insert(self, batch: Batch, kept: Kept) -> dict[bytes, list[Arrival]]:
        """Write the spans that are not there yet, and return those."""
        fresh: dict[bytes, list[Arrival]] = {}
        for trace, spans in batch.items():
            row = self._rows[trace]
            room = max(0, self._spans_most - row.spans)
            arrivals = list(spans.values())
            if len(arrivals) > room:
                arrivals = [one for one in arrivals if not self._has(row.id, one)]
                kept.cut += max(0, len(arrivals) - room)
                row.cut += max(0, len(arrivals) - room)
                arrivals = arrivals[:room]
            fresh[trace] = arrivals
        rows = [self._record(trace, one) for trace, arrivals in fresh.items() for one in arrivals]
        before = self.connection.total_changes
        self.connection.execute("SAVEPOINT spans")
        self.connection.executemany(_SPAN, rows)
        if self.connection.total_changes - before != len(rows):  # Some were there: sent again after a lost answer.
            self.connection.execute("ROLLBACK TO spans")
            for trace, arrivals in fresh.items():
                fresh[trace] = [one for one in arrivals if not self._has(self._rows[trace].id, one)]
            rows = [self._record(trace, one) for trace, arrivals in fresh.items() for one in arrivals]
            self.connection.executemany(_SPAN, rows)
        self.connection.execute("RELEASE spans")
        return fresh

    def _has(self, request: int, one: Arrival) -> bool:
        found = self.connection.execute(
            "SELECT 1 FROM spans WHERE request = ? AND span = ?", (request, one.span_id)
        ).fetchone()
        return found is not None

    def _record(self, trace: bytes, one: Arrival) -> tuple[object, ...]:
        return (
            self._rows[trace].id,
            one.span_id,
            one.start_ns,
            max(0, one.end_ns - one.start_ns) // 1000 if one.end_ns else None,
            one.span.service,
            one.entry,
            one.failure,
            "",  # the marks have the snapshot
            pack(one.span),
        )

    def forget(self, upto: int) -> None:
        """The requests with numbers up to `upto` were deleted."""
        self._rows = {trace: row for trace, row in self._rows.items() if row.id > upto}
