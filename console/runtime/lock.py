"""One engine per environment: a lock on a file in its state folder, which the kernel gives back when a process ends."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """Who has the lock, as written into the file."""

    pid: int
    since: float
    """Unix seconds."""


class AlreadyRuns(Exception):
    """Another engine of the same environment runs; the text says its process and since when."""


class Lock:
    """Held from `__enter__` to `__exit__`, or to the end of the process, however it ends."""

    def __init__(self, path: Path, now: float) -> None:
        """`now` (unix seconds) is what a second engine will be told as the beginning."""
        self._path = path
        self._now = now
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            AlreadyRuns: somebody has it.
            OSError: the file cannot be made.
        """
        opened = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            raise AlreadyRuns(_words(self._path)) from None
        os.ftruncate(opened, 0)
        os.write(opened, msgspec.json.encode(Holder(os.getpid(), self._now)))
        self._file = opened
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _words(path: Path) -> str:
    try:
        holder = msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return f"another engine of this environment runs (it holds {path})"
    since = datetime.fromtimestamp(holder.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"another engine of this environment runs: pid {holder.pid}, since {since} (it holds {path})"
