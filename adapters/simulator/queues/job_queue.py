"""One queue of the simulated broker: what waits, what is worked on, what is set aside, and what is dead.

No message is ever lost: each is in exactly one of these places until it is done, or was purged after an export.
"""

import heapq
import math
import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from adapters.simulator.calls import Caller
from adapters.simulator.counters import Sums
from adapters.simulator.parts import Route, Stream
from adapters.simulator.platform import QueueSpec
from adapters.simulator.queues.backlog import Backlog, Dead, Delivery, Message
from adapters.simulator.queues.movers import Mover

CAME, WENT, AGAIN, SATURATED = range(4)
"""Indexes of a queue's sums: messages that came in, messages that went out, deliveries of what was delivered before,
and seconds in which no worker was free."""

WORKED_OUT: Final = "delivery_limit"
"""Why a job is dead that failed too often."""

REST_S: Final = 1.0
"""A worker takes nothing for so long after a job has failed."""

BEFORE: Final = 0.6
"""Part of a worker's own work that it does before the call."""

FIRST_BATCH_S: Final = 60.0
"""Seconds from the world's beginning to its first batches, so that they are under way when it is first seen."""

Told = Callable[["JobQueue", Message, Delivery, bool], None]
"""Hears of every delivery that has ended; the last is whether it was the message's last."""


