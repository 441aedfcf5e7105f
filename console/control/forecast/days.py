"""How numbers usually move at this time of the day, read from the journal beside everything else.

A proposal does not wait for the disk: what it asks for and is not known yet is read for the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from console.domain.ports import Clock
from console.domain.refs import Ref
from console.domain.wire import History, HistoryQuery
from console.forecast.daily import DAYS, PER_DAY, SLOT_S, growth

KEPT_S: Final = 600.0
"""What was read serves for so long."""
KEPT_MOST: Final = 200
"""Objects of which it is kept; the oldest goes."""

Asking = Callable[[HistoryQuery], Awaitable[History]]
"""`Engine.history`."""


class Days:
    """The days before, of the objects that were forecast lately; without `ask` nothing is known of them."""

    def __init__(self, clock: Clock, ask: Asking | None) -> None:
        self._clock = clock
        self._ask = ask
        self._known: dict[Ref, tuple[float, dict[str, float]]] = {}
        self._wanted: dict[Ref, None] = {}
        self._asked = asyncio.Event()

    def growth(self, ref: Ref, metric: str) -> float:
        """The factor of the next quarter of an hour; 1 until the days before are known."""
        at, factors = self._known.get(ref, (float("-inf"), {}))
        if self._ask is not None and self._clock.now() - at > KEPT_S:
            self._wanted[ref] = None
            self._asked.set()
        return factors.get(metric, 1.0)

    async def run(self) -> None:
        """Read what is wanted, one object after the other; never returns."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            wanted, self._wanted = self._wanted, {}
            for ref in wanted:
                if self._ask is not None:
                    with suppress(Exception):  # what is not known of the days before costs nothing but that
                        await self._read(ref, self._ask)

    async def _read(self, ref: Ref, ask: Asking) -> None:
        query = HistoryQuery(ref=ref, window_s=DAYS * PER_DAY * SLOT_S, points=DAYS * PER_DAY)
        found = await ask(query)
        self._known.pop(ref, None)
        self._known[ref] = (self._clock.now(), {metric: growth(values) for metric, values in found.series.items()})
        while len(self._known) > KEPT_MOST:
            self._known.pop(next(iter(self._known)))
