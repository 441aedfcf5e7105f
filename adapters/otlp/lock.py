"""One collector for one file: a lock that the kernel gives back however the collector ends, and that others can see."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from console.domain.errors import ConfigError

_TRIES = 5
"""A reader that looks whether somebody has the lock holds it for an instant itself."""


def lock_path(store: Path) -> Path:
    """Where the lock of a store lies."""
    return store.with_name(f"{store.name}.lock")


def collector_runs(store: Path) -> bool:
    """Whether a collector writes to this store now."""
    try:
        opened = os.open(lock_path(store), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(opened)
    return False


class CollectorLock:
    """Held from `__enter__` to `__exit__`, or to the end of the process."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._opened: int | None = None

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            ConfigError: another collector writes to the store.
            OSError: it cannot be made.
        """
        opened = os.open(lock_path(self._store), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for attempt in range(_TRIES):
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt < _TRIES - 1:
                    time.sleep(0.02)
            else:
                self._opened = opened
                return self
        os.close(opened)
        raise ConfigError(f"another collector writes to {self._store}; stop it, or name another --file")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None
