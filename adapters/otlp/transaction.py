"""Several statements that are one: connections here are in autocommit."""

import sqlite3


class Transaction:
    """Begins at once, so that nobody else writes in between; ends with its block, or leaves nothing of it behind."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
