"""Moving messages from one place to another, at a limited rate, as the broker does by itself once it is set going."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.simulator.queues.backlog import Message
    from adapters.simulator.queues.job_queue import JobQueue


class Errand(StrEnum):
    """What is moved where."""

    PARK = "park"
    """What waited at one moment, into the parking queue."""
    ISOLATE = "isolate"
    """The retries among it, into a parking queue of their own."""
    REPLAY = "replay"
    """What is set aside, back."""
    REQUEUE = "requeue"
    """What was dead at one moment, back, as if it had never been tried."""
    PURGE = "purge"
    """What waited at one moment, away for good; whoever asked does it, piece by piece, for it exports each first."""


STORES: Final = ("parked", "retries", "held")
"""Where messages are set aside: fields of a queue."""


@dataclass(slots=True)
class Mover:
    """One errand: under way, or the last of its queue."""

    errand: Errand
    per_s: float
    mark: int = 0
    """The last entry that waited (park, isolate, purge) or was dead (requeue) when it was asked for."""
    keep: dict[str, int] | None = None
    """How many messages each store keeps (replay); a store that is not named keeps all."""
    stamp: float = 0.0
    """Unix seconds at which it was asked for: tells it from another of the same sort."""
    running: bool = False
    moved: int = 0
    """Messages moved so far."""
    due: float = 0.0
    """Part of a message that is due, from tick to tick."""

    def same(self, other: Mover) -> bool:
        """Whether both are one errand, however far it has come."""
        return (self.errand, self.stamp, self.mark, self.keep) == (other.errand, other.stamp, other.mark, other.keep)

    def left(self, queue: JobQueue) -> int:
        """How many messages are still to be moved."""
        match self.errand:
            case Errand.PARK | Errand.PURGE:
                return sum(message.entry <= self.mark for message in queue.backlog)
            case Errand.ISOLATE:
                return sum(message.entry <= self.mark and bool(message.tries) for message in queue.backlog)
            case Errand.REQUEUE:
                return sum(dead.entry <= self.mark for dead in queue.dead)
            case Errand.REPLAY:
                keep = self.keep or {}
                return sum(max(0, len(getattr(queue, store)) - kept) for store, kept in keep.items())

    def move(self, queue: JobQueue, seconds: float) -> None:
        """Move what is due after so many seconds, and stop when nothing is left."""
        self.due += self.per_s * seconds
        most = int(self.due)
        self.due -= most
        match self.errand:
            case Errand.PARK | Errand.ISOLATE:
                self.moved += self._set_aside(queue, most)
            case Errand.REQUEUE:
                self.moved += self._requeue(queue, most)
            case Errand.REPLAY:
                self.moved += self._replay(queue, most)
            case Errand.PURGE:
                return
        self.running = self.left(queue) > 0

    def why_stuck(self, queue: JobQueue) -> str:
        """Why it cannot go on; empty when it can."""
        if self.errand in (Errand.PARK, Errand.ISOLATE) and queue.aside >= queue.spec.limit:
            return f"the parking queue is full with {queue.aside:,} messages"
        return ""

    def _set_aside(self, queue: JobQueue, most: int) -> int:
        room = max(0, min(most, queue.spec.limit - queue.aside))
        retries_only = self.errand is Errand.ISOLATE
        chosen = queue.backlog.choose(
            lambda message: message.entry <= self.mark and (bool(message.tries) or not retries_only), room
        )
        queue.set_aside(chosen, queue.retries if retries_only else queue.parked)
        return len(chosen)

    def _requeue(self, queue: JobQueue, most: int) -> int:
        # The oldest entries are in front: what died later stays where it is.
        back = 0
        while back < most and queue.dead and queue.dead[0].entry <= self.mark:
            message = queue.dead.popleft().message
            message.tries = []
            queue.put_back(message)
            back += 1
        queue.requeued += back
        return back

    def _replay(self, queue: JobQueue, most: int) -> int:
        moved = 0
        for store, kept in (self.keep or {}).items():
            aside: deque[Message] = getattr(queue, store)
            back = min(most - moved, max(0, len(aside) - kept))
            # A way back takes what its own action set aside, which is behind what was there before.
            chosen = [aside.pop() for _ in range(back)] if kept else [aside.popleft() for _ in range(back)]
            for message in chosen:
                queue.put_back(message)
            moved += back
        return moved
