"""Three clocks: the machine's, one that a test turns by hand, and one that whoever looks moves on."""

import asyncio
import heapq
import itertools
import time


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(max(0.0, seconds))


class SteppedClock:
    """A clock that whoever drives moves on; all others only read it, and nobody waits for it."""

    def __init__(self, start: float) -> None:
        self._start = self._now = start

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self._now - self._start

    def move_to(self, moment: float) -> None:
        """Go on to `moment` (unix seconds); never back."""
        self._now = max(self._now, moment)

    async def sleep(self, seconds: float) -> None:
        """Let others have their turn.

        Raises:
            RuntimeError: somebody wanted to wait on a clock that does not run by itself.
        """
        if seconds > 0:
            raise RuntimeError(f"something wants to sleep for {seconds:g} s on a clock that does not run by itself")
        await asyncio.sleep(0)


class ManualClock:
    """Time that stands still until `advance` is called; sleepers wake in the order of their times."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._start = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has passed this point."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, giving every sleeper its turn at its own time."""
        end = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            if not woken.done():
                woken.set_result(None)
            await self._settle()
        self._now = end
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
