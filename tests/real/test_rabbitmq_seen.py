"""What the console sees of a real RabbitMQ is what is there, and looking changes nothing."""

import asyncio
import contextlib
import datetime
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.rabbitmq import RabbitMQOptions
from adapters.rabbitmq.adapter import RabbitMQAdapter
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.readings import AgeQuality, DeadReason, Observation, PriorityDepth, Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.engine.clock import SystemClock
from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import CONSOLE, PLUGINS, RabbitServer, start_rabbitmq

PATIENCE_S = 30.0


class Watch:
    """The adapter on a real broker."""

    def __init__(self, broker: RabbitServer, secret: str = CONSOLE[1], **options: Any) -> None:
        given = {"urls": [broker.url], "user": CONSOLE[0], "password": "env:PASSWORD", "shape_every": 1}
        settings = RabbitMQOptions(**{**given, **options})
        self.adapter = RabbitMQAdapter(AdapterContext("rabbit", SystemClock(), lambda _: secret, 8.0, settings))

    async def see(self, shows: Callable[[dict[str, Queue]], bool]) -> dict[str, Queue]:
        """Look until the queues show something; the server's statistics are up to some seconds behind."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            queues = queues_of(await self.adapter.observe())
            with contextlib.suppress(KeyError):  # it is not shown before the server has said something of it
                if shows(queues):
                    return queues
            assert time.monotonic() < deadline, queues
            await asyncio.sleep(0.2)

    def look_at(self, *names: str) -> None:
        self.adapter.focus(tuple(Ref("rabbit", Kind.QUEUE, name) for name in names))


def queues_of(observation: Observation) -> dict[str, Queue]:
    return {one.ref.name: one for one in observation.readings if isinstance(one, Queue)}


@asynccontextmanager
async def watching(broker: RabbitServer, **options: Any) -> AsyncIterator[Watch]:
    watch = Watch(broker, **options)
    try:
        yield watch
    finally:
        await watch.adapter.close()


def _depth(name: str, depth: int) -> Callable[[dict[str, Queue]], bool]:
    return lambda queues: name in queues and queues[name].depth == depth


def _all_have(names: tuple[str, ...], depth: int) -> Callable[[dict[str, Queue]], bool]:
    return lambda queues: all(queues[name].depth == depth for name in names)


def _all_estimated(names: tuple[str, ...], depth: int) -> Callable[[dict[str, Queue]], bool]:
    """The server tells a queue's depth before its publish counter; in between, an age is honestly unknown."""
    full = _all_have(names, depth)
    return lambda queues: full(queues) and all(queues[name].age_quality is AgeQuality.ESTIMATED for name in names)


async def test_backlog_workers_and_flow(broker: RabbitServer) -> None:
    broker.declare("jobs")
    async with watching(broker) as watch, broker.channel(prefetch=5) as worker:
        await broker.publish("jobs", [b"job"] * 40)
        before = (await watch.see(_depth("jobs", 40)))["jobs"]
        assert (before.in_flight, before.consumers, before.consumers_busy_ratio) == (0, 0, None)

        async def on(message: Any) -> None:
            await asyncio.sleep(1)
            await worker.basic_ack(message.delivery_tag)

        await worker.basic_consume("jobs", on)
        busy = (await watch.see(lambda queues: bool(queues["jobs"].out_per_min and queues["jobs"].in_flight)))["jobs"]
        assert busy.consumers == 1
        assert 0 < (busy.in_flight or 0) <= 5
        assert 60 < (busy.out_per_min or 0) < 600  # five at a time, a second each
        done = (await watch.see(lambda queues: queues["jobs"].depth == queues["jobs"].in_flight == 0))["jobs"]
        assert done.oldest_age_s is None


async def test_an_age_is_estimated_from_what_was_published(broker: RabbitServer) -> None:
    kinds = ("classic", "quorum")
    for kind in kinds:
        broker.declare(kind, x_queue_type=kind)
    async with watching(broker) as watch:
        await watch.see(_all_have(kinds, 0))
        began = time.time()
        for batch in (1, 2):
            for kind in kinds:
                await broker.publish(kind, [b"job"] * 100)
            queues = await watch.see(_all_estimated(kinds, 100 * batch))
        for kind in kinds:
            assert queues[kind].oldest_age_s == pytest.approx(time.time() - began, abs=8), kind


