"""Parking 100,000 messages beside the bare shovel on the same broker in the same run, and counting every one of them.

First on an idle broker; then with a producer and workers running, where the sum of what was published has to be found
again: worked on, parked or still waiting.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from benchmarks.results import Result, at_least, at_most, beside, middle
from console.domain.verbs import Park
from tests.real.rabbit_bench import RabbitBench, counted, numbered, working
from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import RabbitServer, start_rabbitmq

MESSAGES = 100_000
SIZE = 200
"""Bytes a message."""
RUNS = 3
PARKED = "switchgear.parked.jobs"
PRODUCED_PER_S = 200
WORK_S = 0.02
"""Seconds that a worker needs for a message; two of them, 20 at a time."""
BARE = "bare"


def measure() -> Iterator[Result]:
    """Start a broker and measure both figures."""
    nursery = Nursery()
    try:
        yield from asyncio.run(_measure(start_rabbitmq(nursery)))
    finally:
        nursery.close()


async def _measure(server: RabbitServer) -> list[Result]:
    bench = RabbitBench(server)
    server.declare("jobs")
    server.declare(BARE)
    await server.publish("jobs", numbered(MESSAGES, size=SIZE))
    try:
        return [*await _idle(bench), *await _at_work(bench)]
    finally:
        await bench.adapter.close()


async def _idle(bench: RabbitBench) -> list[Result]:
    bare: list[float] = []
    park: list[float] = []
    for _ in range(RUNS):
        bare.append(await _bare(bench.server, "jobs", BARE))
        await _bare(bench.server, BARE, "jobs")
        park.append(await _park(bench))
        await _bare(bench.server, PARKED, "jobs")
    ratio = middle([one / other for one, other in zip(park, bare, strict=True)])
    left = await bench.server.count("jobs")
    return [
        beside("bare shovel, idle broker", middle(bare), "messages/s"),
        beside("park, idle broker", middle(park), "messages/s"),
        at_least("park ÷ bare shovel, idle broker", ratio, "×", 0.8),
        at_most("messages lost or doubled, idle broker", abs(left - MESSAGES), "messages", 0),
    ]


async def _at_work(bench: RabbitBench) -> list[Result]:
    """The same with a producer and two workers; a raced bare shovel never ends, so it is timed until nothing waits."""
    server = bench.server
    async with _traffic(server) as (done, published):
        began = perf_counter()
        await _put(server, "jobs", BARE, MESSAGES)
        while await server.count("jobs") > PRODUCED_PER_S:  # noqa: ASYNC110  the broker tells nobody
            await asyncio.sleep(0.05)
        bare = await server.count(BARE) / (perf_counter() - began)
        server.call("DELETE", "parameters/shovel/%2F/bench")
        await _bare(server, BARE, "jobs", await server.count(BARE))
        plan = await bench.plan("jobs", Park())
        began = perf_counter()
        await bench.run(plan.steps)
        park = await server.count(PARKED) / (perf_counter() - began)
        await bench.shown(plan)
        shovels = len(bench.shovels())
    await asyncio.sleep(1)  # what the workers held is back
    found = done + await counted(server, "jobs", PARKED, BARE)
    wanted = MESSAGES + len(published)
    twice = sum(found.values()) - len(found)
    return [
        beside("bare shovel, producer and workers", bare, "messages/s"),
        beside("park, producer and workers", park, "messages/s"),
        at_least("park ÷ bare shovel, producer and workers", park / bare, "×", 0.8),
        at_most("messages lost, producer and workers", max(0, wanted - len(found)), "messages", 0),
        beside("messages twice, the bare shovel's end included", twice, "messages"),
        at_most("shovels left behind", shovels, "shovels", 0),
    ]


@asynccontextmanager
async def _traffic(server: RabbitServer) -> "AsyncIterator[tuple[Counter[bytes], list[int]]]":
    """A producer and two workers; yields what was done and the numbers that were published."""
    published: list[int] = []

    async def produce() -> None:
        async with server.channel() as channel:
            for number, body in enumerate(numbered(10_000_000, begin=MESSAGES, size=SIZE), MESSAGES):
                await channel.basic_publish(body, routing_key="jobs")
                published.append(number)
                await asyncio.sleep(1 / PRODUCED_PER_S)

    done: Counter[bytes] = Counter()
    async with working(server, "jobs", pause_s=WORK_S) as one, working(server, "jobs", pause_s=WORK_S) as other:
        producer = asyncio.ensure_future(produce())
        try:
            yield done, published
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)
            await asyncio.sleep(1)
    done.update(one)
    done.update(other)


async def _park(bench: RabbitBench) -> float:
    """Messages a second, from the yes to the last message."""
    plan = await bench.plan("jobs", Park())
    began = perf_counter()
    await bench.run(plan.steps)
    rate = MESSAGES / (perf_counter() - began)
    assert await bench.server.count(PARKED) == MESSAGES
    return rate


async def _bare(server: RabbitServer, source: str, target: str, count: int = MESSAGES) -> float:
    """Messages a second of one shovel as the facts recommend it, until it has taken itself away."""
    began = perf_counter()
    await _put(server, source, target, count)
    while server.call("GET", "parameters/shovel"):  # noqa: ASYNC110  the broker tells nobody
        await asyncio.sleep(0.02)
    return count / (perf_counter() - began)


async def _put(server: RabbitServer, source: str, target: str, count: int) -> None:
    value: dict[str, Any] = {
        "src-protocol": "amqp091", "src-uri": "amqp://", "src-queue": source, "src-delete-after": count,
        "src-prefetch-count": 100, "src-consumer-args": {"x-priority": 1000},
        "dest-protocol": "amqp091", "dest-uri": "amqp://", "dest-queue": target, "ack-mode": "on-confirm",
    }  # fmt: skip
    server.call("PUT", "parameters/shovel/%2F/bench", {"value": value})
