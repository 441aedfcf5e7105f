"""Lasting steps: carried, told, stopped, tidied up, put back."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from console.control.carry import ROW_S
from console.control.rows import StepRow
from console.domain.actions import (
    Finish,
    Isolate,
    Outcome,
    OverrideState,
    Park,
    Pause,
    Replay,
    Requeue,
    Restore,
    Resume,
    Stage,
    Stop,
)
from console.domain.errors import BackendError, ErrorKind, Refusal
from console.domain.wire import Change
from tests.unit.control.backend import refused
from tests.unit.control.broker import JOBS, MAIL
from tests.unit.control.queue_house import queue_house


async def test_a_park_is_answered_at_once_tells_its_progress_and_is_verified(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        receipt = await h.begin(Park())
        assert (receipt.stage, receipt.outcome) == (Stage.EXECUTING, Outcome.CONVERGING)
        assert receipt.progress is not None
        assert (receipt.progress.done, receipt.progress.total) == (0, 20)
        assert h.pending()
        await h.clock.advance(2.5)
        now = h.receipt(receipt.id)
        assert now.progress is not None
        assert now.progress.done == 10
        assert now.words.startswith("10 of 20 parked")
        await h.clock.advance(10)
        final = h.receipt(receipt.id)
        assert (final.stage, final.outcome) == (Stage.DONE, Outcome.VERIFIED)
        assert final.progress is not None
        assert final.progress.done == 20
        assert h.broker.waiting("jobs.parked") == 20
        assert h.broker.shovels == {}
        (override,) = h.store.board.overrides.values()
        assert (override.state, override.expires_at, override.id) == (OverrideState.ACTIVE, None, receipt.id)
        assert not h.pending(), "what is parked keeps no engine alive"
        events = await h.events(receipt.id)
        assert events[:5] == ["confirmed", "step-begun", "step-done", "step-begun", "step-done"]


async def test_progress_is_published_once_a_second_and_on_record_now_and_then(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.rate = 0.5
        published: list[Change] = []
        h.store.listen(lambda change: published.append(change) if change.receipts else None)
        receipt = await h.begin(Park())
        await h.clock.advance(35)
        assert len(published) < 45
        rows = [row for row in await h.audit.rows("event = 'progress'") if row.action_id == receipt.id]
        assert len(rows) == int(35 // ROW_S)
        told = [msgspec.json.decode(row.body, type=StepRow).progress for row in rows]
        counts = [item.done for item in told if item]
        assert counts == sorted(set(counts))


async def test_two_queues_of_one_source_at_a_time_but_one_action_an_object(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        for _ in range(20):
            h.broker.publish("mail")
        await h.begin(Park())
        await h.begin(Park(), MAIL)
        proposal = await h.propose(Replay(), JOBS)
        assert any("stop it first" in words for words in proposal.verdict.refusals)
        await h.clock.advance(10)
        assert h.broker.waiting("jobs.parked") == h.broker.waiting("mail.parked") == 20


async def test_a_backend_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        receipt = await h.begin(Park())
        h.broker.away = [BackendError(ErrorKind.UNREACHABLE, "connection refused") for _ in range(5)]
        await h.clock.advance(8)
        now = h.receipt(receipt.id)
        assert (now.stage, now.outcome) == (Stage.EXECUTING, Outcome.CONVERGING)
        assert "connection refused" in now.words
        assert now.failure is not None
        await h.clock.advance(60)
        assert h.receipt(receipt.id).outcome is Outcome.VERIFIED
        assert h.receipt(receipt.id).failure is None
        assert max(h.broker.counts.moves.values()) == 1


async def test_a_stall_is_said_and_ends_nothing(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        receipt = await h.begin(Park())
        await h.clock.advance(2)
        h.broker.shovels["jobs.park"].rate = 1e-9
        await h.clock.advance(90)
        now = h.receipt(receipt.id)
        assert now.stage is Stage.EXECUTING
        assert "nothing has moved for" in now.words
        assert h.said().count("nothing has moved for") == 1
        h.broker.shovels["jobs.park"].rate = 5.0
        await h.clock.advance(20)
        assert h.receipt(receipt.id).outcome is Outcome.VERIFIED


async def test_stop_leaves_what_was_moved_and_undo_moves_it_back(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.begin(Park())
        stop = await h.stop(park.id, after=2)
        await h.clock.advance(1)
        final = h.receipt(park.id)
        assert (final.stage, final.outcome) == (Stage.DONE, Outcome.STOPPED)
        assert final.words == "10 of 20 parked, 10 left; stopped by bob; undo puts back what was moved"
        assert final.progress is not None
        assert final.progress.done == h.broker.waiting("jobs.parked") == 10
        assert h.broker.shovels == {}
        assert h.receipt(stop).outcome is Outcome.VERIFIED
        assert "10 of 20 parked" in h.receipt(stop).words
        assert h.broker.calls.count("delete jobs.park") == 1
        (override,) = h.store.board.overrides.values()
        assert override.state is OverrideState.ACTIVE
        await h.clock.advance(200)
        assert h.store.board.overrides[park.id].in_effect, "what is held in part is no lost override"
        assert "not in effect" not in h.said()
        back = await h.begin(Restore(park.id))
        await h.clock.advance(10)
        assert h.receipt(back.id).outcome is Outcome.VERIFIED
        assert h.broker.waiting("jobs") == 20
        assert h.store.board.overrides == {}
        assert h.receipt(park.id).outcome is Outcome.REVERTED


async def test_stop_before_anything_was_moved_leaves_nothing(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.rate = 0.001
        park = await h.begin(Park())
        await h.stop(park.id, after=1)
        await h.clock.advance(1)
        final = h.receipt(park.id)
        assert final.outcome is Outcome.STOPPED
        assert "nothing was moved" in final.words
        assert final.override_id == ""
        assert h.store.board.overrides == {}
        assert h.broker.shovels == {}


async def test_only_what_lasts_and_is_not_over_can_be_stopped(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        with pytest.raises(Refusal, match="no action"):
            await h.propose(Stop("nonsense"), JOBS)
        with pytest.raises(Refusal, match="nothing lasting"):
            await h.propose(Stop(""), JOBS)
        pause = await h.act(Pause(), JOBS)
        assert any("over" in words for words in (await h.propose(Stop(pause), JOBS)).verdict.refusals)
        h.broker.publish(MAIL.name)
        park = await h.begin(Park(), MAIL)
        assert (await h.propose(Stop(""), MAIL)).intent.action == Stop(park.id)
        assert (await h.propose(Stop(park.id), JOBS)).intent.target == MAIL
        nobody = await h.propose(Stop(park.id), MAIL, reason="")
        assert any("reason" in words for words in nobody.verdict.refusals)


async def test_a_stop_needs_no_backend_that_answers(tmp_path: Path) -> None:
    """The wish counts at once; taking away what moves is tried until the backend takes it."""
    async with queue_house(tmp_path) as h:
        h.broker.rate = 1.0
        park = await h.begin(Park())
        await h.clock.advance(2)
        h.broker.faults += [("delete jobs.park", refused(), False) for _ in range(3)]
        await h.stop(park.id)
        await h.clock.advance(1)
        now = h.receipt(park.id)
        assert (now.stage, now.outcome) == (Stage.EXECUTING, Outcome.UNKNOWN)
        assert "delete jobs.park does not work yet" in now.words
        assert h.pending()
        again = await h.propose(Stop(park.id), JOBS)
        assert any("stopping it already" in words for words in again.verdict.refusals)
        taken = await h.propose(Park(), JOBS)
        assert not taken.verdict.allowed, "nothing may take over what still moves"
        await h.clock.advance(120)
        final = h.receipt(park.id)
        assert final.outcome is Outcome.STOPPED
        assert final.progress is not None
        assert 2 < final.progress.done == h.broker.waiting("jobs.parked"), "it went on until it was taken away"


async def test_what_has_moved_all_before_it_could_be_stopped_is_done(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.begin(Park())
        await h.clock.advance(2)
        h.broker.faults += [("delete jobs.park", refused(), False) for _ in range(4)]
        stop = await h.stop(park.id)
        await h.clock.advance(60)
        final = h.receipt(park.id)
        assert final.outcome is Outcome.VERIFIED
        assert "20 of 20 parked, 0 left all the same; stopped by bob" in final.words
        assert h.receipt(stop).outcome is Outcome.VERIFIED
        assert len(h.store.board.overrides) == 1


async def test_a_stop_waits_for_no_other_call_to_the_source(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.publish(MAIL.name)
        park = await h.begin(Park())
        h.broker.slow_s = 1000.0
        other = asyncio.ensure_future(h.begin(Park(), MAIL))
        await h.clock.advance(2)
        assert not other.done(), "the source is busy"
        stop = await h.stop(park.id)
        await h.clock.advance(1)
        assert h.receipt(stop).stage is Stage.EXECUTING
        assert "taking away" in h.receipt(park.id).words
        await h.clock.advance(3000)
        assert h.receipt((await other).id).outcome is Outcome.VERIFIED


async def test_a_mover_that_does_not_let_go_keeps_no_stop_waiting(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.stubborn = True
        h.broker.rate = 0.1
        park = await h.begin(Park())
        await h.stop(park.id, after=15)
        await h.clock.advance(12)
        assert "does not let go" in h.said()
        assert h.receipt(park.id).outcome is Outcome.STOPPED
        h.broker.stubborn = False
        h.broker.away = [refused()]


async def test_what_cannot_be_counted_is_said_to_be_the_last_count(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.begin(Park())
        await h.clock.advance(2)
        h.broker.uncountable = True
        await h.stop(park.id)
        await h.clock.advance(20)
        assert "when it was last counted" in h.receipt(park.id).words
        assert len(h.store.board.overrides) == 1


async def test_a_full_parking_queue_ends_it_with_what_was_moved(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.full["jobs.parked"] = 7
        park = await h.begin(Park())
        await h.clock.advance(10)
        final = h.receipt(park.id)
        assert (final.stage, final.outcome) == (Stage.DONE, Outcome.FAILED)
        assert "7 of 20 parked, 13 left" in final.words
        assert "full" in final.words
        assert h.broker.shovels == {}
        assert len(h.store.board.overrides) == 1
        await h.begin(Restore(""))
        await h.clock.advance(10)
        assert h.broker.waiting("jobs") == 20
        assert h.store.board.overrides == {}


async def test_what_ends_by_a_failure_cannot_be_stopped_any_more(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.full["jobs.parked"] = 7
        h.broker.faults += [("delete jobs.park", refused(), False) for _ in range(5)]
        park = await h.begin(Park())
        await h.clock.advance(5)
        refusals = (await h.propose(Stop(park.id), JOBS)).verdict.refusals
        assert any("is ending already" in words for words in refusals)
        await h.clock.advance(60)
        assert h.receipt(park.id).outcome is Outcome.FAILED


async def test_a_lasting_step_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.faults.append(("declare", refused(), False))
        park = await h.begin(Park())
        assert h.receipt(park.id).outcome is Outcome.FAILED
        assert "nothing was changed" in h.receipt(park.id).words
        assert h.store.board.overrides == {}


async def test_a_restore_of_a_park_lasts_can_be_stopped_and_goes_on_later(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.act(Park(), JOBS)
        back = await h.begin(Restore(park))
        await h.clock.advance(2)
        assert h.store.board.overrides[park].state is OverrideState.REVERTING
        assert h.pending()
        await h.stop(back.id)
        await h.clock.advance(5)
        final = h.receipt(back.id)
        assert final.outcome is Outcome.STOPPED
        assert "10 of 20 put back" in final.words
        assert h.store.board.overrides[park].state is OverrideState.ACTIVE
        await h.clock.advance(600)
        assert h.broker.waiting("jobs.parked") == 10, "nobody goes on with it by himself"
        assert not h.pending()
        await h.begin(Restore(park))
        await h.clock.advance(10)
        assert h.broker.waiting("jobs") == 20
        assert h.store.board.overrides == {}


async def test_replay_ends_a_park_and_an_isolation(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.act(Park(), JOBS)
        h.broker.publish()
        isolate = await h.act(Isolate(), JOBS)
        assert list(h.store.board.overrides) == [isolate], "the newer one has taken over"
        await h.act(Replay(), JOBS)
        await h.clock.advance(10)
        assert h.store.board.overrides == {}
        assert h.broker.waiting("jobs") == 21
        assert h.receipt(isolate).outcome is Outcome.REVERTED
        assert h.receipt(park).outcome is Outcome.VERIFIED  # superseded


async def test_a_pause_and_a_park_stay_two_overrides_and_end_in_two_ways(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        pause = await h.act(Pause(), JOBS, ttl_s=300)
        held = h.broker.publish()
        park = await h.act(Park(), JOBS, ttl_s=None)
        assert set(h.store.board.overrides) == {pause, park}
        assert h.broker.queues["jobs.held"] == [held]
        await h.clock.advance(320)
        assert list(h.store.board.overrides) == [park], "the pause ended by itself"
        assert h.broker.queues["jobs"] == [held]
        assert h.receipt(pause).outcome is Outcome.REVERTED
        assert h.broker.waiting("jobs.parked") == 20


async def test_the_end_of_a_pause_lasts_and_a_stop_of_it_holds_the_rest(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        pause = await h.act(Pause(), JOBS, ttl_s=300)
        for _ in range(20):
            h.broker.publish()
        await h.clock.advance(291)
        assert h.store.board.overrides[pause].state is OverrideState.REVERTING
        stop = await h.stop("")
        await h.clock.advance(600)
        assert h.receipt(stop).outcome is Outcome.VERIFIED
        (override,) = h.store.board.overrides.values()
        assert (override.state, override.expires_at) == (OverrideState.ACTIVE, None)
        assert 0 < h.broker.waiting("jobs.held") < 20
        assert "of 20 put back" in override.words
        assert not h.pending()
        await h.begin(Restore(pause))
        await h.clock.advance(20)
        assert h.broker.waiting("jobs.held") == 0
        assert h.store.board.overrides == {}


async def test_a_way_back_that_fails_is_tidied_up_stuck_and_tried_again(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.act(Park(), JOBS)
        h.broker.away = [BackendError(ErrorKind.FORBIDDEN, "not any more")]
        back = await h.begin(Restore(park))
        await h.clock.advance(1)
        assert h.receipt(back.id).outcome is Outcome.FAILED
        assert "delete jobs.back" in h.broker.calls
        await h.clock.advance(60)
        assert h.store.board.overrides == {}
        assert h.broker.waiting("jobs") == 20


async def test_resume_ends_the_pause_and_gives_everything_back(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        pause = await h.act(Pause(), JOBS)
        h.broker.publish()
        receipt = await h.begin(Resume())
        await h.clock.advance(10)
        assert h.receipt(receipt.id).outcome is Outcome.VERIFIED
        assert h.store.board.overrides == {}
        assert h.receipt(pause).outcome is Outcome.REVERTED
        assert h.broker.waiting("jobs") == 21


async def test_what_a_stopped_resume_left_is_given_back_when_the_pause_ends(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        await h.act(Pause(), JOBS, ttl_s=300)
        for _ in range(20):
            h.broker.publish()
        resume = await h.begin(Resume())
        await h.stop(resume.id, after=2)
        await h.clock.advance(100)
        assert h.broker.waiting("jobs.held") == 10
        await h.clock.advance(220)
        assert h.broker.waiting("jobs.held") == 0
        assert h.store.board.overrides == {}


async def test_a_stopped_replay_keeps_the_park_that_holds_the_rest(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.act(Park(), JOBS)
        replay = await h.begin(Replay())
        await h.stop(replay.id, after=2)
        await h.clock.advance(200)
        assert h.receipt(replay.id).outcome is Outcome.STOPPED
        (override,) = h.store.board.overrides.values()
        assert h.receipt(replay.id).words.endswith("stopped by bob; the rest is held as before")
        assert (override.id, override.state, override.in_effect) == (park, OverrideState.ACTIVE, True)
        assert "10 of 20 replayed" in override.words
        await h.begin(Restore(park))
        await h.clock.advance(10)
        assert h.broker.waiting("jobs") == 20
        assert h.store.board.overrides == {}


async def test_requeue_leaves_nothing_even_when_it_is_stopped(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.queues["dead"] = [1001, 1002, 1003, 1004]
        h.broker.rate = 1.0
        receipt = await h.begin(Requeue())
        await h.stop(receipt.id, after=2)
        await h.clock.advance(5)
        final = h.receipt(receipt.id)
        assert final.outcome is Outcome.STOPPED
        assert "2 of 4 requeued" in final.words
        assert "undo" not in final.words
        assert h.store.board.overrides == {}


async def test_a_stopped_finish_keeps_what_it_held_back_in_sight(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        finish = await h.begin(Finish(), ttl_s=300)
        await h.clock.advance(2)
        h.broker.publish()
        await h.stop(finish.id)
        await h.clock.advance(1)
        assert "10 of 20 finished" in h.receipt(finish.id).words
        assert len(h.store.board.overrides) == 1
        await h.clock.advance(320)
        assert h.store.board.overrides == {}, "it ends with its time like any other"
        assert h.broker.waiting("jobs.held") == 0
        assert not h.broker.state["jobs", "diverted"]


async def test_reconcile_does_not_wait_for_what_lasts(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.rate = 0.001
        park = await h.begin(Park())
        task = asyncio.ensure_future(h.control.reconcile())
        await h.clock.advance(3)
        assert task.done()
        assert [receipt.id for receipt in task.result().receipts] == [park.id]


async def test_an_adapter_that_fails_in_the_middle_is_tidied_up(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.begin(Park())
        await h.clock.advance(2)
        h.broker.away = [ZeroDivisionError("a fault")]
        await h.clock.advance(5)
        assert h.receipt(park.id).outcome is Outcome.FAILED
        assert "ZeroDivisionError" in h.receipt(park.id).words
        assert h.broker.shovels == {}
