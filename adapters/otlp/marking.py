"""Marks as they are asked for: of a while, or of one conversation, oldest first."""

import sqlite3
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from adapters.otlp.sorting import MARKS
from console.domain.conversations import Mark, MarkQuery

_KINDS = {number: kind for kind, number in MARKS.items()}

MOST = 100_000
"""Marks of one answer."""

REQUESTS_MOST = 2_000
"""Requests of one conversation whose marks are looked at, the newest."""

_COLUMNS = "m.kind, m.at_ns, m.span, m.trace, m.ended_ns, m.service, m.conversation, m.source, m.key, m.op, m.version"


def marks(connection: sqlite3.Connection, query: MarkQuery) -> tuple[Mark, ...]:
    """The newest marks that are asked for, the oldest of them first."""
    limit = max(0, min(MOST, query.limit))
    kinds = [number for kind, number in MARKS.items() if not query.kinds or kind in query.kinds]
    rows = (_of_conversation if query.conversation else _of_all)(connection, query, kinds)
    found = [_mark(row) for row in islice(rows, limit)]
    found.reverse()
    return tuple(found)


def _of_all(connection: sqlite3.Connection, query: MarkQuery, kinds: list[int]) -> Iterator[Any]:
    """Rows, the newest first: each kind lies by time of its own, and no more is read of any than is asked for."""
    between = (_nanoseconds(query.since), _nanoseconds(query.until))
    each = (
        connection.execute(
            f"SELECT {_COLUMNS} FROM marks m WHERE kind = ? AND at_ns >= ? AND at_ns < ? "  # noqa: S608 - own words
            "ORDER BY at_ns DESC",
            (kind, *between),
        )
        for kind in kinds
    )
    # One kind is in order already: tens of thousands of rows are not compared with nothing.
    return next(each) if len(kinds) == 1 else merge(*each, key=itemgetter(1), reverse=True)


def _of_conversation(connection: sqlite3.Connection, query: MarkQuery, kinds: list[int]) -> Iterator[Any]:
    """Rows of a conversation's newest requests, found by those: marks themselves lie by time only."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM (SELECT id FROM requests INDEXED BY requests_conversation "  # noqa: S608 - own words
        "WHERE conversation = ? AND conversation <> '' ORDER BY start_us DESC LIMIT ?) r "
        "CROSS JOIN marks m INDEXED BY marks_request ON m.request = r.id "
        f"WHERE m.kind IN ({', '.join('?' * len(kinds))}) AND m.at_ns >= ? AND m.at_ns < ?",
        (query.conversation, REQUESTS_MOST, *kinds, _nanoseconds(query.since), _nanoseconds(query.until)),
    )
    return iter(sorted(rows, key=itemgetter(1), reverse=True))


def _mark(row: Any) -> Mark:
    kind, at_ns, span, trace, ended_ns, service, conversation, source, key, op, version = row
    return Mark(
        trace_id=trace.hex(),
        span_id=span.hex(),
        at=at_ns / 1e9,
        ended_at=None if ended_ns is None else ended_ns / 1e9,
        service=service,
        conversation=conversation,
        kind=_KINDS[kind],
        source=source,
        key=key,
        op=op,
        version=version,
    )


def _nanoseconds(moment: float | None) -> int:
    """Unix nanoseconds that fit the table, whatever is asked for; without a moment the end of time.

    Whole microseconds, so that a mark's own moment, which a float has not to the nanosecond, finds it again.
    """
    return 2**62 if moment is None else int(min(max(moment, 0.0), 4e9) * 1e6) * 1000
