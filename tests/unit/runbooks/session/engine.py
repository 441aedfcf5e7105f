"""A whole engine on the simulator whose clock is turned by hand, and runbooks in a folder of the test's own."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from console.config import Environment
from console.control.access import Peer
from console.control.accounts import account_of
from console.domain.runbooks import Run, RunCommand, RunOrder, RunState
from console.domain.wire import AccessLevel, AccessRequest
from console.engine.clock import ManualClock
from console.runtime import Runtime, build
from console.server.door import Desk, Door

DEPLOYMENT = "chat-openai"
TRIP = """
schemaVersion: 1
id: trip-one
title: Keep requests away
parameters:
  deployment: {type: deployment}
steps:
  - id: trip
    title: Trip ${deployment}
    action: {verb: trip, target: "${deployment}", ttl: 20m}
  - id: look
    check: 'overridden(deployment, "trip")'
  - id: wait
    wait: {for: 20s}
  - id: back
    manual: {ask: "Look whether ${deployment} is well again"}
"""


def me() -> Peer:
    """The account that runs the tests, as an engine rebuilds it after a restart."""
    return account_of(os.geteuid())


@asynccontextmanager
async def engine(
    folder: Path, clock: ManualClock, *, access: str = "operate", wait: bool = True, **settings: Any
) -> AsyncIterator["Engine"]:
    """An engine of this account on `folder`; leaving it is no orderly end of anything.

    With `wait` it has looked at its sources before anything is asked of it.
    """
    config = Environment.model_validate(
        {
            "access": access,
            "readers": ["*"],
            "operators": ["*"],
            "runbooks": [str(folder / "books")],
            "sources": {
                "world": {
                    "adapter": "simulator",
                    "interval": 2.0,
                    "timeout": 0.9,
                    "options": {"scenario": "calm", "replicas": 1},
                }
            },
            **settings,
        }
    )
    (folder / "books").mkdir(exist_ok=True)
    async with build("test", config, clock, folder / "state", owner_uid=me().uid, seed=1) as runtime:
        running = asyncio.create_task(runtime.run())
        it = Engine(runtime, clock, running)
        try:
            await it.until(lambda: not wait or bool(runtime.store.board.observed))
            yield it
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, BaseExceptionGroup):
                await running


class Engine:
    """One engine and who asks it."""

    def __init__(self, runtime: Runtime, clock: ManualClock, running: "asyncio.Task[None]") -> None:
        self.runtime = runtime
        self.clock = clock
        self.running = running
        self.door = Door(runtime)

    def desk(self, peer: Peer | None = None) -> Desk:
        """The engine as a peer sees it."""
        return self.door.for_peer(peer or me())

    async def until(self, holds: Callable[[], bool], seconds: float = 120.0, step: float = 1.0) -> None:
        """Let time pass until something holds."""
        end = self.clock.now() + seconds
        while not holds():
            assert self.clock.now() < end, f"it did not come to that within {seconds} s"
            await self.clock.advance(step)
            await asyncio.sleep(0.001)  # threads (files) have their turn

    def live(self, run_id: str) -> Run:
        """A run, as the board shows it."""
        return self.runtime.store.board.runs[run_id]

    async def at(self, run_id: str, step: str, seconds: float = 120.0) -> Run:
        """Let time pass until a person is awaited at a step."""
        await self.until(
            lambda: self.live(run_id).current == step and self.live(run_id).state is RunState.AWAITING, seconds
        )
        return self.live(run_id)

    async def to_end(self, run_id: str, seconds: float = 300.0) -> Run:
        """Let time pass until a run is over."""
        await self.until(lambda: self.live(run_id).state.over, seconds)
        return self.live(run_id)

    async def order(self, run_id: str, order: RunOrder, peer: Peer | None = None, **more: Any) -> Run:
        """Say something to a run, while time passes."""
        asked = asyncio.ensure_future(self.desk(peer).order_run(RunCommand(run=run_id, order=order, **more)))
        await self.until(asked.done)
        return await asked

    async def operate(self, peer: Peer | None = None) -> None:
        """Ask for `operate`."""
        await self.desk(peer).access(AccessRequest(level=AccessLevel.OPERATE, reason="a test"))

    def receipts(self, verb: str) -> list[str]:
        """The ids of all actions of a kind."""
        board = self.runtime.store.board
        return [one.id for one in board.receipts.values() if one.intent.action.verb == verb]

    def said(self) -> str:
        """The timeline's lines about runbooks."""
        return "\n".join(line.words for line in self.runtime.store.board.log if line.kind == "runbook")
