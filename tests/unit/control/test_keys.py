"""Idempotency keys: what was confirmed under one is not done again, in this engine or in a later one."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from console.control.audit_schema import KEY
from console.control.ledger import RECEIPTS_KEPT
from console.domain.actions import Action, Outcome, Park, Receipt, Reset, Restore, SetWeight, Stage, Stop, Switch, Trip
from console.domain.errors import Refusal
from console.domain.refs import Ref
from tests.unit.control.backend import deployment, route
from tests.unit.control.broker import JOBS
from tests.unit.control.house import BOB, House, house
from tests.unit.control.queue_house import queue_house
from tests.unit.control.test_killed import NEVER, Killer, live

KEY_OF_RUN = "run-1/trip/1"


async def test_a_second_intent_of_the_same_key_is_answered_with_the_first_receipt(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await h.control.by_key(KEY_OF_RUN) is None
        first = await h.confirm(await h.propose(key=KEY_OF_RUN))
        await h.clock.advance(5)
        again = await h.confirm(await h.propose(key=KEY_OF_RUN), typed="nothing is asked")
        assert again == h.receipt(first.id) == await h.control.by_key(KEY_OF_RUN)
        assert again.outcome is Outcome.VERIFIED
        assert len(h.backend.calls) == 1
        assert (await h.confirm(await h.propose(key=KEY_OF_RUN, peer=BOB), BOB)).id == first.id, "another holder"


async def test_two_confirms_of_one_key_race_and_one_is_done(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposals = [await h.propose(key=KEY_OF_RUN, peer=peer) for peer in (BOB, BOB)]
        one, other = await asyncio.gather(*(h.confirm(proposal, BOB) for proposal in proposals))
        assert one.id == other.id
        assert len(h.backend.calls) == 1
        assert (await h.events()).count("confirmed") == 1


async def test_a_key_is_good_for_one_thing_only(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(key=KEY_OF_RUN)
        other: list[tuple[Action, Ref]] = [(Trip(), deployment("b")), (SetWeight(1.0), deployment("a"))]
        for action, target in other:
            with pytest.raises(Refusal, match="confirmed for something else: trip a"):
                await h.confirm(await h.propose(action, target, key=KEY_OF_RUN))
        assert len(h.backend.calls) == 1


async def test_actions_without_a_key_are_each_done(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act()
        await h.act(Reset())
        await h.act()
        assert len(h.backend.calls) == 3
        assert await h.control.by_key("") is None


@pytest.mark.parametrize("key", ["run/sk-" + 20 * "a" + "/1", "run/\n/1", "läufer/1", 201 * "k"])
async def test_a_key_that_the_audit_log_would_not_hold_is_refused(tmp_path: Path, key: str) -> None:
    async with house(tmp_path) as h:
        with pytest.raises(Refusal, match="key"):
            await h.propose(key=key)


async def test_a_key_is_found_when_its_receipt_has_left_the_memory(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        done = await h.act(key=KEY_OF_RUN)
        await h.act(Restore(done), key="run-1/trip/1/back")
        h.control._ledger.receipts.clear()  # as after more than the ledger keeps
        assert RECEIPTS_KEPT == 500
        found = await h.control.by_key(KEY_OF_RUN)
        assert found is not None
        assert (found.id, found.stage, found.outcome) == (done, Stage.DONE, Outcome.REVERTED)
        back = await h.control.by_key("run-1/trip/1/back")
        assert back is not None
        assert back.outcome is Outcome.VERIFIED


async def test_what_a_former_engine_began_and_nobody_can_take_up_is_told_as_unknown(tmp_path: Path) -> None:
    h, killer = House(tmp_path / "audit.db"), Killer(3)
    killer.armed = True
    await live(h, killer, _keyed(Trip(), deployment("a")))
    await h.start()
    h.control._ledger.receipts.clear()
    receipt = await h.control.by_key(KEY_OF_RUN)
    assert receipt is not None
    assert (receipt.outcome, receipt.operator) == (Outcome.UNKNOWN, "alice")
    await h.kill()


async def test_a_log_that_cannot_be_read_does_not_say_that_nothing_was_done(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose(key=KEY_OF_RUN)
        await h.audit.close()
        with pytest.raises(Refusal, match="cannot tell whether it was done before"):
            await h.control.by_key(KEY_OF_RUN)
        with pytest.raises(Refusal, match="cannot tell whether it was done before"):
            await h.confirm(proposal)
        assert h.backend.calls == []


async def test_a_stop_under_a_key_is_asked_for_once(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.begin(Park())
        await h.clock.advance(2)
        proposals = [await h.propose(Stop(park.id), JOBS, BOB, key="run-1/stop/1") for _ in range(2)]
        one, other = await asyncio.gather(*(h.confirm(proposal, BOB) for proposal in proposals))
        assert one.id == other.id
        await h.clock.advance(2)
        assert (await h.events(park.id)).count("stop") == 1
        assert h.receipt(park.id).outcome is Outcome.STOPPED


async def test_the_search_for_a_key_uses_an_index(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(key=KEY_OF_RUN)
    with sqlite3.connect(tmp_path / "audit.db") as db:
        ((*_, plan),) = db.execute(f"explain query plan select * from audit where {KEY} = ? and event = ?", ("k", "e"))
        keys = db.execute(f"select {KEY} from audit where {KEY} is not null").fetchall()
    db.close()
    assert "audit_keys" in plan
    assert keys == [(KEY_OF_RUN,)]


# ---- killed


def _keyed(action: Action, target: Ref) -> Callable[[House], Awaitable[object]]:
    """What a run does: look for the key, and only when it is not there ask for the action."""

    async def work(h: House) -> Receipt:
        receipt = await h.control.by_key(KEY_OF_RUN)
        if receipt is None:
            receipt = await h.confirm(await h.propose(action, target, key=KEY_OF_RUN), typed=target.name)
        await h.clock.advance(30)
        return h.receipt(receipt.id)

    return work


async def _switched(h: House) -> None:
    await h.act(Switch("spare"), route("main"))


_STORIES: dict[str, tuple[Action, Ref, Callable[[House], Awaitable[object]] | None, dict[str, object]]] = {
    "trip": (Trip(), deployment("a"), None, {"blocked": True}),
    "switch": (Switch("spare"), route("main"), None, {"alias": "spare", "flag": 1}),
    "restore": (Restore(""), route("main"), _switched, {"alias": "", "flag": 0}),
}


@pytest.mark.parametrize("name", _STORIES)
async def test_killed_at_every_instant_under_a_key_it_is_done_once(tmp_path: Path, name: str) -> None:
    """The run asks again after each death, under the same key: no call twice that must not be, and none lost.

    Only a yes that lies on record with no call made, and a call that was not to be repeated, may end as not done; the
    receipt says so then, and the state is that from before.
    """
    action, target, before, wanted = _STORIES[name]
    instants, ends = NEVER, list[Outcome]()
    for death in range(NEVER):
        if death >= instants:
            break
        h = House(tmp_path / f"{death}.db")
        if before:
            await live(h, Killer(), before)
        killer = Killer(death)
        killer.armed = True
        h.backend.effects.clear()
        await live(h, killer, _keyed(action, target))
        instants = NEVER if killer.struck else death
        h.backend.before_effect = h.backend.after_effect = lambda step: None
        await h.start()
        receipt = await _keyed(action, target)(h)
        assert isinstance(receipt, Receipt)
        shown = {field: h.backend.state[target.name, field] for field in wanted}
        assert receipt.stage is Stage.DONE
        if name == "restore":
            assert shown == wanted, "a way back that was not taken is tried again by the engine itself"
        else:
            assert (shown == wanted) is (receipt.outcome is Outcome.VERIFIED), receipt
        assert receipt.outcome in (Outcome.VERIFIED, Outcome.FAILED)
        ends.append(receipt.outcome)
        once = [count for words, count in h.backend.effects.items() if "switch" in words]
        assert set(once) <= {1}, h.backend.effects
        assert len(await h.audit.rows(f"{KEY} = ?", (KEY_OF_RUN,))) == 1
        assert await _keyed(action, target)(h) == receipt, "asked once more"
        await h.kill()
    assert ends.count(Outcome.VERIFIED) >= 8
    assert name != "trip" or Outcome.FAILED not in ends
