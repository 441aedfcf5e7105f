"""A whole engine in memory: the simulator, a clock that is turned by hand, and a door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from console.config import Environment
from console.control.access import Peer
from console.engine.clock import ManualClock
from console.runtime import Runtime, build
from console.server.door import Door

OWNER = Peer(uid=1000, gid=1000, pid=1, name="olga", groups=frozenset({"olga"}))
READER = Peer(uid=1001, gid=1001, pid=2, name="rita", groups=frozenset({"ops"}))
STRANGER = Peer(uid=1002, gid=1002, pid=3, name="sven", groups=frozenset())


def environment(**settings: Any) -> Environment:
    """A simulated platform; read-only at first, `%ops` may read."""
    given: dict[str, Any] = {
        "readers": ["@owner", "%ops"],
        "sources": {
            "world": {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {"scenario": "calm"}}
        },
        **settings,
    }
    return Environment.model_validate(given)


@asynccontextmanager
async def engine(folder: Path, **settings: Any) -> AsyncIterator[tuple[Door, Runtime, ManualClock]]:
    """A running engine owned by `OWNER`, two seconds old."""
    clock = ManualClock()
    async with build("test", environment(**settings), clock, folder / "state", owner_uid=OWNER.uid, seed=1) as runtime:
        running = asyncio.create_task(runtime.run())
        door = Door(runtime)
        try:
            for _ in range(20):
                await clock.advance(0.1)
                await asyncio.sleep(0.005)
            yield door, runtime, clock
        finally:
            door.close()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
