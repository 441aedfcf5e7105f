"""Marks as they are asked for: of a while, or of one conversation, oldest first."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from adapters.otlp.sorting import MARKS
from console.domain.conversations import Mark, MarkKind, MarkQuery

MOST = 100_000
"""Marks of one answer."""

_COLUMNS = "at_ns, hex(span), hex(trace), ended_ns, service, conversation, source, key, op, version"
_BETWEEN = "at_ns >= ? AND at_ns < ? ORDER BY at_ns DESC LIMIT ?"


def marks(connection: sqlite3.Connection, query: MarkQuery) -> tuple[Mark, ...]:
    """The newest marks that are asked for, the oldest of them first."""
    limit = max(0, min(MOST, query.limit))
    found: list[tuple[MarkKind, Any]] = []
    kinds = [kind for kind in MARKS if not query.kinds or kind in query.kinds]
    for kind in kinds:
        found += [(kind, row) for row in _of_kind(connection, query, kind, limit)]
    if len(kinds) > 1:
        found.sort(key=lambda one: -one[1][0])
    return tuple(_mark(kind, row) for kind, row in reversed(found[:limit]))


def _of_kind(connection: sqlite3.Connection, query: MarkQuery, kind: MarkKind, limit: int) -> Iterable[Any]:
    """Rows of one kind, the newest first: each kind lies by time of its own."""
    between = (_nanoseconds(query.since), _nanoseconds(query.until), limit)
    if query.conversation:
        statement = (
            f"SELECT {_COLUMNS} FROM marks INDEXED BY marks_conversation "  # noqa: S608 - own words
            f"WHERE conversation <> '' AND conversation = ? AND kind = ? AND {_BETWEEN}"
        )
        return connection.execute(statement, (query.conversation, MARKS[kind], *between))
    return connection.execute(f"SELECT {_COLUMNS} FROM marks WHERE kind = ? AND {_BETWEEN}", (MARKS[kind], *between))  # noqa: S608


def _mark(kind: MarkKind, row: Any) -> Mark:
    at_ns, span, trace, ended_ns, service, conversation, source, key, op, version = row
    return Mark(
        trace_id=trace.lower(),
        span_id=span.lower(),
        at=at_ns / 1e9,
        ended_at=None if ended_ns is None else ended_ns / 1e9,
        service=service,
        conversation=conversation,
        kind=kind,
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
