"""An engine that has just begun: it looks before it asks, and asks again for what is not known yet."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from console.control.access import Peer
from console.domain.actions import Check, CheckResult, Intent, Outcome, Proposal, Receipt, Verdict
from console.domain.commands import CommandIntent, CommandReceipt
from console.domain.errors import Refusal
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Observation, Source
from console.domain.refs import Kind, Ref
from console.domain.runbooks import RunState, StepState
from console.domain.wire import Access, AccessLevel, AuditRow, Confirm
from console.engine.clock import ManualClock
from console.engine.store import Store
from runbooks import course, events, moves
from runbooks.eyes import Eyes
from runbooks.keeping import Keeping
from runbooks.loader import Book, books, load
from runbooks.looking import no_past
from runbooks.ramping import Policy
from runbooks.runner import Runner
from runbooks.session import Phase, Session
from tests.unit.runbooks.session.books import NOW, TARGET, UID, begun, intent, proposal, receipt

TEXT = """
schemaVersion: 1
id: book
title: Book
steps:
  - id: one
    action: {verb: trip, target: deployment/azure-b}
    confirm: never
"""
OLGA = Peer(UID, UID, 0, "olga", frozenset())
NOT_YET = Verdict((Check("able", CheckResult.REFUSE, "not known yet what the key may do"),))


class Hands:
    """Control, rights and the audit log in one; what the key may do is known when it was asked twice."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.proposed: list[float] = []
        self.confirmed: list[str] = []

    async def propose(self, asked: Intent, peer: Peer) -> Proposal:
        self.proposed.append(self.clock.now() - NOW)
        made = replace(proposal(asked), valid_until=self.clock.now() + 120)
        return made if len(self.proposed) > 2 else replace(made, plan=None, verdict=NOT_YET)

    async def confirm(self, confirm: Confirm, peer: Peer) -> Receipt:
        self.confirmed.append(confirm.proposal_id)
        return receipt("r1/one/1", "a1", Outcome.VERIFIED)

    async def by_key(self, key: str) -> Receipt | None:
        return receipt(key, "a1", Outcome.VERIFIED) if self.confirmed else None

    async def command(self, intent: CommandIntent, peer: Peer) -> CommandReceipt:
        raise Refusal("there is none")

    async def command_by_key(self, key: str) -> CommandReceipt | None:
        return None

    def command_argv(self, name: str, args: Sequence[str]) -> tuple[str, ...]:
        raise Refusal("there is none")

    def of(self, peer: Peer) -> Access:
        return Access(operator=peer.name, uid=peer.uid, level=AccessLevel.OPERATE, may_operate=True)

    async def append(self, event: str, action_id: str, operator: str, body: object) -> AuditRow:
        return AuditRow(
            seq=1, at=NOW, operator=operator, action_id=action_id, event=event, body="{}", previous="", hash=""
        )

    async def rows(self, where: str, parameters: Sequence[object] = ()) -> tuple[AuditRow, ...]:
        return ()


def left(file: Book) -> Session:
    """A run whose engine ended while it was about to send."""
    runbook = file.runbook
    session = begun(runbook)
    session = replace(session, run=replace(session.run, hash=file.hash))
    for event in (events.Looked(()), events.Looked(()), events.Prepared((intent("r1/one/1"),))):
        session = course.apply(session, runbook, event, NOW)
    assert session.phase is Phase.ACT
    return replace(moves.on_run(session, NOW), targets=(TARGET,))


def seen(store: Store, now: float) -> None:
    """The first look at the gateway."""
    own = Source(
        ref=Ref("gateway", Kind.SOURCE, "gateway"), observed_at=now, adapter="litellm", freshness=Freshness.FRESH,
        interval_s=2.0, last_ok_at=now,
    )  # fmt: skip
    azure = Deployment(ref=TARGET, observed_at=now, provider="azure", model="gpt")
    store.observe(own, Observation(observed_at=now, readings=(azure,)))


async def until(clock: ManualClock, holds: Callable[[], bool]) -> None:
    """Let time pass; files are read meanwhile."""
    for _ in range(60):
        if holds():
            return
        await clock.advance(0.5)
        await asyncio.sleep(0.02)
    raise AssertionError("it does not come to that")


async def test_it_looks_before_it_asks_and_asks_again_for_what_is_not_known_yet(tmp_path: Path) -> None:
    await asyncio.to_thread(books, [])  # the library is read once, and that takes real time
    clock = ManualClock(NOW)
    store, hands = Store("test", clock), Hands(clock)
    path = tmp_path / "book.yaml"
    path.write_text(TEXT)
    path.chmod(0o600)
    keeping = Keeping(tmp_path / "runs.sqlite")
    await keeping.open()
    await keeping.begin(left(load(path)), UID, TEXT, str(path))
    await keeping.close()
    keeping = Keeping(tmp_path / "runs.sqlite")
    eyes = Eyes(lambda: store.board, clock, no_past, Policy())
    runner = Runner(store, clock, hands, hands, hands, keeping, eyes, lambda _: OLGA, [tmp_path])
    task = asyncio.create_task(runner.run())
    await runner.run_of("r1")
    await until(clock, lambda: store.board.runs["r1"].state is not RunState.RUNNING or clock.now() > NOW + 5)
    assert not hands.proposed, "it asked for what it had not looked at"
    seen(store, clock.now())
    await until(clock, lambda: store.board.runs["r1"].state is not RunState.RUNNING)
    run = await runner.run_of("r1")
    assert (run.state, run.steps[0].state) == (RunState.SUCCEEDED, StepState.SUCCEEDED), run.words
    assert len(hands.proposed) == 3
    assert hands.confirmed == ["p"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await keeping.close()