async def test_an_engine_that_starts_late_takes_the_age_from_the_servers_own_past(broker: RabbitServer) -> None:
    broker.declare("jobs")
    await broker.publish("jobs", [b"job"] * 100)
    began = time.time()
    await asyncio.sleep(3)  # the server's counts move every second here
    async with watching(broker) as watch:
        jobs = (await watch.see(_depth("jobs", 100)))["jobs"]
        assert jobs.age_quality is AgeQuality.ESTIMATED
        assert time.time() - began - 1 <= (jobs.oldest_age_s or 0) <= 70  # the server remembers by the minute


async def test_an_age_is_exact_where_the_producer_says_when(broker: RabbitServer) -> None:
    hour_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    broker.declare("plain")
    broker.declare("urgent", x_max_priority=3)
    await broker.publish("plain", [b"old"], timestamp=hour_ago)
    await broker.publish("urgent", [b"old"], timestamp=hour_ago, priority=3)
    await broker.publish("urgent", [b"older"] * 4)
    async with watching(broker) as watch:
        queues = await watch.see(  # the depth may be told before the moment
            lambda queues: queues["plain"].depth == 1 and queues["plain"].age_quality is AgeQuality.EXACT
        )
        assert queues["plain"].oldest_age_s == pytest.approx(3600, abs=30)
        urgent = (await watch.see(_depth("urgent", 5)))["urgent"]
        assert urgent.age_quality is not AgeQuality.EXACT  # its head is the most urgent, not the oldest
        told = not broker.call("GET", "overview")["rabbitmq_version"].startswith("4")  # 4.0 does not say it any more
        assert urgent.priorities == ((PriorityDepth(3, 1), PriorityDepth(0, 4)) if told else ())


async def test_dead_letters_and_why_are_found_and_looking_loses_none(broker: RabbitServer) -> None:
    broker.call("PUT", "exchanges/%2F/graveyard", {"type": "topic", "durable": True})
    for kind in ("classic", "quorum"):
        broker.declare(f"dead.{kind}", x_queue_type=kind)
        broker.call("POST", f"bindings/%2F/e/graveyard/q/dead.{kind}", {"routing_key": f"{kind}.#"})
        way: dict[str, Any] = {"x_dead_letter_exchange": "graveyard", "x_dead_letter_routing_key": f"{kind}.late"}
        broker.declare(f"jobs.{kind}", x_queue_type=kind, x_message_ttl=1, **way)
        await broker.publish(f"jobs.{kind}", [b"job"] * 40)
    async with watching(broker) as watch:
        await watch.see(lambda queues: all(queues[f"dead.{kind}"].depth == 40 for kind in ("classic", "quorum")))
        watch.look_at("jobs.classic", "jobs.quorum")
        for _ in range(3):
            queues = await watch.see(lambda queues: {"jobs.classic", "jobs.quorum"} <= queues.keys())
            await asyncio.sleep(0.2)
    assert {name for name, queue in queues.items() if queue.holds_dead} == {"dead.classic", "dead.quorum"}
    assert queues["jobs.classic"].dead_letter_queue == "dead.classic"
    assert queues["jobs.classic"].dead_letters == 40
    assert queues["jobs.classic"].dead_reasons == (DeadReason("expired", 10),)
    assert queues["jobs.quorum"].dead_letter_queue == "dead.quorum"
    assert queues["jobs.quorum"].dead_reasons == ()
    quorum = await broker.take("dead.quorum")
    assert len(quorum) == len(await broker.take("dead.classic")) == 40
    headers = [message.header.properties.headers or {} for message in quorum]
    assert {one.get("x-delivery-count", 0) for one in headers} == {0}  # nobody has looked into it


async def test_a_policy_that_sends_dead_letters_away_is_seen(broker: RabbitServer) -> None:
    broker.declare("dead")
    broker.declare("jobs", x_message_ttl=1)
    definition = {"dead-letter-exchange": "", "dead-letter-routing-key": "dead"}
    broker.call("PUT", "policies/%2F/dying", {"pattern": "^jobs$", "definition": definition, "apply-to": "queues"})
    async with watching(broker) as watch:
        await watch.see(lambda queues: queues["jobs"].dead_letter_queue == "dead")


async def test_redeliveries_are_seen(broker: RabbitServer) -> None:
    broker.declare("jobs")
    await broker.publish("jobs", [b"job"] * 5)
    async with watching(broker) as watch, broker.channel(prefetch=1) as worker:

        async def on(message: Any) -> None:
            await asyncio.sleep(0.02)
            with contextlib.suppress(Exception):
                await worker.basic_reject(message.delivery_tag, requeue=True)

        await worker.basic_consume("jobs", on)
        jobs = (await watch.see(lambda queues: bool(queues["jobs"].redelivered_per_min)))["jobs"]
        assert (jobs.redelivered_per_min or 0) > 60


