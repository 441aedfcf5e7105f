"""The real engine in memory under the screen: the simulator, its control and its door, on a clock turned by hand."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.config import Environment
from console.control.access import Peer
from console.domain.board import Board
from console.domain.ports import EngineApi
from console.domain.refs import Kind, Ref
from console.engine.clock import ManualClock
from console.runtime import Runtime, build
from console.server.door import Door

SOURCE = "world"


@dataclass
class Live:
    """An engine that runs."""

    runtime: Runtime
    door: Door
    clock: ManualClock
    api: EngineApi

    @property
    def board(self) -> Board:
        """The engine's own board: what is true, whatever the screen shows."""
        return self.runtime.store.board


def environment(**fields: Any) -> Environment:
    options = {"scenario": "calm", "speed": 1.0, "seed": 11}
    sources = {SOURCE: {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": options}}
    return Environment.model_validate({"access": "operate", "sources": sources, **fields})


def deployment(name: str) -> Ref:
    return Ref(SOURCE, Kind.DEPLOYMENT, name)


@asynccontextmanager
async def engine(folder: Path, **fields: Any) -> AsyncIterator[Live]:
    """Run an engine whose hours pass in seconds while the test waits."""
    clock = ManualClock()
    me = Peer(uid=os.geteuid(), gid=os.getegid(), pid=os.getpid(), name="bo", groups=frozenset())
    async with build("demo", environment(**fields), clock, folder, seed=5) as runtime:
        door = Door(runtime)
        tasks = [asyncio.create_task(runtime.run()), asyncio.create_task(_turn(clock))]
        try:
            yield Live(runtime, door, clock, door.for_peer(me))
        finally:
            door.close()
            for task in reversed(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _turn(clock: ManualClock) -> None:
    """Ten times as fast as the test."""
    while True:
        await asyncio.sleep(0.03)
        await clock.advance(0.3)
