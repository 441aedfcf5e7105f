"""Queue verbs on a real RabbitMQ: every known way to lose messages is tried, and messages are counted one by one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from adapters.rabbitmq import finishing, moving
from adapters.rabbitmq.exports import read_export
from adapters.rabbitmq.shovels import DIVERT_PREFETCH, FORGOTTEN, MOVE_PREFETCH
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Queue
from console.domain.verbs import Finish, Isolate, Park, Pause, Purge, Replay, Requeue, Resume
from tests.real.rabbit_bench import RabbitBench, counted, drained, numbered, policy, working
from tests.real.stack.rabbitmq import ADMIN, CONSOLE, RabbitServer

PARKED, PAUSED, RETRIES = "switchgear.parked.orders", "switchgear.paused.orders", "switchgear.retries.orders"
both_kinds = pytest.mark.parametrize("kind", ["classic", "quorum"])


@pytest.fixture
async def bench(broker: RabbitServer, tmp_path: Path) -> AsyncIterator[RabbitBench]:
    """The adapter on the empty broker."""
    made = RabbitBench(broker, exports=tmp_path / "exports", replay_per_s=20_000)
    yield made
    await made.adapter.close()


async def fill(server: RabbitServer, count: int, kind: str = "classic", queue: str = "orders") -> None:
    server.declare(queue, x_queue_type=kind)
    await server.publish(queue, numbered(count))


def once(count: int, begin: int = 0) -> "Counter[bytes]":
    return Counter(body[:8] for body in numbered(count, begin))


ABOUT: dict[str, Any] = {"headers": {"tenant": "a", "deep": {"n": [1, "x"]}}, "priority": 3, "message_id": "m1"}


async def test_what_is_parked_comes_back_in_order_with_headers_priority_and_time(bench: RabbitBench) -> None:
    server = bench.server
    server.declare("orders")
    about = {**ABOUT, "timestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}
    await server.publish("orders", numbered(300), **about)
    before = await drained(server, "orders")
    await server.publish("orders", numbered(300), **about)
    park = await bench.act("orders", Park())
    assert await server.count("orders") == 0
    assert await server.count(PARKED) == 300
    assert bench.shovels() == []
    await bench.undo(park)
    after = await drained(server, "orders")
    assert [one.body for one in after] == [one.body for one in before]
    assert all(one.header.properties == before[0].header.properties for one in after)


async def test_a_worker_that_is_attached_while_parking_gets_what_it_gets_and_none_is_lost(bench: RabbitBench) -> None:
    server = bench.server
    await fill(server, 6000)
    async with working(server, "orders", pause_s=0.001, prefetch=50) as done:
        plan = await bench.act("orders", Park())
        assert bench.shovels() == [], "a raced shovel would swallow what comes later"
        await server.publish("orders", numbered(200, begin=6000))
        async with asyncio.timeout(20):
            while sum(done.values()) + await server.count(PARKED) < 6200 or await server.count("orders"):
                await asyncio.sleep(0.1)
        assert all(done[body[:8]] for body in numbered(200, begin=6000)), "new work is worked on"
    assert plan.effects[0].before is not None
    assert done + await counted(server, PARKED) == once(6200)


async def test_a_broker_killed_in_the_middle_loses_none_and_doubles_no_more_than_said(bench: RabbitBench) -> None:
    server, count = bench.server, 12_000
    await fill(server, count, "classic")
    await fill(server, count, "quorum", "images")
    await fill(server, 100, "classic", "mails")
    pause = await bench.act("mails", Pause())
    plans = [await bench.plan(queue, Park()) for queue in ("orders", "images")]
    for plan in plans:
        await bench.run(plan.steps[:-1])
    carried = [await bench.begun(plan.steps[-1], 1_000) for plan in plans]
    server.kill()
    for task in carried:
        with suppress(BackendError):  # one may have been through already
            await task
    server.start()
    for plan in plans:
        await bench.run(plan.steps[-1:])  # as the engine does when the broker answers again
        await bench.shown(plan)
    await bench.shown(pause)
    assert bench.shovels() == ["switchgear.pause.mails"], "a pause outlives its broker's death"
    for queue, most in (("orders", FORGOTTEN), ("images", MOVE_PREFETCH)):
        found = await counted(server, queue, f"switchgear.parked.{queue}")
        assert set(found) == set(once(count)), "none is lost"
        assert sum(found.values()) - count <= most
    await bench.undo(pause)
    assert set(await counted(server, "mails")) == set(once(100))


async def test_an_engine_that_dies_leaves_a_batch_to_end_and_the_next_goes_on_from_the_steps_alone(
    bench: RabbitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "BATCH", 1500)
    await fill(bench.server, 8000)
    plan = await bench.plan("orders", Park())
    await bench.run(plan.steps[:-1])
    for moved in (500, 3000, 6000):
        carried = await bench.begun(plan.steps[-1], moved)
        carried.cancel()
        with suppress(asyncio.CancelledError):
            await carried
        await asyncio.sleep(0.3)
    told = await bench.run(plan.steps[-1:])
    await bench.shown(plan)
    assert (told[-1].done, told[-1].total) == (8000, 8000)
    assert await counted(bench.server, "orders", PARKED) == once(8000)


async def test_stopping_lets_the_batch_end_so_that_nothing_comes_twice(
    bench: RabbitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "BATCH", 2000)
    await fill(bench.server, 8000)
    plan = await bench.plan("orders", Park())
    await bench.run(plan.steps[:-1])
    carried = await bench.begun(plan.steps[-1], 500)
    carried.cancel()
    with suppress(asyncio.CancelledError):
        await carried
    await bench.run(plan.tidy)
    stopped = await bench.adapter.count(plan.steps[-1])
    assert 500 <= stopped.done < 8000
    assert stopped.done == await bench.server.count(PARKED)
    await bench.undo(plan)
    assert await counted(bench.server, "orders") == once(8000)


async def test_a_parameter_without_a_shovel_is_noticed_and_put_again(
    bench: RabbitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = bench.server
    monkeypatch.setattr(moving, "UNLISTED_S", 2.0)
    await fill(server, 500)
    plan = await bench.plan("orders", Park())
    await bench.run(plan.steps[:-1])
    # A shovel whose definition leads nowhere: the parameter is there, nothing runs.
    nowhere = {
        "src-protocol": "amqp091", "src-uri": "amqp://127.0.0.1:1", "src-queue": "orders",
        "dest-protocol": "amqp091", "dest-uri": "amqp://127.0.0.1:1", "dest-queue": PARKED, "src-delete-after": 500,
    }  # fmt: skip
    server.call("PUT", "parameters/shovel/%2F/switchgear.park.orders", {"value": nowhere})
    await bench.run(plan.steps[-1:])
    await bench.shown(plan)
    assert bench.shovels() == []
    assert await counted(server, PARKED) == once(500)


async def test_without_amqp_the_management_api_counts_and_the_rest_is_said(broker: RabbitServer) -> None:
    bench = RabbitBench(broker, amqp=None, replay_per_s=20_000)
    await fill(broker, 3000)
    await bench.undo(await bench.act("orders", Park()))
    with pytest.raises(BackendError, match="does not say where the broker takes AMQP"):
        await bench.plan("orders", Isolate())
    assert await counted(broker, "orders") == once(3000)
    (row,) = [one for one in await bench.adapter.check() if one.what == "amqp"]
    assert row.ok is None
    await bench.adapter.close()


async def test_the_check_tries_amqp(bench: RabbitBench) -> None:
    (row,) = [one for one in await bench.adapter.check() if one.what == "amqp"]
    assert row.ok, row
    away = RabbitBench(bench.server, amqp="amqp://127.0.0.1:1")
    (row,) = [one for one in await away.adapter.check() if one.what == "amqp"]
    assert row.ok is False
    await away.adapter.close()


async def test_a_mistyped_queue_is_refused_and_not_made(bench: RabbitBench) -> None:
    await fill(bench.server, 5)
    with pytest.raises(BackendError) as caught:
        await bench.plan("order", Park())
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    plan = await bench.plan("orders", Park())
    bench.server.call("DELETE", "queues/%2F/orders")
    with pytest.raises(BackendError, match="no queue orders"):
        await bench.run(plan.steps)
    assert "orders" not in [one["name"] for one in bench.server.call("GET", "queues?columns=name")]


@pytest.mark.parametrize("queue", ["a/b%2Fc", "50% {off}[1]", "émoji 🐇", '\u202e"quoted\\', "switchgear.parked."])
async def test_names_of_every_kind_are_moved_and_purged(bench: RabbitBench, queue: str) -> None:
    await fill(bench.server, 60, queue=queue)
    park = await bench.act(queue, Park())
    assert await bench.server.count(f"switchgear.parked.{queue}") == 60
    await bench.undo(park)
    assert bench.shovels() == []
    purge = await bench.act(queue, Purge())
    found = read_export(Path(purge.steps[0].args["file"]))
    assert Counter(one.body[:8] for one in found) == once(60)
    assert await bench.server.count(queue) == 0


async def test_a_virtual_host_that_amqp_would_mistake_for_another_is_not_entered(bench: RabbitBench) -> None:
    server, names = bench.server, ("a/b", "a%2Fb")
    for vhost in (quote(name, safe="") for name in names):
        server.call("PUT", f"vhosts/{vhost}")
        for user, _ in (ADMIN, CONSOLE):
            server.call("PUT", f"permissions/{vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
    for name in names:
        server.declare("orders", name)
    await server.publish("orders", numbered(5), "a/b")
    other = RabbitBench(server, vhosts=["a%2Fb"])
    with pytest.raises(BackendError, match="%2F"):
        await other.plan("orders", Park())
    await other.adapter.close()
    for name in names:
        server.call("DELETE", f"vhosts/{quote(name, safe='')}")


async def test_a_parking_queue_that_a_policy_limits_is_refused_before_anything_is_moved(bench: RabbitBench) -> None:
    await fill(bench.server, 50)
    plan = await bench.plan("orders", Park())
    with policy(bench.server, "^switchgear", max_length=10):
        with pytest.raises(BackendError, match="max-length 10 by a policy"):
            await bench.run(plan.steps)
        with pytest.raises(BackendError, match="max-length 10 by a policy"):
            await bench.plan("orders", Park())
    with policy(bench.server, "^switchgear", message_ttl=1000), pytest.raises(BackendError, match="message-ttl"):
        await bench.plan("orders", Park())
    assert await bench.server.count("orders") == 50


async def test_a_parking_queue_that_becomes_full_ends_the_park_with_the_reason(bench: RabbitBench) -> None:
    server = bench.server
    await fill(server, 2000)
    plan = await bench.plan("orders", Park())
    await bench.run(plan.steps[:-1])
    with policy(server, "^switchgear", max_length=700, overflow="reject-publish"):
        with pytest.raises(BackendError, match="takes no more: max-length 700") as caught:
            await bench.run(plan.steps[-1:])
        assert caught.value.kind is ErrorKind.FAILED
        await bench.run(plan.tidy)
        assert (await bench.adapter.count(plan.steps[-1])).done == await server.count(PARKED)
    found = await counted(server, "orders", PARKED)
    assert found == once(2000)


async def test_a_consumer_that_holds_messages_unacknowledged_keeps_them_and_park_says_so(bench: RabbitBench) -> None:
    server = bench.server
    await fill(server, 1000)
    async with server.channel(prefetch=100) as channel:
        await channel.basic_consume("orders", _hold)
        await asyncio.sleep(0.3)
        plan = await bench.act("orders", Park())
        assert plan.effects[0].before == 900
        assert any("hold already" in note for note in plan.notes)
        assert await server.count(PARKED) == 900
    await asyncio.sleep(0.3)
    assert await server.count("orders") == 100
    assert await counted(server, "orders", PARKED) == once(1000)


async def _hold(_: object) -> None:
    """Take a message and never acknowledge it."""


async def test_nothing_that_is_done_to_a_quorum_queue_counts_as_a_failed_delivery(bench: RabbitBench) -> None:
    server = bench.server
    server.declare("orders", x_queue_type="quorum")
    await server.publish("orders", numbered(400), **ABOUT)
    await bench.undo(await bench.act("orders", Park()))
    await bench.undo(await bench.act("orders", Pause()))
    await bench.adapter.observe()
    with pytest.raises(BackendError, match="failed delivery"):
        await bench.plan("orders", Isolate())
    plan = await bench.act("orders", Purge())
    found = list(read_export(Path(plan.steps[0].args["file"])))
    assert [one.body for one in found] == list(numbered(400)), "each once, and in order"
    assert not any(one.redelivered for one in found)
    assert all(one.properties["headers"] == ABOUT["headers"] for one in found), "no x-delivery-count"


@both_kinds
async def test_a_paused_queue_gives_its_workers_nothing_and_resuming_gives_everything_back(
    bench: RabbitBench, kind: str
) -> None:
    server = bench.server
    await fill(server, 1000, kind)
    plan = await bench.act("orders", Pause())
    async with asyncio.timeout(10):
        while await server.count("orders"):
            await asyncio.sleep(0.1)
    async with working(server, "orders") as done:
        await server.publish("orders", numbered(500, begin=1000))
        await asyncio.sleep(1)
        assert sum(done.values()) == 0
        assert await server.count(PAUSED) == 1500
        async with asyncio.timeout(10):
            while not await _shows_paused(bench):
                await asyncio.sleep(0.5)
        await bench.act("orders", Resume())
        async with asyncio.timeout(20):
            while sum(done.values()) < 1500:
                await asyncio.sleep(0.1)
    assert set(done) == set(once(1500))
    assert sum(done.values()) - 1500 <= DIVERT_PREFETCH
    assert bench.shovels() == []
    await bench.shown(plan, undone=True)


async def _shows_paused(bench: RabbitBench) -> bool:
    readings = (await bench.adapter.observe()).readings
    return any(isinstance(one, Queue) and one.paused for one in readings if one.ref.name == "orders")


async def test_a_replay_keeps_its_rate(bench: RabbitBench) -> None:
    await fill(bench.server, 600)
    await bench.act("orders", Park())
    plan = await bench.plan("orders", Replay(per_s=200))
    began = asyncio.get_running_loop().time()
    told = await bench.run(plan.steps)
    took = asyncio.get_running_loop().time() - began
    assert took > 600 / 200 - 1.2, "the last batch is not waited for"
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert await counted(bench.server, "orders") == once(600)


async def test_dead_letters_go_back_once_and_keep_why_they_died(bench: RabbitBench) -> None:
    server = bench.server
    server.declare("orders.dead")
    server.declare("orders", x_dead_letter_exchange="", x_dead_letter_routing_key="orders.dead")
    await server.publish("orders", numbered(200))
    await _reject_all(server, "orders", 200)
    async with asyncio.timeout(10):
        while await server.count("orders.dead") < 200:
            await asyncio.sleep(0.1)
    plan = await bench.act("orders", Requeue())
    assert plan.undo == ()
    assert any("come twice" in note for note in plan.notes)
    back = await drained(server, "orders")
    assert Counter(bytes(one.body[:8]) for one in back) == once(200)
    deaths: list[Any] = [(one.header.properties.headers or {})["x-death"] for one in back]
    assert all(one[0]["queue"] == "orders" for one in deaths)


async def test_of_a_shared_dead_letter_queue_only_this_queues_letters_go_back(bench: RabbitBench) -> None:
    server = bench.server
    server.declare("dead")
    for queue in ("orders", "mails"):
        server.declare(queue, x_dead_letter_exchange="", x_dead_letter_routing_key="dead")
    await server.publish("orders", numbered(150))
    await server.publish("mails", numbered(150, begin=150))
    await _reject_all(server, "orders", 150)
    await _reject_all(server, "mails", 150)
    async with asyncio.timeout(10):
        while await server.count("dead") < 300:
            await asyncio.sleep(0.1)
    await bench.act("orders", Requeue())
    assert await counted(server, "orders") == once(150)
    rest = await drained(server, "dead")
    assert [bytes(one.body[:8]) for one in rest] == [body[:8] for body in numbered(150, begin=150)]


async def _reject_all(server: RabbitServer, queue: str, count: int) -> None:
    rejected = 0
    async with server.channel() as channel:
        while rejected < count:
            message = await channel.basic_get(queue)
            await channel.basic_reject(message.delivery_tag or 0, requeue=False)
            rejected += 1


async def test_retries_are_set_aside_and_first_tries_keep_their_places(bench: RabbitBench) -> None:
    server = bench.server
    server.declare("orders")
    await server.publish("orders", numbered(300), headers={"retries": 0})
    await server.publish("orders", numbered(100, begin=300), headers={"retries": 2})
    await server.publish("orders", numbered(300, begin=400))
    plan = await bench.act("orders", Isolate())
    assert await server.count(RETRIES) == 100
    assert await server.count("orders") == 600
    assert (await bench.adapter.count(plan.steps[-1])).done == 100
    await bench.undo(plan)
    found = await drained(server, "orders")
    wanted = [*numbered(300), *numbered(300, begin=400), *numbered(100, begin=300)]
    assert [one.body for one in found] == wanted


async def test_a_purge_writes_every_message_to_a_private_file_before_it_goes(bench: RabbitBench) -> None:
    server = bench.server
    await fill(server, 1200)
    async with server.channel(prefetch=100) as channel:
        await channel.basic_consume("orders", _hold)
        await asyncio.sleep(0.3)
        plan = await bench.act("orders", Purge())
        file = Path(plan.steps[0].args["file"])
        assert file.stat().st_mode & 0o777 == 0o600
        assert len(list(read_export(file))) == 1100
        assert await server.count("orders") == 0
    await asyncio.sleep(0.3)
    kept = await counted(server, "orders")
    assert sum(kept.values()) == 100, "what a worker holds stays"
    assert Counter(one.body[:8] for one in read_export(file)) + kept == once(1200)


async def test_a_purge_whose_file_cannot_be_written_takes_nothing_away(broker: RabbitServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    bench = RabbitBench(broker, exports=tmp_path / "file" / "exports")
    await fill(broker, 300)
    plan = await bench.plan("orders", Purge())
    with pytest.raises(BackendError, match="cannot be written"):
        await bench.run(plan.steps)
    assert await counted(broker, "orders") == once(300)
    await bench.adapter.close()


async def test_a_queue_is_finished_while_new_work_waits_elsewhere(
    bench: RabbitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = bench.server
    monkeypatch.setattr(finishing, "SETTLED_S", 2.0)  # classic queues tell it at once
    server.call("PUT", "exchanges/%2F/work", {"type": "direct", "durable": True})
    server.declare("orders")
    server.call("POST", "bindings/%2F/e/work/q/orders", {"routing_key": "orders"})
    await server.publish("orders", numbered(200))
    plan = await bench.plan("orders", Finish())
    async with working(server, "orders", pause_s=0.01) as done:
        await bench.run(plan.steps[:-1])
        async with server.channel() as channel:
            for body in numbered(50, begin=200):
                await channel.basic_publish(body, exchange="work", routing_key="orders")
        await bench.run(plan.steps[-1:])
        await bench.shown(plan)
        assert done == once(200)
        assert await server.count(PAUSED) == 50
        await bench.undo(plan)
        async with asyncio.timeout(10):
            while sum(done.values()) < 250:
                await asyncio.sleep(0.1)
    assert done == once(250)
    bindings = server.call("GET", "queues/%2F/orders/bindings")
    assert [(one["source"], one["routing_key"]) for one in bindings if one["source"]] == [("work", "orders")]
