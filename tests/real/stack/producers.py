"""The application that makes work, as a process: a steady stream of jobs into every queue, each confirmed and told."""

import argparse
import asyncio
import itertools
import json
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiormq
from aiormq.abc import AbstractChannel
from opentelemetry.propagate import inject
from opentelemetry.trace import SpanKind, Tracer

from tests.real.stack.jobs import EXCHANGE, JOBS, Job, Ledger
from tests.real.stack.telling import CONVERSATION, tracer_of
from tests.real.stack.workers import amqp_url

SERVICE = "shop-api"
CONVERSATIONS = 40
"""How many conversations jobs belong to, in turn."""


@dataclass(slots=True)
class Producer:
    """What puts jobs into one queue."""

    job: Job
    tracer: Tracer
    ledger: Ledger

    async def produce(self, amqp: str, times: float) -> None:
        """Put `times` as many jobs in as usual, until cancelled; a connection that is lost is made again."""
        numbers = itertools.count()
        while True:
            with suppress(aiormq.AMQPError, OSError):
                connection = await aiormq.connect(amqp)
                try:
                    channel = await connection.channel(publisher_confirms=True)
                    while True:
                        await self._one(channel, next(numbers))
                        await asyncio.sleep(1 / (self.job.per_s * times))
                finally:
                    with suppress(aiormq.AMQPError, OSError):
                        await connection.close()
            await asyncio.sleep(1.0)

    async def _one(self, channel: AbstractChannel, number: int) -> None:
        """One request that leaves a job behind; it is in the ledger once the broker has confirmed it."""
        job = {
            "id": uuid.uuid4().hex,
            "conversation": f"{self.job.queue}-{number % CONVERSATIONS:03d}",
            "at": time.time(),
        }
        asked = {CONVERSATION: str(job["conversation"])}
        publishing = asked | {
            "messaging.system": "rabbitmq",
            "messaging.operation.type": "send",
            "messaging.destination.name": self.job.queue,
            "messaging.message.id": str(job["id"]),
        }
        start = self.tracer.start_as_current_span
        with (
            start(f"POST /{self.job.queue}", kind=SpanKind.SERVER, attributes=asked),
            start(f"send {self.job.queue}", kind=SpanKind.PRODUCER, attributes=publishing),
        ):
            headers: dict[str, str] = {}
            inject(headers)
            about = aiormq.spec.Basic.Properties(
                delivery_mode=2, message_id=str(job["id"]), timestamp=datetime.now(UTC), headers=dict(headers)
            )
            await channel.basic_publish(
                json.dumps(job).encode(), exchange=EXCHANGE, routing_key=self.job.queue, properties=about
            )
        self.ledger.note(self.job.queue, "sent", str(job["id"]))


async def produce(amqp: str, spans: str, ledger: Path, times: float) -> None:
    """Every queue's producers, until cancelled."""
    with tracer_of(SERVICE, spans) as tracer:
        async with asyncio.TaskGroup() as group:
            for job in JOBS:
                group.create_task(Producer(job, tracer, Ledger(ledger)).produce(amqp, times))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--amqp", required=True)
    parser.add_argument("--spans", required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--times", type=float, default=1.0, help="how many times the usual number of jobs")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(produce(amqp_url(given.amqp), given.spans, given.ledger, given.times))
