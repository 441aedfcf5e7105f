"""Older means grow coarser and then go, a little at a time, so that writing never waits for it."""

import sqlite3
from collections.abc import Iterator

from console.config import Retention
from console.engine.journal.file import LEVELS

LAG_S = 45.0
"""A slot's means are written shortly after its end; a coarser mean is made when they are surely there."""
SERIES_AT_ONCE = 200
ROWS_AT_ONCE = 1000

_HOUR_S = 3600


def upkeep(connection: sqlite3.Connection, retention: Retention, now: float) -> Iterator[None]:
    """Do one round of upkeep, one short transaction a step.

    Raises:
        sqlite3.Error: out of any step; what was done before stays done.
    """
    kept = (retention.raw, retention.minutes, retention.hours)
    for (fine, _), (coarse, step_s), fine_kept_s in zip(LEVELS, LEVELS[1:], kept, strict=False):
        yield from _roll_up(connection, fine, coarse, int(step_s), now, fine_kept_s)
    for (table, _), kept_s in zip(LEVELS, kept, strict=True):
        yield from _forget_means(connection, table, int(now - kept_s))
    yield from _forget_events(connection, now - retention.events)


def _roll_up(
    connection: sqlite3.Connection, fine: str, coarse: str, step_s: int, now: float, fine_kept_s: float
) -> Iterator[None]:
    """Means of `coarse` out of those of `fine`, from where the last round ended."""
    row = connection.execute("SELECT until FROM rolled WHERE level = ?", (coarse,)).fetchone()
    oldest = int(now - fine_kept_s) // step_s * step_s
    since = max(row[0] if row else 0, oldest)
    until = int(now - LAG_S) // step_s * step_s
    # Hours are made of minutes: those must have been made before.
    stride = max(step_s, _HOUR_S) * (24 if step_s >= _HOUR_S else 1)
    while since < until:
        end = min(until, since + stride)
        with connection:
            connection.execute(
                f"INSERT OR REPLACE INTO {coarse} (series, ts, mean) "  # noqa: S608 - own table names
                f"SELECT x.series, x.ts / {step_s} * {step_s}, avg(x.mean) FROM series s CROSS JOIN {fine} x "
                "ON x.series = s.id AND x.ts >= ? AND x.ts < ? GROUP BY 1, 2",
                (since, end),
            )
            connection.execute("INSERT OR REPLACE INTO rolled (level, until) VALUES (?, ?)", (coarse, end))
        since = end
        yield


def _forget_means(connection: sqlite3.Connection, table: str, before: int) -> Iterator[None]:
    last = -1
    while True:
        ids = connection.execute(
            "SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?", (last, SERIES_AT_ONCE)
        ).fetchall()
        if not ids:
            return
        with connection:
            connection.executemany(
                f"DELETE FROM {table} WHERE series = ? AND ts < ?",  # noqa: S608 - own table names
                [(number, before) for (number,) in ids],
            )
        last = ids[-1][0]
        yield


def _forget_events(connection: sqlite3.Connection, before: float) -> Iterator[None]:
    for table, more in (("log", ""), *((name, "AND state = 'resolved'") for name in ("alerts", "incidents"))):
        gone = ROWS_AT_ONCE
        while gone == ROWS_AT_ONCE:
            with connection:
                gone = connection.execute(
                    f"DELETE FROM {table} WHERE id IN "  # noqa: S608 - own table names
                    f"(SELECT id FROM {table} WHERE at < ? {more} LIMIT {ROWS_AT_ONCE})",
                    (before,),
                ).rowcount
            yield
