"""Waiting by the injected clock for a moment that may still move, and giving up on something that takes too long."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from console.domain.ports import Clock

T = TypeVar("T")

LONGEST_SLEEP_S = 30.0
"""A machine that was suspended or had its clock set is noticed after this long at the latest."""


class Alarm:
    """One waiter for one moment; whoever moves the moment calls `changed`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Wake the waiter, so that it looks again."""
        self._changed.set()

    async def wait_until(self, at: float | None) -> None:
        """Return at `at` (unix seconds; None never comes), or earlier when `changed` was called."""
        while not self._changed.is_set():
            if at is None:
                await self._changed.wait()
                break
            left = at - self._clock.now()
            if left <= 0:
                break
            try:
                await within(self._clock, min(left, LONGEST_SLEEP_S), _wait(self._changed))
            except TimeoutError:
                continue
        self._changed.clear()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when `seconds` of the clock have passed.

    Raises:
        TimeoutError: the time was up first.
    """
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
    finally:
        timer.cancel()
        if not task.done():
            task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    raise TimeoutError(f"no answer in {seconds:.0f} s")
