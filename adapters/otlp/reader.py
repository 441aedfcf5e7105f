"""Reading the store, on a thread of its own: it is only ever opened for reading, and no question lasts for ever."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from console.domain.errors import BackendError, ErrorKind

T = TypeVar("T")

STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock: less than a millisecond."""
WAY_OUT = "start `switchgear collect`, or name its --file in the source's option `file`"


class Reader:
    """Asks the file; it is opened when it is first needed, and again when another one has taken its place."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        """`timeout_s`: real seconds that one question may take; a disk knows no other time."""
        self.path = path
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spans")
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        self._closed = threading.Event()

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer of `question`, which is called on the reader's thread.

        Raises:
            BackendError: UNREACHABLE without a file, TIMEOUT, UNSUPPORTED for a file of another version, MALFORMED
                or FAILED for what SQLite says.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question)

    async def close(self) -> None:
        """End the thread; a question that is being answered is broken off."""
        if not self._closed.is_set():
            self._closed.set()
            await asyncio.to_thread(self._thread.shutdown)
            if self._connection is not None:
                self._connection.close()

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        end = time.monotonic() + self._timeout_s
        try:
            connection = self._open()
            connection.set_progress_handler(lambda: self._closed.is_set() or time.monotonic() > end, STEPS)
            return question(connection)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _open(self) -> sqlite3.Connection:
        try:
            found = self.path.stat()
        except OSError as error:
            raise BackendError(
                ErrorKind.UNREACHABLE, f"there are no spans: {error.strerror}", where=str(self.path), way_out=WAY_OUT
            ) from error
        place = (found.st_dev, found.st_ino)
        if self._connection is not None and place != self._opened:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            # URI characters of the path must not become parameters.
            self._connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
            self._connection.execute("PRAGMA query_only=ON")
            self._connection.execute("PRAGMA cache_size=-16000")
            self._opened = place
        return self._connection

    def _translated(self, error: sqlite3.Error) -> BackendError:
        where, code = str(self.path), getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            return BackendError(ErrorKind.TIMEOUT, f"no answer within {self._timeout_s:g} s", where=where)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return BackendError(
                ErrorKind.MALFORMED,
                f"the file is broken: {error}",
                where=where,
                way_out="move it away and collect anew",
            )
        if "no such table" in str(error) or "no such column" in str(error):
            return BackendError(
                ErrorKind.UNSUPPORTED, f"the file has another form: {error}", where=where, way_out=WAY_OUT
            )
        return BackendError(ErrorKind.FAILED, f"the file cannot be read: {error}", where=where)
