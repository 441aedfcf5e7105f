"""The queues as a broker would report them."""

from collections.abc import Callable

from adapters.simulator.queues.abilities import of_queue
from adapters.simulator.queues.broker import Broker
from adapters.simulator.queues.job_queue import AGAIN, CAME, SATURATED, WENT, JobQueue
from console.domain.readings import AgeQuality, DeadReason, PriorityDepth, Queue
from console.domain.refs import Kind, Ref

KIND = "simulated"
"""What sort of queue they all are."""


class Meter:
    """Reads one broker for one source, at one moment."""

    def __init__(
        self, broker: Broker, source: str, at: float, feeds: Callable[[JobQueue], tuple[str, ...]], *, exports: bool
    ) -> None:
        self._broker = broker
        self._source = source
        self._at = at
        self._feeds = feeds
        self._exports = exports

    def readings(self) -> tuple[Queue, ...]:
        """Every queue."""
        return tuple(self.queue(queue) for queue in self._broker.queues.values())

    def queue(self, queue: JobQueue) -> Queue:
        """One queue; while anything waits, its age is exactly that of its oldest message."""
        rates = queue.sums.per_s(self._broker.world.now)
        oldest_at = queue.backlog.oldest_at()
        return Queue(
            ref=Ref(self._source, Kind.QUEUE, queue.spec.name),
            observed_at=self._at,
            can=of_queue(queue, exports=self._exports),
            depth=len(queue.backlog),
            in_flight=queue.in_flight,
            consumers=queue.workers,
            consumers_busy_ratio=round(min(1.0, rates[SATURATED]), 2),
            oldest_age_s=None if oldest_at is None else round(max(0.0, self._at - oldest_at), 1),
            age_quality=AgeQuality.UNKNOWN if oldest_at is None else AgeQuality.EXACT,
            in_per_min=round(60.0 * rates[CAME], 1),
            out_per_min=round(60.0 * rates[WENT], 1),
            redelivered_per_min=round(60.0 * rates[AGAIN], 1),
            dead_letters=len(queue.dead),
            dead_letter_queue=dead_letters_of(queue),
            dead_reasons=tuple(DeadReason(reason, count) for reason, count in queue.dead_reasons()),
            parked=queue.aside,
            paused=queue.paused_until is not None,
            kind=KIND,
            priorities=tuple(PriorityDepth(priority, depth) for priority, depth in queue.backlog.depths()),
            feeds=self._feeds(queue),
        )


def dead_letters_of(queue: JobQueue) -> str:
    """How the queue's dead-letter queue is called."""
    return f"{queue.spec.name}.dead"
