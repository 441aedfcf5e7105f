"""A simulated day of many deployments in one process: `python -m benchmarks.day DEPLOYMENTS INTERVAL_S`.

Poller, store, history, journal, detectors and a console's board run on a clock that is turned by hand; every value
of every deployment changes at each look. After each hour one line of JSON tells the resident memory.
"""

import asyncio
import gc
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.stage import memory_mb
from console.config import Environment, SourceConfig
from console.domain.board import Board
from console.domain.circuit import Circuit, Observed, ReplicaCircuit
from console.domain.readings import Deployment, FailureClass, Latency, Observation, Traffic
from console.domain.refs import Kind, Ref
from console.domain.wire import CheckRow
from console.engine.clock import ManualClock
from console.engine.engine import Engine
from console.engine.journal import Journal
from console.engine.poller import Poller
from console.engine.store import Store

HOURS = 24


class Restless:
    """A source whose deployments never show the same numbers twice."""

    def __init__(self, deployments: int, clock: ManualClock) -> None:
        self._refs = [Ref("world", Kind.DEPLOYMENT, f"dep-{number:04d}") for number in range(deployments)]
        self._clock = clock
        self._rng = random.Random(3)

    async def observe(self) -> Observation:
        """All of them, with new numbers."""
        now = self._clock.now()
        return Observation(observed_at=now, readings=tuple(self._deployment(ref, now) for ref in self._refs))

    async def check(self) -> tuple[CheckRow, ...]:
        """Nothing to check."""
        return ()

    async def close(self) -> None:
        """Nothing to close."""

    def _deployment(self, ref: Ref, now: float) -> Deployment:
        chance = self._rng.random
        return Deployment(
            ref=ref,
            observed_at=now,
            provider="openai",
            model="gpt-4o",
            circuit=Circuit(replicas=(ReplicaCircuit(replica="a", observed=Observed.CLOSED),)),
            traffic=Traffic(window_s=60.0, requests_per_min=1000 * chance(), errors_per_min=10 * chance()),
            latency=Latency(window_s=60.0, p50_s=chance(), p95_s=5 * chance(), ttft_p50_s=chance()),
            failures=(FailureClass("500", chance()),),
            usd_per_h=10 * chance(),
        )


async def main(deployments: int, interval_s: float) -> None:
    """Let the day pass."""
    clock = ManualClock()
    settings = SourceConfig(adapter="restless", interval=interval_s, timeout=interval_s / 2)
    with tempfile.TemporaryDirectory(prefix="sg") as folder:
        journal = Journal(Path(folder) / "journal.sqlite", clock, Environment(sources={}).retention)
        await journal.open()
        store = Store("day", clock, first_log_id=journal.next_log_id())
        poller = Poller(
            "world",
            "restless",
            Restless(deployments, clock),
            store,
            clock,
            interval_s=interval_s,
            timeout_s=interval_s / 2,
            requests_per_minute=None,
            rng=random.Random(1),
        )
        engine = Engine(Environment(sources={"world": settings}), store, {"world": poller}, journal, clock)
        board = Board()
        board.apply(store.snapshot())
        store.listen(board.apply)
        running = asyncio.create_task(engine.run())
        for hour in range(1, HOURS + 1):
            for _ in range(60):
                await clock.advance(60.0)
                await asyncio.sleep(0.001)  # the journal's own thread writes in real time
            gc.collect()
            seen = sum(isinstance(reading, Deployment) for reading in board.readings.values())
            print(json.dumps({"hour": hour, "mb": memory_mb(os.getpid()), "seen": seen}), flush=True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await journal.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
