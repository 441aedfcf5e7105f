"""Queues fill and empty with what happens to the route behind them, and no message is ever lost."""

import math
import tracemalloc

import msgspec
import pytest

from adapters.simulator.platform import Platform, standard
from adapters.simulator.traces.samples import KEPT, KEPT_MOST
from console.domain.board import Board
from console.domain.health import Level, judge
from console.domain.readings import AgeQuality, Queue
from tests.unit.simulator.test_incidents import CLEARED
from tests.unit.simulator.worlds import Sim, Yard, attempts

HOUR = 3600.0


def _level(queue: Queue) -> Level:
    board = Board()
    board.readings[queue.ref] = queue
    return judge(board, queue).level


async def test_an_ordinary_hour_is_calm_on_every_queue() -> None:
    yard = Yard()
    for _ in range(120):
        for queue in (await yard.queues(30)).values():
            assert _level(queue) is Level.OK, queue
            assert queue.age_quality is (AgeQuality.EXACT if queue.depth else AgeQuality.UNKNOWN)
    assert attempts(await yard.sim.route("chat")) < 1.05


async def test_the_outage_ages_the_backlog_behind_the_ill_route_and_the_right_action_empties_it() -> None:
    yard = Yard("outage-with-retries")
    before = await yard.queue("chat-jobs")
    assert before.depth < 10
    ill = await yard.queue("chat-jobs", CLEARED + 60)
    assert ill.depth > 20
    assert (ill.oldest_age_s or 0) > 40
    assert (ill.growth_per_min or 0) > 3
    assert (ill.redelivered_per_min or 0) > 3
    assert (ill.dead_letters or 0) > 0
    assert [(one.reason, one.count) for one in ill.dead_reasons] == [("delivery_limit", ill.dead_letters)]
    calm = await yard.queue("agent-runs")
    assert calm.depth < 10
    await yard.sim.trip("chat-openai")
    well = await yard.queue("chat-jobs", 240)
    assert well.depth < 5
    assert (well.dead_letters or 0) >= (ill.dead_letters or 0)  # nobody but an operator takes them


async def test_left_alone_the_outage_outlives_its_trigger_with_workers_too() -> None:
    for seed in (1, 2, 3):
        yard = Yard("outage-with-retries", seed=seed)
        early = await yard.queue("chat-jobs", CLEARED + 300)
        late = await yard.queue("chat-jobs", 600)
        assert late.depth > early.depth + 20, f"seed {seed}"
        assert attempts(await yard.sim.route("chat")) > 1.5


async def test_a_paused_queue_takes_its_load_from_the_route() -> None:
    yard = Yard()
    before = (await yard.sim.route("agents", 60)).traffic
    await yard.pause("agent-runs")
    after = (await yard.sim.route("agents", 90)).traffic
    assert before is not None
    assert after is not None
    assert after.requests_per_min < 0.75 * before.requests_per_min


async def test_without_queues_the_world_is_what_it_was() -> None:
    alone, traced = Sim("outage-with-retries"), Yard("outage-with-retries", parts=("gateway", "traces"))
    # Looking at requests draws no chance from the world, and without workers nothing acts back on it.
    assert (await alone.look(200)).readings == (await traced.sim.look(200)).readings


async def test_the_same_seed_gives_the_same_queues_however_often_one_looks() -> None:
    often, seldom = Yard("outage-with-retries"), Yard("outage-with-retries")
    for _ in range(149):
        await often.queues(2)
    one, other = await often.queues(2), await seldom.queues(300)
    assert msgspec.json.encode(tuple(one.values())) == msgspec.json.encode(tuple(other.values()))


async def test_jobs_come_in_as_often_as_the_tenant_asks() -> None:
    yard = Yard()
    queue = yard.broker.queues["document-index"]
    await yard.queues(1)
    expected, before = 0.0, queue.done + queue.everything()
    for _ in range(600):
        await yard.queues(1)
        expected += queue.expected_per_s()
    came = queue.done + queue.everything() - before
    assert abs(came - expected) < 4 * math.sqrt(expected)


async def test_the_urgent_ones_go_first() -> None:
    yard = Yard()
    queue = yard.broker.queues["chat-jobs"]
    await yard.pause("chat-jobs")
    seen = await yard.queue("chat-jobs", 300)
    urgent = {one.priority: one.depth for one in seen.priorities}
    assert urgent[1] > 5
    assert urgent[0] > urgent[1]
    first = [queue.backlog.take() for _ in range(urgent[1])]
    assert all(message.priority == 1 for message in first)
    assert [message.number for message in first] == sorted(message.number for message in first)


async def test_a_full_queue_refuses_new_jobs_and_keeps_the_old_ones() -> None:
    small = [{**msgspec.to_builtins(spec), "limit": 50} for spec in standard().queues]
    platform = msgspec.convert({**msgspec.to_builtins(standard()), "queues": small}, Platform)
    yard = Yard(platform=platform)
    await yard.pause("document-index", ttl_s=HOUR)
    full = await yard.queue("document-index", 600)
    assert full.depth == 50
    queue = yard.broker.queues["document-index"]
    assert queue.refused > 50
    assert queue.backlog.take().number < 80  # the oldest are there, not the newest


async def test_a_lost_broker_is_said() -> None:
    yard = Yard()
    yard.broker.lost = True
    with pytest.raises(Exception, match="no answer"):
        await yard.queues()
    assert next(row.ok for row in await yard.jobs.check()) is False


async def test_calm_hours_with_queues_and_traces_need_no_more_memory() -> None:
    yard = Yard(platform=msgspec.structs.replace(standard(), tick_s=10.0))
    tracemalloc.start()
    try:
        for _ in range(2):  # until everything that is kept has its full length
            await yard.queues(HOUR)
        start = tracemalloc.get_traced_memory()[0]
        await yard.queues(HOUR)  # six whole periods of the batches
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert KEPT <= len(yard.stage.samples().kept) <= KEPT_MOST
    assert grown < 200_000


def test_a_queue_of_a_tenant_that_does_not_ask_is_refused() -> None:
    data = msgspec.to_builtins(standard())
    data["queues"][0]["tenant"] = "nobody"
    with pytest.raises(msgspec.ValidationError, match="nobody"):
        msgspec.convert(data, Platform)


def test_two_queues_of_one_name_are_refused() -> None:
    data = msgspec.to_builtins(standard())
    data["queues"][1]["name"] = data["queues"][0]["name"]
    with pytest.raises(msgspec.ValidationError, match="two queues"):
        msgspec.convert(data, Platform)
