"""The simulated world without a screen: how many times faster than life it goes, and whether its memory stays flat."""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterator
from typing import Final

from adapters.simulator.adapter import SimulatorAdapter
from adapters.simulator.options import SimulatorOptions
from adapters.simulator.queues.adapter import SimulatedQueues
from adapters.simulator.stage import stage_of
from adapters.simulator.traces.adapter import SimulatedTraces
from benchmarks.results import Result, at_least, at_most, beside
from benchmarks.stage import memory_mb
from console.domain.ports import Adapter, AdapterContext
from console.engine.clock import ManualClock

HOURS: Final = 4
"""Simulated time of one measurement of speed."""

DAYS: Final = 3
"""Simulated time of the measurement of memory, beside one day before it."""

LOOK_S: Final = 15.0
"""How often its sources are looked at, where they are."""

GOAL: Final = 1000.0
"""Times real time."""


def measure() -> Iterator[Result]:
    """Speed of the world alone, then with its sources looked at, then memory."""
    for scenario in ("calm", "outage-with-retries"):
        for tick_s in (1.0, 15.0):
            name = f"world, {scenario}, ticks of {tick_s:g} s"
            yield at_least(name, asyncio.run(_alone(scenario, tick_s)), "x real time", GOAL)
    for sources in (("gateway", "queues"), ("gateway", "queues", "traces")):
        ratio = asyncio.run(_looked_at(sources, HOURS))
        words = f"world, ticks of 15 s, {', '.join(sources)} looked at every {LOOK_S:g} s"
        yield at_least(words, ratio, "x real time", GOAL)
    before, after = asyncio.run(_memory())
    yield beside("world with queues, after a simulated day", before, "MB")
    yield at_most(f"the same after {DAYS} more, grown by", after - before, "MB", 2.0)


def _options(scenario: str, tick_s: float, part: str = "gateway") -> SimulatorOptions:
    return SimulatorOptions.model_validate(
        {"scenario": scenario, "tick_s": tick_s, "part": part, "world": "bench", "speed": 1.0}
    )


async def _alone(scenario: str, tick_s: float) -> float:
    """The platform with its queues, and nobody who looks."""
    clock = ManualClock()
    stage = stage_of(AdapterContext("bench", clock, lambda name: name, 4.0, _options(scenario, tick_s)))
    stage.broker()
    begun = time.process_time()
    stage.world.advance(clock.now() + 3600.0 * HOURS)
    return 3600.0 * HOURS / (time.process_time() - begun)


class _Sources:
    """The sources of one world."""

    def __init__(self, parts: tuple[str, ...]) -> None:
        self.clock = ManualClock()
        kinds: dict[str, Callable[[AdapterContext], Adapter]] = {
            "gateway": SimulatorAdapter,
            "queues": SimulatedQueues,
            "traces": SimulatedTraces,
        }
        self._adapters = [
            kinds[part](AdapterContext(part, self.clock, lambda name: name, 4.0, _options("calm", LOOK_S, part)))
            for part in parts
        ]

    async def live(self, seconds: float) -> None:
        """Let time pass, with a look every now and then."""
        for _ in range(round(seconds / LOOK_S)):
            await self.clock.advance(LOOK_S)
            for adapter in self._adapters:
                await adapter.observe()


async def _looked_at(parts: tuple[str, ...], hours: float) -> float:
    sources = _Sources(parts)
    begun = time.process_time()
    await sources.live(3600.0 * hours)
    return 3600.0 * hours / (time.process_time() - begun)


async def _memory() -> tuple[float, float]:
    """Resident MB after a simulated day, and after some more."""
    sources = _Sources(("gateway", "queues"))
    found = []
    for days in (1, DAYS):
        await sources.live(86400.0 * days)
        gc.collect()
        found.append(memory_mb(os.getpid()))
    return found[0], found[1]
