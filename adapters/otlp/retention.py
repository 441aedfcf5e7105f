"""The oldest requests go when they are too old or the file is too full, a few at a time."""

import sqlite3
from dataclasses import dataclass

from adapters.otlp.filing import unfile
from adapters.otlp.transaction import Transaction

REQUESTS_AT_ONCE = 200
"""Requests of one transaction: a writer waits for it a few milliseconds."""
ENOUGH = 0.95
"""A full file is emptied to this part of what it may hold, so that it is not emptied at every commit."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept."""

    keep_s: float
    """Seconds after which a request goes, counted from when its first span came."""
    most_bytes: int
    """Bytes in use in the file; its size on disk stays what it was at its fullest."""


def bytes_used(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    (pages,), (free,), (size,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


class Upkeep:
    """Deletes a little at a time, until nothing is too old and there is room."""

    def __init__(self, connection: sqlite3.Connection, retention: Retention) -> None:
        self._connection = connection
        self._retention = retention
        self._full = False
        with Transaction(connection):
            connection.execute("UPDATE totals SET keep_s = ?, most_bytes = ?", (retention.keep_s, retention.most_bytes))

    def step(self, now_s: float) -> int:
        """Delete some of what has to go; the highest number that was deleted, 0 when there is nothing to do.

        Raises:
            sqlite3.Error: nothing was deleted.
        """
        too_old = int(now_s - self._retention.keep_s)
        used = bytes_used(self._connection)
        self._full = used > self._retention.most_bytes * (ENOUGH if self._full else 1.0)
        rows = self._connection.execute(
            "SELECT id, spans, seen_at FROM requests ORDER BY id LIMIT ?", (REQUESTS_AT_ONCE,)
        ).fetchall()
        going = [(number, spans) for number, spans, seen_at in rows if self._full or seen_at < too_old]
        if not going:
            return 0
        upto = int(max(number for number, _ in going))
        with Transaction(self._connection):
            self._connection.execute("DELETE FROM spans WHERE request <= ?", (upto,))
            unfile(self._connection, upto)
            self._connection.execute("DELETE FROM requests WHERE id <= ?", (upto,))
            self._connection.execute(
                "UPDATE totals SET requests = requests - ?, spans = spans - ?",
                (len(going), sum(spans for _, spans in going)),
            )
        return upto
