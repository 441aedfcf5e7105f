"""The journal as the event loop sees it: puts that never wait, questions that are awaited."""

import asyncio
from collections.abc import Collection
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from console.config import Retention
from console.domain.alerts import Alert
from console.domain.incidents import Incident
from console.domain.ports import Clock
from console.domain.wire import Change, History, HistoryQuery, LogEntry, LogKind, LogQuery
from console.engine.journal.file import Sample
from console.engine.journal.writer import Writer
from console.engine.slots import Slots
from console.engine.store import Store

T = TypeVar("T")

ANSWER_S = 10.0
"""How long an answer from the disk may take. Real seconds, on no injected clock: a disk knows no other time."""
UPKEEP_S = 300.0
LINES_KEPT = 1000
"""Timeline lines in memory, to answer from while the file cannot be read."""


class Journal:
    """Means, timeline and alerts in one SQLite file.

    Only `open` can fail. Whatever happens to the file later is said on the timeline, and the engine goes on.
    """

    def __init__(self, path: Path, clock: Clock, retention: Retention) -> None:
        self._path = path
        self._clock = clock
        self._writer = Writer(path, clock, retention, self._said)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._store: Store | None = None
        self._unsaid: list[str] = []
        self._recent: list[LogEntry] = []
        self._next_log_id = 1
        self._upkeep_at = 0.0
        self.asking = 0
        """Questions to the file that are not answered yet."""

    async def open(self) -> None:
        """Open or make the file. One that is corrupt or locked is no error here: it is said once a store listens.

        Raises:
            JournalTooNew: the file was written by a newer program.
        """
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        # Without the file nobody knows the last number; a thousand for every second since 1970 is beyond it.
        beyond = int(self._clock.now()) * 1000
        self._next_log_id = await self._ask(
            self._writer.ask(lambda file: file.last_log_id() + 1, lambda: beyond), beyond
        )
        if self._writer.refused is not None:
            await self.close()
            raise self._writer.refused

    async def close(self) -> None:
        """Write what waits and close the file; gives a hanging disk ten seconds."""
        self._writer.close()
        if self._writer.is_alive():
            await asyncio.to_thread(self._writer.join, ANSWER_S)

    def next_log_id(self) -> int:
        """The number that the first timeline line of this run must have."""
        return self._next_log_id

    def listen(self, store: Store) -> None:
        """Keep every line and alert that reaches the store, and say there what befalls the journal."""
        self._store = store
        store.listen(self._hear)
        unsaid, self._unsaid = self._unsaid, []
        for words in unsaid:
            store.say(LogKind.ENGINE, words)

    def keep(self, start: float, rows: Collection[Sample]) -> None:
        """Keep the means of the half minute that began at `start` (unix seconds)."""
        self._writer.put_samples(start, rows)

    def tick(self) -> None:
        """Begin a round of upkeep when one is due; call it every few seconds."""
        now = self._clock.monotonic()
        if now >= self._upkeep_at:
            self._upkeep_at = now + UPKEEP_S
            self._writer.maintain()

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        """A page of the timeline, newest first; from memory while the file cannot be read."""

        def remembered() -> tuple[LogEntry, ...]:
            before = query.before_id if query.before_id is not None else 2**62
            fit = [e for e in self._recent if e.id < before and query.ref in (None, e.ref)]
            return tuple(fit[::-1][: max(0, query.limit)])

        return await self._ask(self._writer.ask(lambda file: file.log(query), remembered), remembered())

    async def history(self, query: HistoryQuery) -> History:
        """The past of one object as far as it was written; empty while the file cannot be read."""
        now = self._clock.now()
        nothing = Slots.of(query, now).history(query.ref)
        return await self._ask(self._writer.ask(lambda file: file.history(query, now), lambda: nothing), nothing)

    async def alerts(self) -> tuple[Alert, ...]:
        """The alerts that were not resolved when the last engine stopped."""
        return await self._ask(self._writer.ask(lambda file: file.open_alerts(), tuple), ())

    async def incidents(self) -> tuple[tuple[Incident, ...], tuple[Alert, ...]]:
        """The incidents that were not over when the last engine stopped, and all alerts of theirs."""
        return await self._ask(self._writer.ask(lambda file: file.open_incidents(), lambda: ((), ())), ((), ()))

    def keep_learnt(self, name: str, body: bytes) -> None:
        """Keep what the detector `name` has learnt, in place of what it had before."""
        self._writer.put_learnt(name, body)

    async def learnt(self) -> dict[str, bytes]:
        """What each detector of the last engine had learnt, by its name."""
        return await self._ask(self._writer.ask(lambda file: file.learnt(), dict), {})

    async def _ask(self, answer: "Future[T]", otherwise: T) -> T:
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the answer.
        self.asking += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            return otherwise
        finally:
            self.asking -= 1

    def _hear(self, change: Change) -> None:
        if change.log:
            self._recent = (self._recent + list(change.log))[-LINES_KEPT:]
            self._writer.put_log(change.log)
        if change.alerts:
            self._writer.put_alerts(change.alerts)
        if change.incidents:
            self._writer.put_incidents(change.incidents)

    def _said(self, words: str) -> None:
        """From any thread: one line about the journal."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._say, words)

    def _say(self, words: str) -> None:
        if self._store is None:
            self._unsaid.append(words)
        else:
            self._store.say(LogKind.ENGINE, words)
