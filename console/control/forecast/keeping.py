"""Forecasts that wait and errors that were made, in a small file beside the journal: they outlive the engine.

Losing it loses no action and no safety, so nothing waits for it and nothing is refused for its sake: what the disk says
no to is said once.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from console.control.forecast.calibration import KEPT, Miss
from console.control.forecast.comparing import Pending
from console.domain.forecasts import Comparison, Quantity
from console.domain.verbs import Verb

if TYPE_CHECKING:
    from sqlite_utils import Database

WAITING_MOST: Final = 200
"""Forecasts that wait; the one that is due first makes room."""
OUTTURNS_MOST: Final = 500
"""Comparisons that are kept for receipts, the newest."""
_BOUNDED: Final = "delete from outturns where id not in (select id from outturns order by at desc limit ?)"


class Kept(NamedTuple):
    """What a former engine left."""

    waiting: tuple[Pending, ...]
    misses: tuple[Miss, ...]
    """Oldest first."""
    outturns: tuple[tuple[str, Comparison], ...]
    """By the action."""


class Keeping:
    """One file, written by one thread of its own; `path` None keeps nothing."""

    def __init__(self, path: Path | None, said: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._said = said
        self._mute = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forecasts")
        self._db: Database | None = None

    async def open(self) -> Kept:
        """Open or make the file and read what is in it; a file that cannot be read counts as empty."""
        return await self._do(self._open) or Kept((), (), ())

    async def close(self) -> None:
        """Finish what was asked for."""
        await self._do(self._close)
        self._thread.shutdown(wait=False)

    async def put(self, pending: Pending) -> None:
        """Keep one that waits, in place of what was kept of it before."""
        await self._do(lambda: self._put(pending))

    async def drop(self, pending_id: str) -> None:
        """One waits no longer, and came to nothing."""
        await self._do(lambda: self._settle(pending_id, None, (), 0.0))

    async def settle(self, pending: Pending, comparison: Comparison, misses: tuple[Miss, ...], at: float) -> None:
        """One waits no longer; how it came out is kept for its receipt, and what it taught for the next ones."""
        told = comparison if pending.verb is not None else None
        await self._do(lambda: self._settle(pending.id, told, misses, at))

    async def _do(self, work: Callable[[], "Kept | None"]) -> "Kept | None":
        if self._path is None:
            return None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            if not self._mute:
                self._mute = True
                self._said(f"forecasts are not kept: {self._path.name}: {error}; move the file away or free the disk")
            return None

    def _open(self) -> Kept:
        from sqlite_utils import Database

        assert self._path is not None  # noqa: S101  `_do` has looked
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=5.0, check_same_thread=False)
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table if not exists waiting (id text primary key, due_at real, body text)")
        connection.execute("create table if not exists outturns (id text primary key, at real, body text)")
        connection.execute(
            "create table if not exists misses (at real, verb text, quantity text, expected real, actual real)"
        )
        self._db = Database(connection)
        waiting = tuple(
            msgspec.json.decode(body, type=Pending)
            for (body,) in connection.execute("select body from waiting order by due_at")
        )
        rows = connection.execute("select verb, quantity, expected, actual from misses order by at, rowid")
        misses = tuple(
            Miss(Verb(verb) if verb else None, Quantity(quantity), expected, actual)
            for verb, quantity, expected, actual in rows
        )
        told = connection.execute("select id, body from outturns order by at")
        outturns = tuple((action_id, msgspec.json.decode(body, type=Comparison)) for action_id, body in told)
        return Kept(waiting, misses, outturns)

    def _put(self, pending: Pending) -> None:
        if self._db is not None:
            body = msgspec.json.encode(pending).decode()
            self._db["waiting"].insert({"id": pending.id, "due_at": pending.due_at, "body": body}, replace=True)  # type: ignore[union-attr]
            self._db.execute(
                "delete from waiting where id not in (select id from waiting order by due_at desc limit ?)",
                [WAITING_MOST],
            )

    def _settle(self, pending_id: str, told: Comparison | None, misses: tuple[Miss, ...], at: float) -> None:
        if self._db is None:
            return
        with self._db.conn:
            self._db.execute("begin")
            self._db.execute("delete from waiting where id = ?", [pending_id])
            if told is not None:
                body = msgspec.json.encode(told).decode()
                self._db.execute("insert or replace into outturns values (?, ?, ?)", [pending_id, at, body])
                self._db.execute(_BOUNDED, [OUTTURNS_MOST])
            for miss in misses:
                kind = [str(miss.verb or ""), str(miss.quantity)]
                self._db.execute("insert into misses values (?, ?, ?, ?, ?)", [at, *kind, miss.expected, miss.actual])
                self._db.execute(
                    "delete from misses where verb = ? and quantity = ? and rowid not in "
                    "(select rowid from misses where verb = ? and quantity = ? order by at desc, rowid desc limit ?)",
                    [*kind, *kind, KEPT],
                )

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