class JobQueue:
    """A queue and its workers."""

    def __init__(self, spec: QueueSpec, route: Route, stream: Stream, caller: Caller, chance: random.Random) -> None:
        self.spec = spec
        self.route = route
        self.backlog = Backlog()
        self.parked: deque[Message] = deque()
        """Set aside by an operator."""
        self.retries: deque[Message] = deque()
        """Retries that were set aside by an operator."""
        self.held: deque[Message] = deque()
        """What came in while the intake was diverted."""
        self.dead: deque[Dead] = deque()
        self.dead_entry = 0
        """The entry that was given last in the dead-letter queue."""
        self.paused_until: float | None = None
        """Unix seconds at which the workers get messages again; None when they do."""
        self.diverted = False
        """Whether what comes in is held back."""
        self.mover: Mover | None = None
        """What moves messages, or moved them last."""
        self.came = 0
        """Jobs that came in since the world began."""
        self.purged = 0
        """Messages that were purged since the world began."""
        self.requeued = 0
        """Dead letters that were put back since the world began."""
        self.done = 0
        """Jobs that were done since the world began."""
        self.refused = 0
        """Jobs that a full queue has turned away."""
        self.sums = Sums(4)
        self.taken = 0
        """Deliveries in this tick."""
        self.first_taken = 0
        """Those of them that are a message's first."""
        self.stream = stream
        """The demand that its jobs are a part of."""
        self.workers = spec.workers
        """How many of them are there now."""
        self.batched = 0
        """Jobs of the incident's batch that are in."""
        self._caller = caller
        self._chance = chance
        self._busy: list[tuple[float, int, Message | None, Delivery | None]] = []
        """Workers that are not free, by the moment at which they will be; a worker that rests has no message."""
        self._next_at: float | None = None

    def expected_per_s(self) -> float:
        """Jobs per second that the tenant sends now, on the average."""
        return self.stream.now * self.spec.part

    @property
    def in_flight(self) -> int:
        """Messages that a worker holds."""
        return sum(1 for _, _, message, _ in self._busy if message is not None)

    @property
    def aside(self) -> int:
        """Messages that no worker gets, because an operator wants it so."""
        return len(self.parked) + len(self.retries) + len(self.held)

    def everything(self) -> int:
        """All messages, wherever they are."""
        return len(self.backlog) + self.in_flight + self.aside + len(self.dead)

    def step(self, begin: float, end: float, told: Told) -> None:
        """Let everything happen between two moments (unix seconds), in the order of time."""
        self.taken = self.first_taken = 0
        if self.paused_until is not None and end >= self.paused_until:
            self.paused_until = None
        if self.mover is not None and self.mover.running:
            self.mover.move(self, end - begin)
        if self._next_at is None:
            self._plan_arrival(begin)
        self._work(begin)
        while True:
            free_at = self._busy[0][0] if self._busy else math.inf
            at = min(free_at, self._next_at or math.inf)
            if at > end:
                break
            if free_at <= at:
                self._finish(told)
            else:
                self._arrive(at)
            self._work(at)
        if len(self._busy) >= self.workers:
            self.sums.now[SATURATED] += end - begin

    def _plan_arrival(self, after: float) -> None:
        rate = self.expected_per_s()
        if self.spec.batch_s:
            self._next_at = after + (self.spec.batch_s if self.came else FIRST_BATCH_S)
        else:
            self._next_at = after + (self._chance.expovariate(rate) if rate > 0 else 60.0)

    def _arrive(self, at: float) -> None:
        for _ in range(round(self.expected_per_s() * self.spec.batch_s) if self.spec.batch_s else 1):
            self._take_in(at)
        self._plan_arrival(at)

    def add(self, jobs: int, at: float) -> None:
        """So many jobs come in at once."""
        for _ in range(jobs):
            self._take_in(at)

    def _take_in(self, at: float) -> None:
        if len(self.backlog) + len(self.held) >= self.spec.limit:
            self.refused += 1
            return
        self.came += 1
        message = Message(self.came, at, int(self._chance.random() < self.spec.urgent))
        self.sums.now[CAME] += 1
        if self.diverted:
            self.held.append(message)
        else:
            self.backlog.put(message)

    def put_back(self, message: Message) -> None:
        """Let a message that was elsewhere wait again."""
        self.sums.now[CAME] += 1
        self.backlog.put(message)

    def set_aside(self, messages: list[Message], where: deque[Message]) -> None:
        """Messages that wait do so elsewhere from now on."""
        self.backlog.remove(messages)
        self.sums.now[WENT] += len(messages)
        where.extend(messages)

    def purge(self, messages: list[Message]) -> None:
        """Messages that wait are gone for good."""
        self.backlog.remove(messages)
        self.sums.now[WENT] += len(messages)
        self.purged += len(messages)

    def _work(self, at: float) -> None:
        """Every free worker takes a message."""
        if self.paused_until is not None:
            return
        while len(self._busy) < self.workers and len(self.backlog):
            message = self.backlog.take()
            own = self.spec.work_s * self._chance.uniform(0.7, 1.3)
            call = self._caller.draw(self.route, self.spec.patience_s, self.spec.tenant)
            delivery = Delivery(at, BEFORE * own, call, 0.0 if call.failure else (1.0 - BEFORE) * own)
            self.taken += 1
            if message.tries:
                self.sums.now[AGAIN] += 1
            else:
                self.first_taken += 1
            heapq.heappush(self._busy, (delivery.end_at, message.number, message, delivery))

    def _finish(self, told: Told) -> None:
        """One worker is free again; what it held is done, tried again, or dead."""
        at, number, message, delivery = heapq.heappop(self._busy)
        if message is None or delivery is None:
            return
        if not delivery.call.failure:
            self.done += 1
            self.sums.now[WENT] += 1
            told(self, message, delivery, True)
            return
        heapq.heappush(self._busy, (at + REST_S, number, None, None))
        last = len(message.tries) + 1 >= self.spec.tries
        told(self, message, delivery, last)
        message.tries.append(delivery)
        if last:
            self.sums.now[WENT] += 1
            self.dead_entry += 1
            self.dead.append(Dead(message, WORKED_OUT, self.dead_entry))
        else:
            self.backlog.put(message)

    def dead_reasons(self) -> list[tuple[str, int]]:
        """(reason, how many), the commonest first."""
        return Counter(dead.reason for dead in self.dead).most_common()
