"""The audit log's table, and the triggers that keep it growing only."""

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

KEY = (
    "case when event in ('confirmed', 'command-begun') and json_valid(body) "
    "then nullif(json_extract(body, '$.intent.key'), '') end"
)
"""SQL for the idempotency key under which a row was written; null when it has none. Indexed."""

_KNOWN = {"first", "keys"}
"""The migrations that this program knows; a file with others is newer."""


def migrate(database: "Database") -> None:
    """Bring the file's schema up to date.

    Raises:
        sqlite3.DatabaseError: the file is no audit log, or a newer program has written it.
    """
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("audit")

    @migrations()
    def first(db: "Database") -> None:
        db["audit"].create(  # type: ignore[union-attr]
            {
                "seq": int, "at": float, "operator": str, "action_id": str, "event": str,
                "body": str, "previous": str, "hash": str,
            },
            pk="seq",
            not_null={"at", "operator", "action_id", "event", "body", "previous", "hash"},
        )  # fmt: skip
        db["audit"].create_index(["event", "action_id", "seq"])  # type: ignore[union-attr]
        db["audit"].create_index(["action_id", "seq"])  # type: ignore[union-attr]
        for verb in ("update", "delete"):
            db.execute(
                f"create trigger audit_no_{verb} before {verb} on audit "
                "begin select raise(abort, 'the audit log only grows'); end"
            )

    @migrations()
    def keys(db: "Database") -> None:
        db.execute(f"create index audit_keys on audit ({KEY}) where {KEY} is not null")

    newer = {applied.name for applied in migrations.applied(database)} - _KNOWN
    if newer:
        raise sqlite3.DatabaseError(f"written by a newer version ({', '.join(sorted(newer))}); upgrade switchgear")
    migrations.apply(database)