async def test_an_exclusive_queue_says_why_nothing_can_be_done(broker: RabbitServer) -> None:
    async with watching(broker) as watch, broker.channel() as channel:
        await channel.queue_declare("mine", exclusive=True)
        mine = (await watch.see(lambda queues: "mine" in queues))["mine"]
    assert all("exclusive" in ability.reason for ability in mine.can)


async def test_two_virtual_hosts(broker: RabbitServer) -> None:
    broker.call("PUT", "vhosts/a%2Fb", {})
    try:
        for user in ("admin", CONSOLE[0]):
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            broker.call("PUT", f"permissions/a%2Fb/{user}", everything)
        broker.declare("jobs", vhost="a/b")
        broker.declare("jobs")
        await broker.publish("jobs", [b"job"] * 3, vhost="a/b")
        async with watching(broker, vhosts=["/", "a/b"]) as watch:
            queues = await watch.see(_depth("a%2Fb/jobs", 3))
            assert queues["%2F/jobs"].depth == 0
    finally:
        broker.call("DELETE", "vhosts/a%2Fb")


async def test_what_a_user_lacks_is_said(broker: RabbitServer) -> None:
    broker.declare("jobs")
    for tags, word in (("monitoring", "policymaker"), ("management", "policymaker"), ("policymaker", "monitoring")):
        broker.add_user("limited", "limited-secret", tags)
        async with watching(broker, user="limited", secret="limited-secret") as watch:
            observation = await watch.adapter.observe()
            assert any(word in note for note in observation.notes), (tags, observation.notes)
            rows = await watch.adapter.check()
            assert any(row.ok is False and word in row.words for row in rows), (tags, rows)
    broker.call("DELETE", "users/limited")
    async with watching(broker, secret="wrong") as watch:
        with pytest.raises(BackendError) as caught:
            await watch.adapter.observe()
        assert caught.value.kind is ErrorKind.UNAUTHORISED


async def test_the_coarse_numbers_are_those_of_the_listing(
    broker: RabbitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        broker.declare(f"jobs {number} \"'\\é")
    await broker.publish("jobs 7 \"'\\é", [b"job"] * 70)
    async with watching(broker) as watch:
        fine = await watch.see(_depth("jobs 7 \"'\\é", 70))
    monkeypatch.setattr("adapters.rabbitmq.survey.MOST_LISTED", 10)
    monkeypatch.setattr("adapters.rabbitmq.survey.PAGE_SIZE", 10)
    ways: tuple[list[str], ...] = ([broker.metrics], [])
    for metrics in ways:
        async with watching(broker, prometheus=metrics) as watch:
            coarse = await watch.see(_depth("jobs 7 \"'\\é", 70))
            assert {name: one.depth for name, one in coarse.items()} == {name: one.depth for name, one in fine.items()}
            assert {one.kind for one in coarse.values()} == {"classic"}
            assert coarse["jobs 7 \"'\\é"].in_per_min is not None  # the worst are asked for one by one
            assert coarse["jobs 8 \"'\\é"].in_per_min is None
            assert not (await watch.adapter.observe()).problems


def test_without_the_shovel_plugin_everything_is_seen_and_nothing_can_be_moved(broker: RabbitServer) -> None:
    nursery = Nursery()
    try:
        bare = start_rabbitmq(nursery, plugins=tuple(name for name in PLUGINS if "shovel" not in name))
        bare.declare("jobs")

        async def see() -> Queue:
            async with watching(bare) as watch:
                return (await watch.see(lambda queues: "jobs" in queues))["jobs"]

        assert "rabbitmq_shovel" in asyncio.run(see()).ability(Verb.PARK).reason
    finally:
        nursery.close()


async def test_a_broker_that_is_killed_is_unreachable_and_back_with_its_messages(broker: RabbitServer) -> None:
    broker.declare("jobs")
    await broker.publish("jobs", [b"job"] * 50)
    async with watching(broker) as watch:
        await watch.see(_depth("jobs", 50))
        broker.kill()
        with pytest.raises(BackendError) as caught:
            await watch.adapter.observe()
        assert caught.value.kind is ErrorKind.UNREACHABLE
        await asyncio.to_thread(broker.start)
        await watch.see(_depth("jobs", 50))
