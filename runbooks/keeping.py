"""Runs and their evidence on disk: a row is there, whatever happens to the machine, when `save` returns.

One SQLite file in the state directory (`runs.sqlite`, mode 0600, WAL, synchronous=FULL). One thread owns it; the event
loop never waits for the disk. A run's row holds its session and the text of the runbook as it was when the run began.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from console.domain.runbooks import Evidence, EvidenceQuery
from console.domain.text import clean
from runbooks.session import Session

if TYPE_CHECKING:
    from sqlite_utils import Database

T = TypeVar("T")

VERSION = 1
"""Of the file's shape (`pragma user_version`)."""
LAST_S = 60
"""Runs that ended so many seconds before the last one to end are among the last: their engine may have ended then."""
LOST = "lost"
"""When a piece of evidence was taken that cannot be read back."""
EVIDENCE_MOST = 1000
"""Pieces of evidence that one answer holds."""

_SCHEMA = (
    """create table runs (
        id text primary key, request text not null, uid integer not null, is_over integer not null,
        ended_at real, session text not null, book text not null, path text not null)""",
    "create index runs_open on runs (is_over, ended_at)",
    "create unique index runs_request on runs (uid, request) where request <> ''",
    """create table evidence (
        id integer primary key, run text not null, step text not null, at real not null, body text not null)""",
    "create index evidence_run on evidence (run, step, id)",
    f"pragma user_version = {VERSION}",
)
_EVIDENCE = (
    "select id, at, cast(step as blob), cast(body as blob) from evidence "
    "where run = ? and (step = ? or ? = '') order by id limit ?"
)


class KeepingError(Exception):
    """The file cannot be opened, read or written; the text says which, why, and the way out."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One run as it was read back."""

    session: Session
    book: str
    """The runbook's text as it was when the run began."""
    path: str
    """The file that it came from; a shipped one's name."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One run whose row cannot be read back."""

    run: str
    uid: int
    """Who asked for it."""
    path: str
    ended_at: float | None
    """Unix seconds when it was given up; None: not yet."""
    why: str

    @property
    def words(self) -> str:
        """What is said of it: which run, why, and what there is to do."""
        run, book = clean(self.run, 60), clean(Path(self.path).stem, 60)
        return (
            f"run {run} of {book} cannot be read back ({clean(self.why, 120)}) and is over: what it did stands, "
            f"`switchgear audit --action {run}` lists it; begin it anew"
        )


