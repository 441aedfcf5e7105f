"""Rights at the door, on a whole engine in memory."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from console.domain.actions import Intent, Outcome, Stage, Trip
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.refs import Ref
from console.domain.wire import (
    PROTOCOL,
    AccessLevel,
    AccessRequest,
    AlertMark,
    AuditQuery,
    Change,
    Confirm,
    HistoryQuery,
    LogQuery,
    Snapshot,
)
from console.runtime import Runtime
from console.server.door import Desk
from tests.unit.server.engines import OWNER, READER, STRANGER, engine

TARGET = Ref.parse("world:deployment/chat-openai")
INTENT = Intent(target=TARGET, action=Trip(), reason="a test")


async def board_of(desk: Desk) -> Board:
    board = Board()
    async with aclosing(desk.events()) as events:
        board.apply(await anext(events))
    return board


def is_held(runtime: Runtime) -> bool:
    return runtime.control.pending


async def test_hello_says_who_asks_and_what_they_may_do(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, runtime, _):
        hello = await door.for_peer(OWNER).hello()
        assert (hello.protocol, hello.environment, hello.started_at) == (PROTOCOL, "test", runtime.started_at)
        assert (hello.access.operator, hello.access.level) == ("olga", AccessLevel.READ_ONLY)
        assert hello.access.may_operate
        reader = await door.for_peer(READER).hello()
        assert not reader.access.may_operate


async def test_a_stranger_gets_nothing_at_all(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, _clock):
        desk = door.for_peer(STRANGER)
        asked = [
            desk.hello(),
            desk.propose(INTENT),
            desk.confirm(Confirm(proposal_id="x")),
            desk.receipt("x"),
            desk.access(AccessRequest(level=AccessLevel.OPERATE, reason="let me")),
            desk.mark(AlertMark(alert_id="x")),
            desk.history(HistoryQuery(ref=TARGET)),
            desk.log(LogQuery()),
            desk.audit(AuditQuery()),
            desk.verify_audit(),
            desk.detectors(),
            desk.analysis(),
            desk.check(),
            desk.reconcile(),
            desk.stop("because"),
            anext(desk.events()),
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Refusal] * len(asked)
        assert {answer.code for answer in answers if isinstance(answer, Refusal)} == {403}


async def test_read_only_may_rehearse_and_change_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, _clock):
        desk = door.for_peer(OWNER)
        proposal = await desk.propose(INTENT)
        assert proposal.plan is not None
        assert not proposal.verdict.allowed
        for call in (desk.confirm(Confirm(proposal_id=proposal.id)), desk.reconcile()):
            with pytest.raises(Refusal, match="ask for operate first"):
                await call
        board = await board_of(desk)
        assert board.overrides == {}
        assert not (await desk.audit(AuditQuery()))


async def test_operate_is_for_operators_and_with_it_an_action_runs_to_its_end(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, clock):
        with pytest.raises(Refusal, match="operators"):
            await door.for_peer(READER).access(AccessRequest(level=AccessLevel.OPERATE, reason="please"))
        desk = door.for_peer(OWNER)
        assert (await desk.access(AccessRequest(level=AccessLevel.OPERATE, reason="fire"))).level is AccessLevel.OPERATE
        proposal = await desk.propose(INTENT)
        assert proposal.verdict.allowed, proposal.verdict.refusals
        with pytest.raises(Refusal):
            await door.for_peer(READER).confirm(Confirm(proposal_id=proposal.id))
        receipt = await desk.confirm(Confirm(proposal_id=proposal.id, typed_name=TARGET.name))
        for _ in range(200):
            if receipt.stage is Stage.DONE:
                break
            await clock.advance(0.2)
            await asyncio.sleep(0.005)
            receipt = await desk.receipt(receipt.id)
        assert receipt.outcome is Outcome.VERIFIED, receipt
        assert [row.event for row in await desk.audit(AuditQuery(action_id=receipt.id))]
        assert (await desk.verify_audit()).holds


async def test_acknowledging_is_for_operators(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, _clock):
        with pytest.raises(Refusal, match="for operators"):
            await door.for_peer(READER).mark(AlertMark(alert_id="stale-source@world:source/world"))


async def test_questions_that_are_too_large_are_refused(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, _clock):
        desk = door.for_peer(OWNER)
        for call in (
            desk.log(LogQuery(limit=10**9)),
            desk.audit(AuditQuery(limit=0)),
            desk.history(HistoryQuery(ref=TARGET, points=10**9)),
            desk.history(HistoryQuery(ref=TARGET, window_s=-1)),
        ):
            with pytest.raises(Refusal) as caught:
                await call
            assert caught.value.code == 400


async def test_two_consoles_see_each_others_grants(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, _clock):
        async with aclosing(door.for_peer(READER).events()) as events:
            assert isinstance(await anext(events), Snapshot)
            await door.for_peer(OWNER).access(AccessRequest(level=AccessLevel.OPERATE, reason="fire"))
            async with asyncio.timeout(5):
                async for event in events:
                    if isinstance(event, Change) and event.access:
                        assert [(a.operator, a.reason) for a in event.access] == [("olga", "fire")]
                        break
        assert door.attached == 0


async def test_stopping_is_for_operators_and_refused_while_something_is_held(tmp_path: Path) -> None:
    async with engine(tmp_path, access="operate") as (door, runtime, clock):
        with pytest.raises(Refusal, match="may look only"):
            await door.for_peer(READER).stop("no")
        desk = door.for_peer(OWNER)
        switch = Intent(target=Ref.parse("world:deployment/chat-openai"), action=Trip(), reason="held")
        proposal = await desk.propose(switch)
        confirming = asyncio.create_task(desk.confirm(Confirm(proposal_id=proposal.id, typed_name=TARGET.name)))
        async with asyncio.timeout(5):
            while not is_held(runtime):
                await asyncio.sleep(0.005)
        with pytest.raises(Refusal, match="SIGTERM") as caught:
            await desk.stop("now")
        assert caught.value.code == 409
        for _ in range(200):
            await clock.advance(0.2)
            await asyncio.sleep(0.002)
            if confirming.done() and not is_held(runtime):
                break
        await desk.stop("now")
        assert door.stopped.is_set()
