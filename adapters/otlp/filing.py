"""Writing the tables `lanes` and `marks`, by which requests are found."""

import sqlite3
from collections.abc import Iterable, Sequence

from adapters.otlp.sorting import MARKS, VALUES_MOST, MarkRow, Started, entries, mark_rows, service_rows
from adapters.spans.row import RequestRow
from console.domain.conversations import MarkKind

_LANE = (
    "INSERT INTO lanes VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET start_us = excluded.start_us, "
    "measure = max(coalesce(measure, excluded.measure), coalesce(excluded.measure, measure))"
)
_MARK = "INSERT OR IGNORE INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def file_spans(connection: sqlite3.Connection, requests: Iterable[tuple[RequestRow, Sequence[Started]]]) -> None:
    """Have requests found by these spans too, which their rows have in them already."""
    lanes: list[tuple[int, int, str, int, float | None]] = []
    marks: list[MarkRow] = []
    for row, spans in requests:
        known: set[tuple[int, str]] = set()
        if row.spans > VALUES_MOST:  # each span has at most one value of a lane
            known = set(connection.execute("SELECT lane, value FROM lanes WHERE request = ?", (row.id,)))
        found = entries([span for _, span in spans], known)
        lanes += [(row.id, lane, value, row.start_us, measure) for (lane, value), measure in found.items()]
        marks += mark_rows(row, spans)
        marks += _services(connection, row, spans)
    connection.executemany(_LANE, lanes)
    connection.executemany(_MARK, marks)


def _services(connection: sqlite3.Connection, row: RequestRow, spans: Sequence[Started]) -> list[MarkRow]:
    """Marks of the services that are new to a request, or that turn out to have begun earlier than was known."""
    found = service_rows(row, spans)
    if row.spans <= len(spans):
        return list(found.values())
    known = connection.execute(
        "SELECT kind, at_ns, request, span, service FROM marks WHERE request = ? AND kind = ?",
        (row.id, MARKS[MarkKind.SERVICE]),
    ).fetchall()
    for *where, service in known:
        if service not in found:
            continue
        if (found[service][1], found[service][3]) < (where[1], where[3]):
            connection.execute("DELETE FROM marks WHERE (kind, at_ns, request, span) = (?, ?, ?, ?)", where)
        else:
            del found[service]
    return list(found.values())


def follow(connection: sqlite3.Connection, moved: Sequence[RequestRow], renamed: Sequence[RequestRow]) -> None:
    """Requests turned out to begin at another moment, or to belong to another conversation, than was known."""
    connection.executemany("UPDATE lanes SET start_us = ? WHERE request = ?", [(row.start_us, row.id) for row in moved])
    connection.executemany(
        "UPDATE marks SET conversation = ? WHERE request = ?", [(row.conversation, row.id) for row in renamed]
    )


def unfile(connection: sqlite3.Connection, upto: int) -> None:
    """The requests with numbers up to `upto` go."""
    connection.execute("DELETE FROM lanes WHERE request <= ?", (upto,))
    connection.execute("DELETE FROM marks WHERE request <= ?", (upto,))