class Keeping:
    """The runs of one environment. One process writes it at a time (the engine's lock sees to that)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="runs")
        self._db: Database | None = None

    async def open(self) -> None:
        """Open or make the file.

        Raises:
            KeepingError: it cannot be made, or is newer than this program.
        """
        await self._call(self._open)

    async def close(self) -> None:
        """Finish what was asked for and close the file; a second call does nothing."""
        if self._db is not None:
            await self._call(self._close)
        self._thread.shutdown(wait=False)

    async def begin(self, session: Session, uid: int, book: str, path: str) -> None:
        """Put a new run on disk; `uid` is who asked for it.

        Raises:
            KeepingError: it could not be written, or the account has begun one under the same request.
        """
        run = session.run
        row = (run.id, session.request, uid, run.state.over, run.ended_at, _text(session), book, path)
        await self._call(lambda: self._write("insert into runs values (?,?,?,?,?,?,?,?)", row, ()))

    async def save(self, session: Session, evidence: Sequence[Evidence] = ()) -> None:
        """Put how a run stands now on disk, with the evidence that belongs to it: both or neither.

        Raises:
            KeepingError: it could not be written; nothing was.
        """
        run = session.run
        row = (run.state.over, run.ended_at, _text(session), run.id)
        sql = "update runs set is_over = ?, ended_at = ?, session = ? where id = ?"
        await self._call(lambda: self._write(sql, row, evidence))

    async def at_start(self, since: float) -> tuple[Kept | Unreadable, ...]:
        """What an engine before left: runs that are not over, and those that ended after `since` (unix seconds) or
        were among the last to end; the oldest first. One that cannot be read keeps no other from being read.

        Raises:
            KeepingError: none can be read.
        """
        where = "is_over = 0 or ended_at > ? or ended_at > (select max(ended_at) from runs) - ? order by rowid"
        return await self._call(lambda: self._select(where, (since, LAST_S)))

    async def page(self, since: float, limit: int) -> tuple[tuple[Kept | Unreadable, ...], int]:
        """The newest of the runs that are not over and of those that ended after `since` (unix seconds), the oldest
        first; and how many more are kept.

        Raises:
            KeepingError: they cannot be read.
        """
        return await self._call(lambda: self._page(since, limit))

    async def give_up(self, run_id: str, at: float) -> None:
        """A run that cannot be read is over; its row stays as it is, for whoever can read it.

        Raises:
            KeepingError: it could not be written.
        """
        row = (at, run_id)
        sql = "update runs set is_over = 1, ended_at = ? where id = ? and is_over = 0"
        await self._call(lambda: self._write(sql, row, ()))

    async def forget(self, ended_before: float, dry_before: float) -> None:
        """Delete runs that ended before a moment (unix seconds), dry ones before another, with their evidence.

        Raises:
            KeepingError: it could not be written.
        """
        await self._call(lambda: self._forget((ended_before, dry_before)))

    async def find(self, run_id: str) -> Kept | None:
        """One run, however old.

        Raises:
            KeepingError: it cannot be read.
        """
        return await self._one("id = ?", (run_id,))

    async def requested(self, request: str, uid: int) -> Kept | None:
        """The run that an account has begun under this request.

        Raises:
            KeepingError: it cannot be read.
        """
        if not request:
            return None
        return await self._one("request = ? and uid = ?", (request, uid))

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        """What was kept of a run or of one of its steps, oldest first.

        Raises:
            KeepingError: it cannot be read.
        """
        return await self._call(lambda: tuple(one for _, one in self._evidence(query.run, query.step)))

    async def add_picture(self, run_id: str, step: str, svg: str) -> bool:
        """Put a picture with the newest evidence of a step; False when there is none.

        Raises:
            KeepingError: it could not be written.
        """
        return await self._call(lambda: self._add_picture(run_id, step, svg))

    async def _one(self, where: str, parameters: Sequence[object]) -> Kept | None:
        found = await self._call(lambda: self._select(where, parameters))
        if found and isinstance(found[0], Unreadable):
            raise KeepingError(found[0].words)
        return found[0] if found and isinstance(found[0], Kept) else None

    async def _call(self, work: Callable[[], T]) -> T:
        """Run `work` on the file's thread. A caller that is cancelled stops waiting; the write itself goes on."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._safely, work)
        except RuntimeError as error:
            raise KeepingError(f"runs {self._path}: it is closed") from error

    def _safely(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (sqlite3.Error, OSError) as error:
            way_out = "check free space and the owner of the file; no step is done without its row"
            raise KeepingError(f"runs {self._path}: {error}: {way_out}") from error

    def _open(self) -> None:
        from sqlite_utils import Database

        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=5.0, check_same_thread=False)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        (version,) = connection.execute("pragma user_version").fetchone()
        if version > VERSION:
            connection.close()
            raise OSError("it was written by a newer switchgear; update, or move the file away")
        if version == 0:
            connection.execute("begin immediate")
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("commit")
        self._db = Database(connection)

    def _close(self) -> None:
        if self._db is not None:
            self._db.conn.close()
            self._db = None

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            raise OSError("it is not open")
        connection: sqlite3.Connection = self._db.conn
        return connection

    def _write(self, sql: str, row: Sequence[object], evidence: Sequence[Evidence]) -> None:
        connection = self._connection()
        connection.execute("begin immediate")
        try:
            connection.execute(sql, row)
            connection.executemany(
                "insert into evidence (run, step, at, body) values (?,?,?,?)",
                [(one.run, one.step, one.at, _text(one)) for one in evidence],
            )
            connection.execute("commit")
        except BaseException:
            connection.rollback()
            raise

    def _forget(self, moments: tuple[float, float]) -> None:
        dry = "case when json_valid(session) then json_extract(session, '$.run.dry') end"
        gone = f"is_over and (ended_at < ? or ({dry} and ended_at < ?))"
        connection = self._connection()
        connection.execute("begin immediate")
        try:
            connection.execute(f"delete from evidence where run in (select id from runs where {gone})", moments)  # noqa: S608  no user's text
            connection.execute(f"delete from runs where {gone}", moments)  # noqa: S608  no user's text
            connection.execute("commit")
        except BaseException:
            connection.rollback()
            raise

    def _select(self, where: str, parameters: Sequence[object]) -> tuple[Kept | Unreadable, ...]:
        """As bytes: a text that is none would end the whole answer."""
        columns = ", ".join(f"cast({name} as blob)" for name in ("id", "path", "session", "book"))
        sql = f"select uid, ended_at, {columns} from runs where {where}"  # noqa: S608  `where` is this module's own text
        return tuple(_kept(*row) for row in self._connection().execute(sql, tuple(parameters)))

    def _page(self, since: float, limit: int) -> tuple[tuple[Kept | Unreadable, ...], int]:
        where = "is_over = 0 or ended_at > ? order by rowid desc limit ?"
        found = self._select(where, (since, limit))[::-1]
        (there,) = self._connection().execute("select count(*) from runs").fetchone()
        return found, there - len(found)

    def _evidence(self, run_id: str, step: str) -> list[tuple[int, Evidence]]:
        rows = self._connection().execute(_EVIDENCE, (run_id, step, step, EVIDENCE_MOST))
        return [(number, _piece(run_id, at, where, body)) for number, at, where, body in rows]

    def _add_picture(self, run_id: str, step: str, svg: str) -> bool:
        found = self._evidence(run_id, step)
        if not found or found[-1][1].when == LOST:
            return False
        number, newest = found[-1]
        row = (_text(msgspec.structs.replace(newest, picture=svg)), number)
        self._write("update evidence set body = ? where id = ?", row, ())
        return True


def _kept(
    uid: object, ended_at: float | None, run_id: bytes, path: bytes, session: bytes, book: bytes
) -> Kept | Unreadable:
    """A row of the file, or why it is none."""
    try:
        return Kept(msgspec.json.decode(session, type=Session), book.decode(), path.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, AttributeError, TypeError, RecursionError) as error:
        name, file = (str(one or b"", errors="replace") for one in (run_id, path))
        return Unreadable(name, uid if isinstance(uid, int) else -1, file, ended_at, str(error))


def _piece(run_id: str, at: float, step: bytes, body: bytes) -> Evidence:
    """A piece of evidence; one that cannot be read back says so."""
    try:
        return msgspec.json.decode(body, type=Evidence)
    except (msgspec.DecodeError, TypeError) as error:
        words = f"what was kept here cannot be read back: {clean(str(error), 120)}"
        return Evidence(run=run_id, step=str(step, errors="replace"), at=at, when=LOST, alerts=(words,))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
