"""A house whose backend is a broker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from console.domain.actions import Action, Receipt, Stop
from console.domain.refs import Ref
from tests.unit.control.broker import JOBS, Broker
from tests.unit.control.house import ALICE, BOB, House


class QueueHouse(House):
    """A house whose backend is a broker."""

    @property
    def broker(self) -> Broker:
        assert isinstance(self.backend, Broker)
        return self.backend

    async def begin(self, action: Action, target: Ref = JOBS, typed: str = "", ttl_s: float | None = None) -> Receipt:
        """Propose and confirm; time stands still, so that nothing has moved yet."""
        proposal = await self.propose(action, target, ttl_s=ttl_s)
        assert proposal.verdict.allowed, proposal.verdict.refusals
        return await self.confirm(proposal, ALICE, typed)

    async def stop(self, action_id: str, after: float = 0.0) -> str:
        """Bob stops it."""
        await self.clock.advance(after)
        proposal = await self.propose(Stop(action_id), JOBS, BOB)
        assert proposal.verdict.allowed, proposal.verdict.refusals
        return (await self.confirm(proposal, BOB)).id

    def pending(self) -> bool:
        return self.control.pending

    def messages(self) -> list[int]:
        """Every message, wherever it is."""
        self.broker.settle()
        return sorted(message for queue in self.broker.queues.values() for message in queue)


@asynccontextmanager
async def queue_house(tmp_path: Path, **config: Any) -> AsyncIterator[QueueHouse]:
    tmp_path.mkdir(exist_ok=True)
    built = QueueHouse(tmp_path / "audit.db", Broker, **config)
    await built.start()
    try:
        yield built
    finally:
        await built.kill()
