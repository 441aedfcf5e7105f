import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from console.config import Environment
from console.control.access import Grants, Peer
from console.control.audit import Audit
from console.domain.errors import Refusal
from console.domain.wire import AccessLevel, AccessRequest, AuditQuery, LogKind
from console.engine.clock import ManualClock
from console.engine.store import Store

OWNER = 1000
ALICE = Peer(OWNER, OWNER, 1, "alice", frozenset({"alice", "ops"}))
BOB = Peer(1001, 1001, 2, "bob", frozenset({"bob", "ops"}))
EVE = Peer(1002, 1002, 3, "eve", frozenset({"eve"}))
ASK = AccessRequest(level=AccessLevel.OPERATE, reason="openai is down")
BACK = AccessRequest(level=AccessLevel.READ_ONLY)


class House:
    """A clock, a log and a board for grants to work with."""

    def __init__(self, audit: Audit, clock: ManualClock) -> None:
        self.audit = audit
        self.clock = clock
        self.store = Store("test", clock)

    def grants(self, ceiling: AccessLevel = AccessLevel.OPERATE, **config: Any) -> Grants:
        return Grants(Environment(sources={}, **config), self.clock, self.audit, self.store, OWNER, ceiling)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = ManualClock()
    audit = Audit(tmp_path / "audit.db", clock)
    await audit.open()
    yield House(audit, clock)
    await audit.close()


@pytest.mark.parametrize(
    ("readers", "operators", "peer", "level", "may"),
    [
        (["@owner"], ["@owner"], ALICE, AccessLevel.READ_ONLY, True),
        (["@owner"], ["@owner"], BOB, AccessLevel.NONE, False),
        (["%ops"], ["@owner"], BOB, AccessLevel.READ_ONLY, False),
        (["%ops"], ["bob"], BOB, AccessLevel.READ_ONLY, True),
        (["@owner"], ["bob"], BOB, AccessLevel.READ_ONLY, True),  # who may act may look
        (["*"], ["@owner"], EVE, AccessLevel.READ_ONLY, False),
        ([], [], ALICE, AccessLevel.NONE, False),
        (["%eve"], ["%ops"], EVE, AccessLevel.READ_ONLY, False),
    ],
)
async def test_rights_come_from_the_config(
    house: House, readers: list[str], operators: list[str], peer: Peer, level: AccessLevel, may: bool
) -> None:
    access = house.grants(readers=readers, operators=operators).of(peer)
    assert (access.level, access.may_operate) == (level, may)
    assert bool(access.why_not) is not may


async def test_an_account_called_like_a_marker_gets_nothing_by_its_name(house: House) -> None:
    odd = Peer(7, 7, 7, "@owner", frozenset())
    assert house.grants().of(odd).level is AccessLevel.NONE


async def test_operate_is_granted_for_a_while_audited_and_published(house: House) -> None:
    grants = house.grants(operate_for=600)
    access = await grants.request(ALICE, ASK)
    assert access.level is AccessLevel.OPERATE
    assert access.until == house.clock.now() + 600  # the environment's most, not the 30 minutes asked for
    assert [(held.operator, held.reason) for held in house.store.board.access] == [("alice", "openai is down")]
    assert house.store.board.log[-1].kind is LogKind.ACCESS
    (row,) = await house.audit.page(AuditQuery())
    assert (row.event, row.operator) == ("access", "alice")
    assert "openai is down" in row.body


async def test_a_grant_ends_by_the_clock_even_when_nobody_runs_the_loop(house: House) -> None:
    grants = house.grants()
    await grants.request(ALICE, AccessRequest(level=AccessLevel.OPERATE, reason="x", minutes=5))
    await house.clock.advance(299)
    assert grants.of(ALICE).level is AccessLevel.OPERATE
    await house.clock.advance(2)
    assert grants.of(ALICE).level is AccessLevel.READ_ONLY


async def test_the_loop_says_that_a_grant_has_ended(house: House) -> None:
    grants = house.grants(operators=["*"], readers=["*"])
    loop = asyncio.ensure_future(grants.run())
    await grants.request(ALICE, AccessRequest(level=AccessLevel.OPERATE, reason="long", minutes=20))
    await grants.request(BOB, AccessRequest(level=AccessLevel.OPERATE, reason="short", minutes=2))
    await house.clock.advance(121)
    assert [held.operator for held in house.store.board.access] == ["alice"]
    assert "bob: operate has ended" in house.store.board.log[-1].words
    await house.clock.advance(1200)
    assert house.store.board.access == ()
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (AccessRequest(level=AccessLevel.OPERATE, reason="  "), "reason"),
        (AccessRequest(level=AccessLevel.OPERATE, reason="x", minutes=0), "minutes"),
        (AccessRequest(level=AccessLevel.OPERATE, reason="x", minutes=float("nan")), "minutes"),
        (AccessRequest(level=AccessLevel.OPERATE, reason="x", minutes=float("inf")), "minutes"),
    ],
)
async def test_a_request_without_sense_is_refused(house: House, request_: AccessRequest, word: str) -> None:
    with pytest.raises(Refusal, match=word):
        await house.grants().request(ALICE, request_)
    assert await house.audit.page(AuditQuery()) == ()


async def test_who_may_not_operate_is_refused_with_the_reason(house: House) -> None:
    with pytest.raises(Refusal, match="operators"):
        await house.grants(readers=["*"]).request(BOB, ASK)
    with pytest.raises(Refusal, match="may not read"):
        await house.grants().request(EVE, ASK)
    with pytest.raises(Refusal, match="read-only"):
        await house.grants(AccessLevel.READ_ONLY).request(ALICE, ASK)


async def test_a_ceiling_holds_even_where_the_environment_starts_in_operate(house: House) -> None:
    assert house.grants(AccessLevel.READ_ONLY, access="operate").of(ALICE).level is AccessLevel.READ_ONLY
    assert house.grants(AccessLevel.NONE, access="operate").of(ALICE).level is AccessLevel.NONE


async def test_operate_can_be_given_back(house: House) -> None:
    grants = house.grants()
    await grants.request(ALICE, ASK)
    assert (await grants.request(ALICE, BACK)).level is AccessLevel.READ_ONLY
    assert house.store.board.access == ()


async def test_an_operate_environment_starts_in_operate_for_those_who_may(house: House) -> None:
    grants = house.grants(access="operate", readers=["*"], operators=["alice"])
    assert grants.of(ALICE).level is AccessLevel.OPERATE
    assert grants.of(ALICE).until is None
    assert grants.of(BOB).level is AccessLevel.READ_ONLY
    assert (await grants.request(ALICE, BACK)).level is AccessLevel.READ_ONLY
    assert (await grants.request(ALICE, ASK)).level is AccessLevel.OPERATE


async def test_without_an_audit_row_there_is_no_grant(house: House, tmp_path: Path) -> None:
    grants = house.grants()
    with sqlite3.connect(tmp_path / "audit.db") as db:
        db.execute("alter table audit rename to gone")
    db.close()
    with pytest.raises(Refusal, match="access stays as it is"):
        await grants.request(ALICE, ASK)
    assert grants.of(ALICE).level is AccessLevel.READ_ONLY
