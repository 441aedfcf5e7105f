"""An event loop whose time does not pass: it goes on to the next timer as soon as there is nothing else to do.

A whole engine lives on it, its timeouts included, and an hour takes a second. Work on threads (the audit log's, the
journal's) is waited for: while any is under way, no time passes.
"""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")

GRAIN_S = 5.0
PATIENCE_S = 0.05
"""Real seconds between two looks whether the threads are done."""


class _Skipping(selectors.SelectSelector):
    """Asks the loop whether time may be skipped before it waits."""

    loop: "HurriedLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; nothing is, and `timeout` seconds are over, when all that is left to do is to wait."""
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None or self.loop.busy():
            return super().select(PATIENCE_S)
        self.loop.skip(timeout)
        return []


class HurriedLoop(asyncio.SelectorEventLoop):
    """See the module. `also_busy` says whether anything that the loop does not know of is under way elsewhere."""

    def __init__(self) -> None:
        self._elsewhere = 0
        self._time = 0.0
        self.also_busy: Callable[[], bool] = lambda: True
        """Until it is told otherwise it waits: nobody knows yet who else is at work."""
        selector = _Skipping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds that were skipped so far."""
        return self._time

    def skip(self, seconds: float) -> None:
        """Let time pass."""
        self._time += seconds

    def busy(self) -> bool:
        """Whether anything is under way on another thread."""
        return self._elsewhere > 0 or self.also_busy()

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """As ever, and counted."""
        self._elsewhere += 1
        found = super().run_in_executor(executor, func, *args)
        found.add_done_callback(self._back)
        return found

    def _back(self, _: "asyncio.Future[Any]", context: Context | None = None) -> None:
        self._elsewhere -= 1


class HurriedClock:
    """The loop's time, from a moment on.

    Whoever sleeps wakes on a grid of `grain_s`: what an engine looks at every second it looks at less often here.
    """

    def __init__(self, start: float, loop: HurriedLoop, grain_s: float = GRAIN_S) -> None:
        self._start = start
        self._loop = loop
        self._grain_s = grain_s

    def now(self) -> float:
        """Unix seconds."""
        return self._start + self._loop.time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        """Wait; to the next point of the grid at least, unless it is for nothing."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        now = self._loop.time()
        await asyncio.sleep(math.ceil((now + seconds) / self._grain_s - 1e-9) * self._grain_s - now)


def run_hurried(work: Callable[[HurriedLoop], Coroutine[Any, Any, T]]) -> T:
    """Run `work` to its end on a loop of its own; not from within another one."""
    made: list[HurriedLoop] = []

    def factory() -> HurriedLoop:
        made.append(HurriedLoop())
        return made[-1]

    async def whole() -> T:
        try:
            return await work(made[0])
        finally:
            made[0].also_busy = lambda: True  # what is closed now is closed in real time

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(whole())
