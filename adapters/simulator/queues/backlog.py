"""Messages, and the order in which they wait."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.simulator.calls import Call


class Delivery(NamedTuple):
    """One time that a message was given to a worker."""

    at: float
    """Unix seconds."""
    before_s: float
    """Seconds of the worker's own work before it calls the route."""
    call: Call
    after_s: float
    """Seconds of its own work afterwards; 0 when the call failed."""

    @property
    def end_at(self) -> float:
        """Unix seconds at which the worker is done with it."""
        return self.at + self.before_s + self.call.duration_s + self.after_s


@dataclass(slots=True)
class Message:
    """One job."""

    number: int
    """Its place in the order of arrival."""
    at: float
    """Unix seconds at which it came in."""
    priority: int
    entry: int = 0
    """Counts up with every message that is put into the queue, those that come back included: what waited at one
    moment is what has an entry up to the one of that moment."""
    tries: list[Delivery] = field(default_factory=list)
    """Deliveries that ended badly."""


class Dead(NamedTuple):
    """A message that nobody will try again."""

    message: Message
    reason: str
    """In the broker's words."""
    entry: int
    """As `Message.entry`, of the dead-letter queue."""


class Backlog:
    """What waits: the highest priority first, inside one by arrival, also for those that come back."""

    def __init__(self) -> None:
        self._heaps: dict[int, list[tuple[int, Message]]] = {}
        self._count = 0
        self.entry = 0
        """The entry that was given last."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Message]:
        for _, heap in sorted(self._heaps.items(), reverse=True):
            yield from (message for _, message in heap)

    def put(self, message: Message) -> None:
        """Let it wait."""
        self.entry += 1
        message.entry = self.entry
        heapq.heappush(self._heaps.setdefault(message.priority, []), (message.number, message))
        self._count += 1

    def take(self) -> Message:
        """The next one for a worker.

        Raises:
            IndexError: nothing waits.
        """
        priority = max((priority for priority, heap in self._heaps.items() if heap), default=None)
        if priority is None:
            raise IndexError("nothing waits")
        self._count -= 1
        return heapq.heappop(self._heaps[priority])[1]

    def choose(self, wanted: Callable[[Message], bool], most: int) -> list[Message]:
        """At most `most` of those that are wanted, in the order of arrival; they go on waiting."""
        return heapq.nsmallest(most, (m for m in self if wanted(m)), key=lambda message: message.number)

    def remove(self, messages: Sequence[Message]) -> None:
        """Messages of a `choose` wait no longer."""
        gone = {message.number for message in messages}
        for priority, heap in self._heaps.items():
            self._heaps[priority] = kept = [pair for pair in heap if pair[0] not in gone]
            heapq.heapify(kept)
        self._count -= len(messages)

    def oldest_at(self) -> float | None:
        """Unix seconds at which the oldest came in; None when nothing waits."""
        return min((heap[0][1].at for heap in self._heaps.values() if heap), default=None)

    def depths(self) -> list[tuple[int, int]]:
        """(priority, how many wait), the highest first."""
        return sorted(((priority, len(heap)) for priority, heap in self._heaps.items()), reverse=True)
