"""The NATS adapter on a real server, and a hand of the tests' own on the same server."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from adapters.nats import NatsOptions
from adapters.nats.adapter import NatsAdapter
from console.domain.actions import Plan, Progress, QueueAction, Step
from console.domain.ports import AdapterContext
from console.domain.readings import Queue
from console.domain.refs import Kind, Ref
from console.engine.clock import SystemClock
from tests.real.stack.nats import NatsServer

if TYPE_CHECKING:
    from nats.aio.client import Client

SOURCE = "jobs"
PARKED = "SWITCHGEAR_PARKED_"


class Hand:
    """JetStream by the plain client: no test believes the adapter about it."""

    def __init__(self, client: "Client") -> None:
        self.client = client

    async def api(self, call: str, body: Any = None) -> Any:
        payload = b"" if body is None else json.dumps(body).encode()
        return json.loads((await self.client.request(f"$JS.API.{call}", payload, timeout=10)).data)

    async def stream(self, name: str, **config: Any) -> None:
        """A work queue of `<name>.>` unless `config` says otherwise."""
        body = {"name": name, "subjects": [f"{name}.>"], "retention": "workqueue", "storage": "file", **config}
        found = await self.api(f"STREAM.CREATE.{name}", body)
        assert "error" not in found, found

    async def consumer(self, stream: str, name: str = "worker", **config: Any) -> None:
        settings = {"durable_name": name, "name": name, "ack_policy": "explicit", "ack_wait": 5_000_000_000, **config}
        body = {"stream_name": stream, "config": settings}
        found = await self.api(f"CONSUMER.CREATE.{stream}.{name}", body)
        assert "error" not in found, found

    async def publish(self, subject: str, count: int, begin: int = 0, headers: dict[str, str] | None = None) -> None:
        """Numbered messages, stored when this returns."""
        for first in range(begin, begin + count, 500):
            numbers = range(first, min(first + 500, begin + count))
            bodies = (f"{number:08d}".encode() for number in numbers)
            sent = (self.client.request(subject, body, timeout=10, headers=headers) for body in bodies)
            for answer in await asyncio.gather(*sent):
                assert "error" not in json.loads(answer.data), answer.data

    async def info(self, stream: str, consumer: str = "worker") -> Any:
        return await self.api(f"CONSUMER.INFO.{stream}.{consumer}")

    async def stored(self, stream: str) -> list[dict[str, Any]]:
        """Every message in a stream, in order, as the API gives it."""
        found: list[dict[str, Any]] = []
        seq = 1
        while True:
            answer = await self.api(f"STREAM.MSG.GET.{stream}", {"seq": seq, "next_by_subj": ">"})
            if "error" in answer:
                return found
            found.append(answer["message"])
            seq = answer["message"]["seq"] + 1

    async def bodies(self, stream: str) -> "Counter[bytes]":
        """How often each numbered message lies in a stream; read many at once."""
        state = (await self.api(f"STREAM.INFO.{stream}")).get("state", {"first_seq": 1, "last_seq": 0})
        found: Counter[bytes] = Counter()
        for first in range(state["first_seq"], state["last_seq"] + 1, 200):
            numbers = range(first, min(first + 200, state["last_seq"] + 1))
            asked = (self.api(f"STREAM.MSG.GET.{stream}", {"seq": number}) for number in numbers)
            found.update(
                base64.b64decode(one["message"]["data"]) for one in await asyncio.gather(*asked) if "message" in one
            )
        return found

    async def parked(self, stream: str, consumer: str = "worker") -> "Counter[bytes]":
        return await self.bodies(f"{PARKED}{stream}_{consumer}")

    async def until_parked(self, stream: str, count: int) -> None:
        """Return as soon as `count` messages of a consumer are set aside: a park is over within a second or two."""
        async with asyncio.timeout(30):
            while (await self.api(f"STREAM.INFO.{PARKED}{stream}_worker")).get("state", {}).get("messages", 0) < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def hand(server: NatsServer, **who: Any) -> AsyncIterator[Hand]:
    import nats

    client = await nats.connect(server.url, max_reconnect_attempts=-1, reconnect_time_wait=0.1, **who)
    try:
        yield Hand(client)
    finally:
        with suppress(OSError):
            await client.close()


@asynccontextmanager
async def working(
    server: NatsServer, stream: str, consumer: str = "worker", *, pause_s: float = 0.0, batch: int = 20
) -> AsyncIterator["Counter[bytes]"]:
    """A worker on a consumer; yields what it has done, message by message."""
    from nats.errors import Error

    done: Counter[bytes] = Counter()
    ended = asyncio.Event()

    async def work(one: Hand) -> None:
        pull = await one.client.jetstream().pull_subscribe_bind(consumer, stream)
        while not ended.is_set():  # the client may swallow a cancellation
            with suppress(Error, asyncio.TimeoutError):
                for message in await pull.fetch(batch, timeout=1):
                    await asyncio.sleep(pause_s)
                    await message.ack_sync()
                    done[message.data] += 1
            await asyncio.sleep(0)

    async with hand(server) as one:
        task = asyncio.ensure_future(work(one))
        try:
            yield done
        finally:
            ended.set()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class NatsBench:
    """One adapter on one server."""

    def __init__(self, server: NatsServer, **options: Any) -> None:
        self.server = server
        self.clock = SystemClock()
        settings = NatsOptions(**{"urls": [server.url], **options})
        self.adapter = NatsAdapter(
            AdapterContext(SOURCE, self.clock, lambda secret: secret.split(":")[1], 12.0, settings)
        )

    async def queue(self, name: str) -> Queue:
        for one in (await self.adapter.observe()).readings:
            if one.ref.name == name:
                assert isinstance(one, Queue)
                return one
        raise AssertionError(f"no {name}")

    async def plan(self, queue: str, action: QueueAction, ttl_s: float = 600.0) -> Plan:
        return await self.adapter.plan_queue(Ref(SOURCE, Kind.QUEUE, queue), action, ttl_s)

    async def run(self, steps: tuple[Step, ...]) -> list[Progress]:
        """Do steps in order; returns what lasting ones told."""
        told: list[Progress] = []
        for step in steps:
            if step.lasting:
                await self.adapter.carry(step, told.append)
            else:
                await self.adapter.execute(step)
        return told

    async def act(self, queue: str, action: QueueAction, ttl_s: float = 600.0) -> Plan:
        """Plan, do, and see that the server shows it."""
        plan = await self.plan(queue, action, ttl_s)
        await self.run(plan.steps)
        assert await self.holds(plan) is True
        return plan

    async def holds(self, plan: Plan, *, undone: bool = False) -> bool | None:
        (proof,) = await self.adapter.prove(plan, undone=undone)
        return proof.holds
