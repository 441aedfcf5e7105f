"""The store's tables, how they came to be, and how the collector opens its file."""

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.errors import ConfigError

if TYPE_CHECKING:  # 80 ms to import, for the collector only
    from sqlite_utils import Database, Migrations

BUSY_S = 5.0
"""How long somebody else may hold the file before a write counts as failed."""
WAL_BYTES = 64 * 2**20
"""What is left of the write-ahead log after it was folded into the file."""
WAL_PAGES = 8_000
"""Pages of the log (32 MB) after which it is folded in: a page that is written often in between is folded in once."""


class StoreTooNew(ConfigError):
    """The file was written by a newer program; the text says which file and the way out."""


def migrations() -> "Migrations":
    """Every change that the file's shape has been through, the oldest first; never edit one that was released."""
    from sqlite_utils import Migrations

    steps = Migrations("spans")

    @steps()
    def m001_requests_and_their_spans(db: "Database") -> None:
        """A row for each request, numbered as they come; its spans lie beside each other, by that number.

        So new spans are written at one end of the file, the oldest are taken away at the other, and one request is
        read in one piece.
        """
        db.execute(
            "CREATE TABLE requests (id INTEGER PRIMARY KEY, trace BLOB NOT NULL, seen_at INTEGER NOT NULL, "
            "start_us INTEGER NOT NULL, duration_us INTEGER, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, "
            "rooted INTEGER NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL, conversation TEXT NOT NULL, "
            "route TEXT NOT NULL, deployment TEXT NOT NULL, model TEXT NOT NULL, model_failed INTEGER NOT NULL, "
            "snapshot TEXT NOT NULL, failed INTEGER NOT NULL, error TEXT NOT NULL, error_ns INTEGER NOT NULL, "
            "tokens_in INTEGER, tokens_out INTEGER, usd REAL, rolled_in INTEGER, rolled_out INTEGER, rolled_usd REAL, "
            "attempts INTEGER, ttft_s REAL, spans INTEGER NOT NULL, cut INTEGER NOT NULL)"
        )
        db.execute("CREATE UNIQUE INDEX requests_trace ON requests (trace)")
        # Each way of asking for the newest has its own order; the duration stands beside for "only slow ones".
        db.execute("CREATE INDEX requests_newest ON requests (start_us, duration_us)")
        db.execute("CREATE INDEX requests_failed ON requests (start_us, duration_us) WHERE failed = 1")
        db.execute("CREATE INDEX requests_service ON requests (service, start_us, duration_us)")
        db.execute("CREATE INDEX requests_service_failed ON requests (service, start_us, duration_us) WHERE failed = 1")
        db.execute("CREATE INDEX requests_conversation ON requests (conversation, start_us) WHERE conversation <> ''")
        db.execute(
            "CREATE TABLE spans (request INTEGER NOT NULL, span BLOB NOT NULL, start_ns INTEGER NOT NULL, "
            "duration_us INTEGER, service TEXT NOT NULL, entry INTEGER NOT NULL, failure TEXT NOT NULL, "
            "snapshot TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (request, span)) WITHOUT ROWID"
        )
        db.execute("CREATE INDEX spans_entries ON spans (start_ns, service, duration_us, failure) WHERE entry = 1")
        db.execute("CREATE INDEX spans_snapshots ON spans (start_ns, service, snapshot) WHERE snapshot <> ''")
        db.execute(
            "CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), last_request INTEGER NOT NULL, "
            "requests INTEGER NOT NULL, spans INTEGER NOT NULL, rejected INTEGER NOT NULL, newest_at REAL NOT NULL, "
            "keep_s REAL NOT NULL, most_bytes INTEGER NOT NULL)"
        )
        db.execute("INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0, 0, 0)")

    @steps()
    def m002_lanes_and_marks(db: "Database") -> None:
        """What requests are told apart by, and when services read a snapshot or touched memory.

        A request has one row for each value of a lane, and one with no value for the whole lane; each holds the
        largest measure. Rows begin when their request does, so that any filter lists the newest without sorting.
        Requests up to number `totals.unsorted` were kept before there were lanes; the collector makes theirs from
        their spans when it has nothing else to do (`catching_up`).
        """
        db.execute(
            "CREATE TABLE lanes (request INTEGER NOT NULL, lane INTEGER NOT NULL, value TEXT NOT NULL, "
            "start_us INTEGER NOT NULL, measure REAL, PRIMARY KEY (request, lane, value)) WITHOUT ROWID"
        )
        db.execute("CREATE INDEX lanes_newest ON lanes (lane, value, start_us, measure)")
        db.execute(
            "CREATE TABLE marks (kind INTEGER NOT NULL, at_ns INTEGER NOT NULL, request INTEGER NOT NULL, "
            "span BLOB NOT NULL, trace BLOB NOT NULL, ended_ns INTEGER, service TEXT NOT NULL, "
            "conversation TEXT NOT NULL, source TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, "
            "version TEXT NOT NULL, PRIMARY KEY (kind, at_ns, request, span)) WITHOUT ROWID"
        )
        db.execute("CREATE INDEX marks_request ON marks (request)")
        # How a request ended stands in the lists' own order too, so that "only good ones" reads no other rows.
        db.execute("DROP INDEX requests_newest")
        db.execute("CREATE INDEX requests_newest ON requests (start_us, duration_us, failed, rooted)")
        db.execute("DROP INDEX requests_service")
        db.execute("CREATE INDEX requests_service ON requests (service, start_us, duration_us, failed, rooted)")
        db.execute("CREATE INDEX requests_name ON requests (name, start_us, duration_us, failed, rooted, service)")
        # The marks have what this one had; the column of `spans` stays empty from now on.
        db.execute("DROP INDEX spans_snapshots")
        db.execute("ALTER TABLE totals ADD COLUMN unsorted INTEGER NOT NULL DEFAULT 0")
        db.execute("UPDATE totals SET unsorted = last_request")

    return steps


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, readable by its owner only, and bring it to the present shape.

    A commit is on disk when it returns (`synchronous=FULL`): what was acknowledged survives a power cut too.

    Raises:
        StoreTooNew: a newer program has changed its shape.
        sqlite3.DatabaseError: it is corrupt, locked, or cannot be written.
        OSError: it cannot be created.
    """
    from sqlite_utils import Database

    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        connection.execute("PRAGMA cache_size=-32000")
        db = Database(connection, execute_plugins=False)
        steps = migrations()
        known = {step.name for step in steps.pending(Database(memory=True, execute_plugins=False))}
        newer = [step.name for step in steps.applied(db) if step.name not in known]
        if newer:
            raise StoreTooNew(
                f"{path} was written by a newer switchgear (it has {', '.join(newer)}); "
                "update switchgear, or move the file away to begin a new one"
            )
        steps.apply(db)
    except BaseException:
        connection.close()
        raise
    return connection
