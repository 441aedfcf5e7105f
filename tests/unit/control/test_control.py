import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from console.control.rows import Confirmed
from console.domain.actions import (
    CheckResult,
    Outcome,
    OverrideState,
    Receipt,
    Reset,
    Restore,
    SetWeight,
    Stage,
    Switch,
    Trip,
)
from console.domain.errors import Refusal
from console.domain.freshness import Freshness
from console.domain.wire import AuditQuery
from tests.unit.control.backend import SOURCE, deployment, lost, refused, route
from tests.unit.control.house import ALICE, BOB, house


async def test_a_trip_goes_all_seven_steps_and_is_verified_on_every_replica(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.lag["r2"] = 3.0
        proposal = await h.propose()
        assert proposal.verdict.allowed, proposal.verdict.refusals
        assert h.backend.effects == {}
        receipt = await h.confirm(proposal)
        assert (receipt.stage, receipt.outcome) == (Stage.VERIFYING, Outcome.APPLIED)
        await h.clock.advance(1)
        assert h.receipt(receipt.id).outcome is Outcome.CONVERGING
        assert "1/2" in h.receipt(receipt.id).words
        await h.clock.advance(5)
        final = h.receipt(receipt.id)
        assert (final.stage, final.outcome) == (Stage.DONE, Outcome.VERIFIED)
        assert all(proof.holds for proof in final.proofs)
        assert "2/2" in final.words
        (override,) = h.store.board.overrides.values()
        assert (override.owner, override.state, override.expires_at) == ("alice", OverrideState.ACTIVE, h.started + 600)
        assert await h.events(receipt.id) == [
            "confirmed", "step-begun", "step-done", "override", "receipt", "proof", "done",
        ]  # fmt: skip
        assert h.polled
        assert set(h.polled) == {SOURCE}


async def test_the_row_is_on_disk_before_the_first_call(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        seen: list[str] = []

        def peek(_: object) -> None:
            with sqlite3.connect(h.path) as db:
                seen.extend(event for (event,) in db.execute("select event from audit order by seq"))
            db.close()

        h.backend.before_effect = peek
        proposal = await h.propose()
        await h.confirm(proposal)
        assert seen == ["confirmed", "step-begun"]
        rows = await h.audit.page(AuditQuery(action_id=proposal.id))
        body = msgspec.json.decode(rows[-1].body, type=Confirmed)
        assert body.plan == proposal.plan
        assert body.intent == proposal.intent
        assert body.applied[0].override.plan.undo == (proposal.plan.undo if proposal.plan else ())


async def test_without_an_audit_row_nothing_is_called(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose()
        with sqlite3.connect(h.path) as db:
            db.execute("alter table audit rename to gone")
        db.close()
        with pytest.raises(Refusal, match="nothing was done"):
            await h.confirm(proposal)
        assert h.backend.calls == []
        assert h.store.board.overrides == {}


async def test_a_log_that_breaks_between_two_calls_stops_the_second(tmp_path: Path) -> None:
    async with house(tmp_path) as h:

        def breaks(_: object) -> None:
            with sqlite3.connect(h.path) as db:
                db.execute("alter table audit rename to gone")
            db.close()

        h.backend.after_effect = breaks
        proposal = await h.propose(Switch("spare"), route("main"))
        await h.confirm(proposal)
        await h.clock.advance(30)
        assert h.backend.calls == ["switch main alias=spare"]
        assert h.receipt(proposal.id).outcome is Outcome.UNKNOWN
        assert "not in the audit log" in h.said()


async def test_one_dead_replica_is_never_success(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.down.add("r2")
        final = h.receipt(await h.act())
        assert final.outcome is Outcome.UNVERIFIED
        assert "1/2" in final.words
        assert len(h.store.board.overrides) == 1


async def test_a_refused_call_changes_nothing_and_leaves_no_override(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.faults.append(("block", refused(), False))
        receipt = await h.confirm(await h.propose())
        assert (receipt.stage, receipt.outcome) == (Stage.DONE, Outcome.FAILED)
        assert receipt.failure is not None
        assert "500 no" in receipt.words
        assert h.store.board.overrides == {}
        assert h.backend.effects == {}


async def test_a_failed_later_step_puts_back_the_earlier_ones(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.faults.append(("switch main flag", refused(), False))
        final = h.receipt(await h.act(Switch("spare"), route("main")))
        assert final.outcome is Outcome.FAILED
        assert "put back" in final.words
        assert h.backend.state["main", "alias"] == ""
        assert h.store.board.overrides == {}


async def test_a_way_back_that_fails_too_is_tried_until_it_works(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.faults += [
            ("switch main flag", refused(), False), ("un-switch main alias", refused(), False),
        ]  # fmt: skip
        action = await h.act(Switch("spare"), route("main"))
        rows = await h.audit.page(AuditQuery(action_id=action))
        last = msgspec.json.decode(next(row.body for row in rows if row.event == "done"), type=Receipt)
        assert last.outcome is Outcome.UNKNOWN
        assert "not yet put back" in last.words
        await h.clock.advance(60)
        assert h.backend.state["main", "alias"] == ""
        assert h.store.board.overrides == {}
        assert h.receipt(action).outcome is Outcome.REVERTED
        assert h.backend.effects["un-switch main alias="] == 1


async def test_a_lost_answer_whose_effect_happened_is_found_and_not_repeated(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.faults.append(("block", lost(), True))
        receipt = await h.confirm(await h.propose())
        assert receipt.outcome is Outcome.UNKNOWN
        await h.clock.advance(5)
        assert h.receipt(receipt.id).outcome is Outcome.VERIFIED
        assert h.backend.effects["block a blocked=True"] == 1


async def test_a_lost_repeatable_call_that_did_not_happen_is_done_again_after_a_look(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.faults.append(("block", lost(), False))
        receipt = await h.confirm(await h.propose())
        await h.clock.advance(20)
        assert h.receipt(receipt.id).outcome is Outcome.VERIFIED
        assert h.backend.effects["block a blocked=True"] == 1


async def test_a_lost_call_that_is_not_repeatable_is_never_repeated(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.faults.append(("switch main flag", lost(), False))
        action = await h.act(Switch("spare"), route("main"))
        await h.clock.advance(30)
        assert h.backend.calls.count("switch main flag=1") == 1
        assert h.receipt(action).outcome is Outcome.FAILED
        assert h.backend.state["main", "alias"] == ""


async def test_nobody_can_tell_is_unknown_until_somebody_can(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.down |= {"r1", "r2"}
        h.backend.faults += [("block", lost(), True), ("block", lost(), True)]
        receipt = await h.confirm(await h.propose())
        await h.clock.advance(40)
        assert h.receipt(receipt.id).outcome is Outcome.UNKNOWN
        assert h.control.pending
        h.backend.down.clear()
        await h.clock.advance(61)
        assert h.receipt(receipt.id).outcome is Outcome.VERIFIED
        assert len(h.store.board.overrides) == 1


async def test_a_read_only_operator_sees_the_plan_and_cannot_confirm_it(tmp_path: Path) -> None:
    async with house(tmp_path, access="read-only") as h:
        proposal = await h.propose()
        assert proposal.plan is not None
        assert not proposal.verdict.allowed
        with pytest.raises(Refusal, match="read-only"):
            await h.confirm(proposal)
        assert h.backend.calls == []


async def test_a_proposal_is_good_for_its_operator_only(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose()
        with pytest.raises(Refusal, match="no such proposal"):
            await h.confirm(proposal, BOB)
        assert h.backend.calls == []


async def test_a_proposal_grows_old(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose()
        await h.clock.advance(121)
        await h.look()
        with pytest.raises(Refusal, match="older than"):
            await h.confirm(proposal)


async def test_two_yeses_are_one_action(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose()
        first, second = await asyncio.gather(h.confirm(proposal), h.confirm(proposal))
        assert first.id == second.id
        await h.clock.advance(5)
        assert (await h.confirm(proposal)).outcome is Outcome.VERIFIED
        assert h.backend.effects["block a blocked=True"] == 1


async def test_what_has_changed_since_the_preview_is_a_conflict_that_says_what(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose(SetWeight(1.0))
        h.backend.put("a", "weight", 7.0)
        with pytest.raises(Refusal, match=r"weight 10\.0 → 7\.0") as refusal:
            await h.confirm(proposal)
        assert refusal.value.code == 409
        assert h.backend.calls == []


async def test_the_guard_judges_again_at_the_yes(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose()
        await h.look(Freshness.STALE)
        with pytest.raises(Refusal, match="stale"):
            await h.confirm(proposal)


async def test_a_typed_name_is_compared_and_a_slip_may_be_corrected(tmp_path: Path) -> None:
    async with house(tmp_path, protect=[{"match": "gw:deployment/a", "why": "paid for"}]) as h:
        proposal = await h.propose()
        assert proposal.verdict.needs_name
        for wrong in ("", "b", "A"):
            with pytest.raises(Refusal, match="paid for"):
                await h.confirm(proposal, typed=wrong)
        assert h.backend.calls == []
        assert (await h.confirm(proposal, typed="a")).outcome is Outcome.APPLIED


async def test_two_trips_at_once_do_not_take_the_last_two_targets_together(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(target=deployment("c"))
        one, two = await h.propose(), await h.propose(target=deployment("b"), peer=BOB)
        assert not one.verdict.needs_name
        results = await asyncio.gather(h.confirm(one), h.confirm(two, BOB), return_exceptions=True)
        assert isinstance(results[1], Refusal)
        assert "type the target's name" in results[1].words
        assert h.backend.state["b", "blocked"] is False


async def test_a_second_action_on_an_object_in_flight_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.lag["r2"] = 8.0
        await h.confirm(await h.propose())
        second = await h.propose(SetWeight(1.0), peer=BOB)
        assert "in flight" in second.verdict.refusals[0]


async def test_the_console_may_die_in_the_middle(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        gate = asyncio.Event()
        execute = h.backend.execute

        async def slow(step: object) -> None:
            await gate.wait()
            await execute(step)  # type: ignore[arg-type]

        h.backend.execute = slow  # type: ignore[method-assign]
        proposal = await h.propose()
        asker = asyncio.ensure_future(h.confirm(proposal))
        while not await h.events(proposal.id):
            await asyncio.sleep(0.01)
        asker.cancel()
        await asyncio.sleep(0)
        gate.set()
        await h.settled(proposal.id)
        assert h.receipt(proposal.id).outcome is Outcome.VERIFIED


async def test_undo_takes_back_an_action_that_is_not_yet_seen_everywhere(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.down.add("r2")
        receipt = await h.confirm(await h.propose())
        await h.clock.advance(1)
        back = await h.propose(Restore(""))
        assert back.verdict.allowed, back.verdict.refusals
        h.backend.down.clear()
        await h.confirm(back)
        await h.clock.advance(5)
        assert h.receipt(back.id).outcome is Outcome.VERIFIED
        assert h.receipt(receipt.id).outcome is Outcome.REVERTED
        assert h.backend.state["a", "blocked"] is False
        assert h.store.board.overrides == {}


async def test_a_reset_ends_the_trip_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        trip = await h.act()
        final = h.receipt(await h.act(Reset()))
        assert final.outcome is Outcome.VERIFIED
        assert final.override_id == ""
        assert h.store.board.overrides == {}
        assert h.receipt(trip).outcome is Outcome.REVERTED
        await h.clock.advance(3600)
        assert h.backend.calls == ["block a blocked=True", "unblock a blocked=False"]


async def test_restore_of_nothing_is_said(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        with pytest.raises(Refusal, match="no override"):
            await h.propose(Restore("nope"))
        with pytest.raises(Refusal, match="no override"):
            await h.propose(Restore(""))
        with pytest.raises(Refusal, match="no receipt"):
            h.receipt("nope")


async def test_a_source_without_an_adapter_is_a_refusing_verdict(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose(target=msgspec.structs.replace(deployment("a"), source="other"))
        assert proposal.plan is None
        assert not proposal.verdict.allowed
        with pytest.raises(Refusal, match="no source"):
            await h.confirm(proposal)


async def test_a_fault_of_the_adapter_is_contained(tmp_path: Path) -> None:
    async with house(tmp_path) as h:

        async def broken(target: object, ttl_s: float) -> None:
            raise KeyError("oops")

        h.backend.plan_trip = broken  # type: ignore[method-assign, assignment]
        proposal = await h.propose()
        assert "KeyError" in str([check for check in proposal.verdict.checks if check.result is CheckResult.REFUSE])
        h.backend.faults.append(("weigh", RuntimeError("boom"), False))
        action = await h.act(SetWeight(1.0))
        assert h.receipt(action).outcome is Outcome.VERIFIED
        assert h.backend.effects["weigh a weight=1.0"] == 1


async def test_a_reason_with_a_credential_in_it_is_masked(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        proposal = await h.propose(Trip(), reason="leaked sk-proj-abcdefghijklmnop1234")
        assert "redacted" in proposal.intent.reason


async def test_nobody_reads_without_the_right_to(tmp_path: Path) -> None:
    async with house(tmp_path, readers=["alice"], operators=["alice"]) as h:
        with pytest.raises(Refusal, match="may not read"):
            await h.propose(peer=BOB)
        assert (await h.propose(peer=ALICE)).verdict.allowed


async def test_an_engine_that_ends_in_the_middle_answers_whoever_waits(tmp_path: Path) -> None:
    async with house(tmp_path) as h:

        async def hangs(step: object) -> None:
            await asyncio.Event().wait()

        h.backend.execute = hangs  # type: ignore[method-assign]
        asker = asyncio.ensure_future(h.confirm(await h.propose()))
        await h.clock.advance(1)
        assert not asker.done()
        await h.kill()
        with pytest.raises(Refusal, match="the next one looks up"):
            await asker


@pytest.mark.parametrize("weight", [-5.0, -1e-9, 1e9, 1e300])
async def test_what_is_no_weight_is_refused_before_any_adapter_is_asked(tmp_path: Path, weight: float) -> None:
    async with house(tmp_path) as it:
        proposal = await it.propose(SetWeight(weight))
        assert not proposal.verdict.allowed
        assert proposal.plan is None
        assert any("a weight is 0 or more" in check.words for check in proposal.verdict.checks)
