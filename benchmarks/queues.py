"""10,000 real queues on a real RabbitMQ: what a look costs beside the server's own answers, memory, keys.

The bare client asks the server what the adapter asks in a settled look, with as many requests at once, and throws the
answers away. Both take turns, so that a busy machine slows both.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx

from adapters.http_wire import Network
from adapters.rabbitmq import RabbitMQOptions
from adapters.rabbitmq.adapter import RabbitMQAdapter
from benchmarks.keys import type_in_turn
from benchmarks.results import Result, at_most, beside, middle, percentile
from benchmarks.stage import ENVIRONMENT, clean_environment, cpu_s, memory_mb, start_engine
from benchmarks.starts import SWITCHGEAR
from benchmarks.terminal import Terminal, pump, pump_until
from console.domain.ports import AdapterContext
from console.domain.refs import Kind, Ref
from console.engine.clock import SystemClock
from tests.real.stack.missing import Missing
from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import CONSOLE, RabbitServer, start_rabbitmq

QUEUES = 10_000
FULL = 500
"""Queues in which something waits."""
LOOKED_AT = 30
"""Queues that a screen shows: as many as fit on it."""
ROUNDS = 25
KEYS = 200
SPAN_S = 30.0
_AT_ONCE = 4


def measure() -> Iterator[Result]:
    """All promises about many queues; says so and measures nothing where there is no RabbitMQ."""
    nursery = Nursery()
    try:
        broker = start_rabbitmq(nursery, stats_ms=5000)
    except Missing as reason:
        nursery.close()
        print(f"queues: not measured: {reason}", file=sys.stderr)
        return
    try:
        asyncio.run(_furnish(broker))
        time.sleep(15)  # every queue has told its first numbers
        yield from asyncio.run(_looks(broker))
        yield from _screen(broker)
    finally:
        nursery.close()


async def _furnish(broker: RabbitServer) -> None:
    """Queues, and messages in some of them."""
    async with broker.channel() as channel:
        for start in range(0, QUEUES, 200):
            names = [f"team-{number % 40}.jobs-{number:05d}" for number in range(start, start + 200)]
            await asyncio.gather(*(channel.queue_declare(name, durable=True) for name in names))
        for number in range(FULL):
            name = f"team-{number % 40}.jobs-{number:05d}"
            await asyncio.gather(*(channel.basic_publish(b"job", routing_key=name) for _ in range(1 + number % 20)))


class _Asked(httpx.AsyncBaseTransport):
    """Passes requests on and keeps their addresses."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self._networks: dict[str, Network] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        base = f"{request.url.scheme}://{request.url.netloc.decode()}"
        network = self._networks.setdefault(base, Network(base, 5.0))
        return await network.handle_async_request(request)

    async def aclose(self) -> None:
        for network in self._networks.values():
            await network.aclose()


def _adapter(broker: RabbitServer, transport: httpx.AsyncBaseTransport | None = None) -> RabbitMQAdapter:
    options = RabbitMQOptions(
        urls=[broker.url], prometheus=[broker.metrics], user=CONSOLE[0], password="env:X", shape_every=3600
    )
    adapter = RabbitMQAdapter(AdapterContext("rabbit", SystemClock(), lambda _: CONSOLE[1], 30.0, options), transport)
    names = [f"team-{number % 40}.jobs-{number:05d}" for number in range(QUEUES - LOOKED_AT, QUEUES)]
    adapter.focus(tuple(Ref("rabbit", Kind.QUEUE, name) for name in names))
    return adapter


