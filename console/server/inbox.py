"""What one console has not read yet: at most one change, however slow it reads."""

import asyncio
from collections.abc import AsyncGenerator

from console.domain.ports import Clock
from console.domain.wire import HEARTBEAT_S, Change, Event, Heartbeat
from console.engine.store import Store

RESYNC_AT = 256
"""Objects in a pending change from which on a snapshot may be the shorter way to say it."""

RESYNC_AFTER = 500
"""Changes that are merged for a console that does not read; after that merging is work for nobody."""


class Inbox:
    """One console's events. Changes that come while it does not read are merged into one.

    When even that one has grown to the size of the board, or has been merged for too long, it is dropped, and the
    console gets a new snapshot: a console that never reads costs no memory and no work.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._pending: Change | None = None
        self._merged = 0
        self._resync = True
        self._wake = asyncio.Event()
        self._closed = False
        self._sent_at = clock.monotonic()
        self._unlisten = store.listen(self._take)

    @property
    def pending(self) -> int:
        """How many objects wait to be read."""
        late = self._pending
        if late is None:
            return 0
        return sum(map(len, (late.readings, late.removed, late.alerts, late.overrides, late.receipts)))

    def close(self) -> None:
        """End the stream, after what has not been read yet; its reader is told by the end of it."""
        if not self._closed:
            self._closed = True
            self._unlisten()
            self._wake.set()

    async def events(self) -> AsyncGenerator[Event, None]:
        """A snapshot, then what changes, and a heartbeat when nothing did; ends when the inbox is closed."""
        beat = asyncio.create_task(self._beat(), name="heartbeat")
        try:
            self._wake.set()
            while True:
                await self._wake.wait()
                self._wake.clear()
                if self._closed and self._pending is None:
                    return
                event = self._next()
                self._sent_at = self._clock.monotonic()
                yield event
                if self._closed:
                    self._wake.set()
        finally:
            beat.cancel()
            self.close()

    def _take(self, change: Change) -> None:
        if self._resync:
            return
        self._pending = change if self._pending is None else self._pending.merge(change)
        self._merged += 1
        if self._merged > RESYNC_AFTER or self.pending > max(RESYNC_AT, len(self._store.board.readings)):
            self._pending, self._resync = None, True
        self._wake.set()

    def _next(self) -> Event:
        if self._resync:
            self._resync, self._merged = False, 0
            return self._store.snapshot()
        pending, self._pending, self._merged = self._pending, None, 0
        if pending is not None:
            return pending
        board = self._store.board
        return Heartbeat(seq=board.seq, at=self._clock.now(), observed=dict(board.observed))

    async def _beat(self) -> None:
        half = HEARTBEAT_S / 2
        while True:
            await self._clock.sleep(half)
            if self._clock.monotonic() - self._sent_at >= half * 0.99:
                self._wake.set()
