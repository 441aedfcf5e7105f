"""The RabbitMQ adapter on a real broker, and an operator's hand that plans, does and looks as the engine would."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.rabbitmq import RabbitMQOptions
from adapters.rabbitmq.adapter import RabbitMQAdapter
from console.domain.actions import Plan, Progress, Proof, QueueAction, Step
from console.domain.ports import AdapterContext
from console.domain.refs import Kind, Ref
from console.engine.clock import SystemClock
from tests.real.stack.rabbitmq import CONSOLE, RabbitServer

if TYPE_CHECKING:
    from aiormq.abc import DeliveredMessage

SOURCE = "jobs"


class RabbitBench:
    """One adapter on one broker."""

    def __init__(
        self, server: RabbitServer, exports: Path | None = None, timeout_s: float = 12.0, **options: Any
    ) -> None:
        self.server = server
        given = {"urls": [server.url], "user": CONSOLE[0], "password": "env:PASSWORD", "amqp": server.amqp}
        settings = RabbitMQOptions(**{**given, **options})
        context = AdapterContext(SOURCE, SystemClock(), lambda _: CONSOLE[1], timeout_s, settings, exports=exports)
        self.adapter = RabbitMQAdapter(context)

    async def plan(self, queue: str, action: QueueAction) -> Plan:
        return await self.adapter.plan_queue(Ref(SOURCE, Kind.QUEUE, queue), action, 600.0)

    async def run(self, steps: tuple[Step, ...]) -> list[Progress]:
        """Do steps in order; returns what lasting ones told."""
        told: list[Progress] = []
        for step in steps:
            if step.lasting:
                await self.adapter.carry(step, told.append)
            else:
                await self.adapter.execute(step)
        return told

    async def act(self, queue: str, action: QueueAction) -> Plan:
        """Plan, do, and see that the broker shows it."""
        plan = await self.plan(queue, action)
        await self.run(plan.steps)
        await self.shown(plan)
        return plan

    async def undo(self, plan: Plan) -> None:
        """The way back of a plan, seen."""
        await self.run(plan.undo)
        await self.shown(plan, undone=True)

    async def shown(self, plan: Plan, *, undone: bool = False) -> None:
        """Wait until every node shows it.

        Raises:
            AssertionError: not in the time that the plan gives.
        """
        proofs: tuple[Proof, ...] = ()
        for _ in range(int(plan.converge_s / 0.2)):
            proofs = await self.adapter.prove(plan, undone=undone)
            if all(proof.holds for proof in proofs):
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"{plan.words}: {proofs}")

    async def begun(self, step: Step, moved: int) -> "asyncio.Task[None]":
        """A lasting step that is carried and has moved so many messages."""
        told: list[Progress] = []
        task = asyncio.ensure_future(self.adapter.carry(step, told.append))
        while not task.done() and not (told and told[-1].done >= moved):
            await asyncio.sleep(0.02)
        return task

    def shovels(self) -> list[str]:
        """The names of all shovels that are asked for."""
        return [one["name"] for one in self.server.call("GET", "parameters/shovel")]


def numbered(count: int, begin: int = 0, size: int = 100) -> Iterator[bytes]:
    """Messages that can be told apart."""
    return (f"{number:08d}".encode().ljust(size, b".") for number in range(begin, begin + count))


async def counted(server: RabbitServer, *queues: str) -> "Counter[bytes]":
    """How often each message lies in these queues; they are empty afterwards."""
    found: Counter[bytes] = Counter()
    for queue in queues:
        found.update([bytes(message.body[:8]) for message in await drained(server, queue)])
    return found


async def drained(server: RabbitServer, queue: str) -> "list[DeliveredMessage]":
    """Everything that waits in a queue, taken out of it, oldest first."""
    taken: list[DeliveredMessage] = []

    async def take(message: "DeliveredMessage") -> None:
        taken.append(message)

    async with server.channel() as channel:
        count = (await channel.queue_declare(queue, passive=True)).message_count or 0
        await channel.basic_consume(queue, take, no_ack=True)
        async with asyncio.timeout(30):
            while len(taken) < count:
                await asyncio.sleep(0.02)
    return taken


@asynccontextmanager
async def working(
    server: RabbitServer, queue: str, *, pause_s: float = 0.0, prefetch: int = 20
) -> AsyncIterator["Counter[bytes]"]:
    """A worker attached to a queue; yields what it has done, message by message."""
    done: Counter[bytes] = Counter()

    async def work(message: "DeliveredMessage") -> None:
        await asyncio.sleep(pause_s)
        await message.channel.basic_ack(message.delivery_tag or 0)
        done[bytes(message.body[:8])] += 1

    async with server.channel(prefetch=prefetch) as channel:
        await channel.basic_consume(queue, work)
        yield done


@contextmanager
def policy(server: RabbitServer, pattern: str, **rules: Any) -> Iterator[None]:
    """A policy on queues, for a while; `max_length=…` is `max-length`."""
    body = {
        "pattern": pattern,
        "definition": {key.replace("_", "-"): value for key, value in rules.items()},
        "apply-to": "queues",
    }
    server.call("PUT", "policies/%2F/test", body)
    try:
        yield
    finally:
        server.call("DELETE", "policies/%2F/test")
