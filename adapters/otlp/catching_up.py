"""Requests that were kept before there were lanes and marks get theirs, a few at a time, the newest first."""

import sqlite3

import msgspec

from adapters.otel import Aliases
from adapters.otlp.bodies import unpack
from adapters.otlp.filing import file_spans
from adapters.otlp.sorting import Started
from adapters.otlp.transaction import Transaction
from adapters.spans.row import COLUMNS, RequestRow

REQUESTS_AT_ONCE = 100
"""Requests of one transaction."""

_ROW = ", ".join(COLUMNS)


class CatchingUp:
    """What is left to do stands in the file (`totals.unsorted`), so that it goes on where it was ended."""

    def __init__(self, connection: sqlite3.Connection, aliases: Aliases) -> None:
        self._connection = connection
        self._aliases = aliases
        self._left = int(connection.execute("SELECT unsorted FROM totals").fetchone()[0])

    def step(self) -> bool:
        """Do some of it; False when nothing is left.

        Raises:
            sqlite3.Error: nothing was done.
        """
        if not self._left:
            return False
        rows = self._connection.execute(
            f"SELECT {_ROW} FROM requests WHERE id <= ? ORDER BY id DESC LIMIT ?",  # noqa: S608 - own column names
            (self._left, REQUESTS_AT_ONCE),
        ).fetchall()
        found = [RequestRow(*row) for row in rows]
        left = found[-1].id - 1 if found else 0
        with Transaction(self._connection):
            file_spans(self._connection, ((row, self._spans(row.id)) for row in found))
            self._connection.execute("UPDATE totals SET unsorted = ?", (left,))
        self._left = left
        return True

    def _spans(self, request: int) -> list[Started]:
        found: list[Started] = []
        rows = self._connection.execute("SELECT start_ns, body FROM spans WHERE request = ?", (request,))
        for start_ns, body in rows:
            try:
                span, _ = unpack(body)
            except ValueError:  # broken in the file; whoever opens the request is told
                continue
            facts = self._aliases.facts(span.attributes, span.started_at, span.kind)
            found.append((start_ns, msgspec.structs.replace(span, facts=facts)))
        return found
