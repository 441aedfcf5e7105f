"""Marks as they are asked for: of a while, or of one conversation, oldest first."""

import sqlite3
from collections.abc import Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

from adapters.otlp.sorting import MARKS
from console.domain.conversations import Mark, MarkKind, MarkQuery

_NAMELESS = frozenset({MarkKind.RETRIEVAL, MarkKind.SERVICE})
"""Kinds of which no mark has an end, a key or an operation: nothing is read that is always empty."""

MOST = 100_000
"""Marks of one answer."""

REQUESTS_MOST = 2_000
"""Requests of one conversation whose marks are looked at, the newest."""

_COLUMNS = "m.at_ns, m.span, m.trace, m.service, m.conversation, m.source, m.version"
_NAMED = f"{_COLUMNS}, m.ended_ns, m.key, m.op"
_BY_TIME = attrgetter("at")


def marks(connection: sqlite3.Connection, query: MarkQuery) -> tuple[Mark, ...]:
    """The newest marks that are asked for, the oldest of them first."""
    limit = max(0, min(MOST, query.limit))
    kinds = [kind for kind in MARKS if not query.kinds or kind in query.kinds]
    if query.conversation:
        found = _of_conversation(connection, query, kinds)
    else:
        found = list(chain.from_iterable(_of_kind(connection, query, kind, limit) for kind in kinds))
    if query.conversation or len(kinds) > 1:  # those of one kind are in order
        found.sort(key=_BY_TIME)
    return tuple(found[-limit:] if limit else ())


def _of_kind(connection: sqlite3.Connection, query: MarkQuery, kind: MarkKind, limit: int) -> list[Mark]:
    """The newest of one kind, the oldest first: each kind lies by time of its own."""
    rows = connection.execute(
        f"SELECT {_columns(kind)} FROM marks m "  # noqa: S608 - own words
        "WHERE kind = ? AND at_ns >= ? AND at_ns < ? ORDER BY at_ns DESC LIMIT ?",
        (MARKS[kind], _nanoseconds(query.since), _nanoseconds(query.until), limit),
    )
    found = _made(rows, kind)
    found.reverse()
    return found


def _of_conversation(connection: sqlite3.Connection, query: MarkQuery, kinds: list[MarkKind]) -> list[Mark]:
    """Those of a conversation's newest requests, found by those: marks themselves lie by time only."""
    found: list[Mark] = []
    for kind in kinds:
        rows = connection.execute(
            f"SELECT {_columns(kind)} FROM (SELECT id FROM requests INDEXED BY requests_conversation "  # noqa: S608 - own words
            "WHERE conversation = ? AND conversation <> '' ORDER BY start_us DESC LIMIT ?) r "
            "CROSS JOIN marks m INDEXED BY marks_request ON m.request = r.id "
            "WHERE m.kind = ? AND m.at_ns >= ? AND m.at_ns < ?",
            (
                *(query.conversation, REQUESTS_MOST, MARKS[kind]),
                *(_nanoseconds(query.since), _nanoseconds(query.until)),
            ),
        )
        found += _made(rows, kind)
    return found


def _columns(kind: MarkKind) -> str:
    return _COLUMNS if kind in _NAMELESS else _NAMED


def _made(rows: Iterable[Any], kind: MarkKind) -> list[Mark]:
    # Tens of thousands come at once: a call for each, or columns that are always empty, would take a quarter more.
    return _nameless(rows, kind) if kind in _NAMELESS else _named(rows, kind)


def _nameless(rows: Iterable[Any], kind: MarkKind) -> list[Mark]:
    return [
        Mark(
            trace_id=trace.hex(),
            span_id=span.hex(),
            at=at_ns / 1e9,
            service=service,
            conversation=conversation,
            kind=kind,
            source=source,
            version=version,
        )
        for at_ns, span, trace, service, conversation, source, version in rows
    ]


def _named(rows: Iterable[Any], kind: MarkKind) -> list[Mark]:
    return [
        Mark(
            trace_id=trace.hex(),
            span_id=span.hex(),
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
        for at_ns, span, trace, service, conversation, source, version, ended_ns, key, op in rows
    ]


def _nanoseconds(moment: float | None) -> int:
    """Unix nanoseconds that fit the table, whatever is asked for; without a moment the end of time.

    Whole microseconds, so that a mark's own moment, which a float has not to the nanosecond, finds it again.
    """
    return 2**62 if moment is None else int(min(max(moment, 0.0), 4e9) * 1e6) * 1000
