"""Queue verbs move messages, each of them is counted, and a lasting step can be begun, stopped and gone on with."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest

from console.domain.actions import (
    Finish,
    Isolate,
    Park,
    Progress,
    Purge,
    QueueAction,
    Replay,
    Requeue,
    Resume,
    Step,
)
from console.domain.errors import BackendError, ErrorKind
from tests.unit.simulator.test_incidents import CLEARED
from tests.unit.simulator.worlds import Yard


def _balance(yard: Yard, name: str) -> int:
    """Messages that came in and that nobody can account for; 0 as long as none is lost and none is there twice."""
    queue = yard.broker.queues[name]
    return queue.came - queue.done - queue.purged - queue.everything()


async def _ill(name: str = "chat-jobs", *, exports: Path | None = None) -> Yard:
    """A yard in the middle of the outage: a backlog, retries in it, dead letters beside it."""
    yard = Yard("outage-with-retries", exports=exports)
    queue = await yard.queue(name, CLEARED + 120)
    assert queue.depth > 20
    assert queue.dead_letters or name != "chat-jobs"
    return yard


async def test_a_pause_keeps_everything_and_ends_by_itself() -> None:
    yard = Yard()
    await yard.queue("document-index", 30)
    plan = await yard.pause("document-index", ttl_s=120)
    assert (await yard.proof(plan)).holds
    held = await yard.queue("document-index", 100)
    assert held.paused
    assert held.in_flight == 0
    assert held.depth > 30
    assert _balance(yard, "document-index") == 0
    after = await yard.queue("document-index", 200)
    assert not after.paused
    assert after.depth < 5
    assert (await yard.proof(plan, undone=True)).holds


async def test_resume_gives_the_workers_everything_at_once() -> None:
    yard = Yard()
    await yard.pause("document-index")
    await yard.queues(60)
    plan = await yard.plan("document-index", Resume())
    await yard.run(plan.steps)
    assert (await yard.proof(plan)).holds
    assert (await yard.queue("document-index", 1)).in_flight == 5


async def test_park_sets_aside_what_waits_and_the_workers_go_on_with_what_is_new() -> None:
    yard = await _ill()
    before = await yard.queue("chat-jobs")
    plan = await yard.plan("chat-jobs", Park())
    assert (await yard.proof(plan)).holds is False
    told = await yard.run(plan.steps)
    assert (await yard.proof(plan)).holds
    after = await yard.queue("chat-jobs")
    assert after.parked == told[-1].done
    assert (after.parked or 0) > before.depth - 10
    assert after.depth < 10
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert (told[-1].done, told[-1].total) == (after.parked, after.parked)
    assert any(one.per_s for one in told[1:])
    assert _balance(yard, "chat-jobs") == 0


async def test_the_way_back_of_a_park_brings_back_its_own_messages_and_leaves_those_before() -> None:
    yard = await _ill()
    await yard.run((await yard.plan("chat-jobs", Park())).steps)
    first = [message.number for message in yard.broker.queues["chat-jobs"].parked]
    await yard.queues(200)
    plan = await yard.plan("chat-jobs", Park())
    await yard.run(plan.steps)
    assert len(yard.broker.queues["chat-jobs"].parked) > len(first)
    await yard.run(plan.undo)
    assert (await yard.proof(plan, undone=True)).holds
    assert [message.number for message in yard.broker.queues["chat-jobs"].parked] == first
    assert await yard.jobs.generation(plan) == plan.generation
    assert _balance(yard, "chat-jobs") == 0


async def test_replay_brings_back_everything_at_the_rate_that_was_asked_for() -> None:
    yard = await _ill()
    await yard.run((await yard.plan("chat-jobs", Park())).steps)
    await yard.run((await yard.plan("chat-jobs", Isolate())).steps) if _retries(yard) else None
    aside = (await yard.queue("chat-jobs")).parked or 0
    plan = await yard.plan("chat-jobs", Replay(per_s=2.0))
    begin = yard.clock.now()
    told = await yard.run(plan.steps)
    assert yard.clock.now() - begin == pytest.approx(aside / 2.0, abs=4)
    assert told[-1].done == aside
    assert (await yard.proof(plan)).holds
    assert (await yard.queue("chat-jobs")).parked == 0
    assert _balance(yard, "chat-jobs") == 0


def _retries(yard: Yard) -> bool:
    return any(message.tries for message in yard.broker.queues["chat-jobs"].backlog)


async def test_replayed_messages_keep_their_place_in_the_order_and_their_age() -> None:
    yard = await _ill()
    before = await yard.queue("chat-jobs")
    plan = await yard.plan("chat-jobs", Park())
    await yard.run(plan.steps)
    await yard.pause("chat-jobs")
    await yard.run(plan.undo)
    after = await yard.queue("chat-jobs")
    assert (after.oldest_age_s or 0) > (before.oldest_age_s or 0)
    queue = yard.broker.queues["chat-jobs"]
    taken = [queue.backlog.take() for _ in range(len(queue.backlog))]
    assert [(-one.priority, one.number) for one in taken] == sorted((-one.priority, one.number) for one in taken)


async def test_isolate_sets_only_retries_aside() -> None:
    yard = await _ill()
    while not _retries(yard):
        await yard.queues(1)
    plan = await yard.plan("chat-jobs", Isolate())
    await yard.run(plan.steps)
    queue = yard.broker.queues["chat-jobs"]
    assert queue.retries
    assert all(message.tries for message in queue.retries)
    assert any(not message.tries for message in queue.backlog)
    assert (await yard.proof(plan)).holds
    await yard.run(plan.undo)
    assert not queue.retries
    assert _balance(yard, "chat-jobs") == 0


async def test_finish_holds_new_jobs_back_until_the_workers_are_through_and_then_lets_them_in() -> None:
    yard = Yard()
    before = await yard.queue("evals", 20)
    assert before.depth > 50
    plan = await yard.plan("evals", Finish())
    told = await yard.run(plan.steps)
    assert (await yard.proof(plan)).holds
    assert told[-1].done == told[-1].total == before.depth + (before.in_flight or 0)
    done = await yard.queue("evals", 600)  # the next batch comes, and is held back
    assert (done.depth, done.in_flight) == (0, 0)
    assert (done.parked or 0) > 50
    told = await yard.run(plan.undo)
    assert told[-1].done == done.parked
    assert (await yard.proof(plan, undone=True)).holds
    assert (await yard.queue("evals")).in_flight == 6
    assert _balance(yard, "evals") == 0


async def test_dead_letters_are_tried_again_from_the_beginning() -> None:
    yard = await _ill()
    await yard.sim.trip("chat-openai")
    dead = (await yard.queue("chat-jobs", 240)).dead_letters
    assert dead
    plan = await yard.plan("chat-jobs", Requeue())
    assert not plan.undo
    told = await yard.run(plan.steps)
    assert told[-1].done == dead
    assert (await yard.proof(plan)).holds
    well = await yard.queue("chat-jobs", 60)
    assert (well.dead_letters, well.depth) == (0, 0)
    assert _balance(yard, "chat-jobs") == 0


async def test_a_purge_writes_every_message_down_before_it_is_gone(tmp_path: Path) -> None:
    yard = await _ill(exports=tmp_path / "exports")
    plan = await yard.plan("chat-jobs", Purge())
    await yard.run(plan.steps)
    assert (await yard.proof(plan)).holds
    (file,) = (tmp_path / "exports").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    queue = yard.broker.queues["chat-jobs"]
    assert len(lines) == queue.purged > 20
    assert len({line["number"] for line in lines}) == len(lines)
    assert {line["queue"] for line in lines} == {"chat-jobs"}
    assert _balance(yard, "chat-jobs") == 0
    assert queue.in_flight > 0


async def test_a_purge_that_cannot_write_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("a file where the folder should be")
    yard = await _ill(exports=tmp_path / "exports")
    plan = await yard.plan("chat-jobs", Purge())
    with pytest.raises(BackendError, match="could not be written"):
        await yard.run(plan.steps)
    assert yard.broker.queues["chat-jobs"].purged == 0
    assert _balance(yard, "chat-jobs") == 0


async def test_without_a_folder_nothing_is_purged() -> None:
    yard = await _ill()
    with pytest.raises(BackendError, match="no folder"):
        await yard.plan("chat-jobs", Purge())


async def test_a_park_that_is_stopped_says_how_many_it_has_moved_and_they_stay() -> None:
    yard = await _ill("document-index")
    plan = await yard.plan("document-index", Park())
    (step,) = plan.steps
    told: list[Progress] = []
    carried = asyncio.ensure_future(yard.jobs.carry(step, told.append))
    await yard.clock.advance(1.5)
    carried.cancel()
    with suppress(asyncio.CancelledError):
        await carried
    for one in plan.tidy:
        await yard.jobs.execute(one)
    counted = await yard.jobs.count(step)
    parked = (await yard.queue("document-index", 5)).parked
    assert 0 < counted.done < (counted.total or 0)
    assert counted.done == parked
    told = await yard.run(plan.undo)
    assert told[-1].done == parked
    assert (await yard.proof(plan, undone=True)).holds
    assert _balance(yard, "document-index") == 0


@pytest.mark.parametrize("action", [Park(), Isolate(), Requeue(), Finish(), Purge(), Replay()], ids=lambda a: a.verb)
async def test_killed_at_any_instant_and_gone_on_with_nothing_is_lost(action: QueueAction, tmp_path: Path) -> None:
    """Whoever carries a step dies after so many turns of the loop; the next begins the same step again."""
    death, died = 0, True
    while died:
        yard = await _ill(exports=tmp_path / str(death))
        while not _retries(yard):
            await yard.queues(1)
        if isinstance(action, Replay):
            await yard.run((await yard.plan("chat-jobs", Park())).steps)
        plan = await yard.plan("chat-jobs", action)
        for step in plan.steps:
            if not step.lasting:
                await yard.jobs.execute(step)
        lasting = next(step for step in plan.steps if step.lasting)
        carried = asyncio.ensure_future(yard.jobs.carry(lasting, lambda _: None))
        await yard.clock.advance(0.7 * death)
        died = not carried.done()
        carried.cancel()
        with suppress(asyncio.CancelledError):
            await carried
        await yard.run(plan.steps)
        assert (await yard.proof(plan)).holds
        assert _balance(yard, "chat-jobs") == 0
        queue = yard.broker.queues["chat-jobs"]
        if isinstance(action, Purge):
            (file,) = (tmp_path / str(death)).iterdir()
            assert len(file.read_text().splitlines()) == queue.purged
        death += 1
        if death > 8:
            break
    assert death > 1


async def test_two_movers_of_one_queue_do_not_mix() -> None:
    yard = await _ill("document-index")
    park = await yard.plan("document-index", Park())
    carried = asyncio.ensure_future(yard.jobs.carry(park.steps[0], lambda _: None))
    await yard.clock.advance(1.0)
    replay = await yard.plan("document-index", Replay())
    with pytest.raises(BackendError) as caught:
        await yard.jobs.carry(replay.steps[0], lambda _: None)
    assert caught.value.kind is ErrorKind.CONFLICT
    await yard.clock.advance(30.0)
    await carried


async def test_a_full_parking_queue_ends_a_park_and_loses_nothing() -> None:
    yard = await _ill("document-index")
    queue = yard.broker.queues["document-index"]
    await yard.run((await yard.plan("document-index", Park())).steps)
    full = type(queue.spec)(
        **{name: getattr(queue.spec, name) for name in queue.spec.__struct_fields__} | {"limit": 60}
    )
    queue.spec = full
    await yard.queues(120)
    with pytest.raises(BackendError, match="parking queue is full"):
        await yard.run((await yard.plan("document-index", Park())).steps)
    assert queue.aside >= 60
    assert _balance(yard, "document-index") == 0


async def test_a_broker_that_is_gone_is_unreachable_in_every_call() -> None:
    yard = await _ill()
    plan = await yard.plan("chat-jobs", Park())
    yard.broker.lost = True
    for call in (yard.jobs.carry(plan.steps[0], lambda _: None), yard.jobs.execute(plan.tidy[0])):
        with pytest.raises(BackendError) as caught:
            await call
        assert caught.value.kind is ErrorKind.UNREACHABLE
    with pytest.raises(BackendError):
        await yard.jobs.count(plan.steps[0])
    assert (await yard.proof(plan)).holds is None


async def test_a_lasting_step_is_not_executed_and_a_strange_one_is_refused() -> None:
    yard = await _ill()
    plan = await yard.plan("chat-jobs", Park())
    for step in (plan.steps[0], Step(op="queue.eat", words="eat")):
        with pytest.raises(BackendError) as caught:
            await yard.jobs.execute(step)
        assert caught.value.kind is ErrorKind.UNSUPPORTED
