"""Moving messages from queue to queue by the broker's own shovels, batch after batch, until a count is reached.

Each batch is a shovel that moves an exact number of messages and takes itself away. That is as fast as one shovel for
everything, and safer. An engine that dies leaves no more than the rest of a batch to go on. Stopping between two
batches brings nothing twice, while taking away a shovel that is at work does (measured: a whole prefetch). A rate is
kept by the size of a batch. And a shovel that a worker has raced, which would swallow later messages, is noticed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from adapters.pace import Pace
from adapters.rabbitmq import shovels
from adapters.rabbitmq.alarms import Alarms
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import Counter
from adapters.rabbitmq.holding import existing, why_not_more
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.shovels import Shovels
from console.domain.actions import Progress
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

BATCH = 25_000
"""Messages a shovel moves where no rate is asked for: one to three seconds."""
LAST_BATCH = 100
"""Messages in the last batches while workers take messages too."""
FIRST_POLL_S = 0.03
LONGEST_POLL_S = 0.2
QUIET_S = 1.5
"""A source that is empty, and a target that does not grow for so long: nothing is on its way between them."""
UNLISTED_S = 10.0
"""A shovel that was asked for and does not run for so long is asked for again."""
BLOCKED_S = 10.0
"""Nothing moves although a shovel runs and messages wait: it is looked into why."""
_RATE_S = 5.0


class Counted(StrEnum):
    """Which queue tells how many were moved: one that nobody else touches."""

    TARGET = "target"
    """A holding queue is filled."""
    SOURCE = "source"
    """A holding queue is emptied, of what came into it later too."""
    BATCHES = "batches"
    """Neither: what is moved may come back at once (a dead letter that dies again), so that the batches are counted."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a move's step says; all of it lies in the audit log."""

    vhost: str
    source: str
    target: str
    shovel: str
    total: int
    """Messages to move."""
    base: int
    """Messages in the queue that is counted, before the first was moved."""
    counted: Counted = Counted.TARGET
    per_s: float | None = None
    """Messages a second at the most; None is as fast as it goes."""

    def moved(self, ready: int, arrived: int, given: int = 0) -> int:
        """How many were moved, when `ready` wait in the source, `arrived` in the target, and batches gave `given`."""
        match self.counted:
            case Counted.TARGET:
                return max(0, arrived - self.base)
            case Counted.SOURCE:
                return max(0, self.base - ready)
            case Counted.BATCHES:
                return given

    def left(self, ready: int, arrived: int, given: int = 0) -> int:
        """How many are still to be moved."""
        if self.counted is Counted.SOURCE:
            return max(0, ready - (self.base - self.total))
        return max(0, min(self.total - self.moved(ready, arrived, given), ready))

    def progress(self, ready: int, arrived: int, given: int = 0) -> tuple[int, int]:
        """(done, total): what is left between them is true, also where more came than was known of."""
        if self.counted is Counted.SOURCE:
            left = self.left(ready, arrived)
            total = max(self.total, left)
            return total - left, total
        return min(self.moved(ready, arrived, given), self.total), self.total

    @property
    def batch(self) -> int:
        """Messages in a batch."""
        return BATCH if self.per_s is None else max(1, min(BATCH, math.ceil(self.per_s)))