async def _looks(broker: RabbitServer) -> list[Result]:
    """Looks of the adapter and of a bare client in turn."""
    urls = await _settled_requests(broker)
    adapter = _adapter(broker)
    for _ in range(3):
        await adapter.observe()
    bare: list[float] = []
    ours: list[float] = []
    used: list[float] = []
    auth = aiohttp.BasicAuth(*CONSOLE)
    connector = aiohttp.TCPConnector(limit_per_host=_AT_ONCE)
    async with aiohttp.ClientSession(auth=auth, connector=connector, read_bufsize=256 * 1024) as session:
        for _ in range(ROUNDS):
            bare.append(await _ask(session, urls))
            begun, cpu = time.perf_counter(), time.process_time()
            observation = await adapter.observe()
            ours.append(time.perf_counter() - begun)
            used.append(time.process_time() - cpu)
    await adapter.close()
    seen = len(observation.readings)
    return [
        beside("10,000 queues, seen at a look", seen, "queues"),
        beside("10,000 queues, requests a look", len(urls), "requests"),
        beside("10,000 queues, the server's own answers", 1000 * middle(bare), "ms"),
        beside("10,000 queues, a look", 1000 * middle(ours), "ms"),
        at_most("10,000 queues, a look / the server's own answers", middle(ours) / middle(bare), "×", 1.2),
        beside("10,000 queues, a look, processor", 1000 * middle(used), "ms"),
    ]


async def _settled_requests(broker: RabbitServer) -> list[str]:
    """What a settled look asks."""
    asked = _Asked()
    adapter = _adapter(broker, asked)
    for _ in range(4):
        asked.urls.clear()
        await adapter.observe()
    await adapter.close()
    return list(asked.urls)


async def _ask(session: aiohttp.ClientSession, urls: list[str]) -> float:
    """Ask all, a few at once; returns the seconds that it took."""

    async def one(url: str) -> None:
        async with session.get(url) as answer:
            while await answer.content.readany():
                pass

    begun = time.perf_counter()
    await asyncio.gather(*map(one, urls))
    return time.perf_counter() - begun


def _screen(broker: RabbitServer) -> Iterator[Result]:
    """The engine looks every 5 s, the console shows the queues; both are measured as processes."""
    with tempfile.TemporaryDirectory(prefix="sg") as name:
        env: dict[str, Any] = {**clean_environment(Path(name)), "BENCH_PASSWORD": CONSOLE[1]}
        Path(env["SWITCHGEAR_CONFIG"]).write_text(_config(broker))
        engine = start_engine(env, ENVIRONMENT)
        console = Terminal([SWITCHGEAR, ENVIRONMENT], env=env)
        bare = Terminal([sys.executable, "-m", "benchmarks.bare"], env=env)
        try:
            pump_until(console, "jobs-", 60)
            console.press("5")
            pump([console, bare], 20.0)
            used = {pid: cpu_s(pid) for pid in (engine.pid, console.process.pid)}
            pump([console, bare], SPAN_S)
            for what, pid in (("engine", engine.pid), ("console", console.process.pid)):
                yield beside(
                    f"10,000 queues, {what}, processor", 100 * (cpu_s(pid) - used[pid]) / SPAN_S, "% of a core"
                )
                yield beside(f"10,000 queues, {what}, memory", memory_mb(pid), "MB")
            memory = memory_mb(engine.pid) + memory_mb(console.process.pid)
            yield at_most("10,000 queues, engine and console, memory", memory, "MB", 150)
            mine, other = type_in_turn(console, bare, KEYS, random.Random(7))
            yield at_most("10,000 queues, key to paint, p50", percentile(mine.delays, 0.5), "ms", 5)
            yield at_most("10,000 queues, key to paint, p99", percentile(mine.delays, 0.99), "ms", 40)
            yield beside("10,000 queues, key to paint, p50, bare idle app", percentile(other.delays, 0.5), "ms")
        finally:
            console.end()
            bare.end()
            engine.terminate()
            engine.wait(20)


def _config(broker: RabbitServer) -> str:
    options = (
        f"{{urls: ['{broker.url}'], prometheus: ['{broker.metrics}'], user: {CONSOLE[0]},"
        " password: 'env:BENCH_PASSWORD'}"
    )
    source = f"{{adapter: rabbitmq, interval: 5s, timeout: 4s, options: {options}}}"
    return f"schemaVersion: 1\nenvironments:\n  {ENVIRONMENT}:\n    sources:\n      rabbit: {source}\n"
