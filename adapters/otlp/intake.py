"""Between the network and the disk: a queue bounded by bytes, and the one thread that unpacks, reads and writes.

Whatever waits is written in one transaction, so the more comes, the fewer times the disk is waited for. A sender is
answered after that transaction is on disk, and not before.
"""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.otel import Aliases, Arrival, Limits, MalformedOtlp, Normalised, TooLarge
from adapters.otlp.catching_up import CatchingUp
from adapters.otlp.http_forms import Body, normalise
from adapters.otlp.keeping import Keeper
from adapters.otlp.redaction import Redaction, Rule
from adapters.otlp.retention import Retention, Upkeep
from adapters.otlp.schema import connect
from adapters.spans.row import by_trace
from console.domain.errors import ConfigError
from console.domain.text import clean

log = logging.getLogger(__name__)

GROUP_BYTES = 8 * 2**20
"""Bodies that are written together, as they came, are at most this long together (or one that is longer)."""
SPANS_AT_ONCE = 20_000
"""About as many spans are written in one transaction; they take 50 MB of memory."""
UPKEEP_EVERY_S = 5.0

_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL)
"""Troubles in which the open file itself is well."""


class Unavailable(Exception):
    """Nothing can be kept now; the text says why. The sender may try again."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is taken."""

    body: int = 16 * 2**20
    """Bytes of one body as it comes."""
    unpacked: int = 64 * 2**20
    """Bytes of one body, unpacked."""
    queue: int = 64 * 2**20
    """Bytes of all bodies that are being received or wait to be written."""


Answer = asyncio.Future[Normalised]


