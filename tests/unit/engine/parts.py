"""What the engine's tests share: readings in short, and an adapter whose every look is scripted."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable

from console.domain.freshness import Freshness
from console.domain.readings import AnyReading, Deployment, Latency, Observation, Source, Traffic
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow
from console.engine.clock import ManualClock
from console.engine.poller import Poller
from console.engine.store import Store


def ref(name: str = "openai-a", source: str = "gateway", kind: Kind = Kind.DEPLOYMENT) -> Ref:
    return Ref(source, kind, name)


def deployment(
    at: float,
    *,
    name: str = "openai-a",
    source: str = "gateway",
    requests: float = 60.0,
    errors: float = 0.0,
    p50: float | None = 0.5,
) -> Deployment:
    return Deployment(
        ref=ref(name, source),
        observed_at=at,
        provider="openai",
        model="gpt",
        traffic=Traffic(window_s=60.0, requests_per_min=requests, errors_per_min=errors),
        latency=Latency(window_s=60.0, p50_s=p50),
    )


def observation(at: float, *readings: AnyReading, requests: int = 1) -> Observation:
    return Observation(observed_at=at, readings=readings, requests=requests)


class ScriptedAdapter:
    """Looks by a script: each look awaits `look`, which may answer, raise or hang. Counts what really happened."""

    def __init__(self, clock: ManualClock, source: str = "gateway") -> None:
        self.clock = clock
        self.source = source
        self.begun: list[float] = []
        self.running = 0
        self.most_running = 0
        self.look: Callable[[], Awaitable[Observation]] = self.well

    async def well(self) -> Observation:
        return observation(self.clock.now(), deployment(self.clock.now(), source=self.source))

    async def hang(self) -> Observation:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nothing ends this")

    async def observe(self) -> Observation:
        self.begun.append(self.clock.monotonic())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self.look()
        finally:
            self.running -= 1

    async def check(self) -> tuple[CheckRow, ...]:
        return ()

    async def close(self) -> None:
        return None


class Rig:
    """A clock, a store, a scripted adapter and its poller."""

    def __init__(
        self,
        *,
        interval_s: float = 5.0,
        timeout_s: float = 4.0,
        requests_per_minute: float | None = None,
        seed: int = 1,
    ) -> None:
        self.clock = ManualClock()
        self.store = Store("test", self.clock)
        self.adapter = ScriptedAdapter(self.clock)
        self.poller = Poller(
            "gateway",
            "scripted",
            self.adapter,
            self.store,
            self.clock,
            interval_s=interval_s,
            timeout_s=timeout_s,
            requests_per_minute=requests_per_minute,
            rng=random.Random(seed),
        )

    @property
    def source(self) -> Source:
        found = self.store.board.source("gateway")
        assert found is not None
        return found

    def freshness(self) -> Freshness:
        """The source's freshness; a method, because it changes under the type checker's eyes."""
        return self.source.freshness

    @property
    def gaps(self) -> list[float]:
        """Seconds between the beginnings of looks."""
        begun = self.adapter.begun
        return [later - earlier for earlier, later in itertools.pairwise(begun)]

    async def for_(self, seconds: float, *, spread_s: float = 0.0) -> None:
        """Run the poller for this long from now, then end it."""
        task = asyncio.create_task(self.poller.run(spread_s))
        await self.clock.advance(seconds)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
