"""What is asked of the store. Each question reads a bounded number of rows, whatever the store holds."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.otlp.sorting import MARKS
from adapters.spans.readings import Window
from adapters.spans.row import COLUMNS, RequestRow
from console.domain.conversations import MarkKind

ENTRIES_MOST = 5_000
"""Entries from which rates and latencies are taken; where more came in the window, the newest of them."""
SNAPSHOTS_MOST = 5_000
SPANS_MOST = 20_000
"""Spans of one request that are read: as many as are kept."""

_ROW = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class Totals:
    """How full the store is."""

    requests: int
    spans: int
    rejected: int
    """Spans that came and could not be kept: wrong ids or times, or too many in one request."""
    newest_at: float
    """Unix seconds when the last span came; 0 when none ever did."""
    keep_s: float
    most_bytes: int
    used_bytes: int


def totals(connection: sqlite3.Connection) -> Totals:
    """How full the store is."""
    row = connection.execute(
        "SELECT requests, spans, rejected, newest_at, keep_s, most_bytes, "
        "((SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM pragma_freelist_count)) "
        "* (SELECT page_size FROM pragma_page_size) FROM totals"
    ).fetchone()
    return Totals(*row)


def one_request(connection: sqlite3.Connection, trace: bytes) -> RequestRow | None:
    """The row of one trace."""
    row = connection.execute(f"SELECT {_ROW} FROM requests WHERE trace = ?", (trace,)).fetchone()  # noqa: S608
    return None if row is None else RequestRow(*row)


def spans(connection: sqlite3.Connection, request: int) -> Iterator[bytes]:
    """The bodies of a request's spans by start, one read at a time: all of them together may be very long."""
    # Only ids and times are sorted; SQLite would carry the bodies along.
    rows = connection.execute(
        "SELECT s.body FROM (SELECT span FROM spans WHERE request = ? ORDER BY start_ns, span LIMIT ?) o "
        "CROSS JOIN spans s ON s.request = ? AND s.span = o.span",
        (request, SPANS_MOST, request),
    )
    return (body for (body,) in rows)


def services(connection: sqlite3.Connection, most: int) -> list[str]:
    """The names of services that took a request in, whenever; the index is asked for one after the other."""
    rows = connection.execute(
        "WITH RECURSIVE known (last) AS (SELECT min(service) FROM requests UNION ALL "
        "SELECT (SELECT min(service) FROM requests WHERE service > last) FROM known WHERE last IS NOT NULL) "
        "SELECT last FROM known WHERE last IS NOT NULL LIMIT ?",
        (most,),
    )
    return [name for (name,) in rows]


def window(connection: sqlite3.Connection, since_s: float, until_s: float) -> Window:
    """What services did between two moments (unix seconds)."""
    since_ns, until_ns = int(since_s * 1e9), int(until_s * 1e9)
    entries = connection.execute(
        "SELECT start_ns, service, duration_us, failure FROM spans INDEXED BY spans_entries "
        "WHERE entry = 1 AND start_ns >= ? AND start_ns <= ? ORDER BY start_ns DESC LIMIT ?",
        (since_ns, until_ns, ENTRIES_MOST),
    ).fetchall()
    if len(entries) == ENTRIES_MOST:
        since_ns = entries[-1][0]
    asked = connection.execute(
        "SELECT service, conversation, coalesce(tokens_in, rolled_in), coalesce(tokens_out, rolled_out), ttft_s "
        "FROM requests INDEXED BY requests_newest WHERE start_us >= ? AND start_us <= ? ORDER BY start_us DESC LIMIT ?",
        (since_ns // 1000, until_ns // 1000, ENTRIES_MOST),
    ).fetchall()
    snapshots = connection.execute(
        "SELECT service, version, max(at_ns) FROM (SELECT at_ns, service, version FROM marks "
        "WHERE kind = ? AND at_ns >= ? AND version <> '' ORDER BY at_ns DESC LIMIT ?) "
        "GROUP BY service, version ORDER BY 3 DESC",
        (MARKS[MarkKind.RETRIEVAL], since_ns, SNAPSHOTS_MOST),
    ).fetchall()
    return Window(
        since_s=since_ns / 1e9,
        entries=[(service, duration, failure) for _, service, duration, failure in entries],
        requests=asked,
        snapshots=[(service, snapshot) for service, snapshot, _ in snapshots],
    )
