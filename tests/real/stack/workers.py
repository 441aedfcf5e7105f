"""The workers of one queue, as a process: take a job, ask a gateway for it, acknowledge it, or try again later.

A job that fails is tried `TRIES` times and then is a dead letter. Of a classic queue the worker puts it back itself,
with a header that counts, as task frameworks do; a quorum queue counts deliveries itself.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiormq
import httpx
from aiormq.abc import AbstractChannel, DeliveredMessage
from opentelemetry.propagate import extract
from opentelemetry.trace import Link, SpanKind, Tracer, get_current_span

from tests.real.stack.jobs import BACKOFF_S, JOBS, RETRIES_HEADER, TRIES, WORKERS_KEY, Job, Ledger, named
from tests.real.stack.rabbitmq import ADMIN
from tests.real.stack.telling import CONVERSATION, Question, ask, failed, tracer_of


@dataclass(slots=True)
class Worker:
    """One worker process."""

    job: Job
    tracer: Tracer
    client: httpx.AsyncClient
    gateways: "itertools.cycle[str]"
    ledger: Ledger

    async def serve(self, amqp: str) -> None:
        """Work until cancelled; a connection that is lost is made again."""
        while True:
            with suppress(aiormq.AMQPError, OSError):
                connection = await aiormq.connect(amqp)
                slots = [asyncio.create_task(self._slot(await connection.channel())) for _ in range(self.job.slots)]
                try:
                    await asyncio.gather(*slots)
                finally:
                    for slot in slots:
                        slot.cancel()
                    await asyncio.gather(*slots, return_exceptions=True)
                    await connection.close()
            await asyncio.sleep(1.0)

    async def _slot(self, channel: AbstractChannel) -> None:
        """One consumer that takes a job at a time, until its channel is gone.

        Raises:
            aiormq.AMQPError: it is gone.
        """
        waiting: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
        await channel.basic_qos(prefetch_count=1)
        await channel.basic_consume(self.job.queue, waiting.put)
        gone = asyncio.ensure_future(channel.closing)
        try:
            while True:
                taking = asyncio.create_task(waiting.get())
                done, _ = await asyncio.wait([taking, gone], return_when=asyncio.FIRST_COMPLETED)
                if gone in done:
                    taking.cancel()
                    gone.result()
                    return
                await self._do(taking.result())
        finally:
            gone.cancel()

    async def _do(self, message: DeliveredMessage) -> None:
        """One job, told as one span of a trace of its own that is linked to the one that asked for it."""
        job, tried = json.loads(message.body), self._tried(message)
        headers = message.header.properties.headers or {}
        asked_by = get_current_span(extract({name: str(value) for name, value in headers.items()})).get_span_context()
        attributes: dict[str, Any] = {
            "messaging.system": "rabbitmq",
            "messaging.operation.type": "process",
            "messaging.destination.name": self.job.queue,
            "messaging.message.id": job["id"],
            "app.queue.wait_ms": max(0.0, 1000 * (time.time() - job["at"])),
            CONVERSATION: job["conversation"],
        }
        name = f"process {self.job.queue}"
        links = [Link(asked_by)] if asked_by.is_valid else []
        with self.tracer.start_as_current_span(
            name, kind=SpanKind.CONSUMER, links=links, attributes=attributes
        ) as span:
            await asyncio.sleep(self.job.work_s)
            question = Question(next(self.gateways), WORKERS_KEY.key, self.job.route, job["conversation"])
            status = await ask(self.tracer, self.client, question)
            if status != "200":
                failed(span, status, f"{self.job.route} answered {status}, try {tried + 1} of {TRIES}")
        if status == "200":
            self.ledger.note(self.job.queue, "done", job["id"])
            await message.channel.basic_ack(message.delivery_tag or 0)
        else:
            await asyncio.sleep(BACKOFF_S)
            await self._give_back(message, tried)

    def _tried(self, message: DeliveredMessage) -> int:
        """How often it was tried before."""
        headers = message.header.properties.headers or {}
        counted = headers.get("x-delivery-count" if self.job.kind == "quorum" else RETRIES_HEADER, 0)
        return counted if isinstance(counted, int) else 0

    async def _give_back(self, message: DeliveredMessage, tried: int) -> None:
        """For another try, or as a dead letter when it was the last."""
        channel, tag = message.channel, message.delivery_tag or 0
        if self.job.kind == "quorum":
            await channel.basic_nack(tag, requeue=True)
        elif tried + 1 >= TRIES:
            await channel.basic_reject(tag, requeue=False)
        else:
            about = message.header.properties
            about.headers = {**(about.headers or {}), RETRIES_HEADER: tried + 1}
            await channel.basic_publish(message.body, routing_key=self.job.queue, properties=about)
            await channel.basic_ack(tag)


async def work(queue: str, amqp: str, spans: str, ledger: Path, gateways: Sequence[str]) -> None:
    """The workers of one queue, until cancelled."""
    job = named(queue)
    with tracer_of(job.service, spans) as tracer:
        async with httpx.AsyncClient(timeout=30) as client:
            await Worker(job, tracer, client, itertools.cycle(gateways), Ledger(ledger)).serve(amqp)


def amqp_url(address: str) -> str:
    """The broker's address with the applications' user in it."""
    return address.replace("amqp://", f"amqp://{ADMIN[0]}:{ADMIN[1]}@", 1) + "/%2F"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("queue", choices=[job.queue for job in JOBS])
    parser.add_argument("--amqp", required=True)
    parser.add_argument("--spans", required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("gateways", nargs="+")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(work(given.queue, amqp_url(given.amqp), given.spans, given.ledger, given.gateways))
