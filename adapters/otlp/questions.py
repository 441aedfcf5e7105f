"""What is asked of the store. Each question reads a bounded number of rows, whatever the store holds."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from adapters.spans.readings import Window
from adapters.spans.row import COLUMNS, RequestRow
from console.domain.spans import RequestQuery

PAGE = 1_000
"""The longest list of requests."""
ENTRIES_MOST = 5_000
"""Entries from which rates and latencies are taken; where more came in the window, the newest of them."""
SNAPSHOTS_MOST = 5_000
SPANS_MOST = 2_000
"""Spans of one request that are shown."""

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


def requests(connection: sqlite3.Connection, query: RequestQuery) -> list[RequestRow]:
    """A page of requests, newest first."""
    where: list[str] = []
    args: list[Any] = []
    if query.before is not None:
        where.append("start_us < ?")
        args.append(_microseconds(query.before))
    if query.failed:
        where.append("failed = 1")
    if query.service:
        where.append("service = ?")
        args.append(query.service)
    if query.conversation:
        where.append("conversation = ? AND conversation <> ''")
        args.append(query.conversation)
    if query.min_duration_s is not None:
        where.append("duration_us >= ?")
        args.append(_microseconds(query.min_duration_s))
    clause = f"WHERE {' AND '.join(where)} " if where else ""
    args.append(max(0, min(PAGE, query.limit)))
    rows = connection.execute(
        f"SELECT {_ROW} FROM requests {_order(query)} {clause}ORDER BY start_us DESC LIMIT ?",  # noqa: S608 own words
        args,
    )
    return [RequestRow(*row) for row in rows]


def _order(query: RequestQuery) -> str:
    """The index that has the wanted order; SQLite's own guess would be made without statistics."""
    if query.conversation:
        return "INDEXED BY requests_conversation"
    if query.service:
        return "INDEXED BY requests_service_failed" if query.failed else "INDEXED BY requests_service"
    return "INDEXED BY requests_failed" if query.failed else "INDEXED BY requests_newest"


def _microseconds(seconds: float) -> int:
    """Exact for a moment that was made of microseconds; whatever number is asked for fits."""
    return round(min(max(seconds, 0.0), 4e9) * 1e6)


def one_request(connection: sqlite3.Connection, trace: bytes) -> RequestRow | None:
    """The row of one trace."""
    row = connection.execute(f"SELECT {_ROW} FROM requests WHERE trace = ?", (trace,)).fetchone()  # noqa: S608
    return None if row is None else RequestRow(*row)


def spans(connection: sqlite3.Connection, request: int) -> list[bytes]:
    """The bodies of a request's first spans, by start."""
    rows = connection.execute(
        "SELECT body FROM spans WHERE request = ? ORDER BY start_ns, span LIMIT ?", (request, SPANS_MOST)
    )
    return [body for (body,) in rows]


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
        "SELECT service, snapshot, max(start_ns) FROM (SELECT start_ns, service, snapshot FROM spans "
        "INDEXED BY spans_snapshots WHERE snapshot <> '' AND start_ns >= ? ORDER BY start_ns DESC LIMIT ?) "
        "GROUP BY service, snapshot ORDER BY 3 DESC",
        (since_ns, SNAPSHOTS_MOST),
    ).fetchall()
    return Window(
        since_s=since_ns / 1e9,
        entries=[(service, duration, failure) for _, service, duration, failure in entries],
        requests=asked,
        snapshots=[(service, snapshot) for service, snapshot, _ in snapshots],
    )
