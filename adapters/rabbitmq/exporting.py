"""Purge: every waiting message is written to a file, and taken away once it is on disk."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from adapters.pace import Pace
from adapters.rabbitmq.amqp import Amqp, in_taxonomy
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.exports import ExportFile, count_lines, exported
from adapters.rabbitmq.holding import existing
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.shovels import PRIORITY
from console.domain.actions import Progress
from console.domain.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel, DeliveredMessage

T = TypeVar("T")

BATCH = 500
"""Messages that taken, written and acknowledged at a time: the most that a crash leaves both on file and waiting."""
NOTHING_S = 1.0
"""After so long without a message it is asked whether any waits."""


@dataclass(frozen=True, slots=True)
class Export:
    """What a purge's step says."""

    place: Place
    file: Path
    total: int
    """Messages that waited when it was planned: later ones are left alone."""


class Exporter:
    """Carries one purge."""

    def __init__(self, broker: Broker, export: Export, tell: Callable[[Progress], None]) -> None:
        self._broker = broker
        self._export = export
        self._tell = tell
        self._amqp = Amqp(broker, export.place.vhost)
        self._pace = Pace(broker.clock)
        self._file = ExportFile(export.file)

    async def carry(self) -> None:
        """Take batch after batch until as many are on file as waited, or none waits.

        Never more than a batch is taken at a time and exactly as many as are still to be taken, so that nothing is
        given back: a quorum queue would count that as a failed delivery.

        Raises:
            BackendError: FAILED when the file cannot be written (what is not on disk is not taken away), or what the
                broker answers.
        """
        await existing(self._broker, self._export.place)
        try:
            done = await self._on_disk(self._file.open)
            while (left := self._export.total - done) > 0:
                taken = await self._take(min(BATCH, left))
                done += taken
                self._tell(self._pace.progress(done, self._export.total))
                if not taken:
                    break
        finally:
            self._file.close()
            await asyncio.shield(self._amqp.close())

    async def _take(self, count: int) -> int:
        """Take up to `count` messages; how many are on file and out of the queue. 0: none waits."""
        channel = await self._amqp.channel()
        async with in_taxonomy(self._amqp.where):
            messages = await self._deliver(channel, count)
            if messages:
                batch = [exported(message) for message in messages]
                await self._on_disk(lambda: self._file.write(batch))
                last = messages[-1].delivery_tag
                await channel.basic_ack(last or 0, multiple=True)
            await channel.close()  # answered when the broker has taken the acknowledgements
        return len(messages)

    async def _deliver(self, channel: "AbstractChannel", count: int) -> "list[DeliveredMessage]":
        """Exactly as many as asked for, or those that there are."""
        messages: list[DeliveredMessage] = []
        came = asyncio.Event()

        async def take(message: "DeliveredMessage") -> None:
            messages.append(message)
            came.set()

        await channel.basic_qos(prefetch_count=count)
        answer = await channel.basic_consume(
            self._export.place.queue, take, arguments={"x-priority": PRIORITY}, timeout=self._amqp.timeout_s
        )
        while len(messages) < count:
            came.clear()
            try:
                async with asyncio.timeout(NOTHING_S):
                    await came.wait()
            except TimeoutError:
                waits = await channel.queue_declare(self._export.place.queue, passive=True)
                if not waits.message_count:
                    break
        await channel.basic_cancel(str(answer.consumer_tag))
        return messages

    async def _on_disk(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise BackendError(
                ErrorKind.FAILED, f"the file cannot be written: {error}", where=str(self._export.file),
                way_out="what is not on disk is still in the queue; make room and ask again",
            ) from None  # fmt: skip


async def on_file(export: Export) -> int:
    """How many messages the file holds; none when it is not there.

    Raises:
        BackendError: FAILED when it cannot be read.
    """
    try:
        return await asyncio.to_thread(count_lines, export.file)
    except OSError as error:
        raise BackendError(ErrorKind.FAILED, f"the file cannot be read: {error}", where=str(export.file)) from None
