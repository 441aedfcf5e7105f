from pathlib import Path

import pytest

from console.domain.actions import ExpiryHome, OnExpiry, Outcome, OverrideState, Reset, Restore, SetWeight, Switch, Trip
from console.domain.errors import Refusal
from console.domain.health import Level, judge
from console.domain.wire import AuditQuery
from tests.unit.control.backend import deployment, lost, refused, route
from tests.unit.control.house import BOB, House, house


def only(h: House) -> OverrideState:
    (override,) = h.store.board.overrides.values()
    return override.state


def blocked(h: House) -> bool:
    return bool(h.backend.state["a", "blocked"])


def pending(h: House) -> bool:
    return h.control.pending


async def test_an_override_ends_by_the_clock_and_says_who_ended_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        action = await h.act(ttl_s=600)
        assert pending(h)
        await h.clock.advance(580)
        assert blocked(h)
        await h.clock.advance(15)
        assert not blocked(h)
        assert h.store.board.overrides == {}
        assert h.receipt(action).outcome is Outcome.REVERTED
        assert "expiry" in h.receipt(action).words
        assert not pending(h)
        rows = await h.audit.page(AuditQuery())
        assert {row.operator for row in rows if row.action_id not in ("", action)} == {"expiry"}


async def test_a_week_passes_and_nothing_ends_twice(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        await h.clock.advance(7 * 86400)
        assert h.backend.calls == ["block a blocked=True", "un-block a blocked=False"]


async def test_an_expiry_of_the_backend_is_only_watched(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.home = ExpiryHome.BACKEND
        await h.act(ttl_s=600)
        assert not pending(h)
        await h.clock.advance(588)
        h.backend.put("a", "blocked", False)  # the backend's own timer
        await h.clock.advance(10)
        assert h.store.board.overrides == {}
        assert h.backend.calls == ["block a blocked=True"]


async def test_an_expiry_that_the_backend_forgets_is_said(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        h.backend.home = ExpiryHome.BACKEND
        await h.act(ttl_s=600)
        await h.clock.advance(620)
        assert only(h) is OverrideState.STUCK
        assert "should have ended" in h.said()
        h.backend.put("a", "blocked", False)
        await h.clock.advance(60)
        assert h.store.board.overrides == {}


async def test_a_revert_that_fails_is_stuck_said_and_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        h.backend.faults += [("un-block", refused(), False) for _ in range(3)]
        await h.clock.advance(590)
        assert only(h) is OverrideState.STUCK
        assert "could not be put back" in h.said()
        assert pending(h)
        await h.clock.advance(120)
        assert h.store.board.overrides == {}
        assert h.backend.calls.count("un-block a blocked=False") == 4
        assert h.backend.effects["un-block a blocked=False"] == 1


async def test_a_revert_whose_answer_is_lost_is_looked_up(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        h.backend.faults.append(("un-block", lost(), True))
        await h.clock.advance(600)
        assert h.store.board.overrides == {}
        assert h.backend.effects["un-block a blocked=False"] == 1


async def test_a_half_done_way_back_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Switch("spare"), route("main"), ttl_s=600)
        h.backend.faults.append(("un-switch main alias", refused(), False))
        await h.clock.advance(700)
        assert h.store.board.overrides == {}
        assert h.backend.effects["un-switch main flag=0"] == 1
        assert h.backend.effects["un-switch main alias="] == 1


async def test_a_dead_replica_keeps_the_way_back_open(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        h.backend.down.add("r2")
        await h.clock.advance(620)
        assert only(h) is OverrideState.STUCK
        h.backend.down.clear()
        await h.clock.advance(300)
        assert h.store.board.overrides == {}


async def test_what_another_hand_has_changed_is_left_alone_at_expiry(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(SetWeight(1.0), ttl_s=600)
        h.backend.put("a", "weight", 5.0)
        await h.clock.advance(700)
        assert h.backend.state["a", "weight"] == 5.0
        assert only(h) is OverrideState.ACTIVE
        assert "another hand" in h.said()
        back = await h.act(Restore(""), deployment("a"))
        assert h.receipt(back).outcome is Outcome.VERIFIED
        assert h.backend.state["a", "weight"] == 10.0


async def test_what_is_already_as_before_ends_without_a_call(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        h.backend.put("a", "blocked", False)
        await h.clock.advance(700)
        assert h.store.board.overrides == {}
        assert h.backend.calls == ["block a blocked=True"]


async def test_hold_stays_and_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600, on_expiry=OnExpiry.HOLD)
        await h.clock.advance(3600)
        assert blocked(h)
        (override,) = h.store.board.overrides.values()
        assert (override.state, override.expires_at) == (OverrideState.ACTIVE, None)
        assert h.said().count("held until somebody restores it") == 1
        assert not pending(h)


async def test_restore_puts_back_and_ends(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        action = await h.act(SetWeight(2.0))
        back = await h.act(Restore(action), peer=BOB)
        assert h.receipt(back).outcome is Outcome.VERIFIED
        assert h.backend.state["a", "weight"] == 10.0
        assert h.receipt(action).outcome is Outcome.REVERTED
        assert "bob" in h.receipt(action).words
        assert h.store.board.overrides == {}


async def test_trip_then_weight_then_undo_gives_back_what_was_there_before_each(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        before = dict(h.backend.state)
        trip = await h.act(Trip())
        weight = await h.act(SetWeight(0.0), peer=BOB)
        assert list(h.store.board.overrides) == [weight]
        assert h.receipt(trip).outcome is Outcome.VERIFIED  # superseded is not reverted: it still holds
        assert blocked(h)
        await h.act(Restore(""))
        assert h.backend.state == before
        assert h.store.board.overrides == {}


async def test_weight_twice_and_the_expiry_gives_back_the_first_value(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(SetWeight(5.0), ttl_s=100)
        await h.act(SetWeight(1.0), ttl_s=600)
        await h.clock.advance(200)
        assert h.backend.state["a", "weight"] == 1.0  # the first one's end is no end any more
        await h.clock.advance(500)
        assert h.backend.state["a", "weight"] == 10.0
        assert h.backend.effects["un-weigh a weight=5.0"] == 0


async def test_turns_of_trip_and_weight_do_not_pile_up(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        before = dict(h.backend.state)
        for round_ in range(6):
            await h.act(Trip() if round_ % 2 else SetWeight(float(round_)))
        (override,) = h.store.board.overrides.values()
        assert len(override.plan.undo) <= 3
        await h.act(Restore(""))
        assert h.backend.state == before


async def test_a_reset_leaves_the_weight_of_a_double_override(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip())
        await h.act(SetWeight(3.0))
        await h.act(Reset())
        assert not blocked(h)
        (override,) = h.store.board.overrides.values()
        assert override.plan.before == {"weight": 10.0}
        await h.act(Restore(""))
        assert h.backend.state["a", "weight"] == 10.0


async def test_overrides_outlive_the_engine(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        action = await h.act(ttl_s=600)
        await h.kill()
        await h.clock.advance(60)
        await h.start()
        await h.clock.advance(1)
        assert list(h.store.board.overrides) == [action]
        await h.clock.advance(600)
        assert not blocked(h)
        assert h.store.board.overrides == {}


async def test_an_override_that_expired_while_no_engine_ran_is_reverted_at_the_next_start(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        await h.kill()
        await h.clock.advance(86400)
        await h.start()
        await h.clock.advance(5)
        assert not blocked(h)
        assert h.store.board.overrides == {}


async def test_reconcile_says_what_holds_and_tries_again_what_is_stuck(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(ttl_s=600)
        report = await h.control.reconcile()
        assert [item.state for item in report.overrides] == [OverrideState.ACTIVE]
        assert "seen on 2/2" in report.words[-1]
        h.backend.faults += [("un-block", refused(), False)]
        await h.clock.advance(592)
        assert only(h) is OverrideState.STUCK
        report = await h.control.reconcile()
        assert report.overrides == ()
        assert h.store.board.overrides == {}
        assert (await h.control.reconcile()).words == ("nothing is open",)


@pytest.mark.parametrize("second", [SetWeight(1.0), Trip()])
async def test_an_expiry_waits_for_the_action_in_flight(tmp_path: Path, second: SetWeight | Trip) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip(), ttl_s=60)
        h.backend.lag["r2"] = 9.0
        await h.clock.advance(45)
        await h.confirm(await h.propose(second, ttl_s=600))
        await h.clock.advance(30)
        assert blocked(h)
        assert len(h.store.board.overrides) == 1


async def looking(h: House, seconds: float) -> None:
    """Let time pass with a poll every four seconds."""
    for _ in range(int(seconds / 4)):
        await h.clock.advance(4)
        await h.look()


async def test_a_probe_lets_a_few_requests_through_before_all_of_them(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip(), ttl_s=600, on_expiry=OnExpiry.PROBE)
        await looking(h, 600)
        assert not blocked(h)
        assert h.backend.state["a", "weight"] == pytest.approx(20 / 99, abs=1e-4)
        assert h.backend.calls[1:] == ["weigh a weight=0.202", "unblock a blocked=False"]  # never open at full weight
        await looking(h, 200)
        assert h.backend.state["a", "weight"] == 10.0
        assert h.store.board.overrides == {}
        assert "the probes went well" in h.said()


async def test_probes_that_fail_keep_the_small_weight(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip(), ttl_s=600, on_expiry=OnExpiry.PROBE)
        h.backend.errors["a"] = 15.0
        await looking(h, 1200)
        assert h.backend.state["a", "weight"] < 1
        assert "75% of the probes fail" in " ".join(item.words for item in h.store.board.overrides.values())
        h.backend.errors["a"] = 0.0
        await looking(h, 200)
        assert h.backend.state["a", "weight"] == 10.0
        assert h.store.board.overrides == {}


async def test_where_no_weight_decides_a_probe_is_a_revert_and_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip(), deployment("d"), ttl_s=600, on_expiry=OnExpiry.PROBE)
        await looking(h, 600)
        assert h.backend.state["d", "blocked"] is False
        assert h.backend.state["d", "weight"] == 10.0
        assert "cannot be probed here" in h.said()
        assert h.store.board.overrides == {}


async def test_a_probe_is_taken_up_by_the_next_engine(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip(), ttl_s=600, on_expiry=OnExpiry.PROBE)
        h.backend.faults.append(("unblock", refused(), False))
        await looking(h, 588)
        await h.kill()
        await h.start()
        await looking(h, 600)
        assert not blocked(h)
        assert h.backend.state["a", "weight"] == 10.0
        assert h.store.board.overrides == {}


async def test_a_restore_that_was_previewed_before_the_override_changed_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        await h.act(Trip())
        await h.act(SetWeight(3.0))
        stale = await h.propose(Restore(""))
        await h.act(Reset())
        with pytest.raises(Refusal, match="changed since"):
            await h.confirm(stale)
        assert h.backend.state["a", "weight"] == 3.0


async def test_receipts_of_the_engine_before_are_known_and_true(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        undone = await h.act(SetWeight(2.0))
        await h.act(Restore(""))
        kept = await h.act(Trip())
        await h.kill()
        await h.start()
        await h.clock.advance(1)
        assert h.receipt(undone).outcome is Outcome.REVERTED
        assert h.receipt(kept).outcome is Outcome.VERIFIED
        assert list(h.store.board.receipts) == [undone, *[key for key in h.store.board.receipts if key != undone]]


async def test_an_override_that_another_hand_has_ended_is_said_once_and_again_when_it_is_back(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        action = await h.act(Trip(), ttl_s=3600)
        await h.clock.advance(150)
        assert h.store.board.overrides[action].in_effect
        assert "not in effect" not in h.said()
        h.backend.put("a", "blocked", False)
        await h.clock.advance(300)
        lost = h.store.board.overrides[action]
        assert (lost.in_effect, lost.state) == (False, OverrideState.ACTIVE)
        assert h.said().count("not in effect on the backend") == 1
        assert judge(h.store.board, h.store.board.readings[deployment("a")]).level is Level.WARN
        h.backend.put("a", "blocked", True)
        await h.clock.advance(300)
        assert h.store.board.overrides[action].in_effect
        assert h.said().count("in effect again") == 1
        assert h.backend.calls == ["block a blocked=True"]


async def test_a_new_engine_looks_at_what_it_is_told_is_in_place(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        action = await h.act(Trip(), ttl_s=3600)
        await h.kill()
        h.backend.put("a", "blocked", False)
        await h.start()
        await h.clock.advance(5)
        assert not h.store.board.overrides[action].in_effect
        again = await h.act(Trip(), ttl_s=3600)
        assert h.store.board.overrides[again].in_effect
        assert list(h.store.board.overrides) == [again]


async def test_a_silent_backend_is_no_proof_that_an_override_is_gone(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        action = await h.act(Trip(), ttl_s=3600)
        h.backend.down |= {"r1", "r2"}
        await h.clock.advance(200)
        assert h.store.board.overrides[action].in_effect
