"""Waiting until the workers have done what waited."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.nats.api import Consumer
from adapters.nats.names import Place
from adapters.nats.parking import nothing_waits
from adapters.nats.servers import Asks, Servers, consumer_of
from adapters.pace import Pace
from console.domain.actions import Progress

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Wait:
    """What a finish's step says."""

    place: Place
    last: int
    """The last message that waited or was worked on when it was planned."""
    total: int
    """How many those were."""
    finished: int
    """Deliveries that had ended by then."""


class Waiter:
    """Carries one wait."""

    def __init__(self, servers: Servers, wait: Wait, tell: Callable[[Progress], None]) -> None:
        self._servers = servers
        self._wait = wait
        self._tell = tell
        self._pace = Pace(servers.clock)
        self._most = 0

    async def carry(self) -> None:
        """Wait until everything that waited is acknowledged; raises what the reads met."""
        while True:
            progress = await self.count()
            self._tell(self._pace.progress(progress.done, self._wait.total, progress.words))
            if progress.done >= self._wait.total:
                return
            await self._servers.clock.sleep(POLL_S)

    async def count(self) -> Progress:
        """How many are finished; a delivery that came back counts until its message is finished. Raises what the
        reads met."""
        wait = self._wait
        consumer = await consumer_of(self._servers, wait.place)
        words = f"workers hold {consumer.num_ack_pending:,}" if consumer.num_ack_pending else ""
        if await all_finished(self._servers, consumer, wait.last):
            return Progress(done=wait.total, total=wait.total, words=words)
        self._most = max(self._most, min(finished(consumer) - wait.finished, wait.total - 1), 0)
        return Progress(done=self._most, total=wait.total, words=words)


async def all_finished(asks: Asks, consumer: Consumer, last: int) -> bool:
    """Whether everything up to `last` is acknowledged by a consumer that stands as given; raises what the reads
    met."""
    if consumer.num_ack_pending and consumer.ack_floor.stream_seq < last:
        return False
    return await nothing_waits(asks, consumer, last)


def finished(consumer: Consumer) -> int:
    """Deliveries that have ended, with an acknowledgement or without."""
    return max(0, consumer.delivered.consumer_seq - consumer.num_ack_pending)