class Mover:
    """Carries one move."""

    def __init__(self, broker: Broker, move: Move, tell: Callable[[Progress], None]) -> None:
        self._broker = broker
        self._clock = broker.clock
        self._move = move
        self._tell = tell
        self._counter = Counter(broker, move.vhost)
        self._shovels = Shovels(broker, move.vhost)
        self._pace = Pace(broker.clock)
        self._alarms = Alarms(broker)
        self._raced = False
        self._given = 0
        self._before: int | None = None
        """How many were moved when this began."""

    async def carry(self) -> None:
        """Move until all is moved, or nothing is left to be moved.

        Raises:
            BackendError: the target takes no more, or what the calls met. An alarm of the broker ends nothing.
        """
        try:
            source = Place(self._move.vhost, self._move.source)
            await existing(self._broker, source)
            await self._watch()
            while left := await self._left():
                began, (ready, arrived) = self._clock.monotonic(), await self._count()
                count = await self._size(left, ready)
                if await self._shovels.asked_for(self._move.shovel) is not None:
                    await self._watch()  # another engine's: put again, it would bring what is unconfirmed twice
                    continue
                await self._shovels.put(self._move.shovel, shovels.batch(source, self._move.target, count))
                await self._watch()
                self._given += count
                await self._refuse_short(count, self._move.moved(ready, arrived))
                if self._raced and count >= ready:
                    return  # all that waited is gone, by us or by workers: what waits now came later
                await self._keep_rate(began, count)
        finally:
            await self._counter.close()

    async def count(self) -> Progress:
        """How far it has come.

        Raises:
            BackendError: it cannot be counted.
        """
        try:
            if self._counter.lag_s:
                await self._clock.sleep(self._counter.lag_s)
            ready, arrived = await self._count()
            done, total = self._move.progress(ready, arrived, max(0, self._move.base - ready))
            return Progress(done=done, total=total, words=self._words)
        finally:
            await self._counter.close()

    async def _count(self) -> tuple[int, int]:
        ready, arrived = await self._counter.ready(self._move.source, self._move.target)
        done, total = self._move.progress(ready, arrived, self._given)
        if self._move.counted is Counted.SOURCE:
            # A shovel holds a message beyond its batch, for a moment, and puts it back.
            self._before = done if self._before is None else self._before
            done = min(done, self._before + self._given)
        self._tell(self._pace.progress(done, total, self._words))
        return ready, arrived

    @property
    def _words(self) -> str:
        raced = "workers take messages too" if self._raced else ""
        alarms = f"{self._alarms.words}; the broker moves on by itself" if self._alarms.words else ""
        return "; ".join(part for part in (raced, alarms) if part)

    async def _left(self) -> int:
        """How many are to be moved; figures that lag are waited for before they count as the end."""
        left = self._move.left(*await self._count(), self._given)
        if not left or self._counter.lag_s:
            await self._clock.sleep(self._counter.lag_s)
            left = self._move.left(*await self._count(), self._given)
        return left

    async def _size(self, left: int, ready: int) -> int:
        """Messages for the next batch.

        A shovel whose messages are taken by workers waits for later ones, and would swallow them. So while workers
        are there batches shrink towards the end, and few are missing from the last.
        """
        count = min(self._move.batch, left)
        if self._move.counted is Counted.TARGET and await self._counter.raced(self._move.source):
            self._raced = True
            return min(count, max(LAST_BATCH, ready // 2))
        return count

    async def _watch(self) -> None:
        """Stay with the batch that is under way, if there is one, until its shovel has gone or was taken away."""
        name, poll = self._move.shovel, FIRST_POLL_S
        before, since, unlisted = (-1, -1), self._clock.monotonic(), self._clock.monotonic()
        while await self._shovels.asked_for(name) is not None:
            await self._alarms.look()
            counts, now = await self._count(), self._clock.monotonic()
            if counts != before:
                before, since = counts, now
            still = now - since
            if still >= UNLISTED_S / 2 and await self._shovels.state(name) == "running":
                unlisted = now
            if self._move.counted is Counted.TARGET and self._move.moved(*counts) > self._move.total:
                return await self._shovels.delete(name)  # a broker that comes back begins a batch anew
            if counts[0] == 0 and still >= QUIET_S + self._counter.lag_s:
                return await self._shovels.delete(name)
            if still >= UNLISTED_S and now - unlisted >= UNLISTED_S:
                return await self._shovels.delete(name)
            if counts[0] and still >= BLOCKED_S + self._counter.lag_s:
                await self._refuse_blocked()
            await self._clock.sleep(poll)
            poll = min(1.5 * poll, LONGEST_POLL_S)

    async def _refuse_short(self, count: int, before: int) -> None:
        """A shovel that was refused by a full queue ends as if it had moved everything.

        Raises:
            BackendError: FAILED, with what limits the target.
        """
        if self._move.counted is not Counted.TARGET:
            return
        ready, arrived = await self._count()
        if self._move.moved(ready, arrived) - before < count and ready and not self._counter.lag_s:
            await self._refuse_blocked()

    async def _refuse_blocked(self) -> None:
        """Say why the target takes nothing, when it says why.

        Raises:
            BackendError: FAILED: a limit of the target.
        """
        target = Place(self._move.vhost, self._move.target)
        if words := await why_not_more(self._broker, target):
            raise BackendError(
                ErrorKind.FAILED, f"{clean(self._move.target, 100)} takes no more: {words}",
                way_out="what was moved lies there; make room or lift the limit, then ask again",
            )  # fmt: skip

    async def _keep_rate(self, began: float, count: int) -> None:
        if self._move.per_s:
            rest = began + count / self._move.per_s - self._clock.monotonic()
            while rest > 0:
                await self._clock.sleep(min(rest, 1.0))
                await self._count()
                rest = began + count / self._move.per_s - self._clock.monotonic()
