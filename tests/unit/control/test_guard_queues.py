"""What the guard says to queue actions: each check has the case that would slip through without it."""

from pathlib import Path

import msgspec
import pytest

from console.domain.actions import (
    Action,
    Check,
    CheckResult,
    Finish,
    Isolate,
    OnExpiry,
    Park,
    Pause,
    Purge,
    Replay,
    Requeue,
    Restore,
    Resume,
    Stop,
    Verb,
)
from console.domain.errors import Refusal
from console.domain.freshness import Freshness
from console.domain.readings import Ability
from tests.unit.control.broker import JOBS
from tests.unit.control.house import BOB
from tests.unit.control.queue_house import QueueHouse, queue_house

PASS, WARN, TYPE_NAME, REFUSE = CheckResult.PASS, CheckResult.WARN, CheckResult.TYPE_NAME, CheckResult.REFUSE


async def said(h: QueueHouse, action: Action, name: str) -> Check:
    verdict = (await h.propose(action, JOBS)).verdict
    return next(check for check in verdict.checks if check.name == name)


async def test_a_sound_action_passes_and_nothing_is_said_of_deployments(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        for action in (Park(), Isolate(), Pause(), Finish(), Replay()):
            proposal = await h.propose(action, JOBS, ttl_s=None)
            assert [check for check in proposal.verdict.checks if check.result is not PASS] == []
            names = {check.name for check in proposal.verdict.checks}
            assert not names & {"headroom", "last target"}
            assert [effect.label for effect in proposal.effects] == ["moved"], "only what the adapter says"


async def test_a_preview_without_the_adapters_numbers_says_how_the_queue_stands(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        park = await h.act(Park(), JOBS)
        effects = (await h.propose(Restore(park), JOBS)).effects
        assert {(effect.label, effect.before) for effect in effects} >= {("waiting", 0.0), ("set aside", 20.0)}


@pytest.mark.parametrize(
    ("action", "result"),
    [
        (Pause(), WARN), (Park(), WARN), (Isolate(), WARN), (Resume(), WARN),
        (Finish(), REFUSE), (Replay(), TYPE_NAME), (Requeue(), TYPE_NAME),
    ],
)  # fmt: skip
async def test_workers_that_are_not_there(tmp_path: Path, action: Action, result: CheckResult) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.consumers["jobs"] = 0
        assert (await said(h, action, "workers")).result is result
        assert "no worker takes from jobs" in (await said(h, action, "workers")).words
        h.broker.consumers["jobs"] = 1
        assert (await said(h, action, "workers")).result is PASS


async def test_workers_that_nobody_can_count(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.consumers["jobs"] = None
        assert (await said(h, Finish(), "workers")).result is WARN
        assert (await said(h, Park(), "workers")).result is WARN


async def test_what_needs_workers_is_refused_while_it_is_paused(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        pause = await h.act(Pause(), JOBS)
        for action in (Replay(), Requeue(), Finish()):
            check = await said(h, action, "paused")
            assert check.result is REFUSE
            assert "resume jobs first" in check.words
        assert (await said(h, Park(), "paused")).result is WARN
        assert (await said(h, Resume(), "paused")).result is PASS
        assert (await said(h, Restore(pause), "paused")).result is PASS


async def test_a_queue_that_grows_gets_a_warning_before_more_comes_back(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        h.broker.in_per_min = 300.0
        check = await said(h, Replay(), "growth")
        assert check.result is WARN
        assert "grows by 300 a minute" in check.words
        assert (await said(h, Park(), "growth")).result is PASS


async def test_a_way_back_is_asked_for_where_it_is_missed(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        assert (await said(h, Requeue(), "way back")).result is WARN
        assert (await said(h, Purge(), "way back")).result is TYPE_NAME
        purge = await h.propose(Purge(), JOBS)
        with pytest.raises(Refusal, match="type the target's name"):
            await h.confirm(purge)
        assert h.broker.waiting("jobs") == 20
        for action in (Replay(), Resume(), Park(), Pause()):
            assert (await said(h, action, "way back")).result is PASS


async def test_a_queue_cannot_be_probed_and_what_is_parked_has_no_end(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        proposal = await h.propose(Pause(), JOBS, on_expiry=OnExpiry.PROBE)
        assert any("cannot be probed" in words for words in proposal.verdict.refusals)
        check = await said(h, Park(), "expiry")
        assert (check.result, check.words) == (
            WARN,
            "what is set aside is held until somebody replays it, not for a time",
        )
        await h.act(Park(), JOBS, ttl_s=60.0)
        assert [override.expires_at for override in h.store.board.overrides.values()] == [None]
        assert (await h.propose(Pause(), JOBS, ttl_s=None)).intent.ttl_s == h.config.overrides.default_ttl
        assert (await h.propose(Finish(), JOBS, ttl_s=None)).intent.ttl_s == h.config.overrides.default_ttl


async def test_it_says_what_becomes_of_the_overrides_that_are_there(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        await h.act(Park(), JOBS)
        assert "stays beside it" in (await said(h, Pause(), "override")).words
        assert "takes over park" in (await said(h, Isolate(), "override")).words
        assert "this ends park" in (await said(h, Replay(), "override")).words
        assert "stays as it is" in (await said(h, Resume(), "override")).words


@pytest.mark.parametrize("per_s", [0.0, -1.0, float("nan"), 1e12])
async def test_a_rate_that_is_none_is_refused(tmp_path: Path, per_s: float) -> None:
    async with queue_house(tmp_path) as h:
        for action in (Replay(per_s), Requeue(per_s)):
            proposal = await h.propose(action, JOBS)
            assert any("a rate is more than 0" in words for words in proposal.verdict.refusals)


async def test_a_stop_is_judged_for_what_it_is(tmp_path: Path) -> None:
    """Nothing about the target's age or its override may keep an operator from stopping what moves."""
    async with queue_house(tmp_path) as h:
        park = await h.begin(Park())
        await h.look(Freshness.STALE)
        proposal = await h.control.propose((await h.propose(Stop(park.id), JOBS, BOB)).intent, BOB)
        assert proposal.verdict.allowed
        assert [check.name for check in proposal.verdict.checks] == ["access", "reason", "under way"]
        assert proposal.plan is not None
        assert "0 of 20 parked" in proposal.plan.words
        assert "then: delete jobs.park" in proposal.plan.notes


async def test_protection_and_freshness_hold_for_queues(tmp_path: Path) -> None:
    async with queue_house(tmp_path, protect=[{"match": "gw:queue/jobs", "rule": "never", "why": "payments"}]) as h:
        check = await said(h, Park(), "protection")
        assert (check.result, "payments" in check.words) == (REFUSE, True)
    async with queue_house(tmp_path / "more") as h:
        proposal = await h.propose(Park(), JOBS)
        await h.look(Freshness.STALE)
        again = await h.control.propose(proposal.intent, BOB)
        assert any("stale" in words for words in again.verdict.refusals)


@pytest.mark.parametrize("action", [Park(), Isolate(), Purge()])
async def test_where_nothing_waits_nothing_is_set_aside_or_taken_away(tmp_path: Path, action: Action) -> None:
    async with queue_house(tmp_path) as h:
        await h.act(Park(), JOBS)
        found = await said(h, action, "plan")
        assert (found.result, "nothing waits" in found.words) == (REFUSE, True)


async def test_what_moves_messages_is_not_called_no_change_where_no_setting_changes(tmp_path: Path) -> None:
    """RabbitMQ's park leaves every setting of its queue as it is, and empties it."""
    async with queue_house(tmp_path) as h:
        plan = (await h.propose(Park(), JOBS)).plan
        assert plan is not None
        assert plan.before
        assert plan.before == plan.after
        assert (await said(h, Park(), "plan")).result is PASS


async def test_a_plan_that_has_just_counted_is_believed_before_a_board_that_is_behind(tmp_path: Path) -> None:
    async with queue_house(tmp_path) as h:
        await h.act(Park(), JOBS)
        reading = h.store.board.readings[JOBS]
        unable = Ability(Verb.REPLAY, able=False, reason="nothing of it is parked")
        can = (*(one for one in reading.can if one.verb is not Verb.REPLAY), unable)
        h.store.board.readings[JOBS] = msgspec.structs.replace(reading, can=can)
        assert (await said(h, Replay(), "ability")).result is PASS
