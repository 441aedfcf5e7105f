"""The journal's tables, how they came to be, and how its file is opened."""

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.errors import ConfigError

if TYPE_CHECKING:  # 95 ms to import: the writer's thread does it
    from sqlite_utils import Database, Migrations

BUSY_S = 2.0
"""How long another process may hold the file before a write counts as failed."""

MEANS = ("samples", "minutes", "hours")
"""The tables of means, the finest first: 30 seconds, 5 minutes, 1 hour."""


class JournalTooNew(ConfigError):
    """The file was written by a newer program; the text says which file and the way out."""


def migrations() -> "Migrations":
    """Every change that the file's shape has been through, the oldest first; never edit one that was released."""
    from sqlite_utils import Migrations

    steps = Migrations("journal")

    @steps()
    def m001_series_log_alerts(db: "Database") -> None:
        """Numbers by series, and two tables of JSON with the fields that are asked for beside it."""
        db.table("series").create({"id": int, "ref": str, "metric": str}, pk="id", not_null={"ref", "metric"})
        db.table("series").create_index(["ref", "metric"], unique=True)
        for table in MEANS:
            # A row is its key: half the size of a rowid table with an index, and one object's hour lies together.
            db.execute(
                f"CREATE TABLE {table} (series INTEGER NOT NULL, ts INTEGER NOT NULL, mean REAL NOT NULL, "
                "PRIMARY KEY (series, ts)) WITHOUT ROWID"
            )
        db.table("rolled").create({"level": str, "until": int}, pk="level")
        db.table("log").create({"id": int, "at": float, "ref": str, "body": str}, pk="id")
        db.table("log").create_index(["at"])
        db.table("log").create_index(["ref", "id"])
        db.table("alerts").create({"id": str, "state": str, "at": float, "body": str}, pk="id")

    @steps()
    def m002_learnt(db: "Database") -> None:
        """What each detector has learnt: one row, written over."""
        db.table("learnt").create({"name": str, "at": float, "body": bytes}, pk="name")

    @steps()
    def m003_incidents(db: "Database") -> None:
        """What alerts belong together, like the alerts themselves."""
        db.table("incidents").create({"id": str, "state": str, "at": float, "body": str}, pk="id")

    return steps


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, readable by its owner only, and bring it to the present shape. To be used on one thread.

    Raises:
        JournalTooNew: a newer program has changed its shape.
        sqlite3.DatabaseError: it is corrupt, locked, or cannot be written.
        OSError: it cannot be created.
    """
    from sqlite_utils import Database

    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_S)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing; a power cut the last moment
        db = Database(connection, execute_plugins=False)
        steps = migrations()
        known = {step.name for step in steps.pending(Database(memory=True, execute_plugins=False))}
        newer = [step.name for step in steps.applied(db) if step.name not in known]
        if newer:
            raise JournalTooNew(
                f"the journal {path} was written by a newer switchgear (it has {', '.join(newer)}); "
                "update switchgear, or move the file away to begin a new journal"
            )
        steps.apply(db)
        connection.execute("SELECT max(id) FROM log").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def set_aside(path: Path, now: float) -> Path:
    """Rename a corrupt file and its companions, so that nothing is lost and a new one can begin; its new name."""
    aside = path.with_name(f"{path.name}.corrupt-{now:.0f}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
