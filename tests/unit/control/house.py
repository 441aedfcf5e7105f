"""A control room on a manual clock, with the in-memory backend behind it and one operator in front."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from console.config import Environment, SourceConfig
from console.control.access import Grants, Peer
from console.control.audit import Audit
from console.control.control import Control
from console.domain.actions import Action, Intent, OnExpiry, Proposal, Receipt, Stage, Trip
from console.domain.freshness import Freshness
from console.domain.ports import Adapter, Clock
from console.domain.readings import ReplicaStatus, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import AuditQuery, Confirm
from console.engine.clock import ManualClock
from console.engine.store import Store
from tests.unit.control.backend import SOURCE, Backend, deployment

T = TypeVar("T")

ALICE = Peer(1000, 1000, 1, "alice", frozenset())
BOB = Peer(1001, 1001, 2, "bob", frozenset())


class InlineAudit(Audit):
    """The same log on the same file, without its thread: on a manual clock, time stands still while it writes."""

    async def open(self) -> None:
        await super().open()
        if self._db is not None:
            self._db.execute("pragma synchronous=off")  # an engine that dies here takes no machine with it

    async def _call(self, work: Callable[[], T]) -> T:
        return self._safely(work)


class House:
    """One engine's acting side. `start` and `kill` may be called again and again on the same audit file."""

    def __init__(self, path: Path, backend: Callable[[Clock], Backend] = Backend, **config: Any) -> None:
        self.clock = ManualClock()
        self.started = self.clock.now()
        self.backend = backend(self.clock)
        self.path = path
        config = {"access": "operate", "readers": ["*"], "operators": ["*"]} | config
        self.config = Environment(sources={SOURCE: SourceConfig(adapter="memory", interval=5)}, **config)
        self.polled: list[str] = []
        self.task: asyncio.Task[None] | None = None

    async def start(self, audit: Audit | None = None, adapter: Adapter | None = None) -> None:
        """A new engine on the same file and the same backend."""
        self.audit = audit or InlineAudit(self.path, self.clock)
        await self.audit.open()
        self.store = Store("test", self.clock)
        grants = Grants(self.config, self.clock, self.audit, self.store, 1000)
        adapters: dict[str, Adapter] = {SOURCE: adapter or self.backend}
        self.control = self._control(
            "test", self.config, self.store, adapters, self.audit, grants, self.clock, self.polled.append
        )
        await self.look()
        self.task = asyncio.ensure_future(self.control.run())

    def _control(self, *parts: Any, **more: Any) -> Control:
        return Control(*parts, **more)

    async def kill(self) -> None:
        """The engine dies: nothing of it runs any more, what it has written stays."""
        if self.task is not None:
            self.task.cancel()
            with suppress(BaseException):
                await self.task
        with suppress(Exception):
            await self.audit.close()

    async def look(self, freshness: Freshness = Freshness.FRESH, down: tuple[str, ...] = ()) -> None:
        """One poll of the backend."""
        now = self.clock.now()
        source = Source(
            ref=Ref(SOURCE, Kind.SOURCE, SOURCE), observed_at=now, adapter="memory", freshness=freshness,
            interval_s=5.0, last_ok_at=now,
            replicas=tuple(ReplicaStatus(name=r, url="", up=r not in down) for r in self.backend.replicas),
        )  # fmt: skip
        self.store.observe(source, await self.backend.observe())

    async def propose(
        self,
        action: Action | None = None,
        target: Ref | None = None,
        peer: Peer = ALICE,
        reason: str = "openai is down",
        ttl_s: float | None = 600.0,
        on_expiry: OnExpiry = OnExpiry.REVERT,
        key: str = "",
    ) -> Proposal:
        await self.look()
        intent = Intent(
            target=target or deployment("a"), action=action or Trip(), reason=reason, ttl_s=ttl_s,
            on_expiry=on_expiry, key=key,
        )  # fmt: skip
        return await self.control.propose(intent, peer)

    async def confirm(self, proposal: Proposal, peer: Peer = ALICE, typed: str = "") -> Receipt:
        return await self.control.confirm(Confirm(proposal_id=proposal.id, typed_name=typed), peer)

    async def act(self, action: Action | None = None, target: Ref | None = None, **more: Any) -> str:
        """Propose, confirm and let it converge; the action's id."""
        proposal = await self.propose(action, target, **more)
        receipt = await self.confirm(proposal, more.get("peer", ALICE), proposal.intent.target.name)
        await self.clock.advance(self.backend.converge_s + 1)
        return receipt.id

    def receipt(self, action_id: str) -> Receipt:
        return self.control.receipt(action_id)

    async def settled(self, action_id: str) -> Receipt:
        """Wait, in real time, for work that goes through the audit log's thread, turning the clock meanwhile."""
        while self.receipt(action_id).stage is not Stage.DONE:
            await asyncio.sleep(0.002)
            await self.clock.advance(0.05)
        return self.receipt(action_id)

    async def events(self, action_id: str = "") -> list[str]:
        """The audit log's events, oldest first."""
        rows = await self.audit.page(AuditQuery(action_id=action_id))
        return [row.event for row in reversed(rows)]

    def said(self) -> str:
        return "\n".join(entry.words for entry in self.store.board.log)


@asynccontextmanager
async def house(tmp_path: Path, **config: Any) -> AsyncIterator[House]:
    built = House(tmp_path / "audit.db", **config)
    await built.start()
    try:
        yield built
    finally:
        await built.kill()