class Intake(threading.Thread):
    """Owns the file. Everything but `run` is called from the event loop."""

    def __init__(
        self,
        path: Path,
        retention: Retention,
        now: Callable[[], float],
        *,
        aliases: Aliases | None = None,
        limits: Limits | None = None,
        bounds: Bounds | None = None,
        rules: Sequence[Rule] = (),
    ) -> None:
        """Open the file; `now` is unix seconds. Nothing of what the `rules` match is kept.

        Raises:
            ConfigError: the file was written by a newer program.
            sqlite3.Error: it cannot be used.
            OSError: it cannot be made.
        """
        super().__init__(name="spans", daemon=True)
        self.bounds = bounds or Bounds()
        self._path = path
        self._retention = retention
        self._now = now
        self._aliases = aliases or Aliases.of()
        self.limits = limits or Limits()
        self._screen = Redaction(rules, self.limits) if rules else None
        self._held = 0
        self._wake = threading.Condition()
        self._waiting: deque[tuple[Body, Answer]] = deque()
        self._closing = False
        # from here on: this thread only
        self._in_trouble = False
        self._upkeep_at = 0.0
        self._open()

    def reserve(self, size: int) -> bool:
        """Make room for `size` bytes, which `release` gives back; False when there is none."""
        if self._held + size > self.bounds.queue:
            return False
        self._held += size
        return True

    def release(self, size: int) -> None:
        """Give room back."""
        self._held -= size

    async def keep(self, body: Body) -> Normalised:
        """Wait until the spans of a body are on disk.

        Raises:
            MalformedOtlp, TooLarge: it is no body that can be kept.
            Unavailable: the disk cannot.
        """
        answer: Answer = asyncio.get_running_loop().create_future()
        with self._wake:
            if self._closing:
                raise Unavailable("the collector is ending")
            self._waiting.append((body, answer))
            self._wake.notify()
        return await answer

    def close(self) -> None:
        """Write what waits, then end; `join` waits for it."""
        with self._wake:
            self._closing = True
            self._wake.notify()

    def run(self) -> None:
        """The thread's life."""
        idle_s = 0.0
        while True:
            with self._wake:
                if not self._waiting and not self._closing:
                    self._wake.wait(idle_s)
                group = self._take()
                closing = self._closing and not group
            if group:
                self._guarded(group)
            if closing:
                self._close()
                return
            idle_s = self._upkeep()

    def _take(self) -> list[tuple[Body, Answer]]:
        group: list[tuple[Body, Answer]] = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0][0].data) <= GROUP_BYTES):
            one = self._waiting.popleft()
            size += len(one[0].data)
            group.append(one)
        return group

    def _guarded(self, group: list[tuple[Body, Answer]]) -> None:
        """Keep a group and answer everyone in it, whatever happens."""
        results: list[tuple[Answer, Normalised | Exception]] = []
        try:
            results = self._keep(group)
        except (sqlite3.Error, OSError, ConfigError) as error:
            self._trouble(error)
            words = Unavailable(clean(f"the spans cannot be written: {error}"))
            results = [(answer, words) for _, answer in group]
        except Exception:  # a fault of ours must not end the collector, and only the body that met it is refused
            if len(group) > 1:
                for one in group:
                    self._guarded([one])
                return
            log.exception("a body cannot be kept")
            results = [(group[0][1], MalformedOtlp("the collector cannot keep this body; its log has the details"))]
        _tell(results)

    def _keep(self, group: list[tuple[Body, Answer]]) -> list[tuple[Answer, Normalised | Exception]]:
        results: list[tuple[Answer, Normalised | Exception]] = []
        arrivals: list[Arrival] = []
        rejected = 0
        for body, answer in group:
            try:
                limits = self._screen.wide if self._screen else self.limits
                found = normalise(body, self._aliases, limits, self.bounds.unpacked, self._screen)
            except (MalformedOtlp, TooLarge) as error:
                results.append((answer, error))
            else:
                arrivals += found.arrivals
                rejected += found.rejected
                results.append((answer, found))
            if len(arrivals) >= SPANS_AT_ONCE:
                self._write(arrivals, rejected)
                arrivals, rejected = [], 0
        if arrivals or rejected:
            self._write(arrivals, rejected)
        return results

    def _write(self, arrivals: list[Arrival], rejected: int) -> None:
        keeper = self._keeper or self._open()
        keeper.write(by_trace(arrivals), int(self._now() * 1e9), rejected)
        if self._in_trouble:
            self._in_trouble = False
            log.warning("%s can be written again", self._path)

    def _open(self) -> Keeper:
        connection = connect(self._path)
        self._keeper: Keeper | None = Keeper(connection)
        self._chores = Upkeep(connection, self._retention)
        self._behind = CatchingUp(connection, self._aliases)
        found = self._path.stat()
        self._place = (found.st_dev, found.st_ino)
        return self._keeper

    def _trouble(self, error: Exception) -> None:
        """Say it once, and have the file opened anew when it may be the file."""
        if not self._in_trouble:
            self._in_trouble = True
            log.warning("%s cannot be written, senders are asked to try again: %s", self._path, error)
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
            self._close()

    def _close(self) -> None:
        if self._keeper is None:
            return
        keeper, self._keeper = self._keeper, None
        try:
            keeper.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            log.warning("%s: %s", self._path, error)
        keeper.connection.close()

    def _upkeep(self) -> float:
        """One step of upkeep when one is due; returns how many seconds nothing is to be done."""
        due = self._upkeep_at - self._now()
        if due > 0 or self._keeper is None:
            return min(max(due, 0.1), UPKEEP_EVERY_S)
        try:
            if not self._in_place():
                log.warning("%s was taken away; a new one begins", self._path)
                self._close()
                self._open()
            elif upto := self._chores.step(self._now()):
                self._keeper.forget(upto)
                return 0.0
            elif self._behind.step():
                return 0.0
        except (sqlite3.Error, OSError, ConfigError) as error:
            self._trouble(error)
        self._upkeep_at = self._now() + UPKEEP_EVERY_S
        return UPKEEP_EVERY_S

    def _in_place(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self._place


def _tell(results: list[tuple[Answer, Normalised | Exception]]) -> None:
    """Answer everyone in one visit to the event loop."""

    def answer() -> None:
        for future, result in results:
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    if results:
        results[0][0].get_loop().call_soon_threadsafe(answer)
