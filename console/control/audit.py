"""The audit log: a SQLite file that only grows, in which each row carries the hash of the one before.

A row is on disk when `append` returns (WAL, synchronous=FULL). All work on the file is done by one thread, in the
order in which it was asked for, so that the event loop never waits for the disk.
"""

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from console.domain.ports import Clock
from console.domain.redact import redact
from console.domain.wire import AuditQuery, AuditReport, AuditRow

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")

PAGE_LIMIT = 1000
"""The most rows that one page holds."""

GENESIS = "0" * 64
"""What stands in the first row as the hash of the one before."""

_COLUMNS = "seq, at, operator, action_id, event, body, previous, hash"


class AuditError(Exception):
    """The audit log cannot be opened, read or written; the text says which file, why, and the way out."""


class Entry(msgspec.Struct, frozen=True):
    """One row to be written: what happened, to which action, by whom, and the details."""

    event: str
    action_id: str
    operator: str
    body: Any
    """Anything that msgspec can write as JSON."""


def row_hash(row: AuditRow) -> str:
    """SHA-256, in hex, over the hash before and the row's own fields as one JSON array."""
    fields = [row.previous, row.seq, row.at, row.operator, row.action_id, row.event, row.body]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


class Audit:
    """The audit log of one environment. One process writes it at a time (the engine's lock sees to that)."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._head_path = path.with_name(path.name + ".head")
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")
        self._db: Database | None = None
        self._head = (0, GENESIS)

    async def open(self) -> None:
        """Open or make the file and find its last row.

        Raises:
            AuditError: the file cannot be made, is no audit log, or is newer than this program.
        """
        await self._call(self._open)

    async def close(self) -> None:
        """Finish what was asked for and close the file; a second call does nothing."""
        if self._db is not None:
            await self._call(self._close)
        self._thread.shutdown(wait=False)

    async def append(self, event: str, action_id: str, operator: str, body: object) -> AuditRow:
        """Write one row; it is durable when this returns.

        Raises:
            AuditError: it could not be written; nothing was.
        """
        return (await self.append_all([Entry(event, action_id, operator, body)]))[0]

    async def append_all(self, entries: Sequence[Entry]) -> tuple[AuditRow, ...]:
        """Write several rows, all or none of them.

        Raises:
            AuditError: they could not be written; none was.
        """
        ready = [(e.event, e.action_id, e.operator, redact(msgspec.json.encode(e.body).decode())) for e in entries]
        at = self._clock.now()
        return await self._call(lambda: self._append(at, ready))

    async def page(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        """A page of rows, newest first; at most `PAGE_LIMIT`.

        Raises:
            AuditError: the file cannot be read.
        """
        return await self._call(lambda: self._page(query))

    async def verify(self) -> AuditReport:
        """Walk the whole chain and name the first row that does not fit, or the rows that are gone from the end.

        Raises:
            AuditError: the file cannot be read.
        """
        return await self._call(self._verify)

    async def rows(self, where: str, parameters: Sequence[object] = ()) -> tuple[AuditRow, ...]:
        """The rows that a condition of this program's own picks, oldest first (`where` is never a user's text).

        Raises:
            AuditError: the file cannot be read.
        """
        return await self._call(lambda: tuple(self._select(f"where {where} order by seq", parameters)))

    async def _call(self, work: Callable[[], T]) -> T:
        """Run `work` on the log's thread. A caller that is cancelled stops waiting; the write itself goes on."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._safely, work)
        except RuntimeError as error:
            raise AuditError(f"audit log {self._path}: it is closed") from error

    def _safely(self, work: Callable[[], T]) -> T:
        """`work`, with every way in which a file can fail as an AuditError."""
        try:
            return work()
        except (sqlite3.Error, OSError) as error:
            way_out = "check free space and the owner of the file; no action is taken without its audit row"
            raise AuditError(f"audit log {self._path}: {error}: {way_out}") from error

    def _open(self) -> None:
        from sqlite_utils import Database

        from console.control.audit_schema import migrate

        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=5.0, check_same_thread=False)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        database = Database(connection)
        migrate(database)
        self._db = database
        last = next(self._select("order by seq desc limit 1"), None)
        self._head = (last.seq, last.hash) if last else (0, GENESIS)

    def _close(self) -> None:
        if self._db is not None:
            self._db.conn.close()
            self._db = None

    def _database(self) -> "Database":
        if self._db is None:
            raise OSError("it is not open")
        return self._db

    def _append(self, at: float, entries: Iterable[tuple[str, str, str, str]]) -> tuple[AuditRow, ...]:
        connection = self._database().conn
        seq, previous = self._head
        rows: list[AuditRow] = []
        for event, action_id, operator, body in entries:
            seq += 1
            row = AuditRow(
                seq=seq, at=at, operator=operator, action_id=action_id, event=event, body=body,
                previous=previous, hash="",
            )  # fmt: skip
            row = msgspec.structs.replace(row, hash=row_hash(row))
            rows.append(row)
            previous = row.hash
        connection.execute("begin immediate")
        try:
            connection.executemany(
                f"insert into audit ({_COLUMNS}) values (?,?,?,?,?,?,?,?)",  # noqa: S608  the names are constants
                [msgspec.structs.astuple(row) for row in rows],
            )
            connection.execute("commit")
        except BaseException:
            connection.rollback()
            raise
        self._head = (seq, previous)
        self._write_head()
        return tuple(rows)

    def _write_head(self) -> None:
        """Keep the last row's number and hash beside the file: rows cut off its end are missed.

        Best effort, and after the commit: a head that lags behind is no error, a head that is ahead is.
        """
        try:
            beside = self._head_path.with_name(self._head_path.name + ".new")
            beside.write_text(f"{self._head[0]} {self._head[1]}\n")
            beside.replace(self._head_path)
        except OSError:
            return

    def _select(self, tail: str, parameters: Sequence[object] = ()) -> Iterator[AuditRow]:
        sql = f"select {_COLUMNS} from audit {tail}"  # noqa: S608  `tail` is this module's own text
        for seq, at, operator, action_id, event, body, previous, digest in self._database().conn.execute(
            sql, tuple(parameters)
        ):
            yield AuditRow(
                seq=seq, at=at, operator=operator, action_id=action_id, event=event, body=body,
                previous=previous, hash=digest,
            )  # fmt: skip

    def _page(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        conditions, parameters = ["1"], list[object]()
        if query.before_seq is not None:
            conditions.append("seq < ?")
            parameters.append(query.before_seq)
        if query.action_id:
            conditions.append("action_id = ?")
            parameters.append(query.action_id)
        parameters.append(max(1, min(query.limit, PAGE_LIMIT)))
        return tuple(self._select(f"where {' and '.join(conditions)} order by seq desc limit ?", parameters))

    def _verify(self) -> AuditReport:
        seq, previous, count = 0, GENESIS, 0
        kept_seq, kept_hash = self._kept_head()
        for row in self._select("order by seq"):
            if row.seq != seq + 1:
                return _broken(count, seq + 1, f"row {seq + 1} is missing")
            if row.previous != previous:
                return _broken(count, row.seq, f"row {row.seq} does not follow the row before it")
            if row.hash != row_hash(row):
                return _broken(count, row.seq, f"row {row.seq} was changed after it was written")
            if row.seq == kept_seq and row.hash != kept_hash:
                return _broken(
                    count, row.seq, f"row {row.seq} is not the one that was written: the chain was rewritten"
                )
            seq, previous, count = row.seq, row.hash, count + 1
        if kept_seq > seq:
            return _broken(count, seq + 1, f"rows {seq + 1} to {kept_seq} were cut off the end")
        return AuditReport(rows=count, holds=True, words=f"{count} rows, every hash fits; the last is {previous[:16]}")

    def _kept_head(self) -> tuple[int, str]:
        """What lies beside the file: (0, "") when there is nothing readable."""
        try:
            number, digest = self._head_path.read_text().split()
            return int(number), digest
        except (OSError, ValueError):
            return 0, ""


def _broken(rows: int, at: int, words: str) -> AuditReport:
    return AuditReport(rows=rows, holds=False, broken_at=at, words=f"{words}; the {rows} rows before it are intact")
