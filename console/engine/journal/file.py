"""Reading and writing an open journal. Everything here waits for the disk and belongs on the writer's thread."""

import sqlite3
from collections.abc import Collection, Iterable
from itertools import groupby

from console.domain.alerts import Alert, AlertState
from console.domain.incidents import Incident
from console.domain.refs import Ref
from console.domain.wire import History, HistoryQuery, LogEntry, LogQuery, decode, encode
from console.engine.slots import Slots

Sample = tuple[Ref, str, float]
"""(object, metric, mean over half a minute)."""

LEVELS = (("samples", 30.0), ("minutes", 300.0), ("hours", 3600.0))
"""Each table of means with the seconds that one of its rows stands for, the finest first."""

SERIES_KNOWN = 200_000
"""Series numbers kept in memory; when there are more, they are looked up again."""
PAGE = 1000
"""The longest page of the timeline."""


class JournalFile:
    """One open journal."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._series: dict[str, dict[Ref, int]] = {}
        """Metric → object → number; by metric first, because a pair for each would cost as much as all the numbers."""

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it."""
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass
        finally:
            self.connection.close()

    def write(
        self,
        log: Iterable[LogEntry],
        alerts: Iterable[Alert],
        samples: Iterable[tuple[float, Collection[Sample]]],
        learnt: Iterable[tuple[str, float, bytes]] = (),
        incidents: Iterable[Incident] = (),
    ) -> None:
        """Put everything in one transaction: all of it is kept or none.

        Raises:
            sqlite3.Error: nothing was written.
        """
        try:
            with self.connection as connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO log (id, at, ref, body) VALUES (?, ?, ?, ?)",
                    [(e.id, e.at, str(e.ref) if e.ref else None, encode(e).decode()) for e in log],
                )
                connection.executemany(
                    "INSERT OR REPLACE INTO alerts (id, state, at, body) VALUES (?, ?, ?, ?)",
                    [(alert.id, str(alert.state), alert.since, encode(alert).decode()) for alert in alerts],
                )
                connection.executemany("INSERT OR REPLACE INTO learnt (name, at, body) VALUES (?, ?, ?)", learnt)
                connection.executemany(
                    "INSERT OR REPLACE INTO incidents (id, state, at, body) VALUES (?, ?, ?, ?)",
                    [(one.id, str(one.state), one.since, encode(one).decode()) for one in incidents],
                )
                for start, rows in samples:
                    self._write_samples(connection, int(start), rows)
        except sqlite3.Error:
            self._series.clear()  # numbers given in a transaction that is gone
            raise

    def _write_samples(self, connection: sqlite3.Connection, start: int, rows: Collection[Sample]) -> None:
        if sum(map(len, self._series.values())) > SERIES_KNOWN:
            self._series.clear()
        known = self._series
        for ref, metric, _ in rows:
            if ref in (of_metric := known.setdefault(metric, {})):
                continue
            key = (str(ref), metric)
            connection.execute("INSERT OR IGNORE INTO series (ref, metric) VALUES (?, ?)", key)
            found = connection.execute("SELECT id FROM series WHERE ref = ? AND metric = ?", key).fetchone()
            of_metric[ref] = found[0]
        connection.executemany(
            "INSERT OR REPLACE INTO samples (series, ts, mean) VALUES (?, ?, ?)",
            ((known[metric][ref], start, mean) for ref, metric, mean in rows),
        )

    def last_log_id(self) -> int:
        """The highest number of a timeline line; 0 when there is none."""
        return int(self.connection.execute("SELECT coalesce(max(id), 0) FROM log").fetchone()[0])

    def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        """A page of the timeline, newest first."""
        where, values = ["id < ?"], [query.before_id if query.before_id is not None else 2**62]
        args: list[object] = [*values]
        if query.ref is not None:
            where.append("ref = ?")
            args.append(str(query.ref))
        args.append(max(0, min(PAGE, query.limit)))
        rows = self.connection.execute(
            f"SELECT body FROM log WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",  # noqa: S608 - own words only
            args,
        )
        return tuple(decode(body, LogEntry) for (body,) in rows)

    def open_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are not resolved, the oldest first."""
        rows = self.connection.execute(
            "SELECT body FROM alerts WHERE state <> ? ORDER BY at", (str(AlertState.RESOLVED),)
        )
        return tuple(decode(body, Alert) for (body,) in rows)

    def open_incidents(self) -> tuple[tuple[Incident, ...], tuple[Alert, ...]]:
        """The incidents that are not over, the oldest first, and all alerts of theirs, those that are over too."""
        rows = self.connection.execute(
            "SELECT body FROM incidents WHERE state <> ? ORDER BY at", (str(AlertState.RESOLVED),)
        )
        found = tuple(decode(body, Incident) for (body,) in rows)
        ids = [(identity,) for one in found for identity in one.alerts]
        bodies = [self.connection.execute("SELECT body FROM alerts WHERE id = ?", key).fetchone() for key in ids]
        return found, tuple(decode(body[0], Alert) for body in bodies if body is not None)

    def learnt(self) -> dict[str, bytes]:
        """What each detector had learnt, by the detector's name."""
        return dict(self.connection.execute("SELECT name, body FROM learnt"))

    def history(self, query: HistoryQuery, now: float) -> History:
        """The past of one object: each slot from the finest means that there are."""
        slots = Slots.of(query, now)
        for table, row_s in LEVELS:
            rows = self.connection.execute(
                f"SELECT s.metric, x.ts, x.mean FROM series s JOIN {table} x ON x.series = s.id "  # noqa: S608
                "WHERE s.ref = ? AND x.ts >= ? AND x.ts < ? ORDER BY s.metric, x.ts",
                (str(query.ref), int(slots.start - row_s), int(slots.end)),
            ).fetchall()
            for metric, group in groupby(rows, key=lambda row: str(row[0])):
                slots.add(metric, ((ts, mean) for _, ts, mean in group), row_s)
        return slots.history(query.ref)
