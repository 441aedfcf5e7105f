"""An operator at the socket: proposes, confirms, waits, and looks at the board."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from console.client.socket_client import SocketClient
from console.domain.actions import Action, Intent, Outcome, Proposal, Receipt, Restore, Stage
from console.domain.board import Board
from console.domain.refs import Kind, Ref
from console.domain.wire import Confirm, Snapshot
from tests.real.stack.processes import Child
from tests.real.stack.switchgear import Home

SOURCE = "gateway"
"""What `Home` calls the source."""


def deployment(name: str) -> Ref:
    """A deployment of the testbed."""
    return Ref(SOURCE, Kind.DEPLOYMENT, name)


def route(name: str) -> Ref:
    """A route of the testbed."""
    return Ref(SOURCE, Kind.ROUTE, name)


class Operator:
    """Somebody with a client."""

    def __init__(self, home: Home) -> None:
        self.client = SocketClient(home.socket, home.name)

    async def propose(self, target: Ref, action: Action, ttl_s: float | None = 600.0) -> Proposal:
        """What would happen; asked again while a young engine does not know what it may do."""
        intent = Intent(target=target, action=action, reason="real tier", ttl_s=ttl_s, via="test")
        for _ in range(120):
            proposal = await self.client.propose(intent)
            if not any("not known yet" in words for words in proposal.verdict.refusals):
                break
            await asyncio.sleep(0.5)
        return proposal

    async def confirm(self, proposal: Proposal) -> Receipt:
        """Yes, with the name typed where it is asked for."""
        assert proposal.verdict.allowed, proposal.verdict.refusals
        name = proposal.intent.target.name if proposal.verdict.needs_name else ""
        return await self.client.confirm(Confirm(proposal_id=proposal.id, typed_name=name))

    async def act(self, target: Ref, action: Action, ttl_s: float | None = 600.0, *, limit_s: float = 90.0) -> Receipt:
        """The whole way, until nothing more will be done; returns the last receipt."""
        receipt = await self.confirm(await self.propose(target, action, ttl_s))
        return await self.settled(receipt.id, limit_s)

    async def restore(self, target: Ref, override_id: str = "") -> Receipt:
        """Undo an override, the newest one when it is not named."""
        return await self.act(target, Restore(override_id=override_id), None)

    async def settled(self, action_id: str, limit_s: float = 90.0) -> Receipt:
        """The last receipt of an action, once it is done (or nobody can tell for now)."""
        return await self.until(action_id, lambda r: r.stage is Stage.DONE or r.outcome is Outcome.UNKNOWN, limit_s)

    async def until(self, action_id: str, shows: Callable[[Receipt], bool], limit_s: float = 90.0) -> Receipt:
        """The first receipt for which `shows` says yes."""
        deadline = time.monotonic() + limit_s
        while not shows(receipt := await self.client.receipt(action_id)):
            assert time.monotonic() < deadline, f"after {limit_s:.0f} s: {receipt}"
            await asyncio.sleep(0.1)
        return receipt

    async def board(self, shows: Callable[[Board], bool] = lambda board: True, limit_s: float = 30.0) -> Board:
        """The board, once `shows` says yes to it."""
        board = Board()
        try:
            async with asyncio.timeout(limit_s):
                async for event in self.client.events():
                    board.apply(event)
                    if (isinstance(event, Snapshot) or board.readings) and shows(board):
                        return board
        except TimeoutError:
            pass
        raise AssertionError(f"after {limit_s:.0f} s the board still shows: {list(board.readings.values())}")


@asynccontextmanager
async def operating(home: Home, **variables: str) -> AsyncIterator[tuple[Operator, Child]]:
    """An engine at `home` that has looked at everything once, and an operator attached to it."""
    engine = home.start_engine(**variables)
    try:
        operator = Operator(home)
        await operator.board(lambda board: any(ref.kind is Kind.DEPLOYMENT for ref in board.readings))
        yield operator, engine
    finally:
        engine.stop()
