"""The one thread that touches the journal's file, and the bounded queue before it.

Trouble with the file never reaches the engine: a corrupt file is set aside and a new one begun; a file that is
locked, or on a full or read-only disk, is tried again later while lines and alerts wait in memory and means are left
out. Each is said once, when it begins and when it ends.
"""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeVar

from console.config import Retention
from console.domain.alerts import Alert
from console.domain.incidents import Incident
from console.domain.ports import Clock
from console.domain.text import clean
from console.domain.wire import LogEntry
from console.engine.journal.file import JournalFile, Sample
from console.engine.journal.retention import upkeep
from console.engine.journal.schema import JournalTooNew, connect, set_aside

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCHES_WAITING = 20
"""Half minutes of means that may wait for the disk; after that the oldest are left out, and it is said."""
LINES_WAITING = 100_000
"""Timeline lines that may wait while the file cannot be written."""
RETRY_S = 10.0

_DONE = object()

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Writer(threading.Thread):
    """Takes work from the event loop without ever making it wait.

    `say` is called on this thread with one line about the journal itself.
    """

    def __init__(self, path: Path, clock: Clock, retention: Retention, say: Callable[[str], None]) -> None:
        super().__init__(name="journal", daemon=True)
        self._path = path
        self._clock = clock
        self._retention = retention
        self._say = say
        self._wake = threading.Condition()
        self._log: list[LogEntry] = []
        self._alerts: dict[str, Alert] = {}
        self._learnt: dict[str, tuple[str, float, bytes]] = {}
        self._incidents: dict[str, Incident] = {}
        self._samples: deque[tuple[float, Collection[Sample]]] = deque()
        self._asked: deque[Callable[[JournalFile | None], None]] = deque()
        self._upkeep_due = False
        self._closing = False
        self._left_out = 0
        self.refused: JournalTooNew | None = None
        """Set when the file is of a newer program: it is never touched again."""
        # from here on: this thread only
        self._file: JournalFile | None = None
        self._retry_at = 0.0
        self._in_trouble = False
        self._upkeep: Iterator[None] | None = None

    def put_log(self, entries: Sequence[LogEntry]) -> None:
        """Keep timeline lines; never left out."""
        with self._wake:
            self._log.extend(entries)
            if len(self._log) > LINES_WAITING:
                del self._log[:-LINES_WAITING]
            self._wake.notify()

    def put_alerts(self, alerts: Sequence[Alert]) -> None:
        """Keep alerts, only the newest state of each."""
        with self._wake:
            self._alerts.update({alert.id: alert for alert in alerts})
            self._wake.notify()

    def put_learnt(self, name: str, body: bytes) -> None:
        """Keep what a detector has learnt, in place of what it had before."""
        with self._wake:
            self._learnt[name] = (name, self._clock.now(), body)
            self._wake.notify()

    def put_incidents(self, incidents: Sequence[Incident]) -> None:
        """Keep incidents, only the newest state of each."""
        with self._wake:
            self._incidents.update({one.id: one for one in incidents})
            self._wake.notify()

    def put_samples(self, start: float, rows: Collection[Sample]) -> None:
        """Keep half a minute's means, unless too much waits already: then the oldest are left out."""
        with self._wake:
            self._samples.append((start, rows))
            first = self._left_out == 0
            if len(self._samples) > BATCHES_WAITING:
                self._left_out += len(self._samples.popleft()[1])
            if first and self._left_out:
                self._say("the journal cannot keep up with the means; the oldest are being left out")
            self._wake.notify()

    def maintain(self) -> None:
        """Do a round of upkeep when there is nothing else to do."""
        with self._wake:
            self._upkeep_due = True
            self._wake.notify()

    def ask(self, question: Callable[[JournalFile], T], otherwise: Callable[[], T]) -> "Future[T]":
        """Read from the file, after everything that was put before; `otherwise` answers while it cannot be used."""
        future: Future[T] = Future()

        def answer(file: JournalFile | None) -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(otherwise() if file is None else question(file))
            except sqlite3.Error:
                future.set_result(otherwise())
                raise
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                future.set_exception(error)

        with self._wake:
            if self._closing:
                answer(None)
            else:
                self._asked.append(answer)
                self._wake.notify()
        return future

    def close(self) -> None:
        """Write what waits, then end; `join` waits for it."""
        with self._wake:
            self._closing = True
            self._wake.notify()

    def run(self) -> None:
        """The thread's life."""
        while True:
            with self._wake:
                while not self._has_work():
                    self._wake.wait()
                closing = self._closing
            try:
                self._round(last=closing)
            except Exception:  # a fault of ours must not end the journal for the engine's whole life
                log.exception("journal %s", self._path)
            if closing:
                if self._file is not None:
                    self._file.close()
                return

    def _has_work(self) -> bool:
        if self._closing or self._asked or self._upkeep_due or self._upkeep is not None:
            return True
        return bool(self._log or self._alerts or self._samples or self._learnt or self._incidents) and self._may_try()

    def _may_try(self) -> bool:
        return self._file is not None or self._clock.monotonic() >= self._retry_at

    def _round(self, *, last: bool) -> None:
        if last:
            self._retry_at = 0.0
        with self._wake:  # taken before the write, so that an answer holds all that was put before its question
            asked, self._asked = self._asked, deque()
        for _ in range(2):  # once more with a new file when the first one had to be set aside
            if self._guarded(self._open_and_write):
                break
        for answer in asked:
            self._guarded(partial(answer, self._file))
        if self._file is None or last:
            self._upkeep, self._upkeep_due = None, False
        else:
            self._guarded(self._keep_up)

    def _guarded(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except (sqlite3.Error, OSError) as error:
            self._trouble(error)
            return False
        return True

    def _open_and_write(self) -> None:
        if self._file is None:
            if self.refused is not None or self._clock.monotonic() < self._retry_at:
                return
            try:
                self._file = JournalFile(connect(self._path))
            except JournalTooNew as error:
                self.refused = error
                return
        self._write(self._file)
        if self._in_trouble:
            self._in_trouble = False
            self._say("the journal can be written again")

    def _write(self, file: JournalFile) -> None:
        with self._wake:
            entries, alerts, samples, left_out = self._log, self._alerts, self._samples, self._left_out
            learnt, self._learnt = self._learnt, {}
            incidents, self._incidents = self._incidents, {}
            self._log, self._alerts, self._samples, self._left_out = [], {}, deque(), 0
        try:
            if entries or alerts or samples or learnt or incidents:
                file.write(entries, alerts.values(), samples, learnt.values(), incidents.values())
        except (sqlite3.Error, OSError):
            with self._wake:
                self._log = entries + self._log
                self._alerts = {**alerts, **self._alerts}
                self._learnt = {**learnt, **self._learnt}
                self._incidents = {**incidents, **self._incidents}
                self._samples.extendleft(reversed(samples))
                self._left_out += left_out
            raise
        except Exception as error:  # something in it can never be written: trying again would stop all else
            log.exception("journal %s: %d lines and %d slots are lost", self._path, len(entries), len(samples))
            self._say(clean(f"the journal lost {len(entries)} lines that cannot be written ({type(error).__name__})"))
        if left_out:
            self._say(f"the journal left out {left_out} means, because its disk could not keep up")

    def _keep_up(self) -> None:
        """One step of upkeep."""
        if self._upkeep_due and self._upkeep is None and self._file is not None:
            self._upkeep_due = False
            self._upkeep = upkeep(self._file.connection, self._retention, self._clock.now())
        if self._upkeep is not None and next(self._upkeep, _DONE) is _DONE:
            self._upkeep = None

    def _trouble(self, error: Exception) -> None:
        log.warning("journal %s: %s", self._path, error)
        if self._file is not None:
            self._file.close()
            self._file = None
        self._upkeep = None
        why = clean(f"{type(error).__name__}: {error}")
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _CORRUPT:
            try:
                aside = set_aside(self._path, self._clock.now())
            except OSError as also:
                why = clean(f"{why}; it could not be set aside: {also}")
            else:
                self._say(f"the journal was corrupt ({why}); it was set aside as {aside}, and a new one begins")
                return
        self._retry_at = self._clock.monotonic() + RETRY_S
        if not self._in_trouble:
            self._in_trouble = True
            self._say(
                f"the journal {self._path} cannot be written ({why}); the engine goes on in memory and tries again "
                f"every {RETRY_S:.0f} s; free the disk or the lock"
            )
