"""Record a real RabbitMQ's answers for the contract suite.

    python -m tests.contract.record_rabbitmq FOLDER

It starts a broker of its own, makes queues of every sort on it and some traffic, and lets the adapter look at it
through a transport that writes down what was asked and answered. Nothing in the answers is changed.
"""

import asyncio
import datetime
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from adapters.http_wire import Network
from adapters.rabbitmq import RabbitMQOptions
from adapters.rabbitmq.adapter import RabbitMQAdapter
from adapters.rabbitmq.api import Row
from adapters.rabbitmq.counting import totals
from adapters.rabbitmq.finishing import bindings_of
from adapters.rabbitmq.names import Place
from console.domain.errors import BackendError
from console.domain.ports import AdapterContext
from console.domain.refs import Kind, Ref
from console.domain.verbs import Finish, Park, Pause, Replay, Requeue, Resume
from console.engine.clock import SystemClock
from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import CONSOLE, RabbitServer, program_in, start_rabbitmq

LOOKED_AT = "orders"
SETTLE_S = 15.0
"""Longer than the server's statistics need to tell of what was done; those of quorum queues are the slowest."""


class Recorder(httpx.AsyncBaseTransport):
    """Passes everything on, and keeps the longest answer to each question."""

    def __init__(self, url: str) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self._network = Network(url, 5.0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._network.handle_async_request(request)
        body = await answer.aread()
        headers = answer.headers.get("content-type", "")
        found = {"status": answer.status_code, "content_type": headers, "body": body.decode()}
        if len(found["body"]) >= len(self.answers.get(key_of(request), found)["body"]):
            self.answers[key_of(request)] = found
        return httpx.Response(answer.status_code, headers={"content-type": headers}, content=body)

    async def aclose(self) -> None:
        await self._network.aclose()


def key_of(request: httpx.Request) -> str:
    """`GET /api/queues/%2F?page`: method, path, and how a list of queues is asked for. Columns do not count."""
    path, _, query = request.url.raw_path.decode().partition("?")
    asked = [part for part in query.split("&") if part.startswith(("page_size=", "disable_stats=", "msg_rates_age="))]
    return f"{request.method} {path}" + (f"?{'&'.join(sorted(asked))}" if asked else "")


def options(url: str, metrics: str, amqp: str) -> RabbitMQOptions:
    """The settings under which the recording was made and is played."""
    return RabbitMQOptions(urls=[url], prometheus=[metrics], amqp=amqp, user=CONSOLE[0], password="env:PASSWORD")


def furnish(broker: RabbitServer) -> None:
    """Queues of every sort, with what a bad day leaves in them."""
    broker.call("PUT", "exchanges/%2F/dead", {"type": "direct", "durable": True})
    for queue in ("orders.dead", "mails.dead"):
        broker.declare(queue)
        broker.call("POST", f"bindings/%2F/e/dead/q/{queue}", {"routing_key": queue})
    broker.declare("orders", x_dead_letter_exchange="dead", x_dead_letter_routing_key="orders.dead")
    broker.declare("mails", x_queue_type="quorum", x_dead_letter_exchange="", x_dead_letter_routing_key="mails.dead")
    broker.declare("thumbnails", x_max_priority=5)
    broker.declare("reports")
    broker.declare("events", x_queue_type="stream")
    broker.declare("batch")
    policy = {"pattern": "^batch$", "definition": {"dead-letter-exchange": "dead", "max-length": 20}}
    broker.call("PUT", "policies/%2F/batch", {**policy, "apply-to": "queues"})
    for queue in ("switchgear.parked.reports", "switchgear.paused.batch"):
        broker.declare(queue)
    divert = {
        "src-protocol": "amqp091",
        "src-uri": "amqp:///%2F",
        "src-queue": "batch",
        "src-delete-after": "never",
        "src-consumer-args": {"x-priority": 1000},
        "ack-mode": "on-confirm",
        "dest-protocol": "amqp091",
        "dest-uri": "amqp:///%2F",
        "dest-queue": "switchgear.paused.batch",
    }
    broker.call("PUT", "parameters/shovel/%2F/switchgear.pause.batch", {"value": divert})


async def work(broker: RabbitServer) -> None:
    """Some traffic: waiting messages, some that died, some in flight while this runs to its end."""
    now = datetime.datetime.now(datetime.UTC)
    await broker.publish("orders", [b"order"] * 300, timestamp=now, headers={"customer": 1})
    await broker.publish("mails", [b"mail"] * 120)
    await broker.publish("thumbnails", [b"small"] * 40, priority=1)
    await broker.publish("thumbnails", [b"large"] * 10, priority=4)
    await broker.publish("switchgear.parked.reports", [b"report"] * 25)
    await broker.publish("batch", [b"job"] * 15)
    await broker.publish("events", [b"event"] * 30)


async def hold(broker: RabbitServer, look: Any) -> None:
    """Consume from `orders` (12 rejected, 30 done, 8 held) while `look` runs."""
    async with broker.channel(prefetch=50) as channel:
        taken = 0

        async def on(message: Any) -> None:
            nonlocal taken
            taken += 1
            if taken <= 12:
                await channel.basic_reject(message.delivery_tag, requeue=False)
            elif taken <= 42:
                await channel.basic_ack(message.delivery_tag)

        await channel.basic_consume("orders", on)
        await asyncio.sleep(SETTLE_S)
        await look()


async def record(broker: RabbitServer) -> dict[str, Any]:
    """All that the adapter asks in two looks and a check, with the answers."""
    recorder = Recorder(broker.url)
    settings = options(broker.url, broker.metrics, broker.amqp)
    context = AdapterContext("rabbit", SystemClock(), lambda _: CONSOLE[1], 10.0, settings)
    adapter = RabbitMQAdapter(context, recorder)

    async def look() -> None:
        adapter.focus((Ref("rabbit", Kind.QUEUE, LOOKED_AT),))
        await adapter.observe()
        await adapter.observe()
        await adapter.check()

    await hold(broker, look)
    await adapter.close()
    await plan_everything(broker, recorder)
    version = broker.call("GET", "overview")["rabbitmq_version"]
    return {"recorded_at": time.time(), "version": version, "answers": recorder.answers}


async def plan_everything(broker: RabbitServer, recorder: Recorder) -> None:
    """What planning asks of each queue, counting through the management API alone: AMQP is not recorded."""
    settings = options(broker.url, broker.metrics, broker.amqp).model_copy(update={"amqp": None})
    context = AdapterContext("rabbit", SystemClock(), lambda _: CONSOLE[1], 10.0, settings)
    adapter = RabbitMQAdapter(context, recorder)
    names = [row["name"] for row in broker.call("GET", "queues/%2F")]
    for name in names:
        await adapter.broker.read(Place("/", name).path, Row)
        await bindings_of(adapter.broker, Place("/", name))
        for action in (Pause(), Resume(), Park(), Replay(), Finish(), Requeue()):
            with suppress(BackendError):
                await adapter.plan_queue(Ref("rabbit", Kind.QUEUE, name), action, 600.0)
    await totals(adapter.broker, "/", names)  # the longest answer to this question is kept: that of all queues
    await adapter.close()


def main(folder: Path) -> None:
    """Write one recording, of this machine's RabbitMQ or of that in SWITCHGEAR_TEST_RABBITMQ_ROOT."""
    root = os.environ.get("SWITCHGEAR_TEST_RABBITMQ_ROOT")
    nursery = Nursery(Path(root) / "tmp") if root else Nursery()
    try:
        broker = start_rabbitmq(nursery, install=program_in(Path(root)) if root else None)
        furnish(broker)
        asyncio.run(work(broker))
        found = asyncio.run(record(broker))
    finally:
        nursery.close()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "platform.json"
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(f"RabbitMQ {found['version']}: {len(found['answers'])} answers in {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
