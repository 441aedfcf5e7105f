"""Which requests of the world are kept, and what is known of each: enough to tell it span by span later."""

import random
from bisect import bisect
from collections import deque
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from adapters.simulator.calls import Caller
from adapters.simulator.parts import Route
from adapters.simulator.queues.backlog import Delivery, Message
from adapters.simulator.queues.broker import Broker
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.traces.knowledge import Index, Memory
from adapters.simulator.world import World

FRONT: Final = "api"
"""The service that takes requests in, and that puts jobs into queues."""

KEPT: Final = 400
"""The newest requests that are kept."""

DIRECT_PER_S: Final = 1.0
"""Requests that are drawn from those that no queue is in front of, a second."""

OWN_CHANCE: Final = 0x7A_CE
"""Keeps this chance apart from the world's and the queues'."""

PATIENCE_S: Final = 120.0
"""An application that asks by itself gives up after so long."""

AROUND_S: Final = (0.06, 0.3)
"""Seconds (least, most) that an application needs before its call, and as much again after it."""

TALKS: Final = 60
"""Conversations that go on at the same time."""

MEMORIES: Final = 2000
"""Conversations whose memory is kept; far more than go on at the same time."""

WINDOW_S: Final = 60.0
"""What a service shows is counted over this long."""


@dataclass(slots=True)
class Sample:
    """One request."""

    trace_id: str
    service: str
    route: Route
    queue: str
    """The queue in which it waited; empty when none is in front."""
    began_at: float
    """Unix seconds at which it came in."""
    deliveries: tuple[Delivery, ...]
    """The times that it was worked on; one, but for jobs that were tried again."""
    conversation: str
    snapshots: tuple[str, ...]
    """The retrieval index's version that each delivery answered from; empty without retrieval."""
    prompt: str
    """The version of the prompt that was used last."""
    memory: Memory | None
    """What its conversation remembers; None without a conversation."""

    @property
    def snapshot(self) -> str:
        """What its last delivery answered from; empty without retrieval."""
        return self.snapshots[-1] if self.snapshots else ""

    @property
    def end_at(self) -> float:
        """Unix seconds at which it was over."""
        return self.deliveries[-1].end_at

    @property
    def failure(self) -> str:
        """How it failed in the end; empty when it was answered."""
        return self.deliveries[-1].call.failure


@dataclass(slots=True)
class Seen:
    """What one service did once: counted, whether or not the request is kept."""

    at: float
    duration_s: float
    failure: str
    conversation: str
    snapshot: str


class Samples:
    """Keeps some requests of a world; a companion of it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.kept: deque[Sample] = deque(maxlen=KEPT)
        """By the moment at which they were over."""
        self.seen: dict[str, deque[Seen]] = {FRONT: deque()}
        """What each service did in the last `WINDOW_S`."""
        self._chance = random.Random(seed ^ OWN_CHANCE)  # noqa: S311 - a game, not a secret
        self._caller = Caller(world, self._chance)
        self._broker: Broker | None = None
        self._due = 0.0
        self._talks = [self._hex(4) for _ in range(TALKS)]
        self._index = Index(world)
        self._memories: dict[str, Memory] = {}

    def listen_to(self, broker: Broker) -> None:
        """Keep the jobs of its workers too."""
        self._broker = broker
        broker.listeners.append(self._on_delivery)
        for queue in broker.queues.values():
            self.seen.setdefault(queue.spec.service, deque())

    def direct_per_s(self) -> dict[str, float]:
        """Requests per second for each route that no queue is in front of."""
        flows = {name: route.demand for name, route in self.world.routes.items()}
        for queue in self._broker.queues.values() if self._broker else ():
            flows[queue.spec.route] = max(0.0, flows[queue.spec.route] - queue.expected_per_s())
        return flows

    def step(self, dt: float) -> None:
        """See `world.Companion`."""
        begin = self.world.now - dt
        self._due += DIRECT_PER_S * dt
        if self._due >= 1.0:
            flows = self.direct_per_s()
            names, sums = tuple(flows), tuple(accumulate(flows.values()))
            while self._due >= 1.0 and sums[-1] > 0:
                self._due -= 1.0
                name = names[min(bisect(sums, self._chance.random() * sums[-1]), len(names) - 1)]
                self._draw(self.world.routes[name], begin + self._chance.random() * dt)
        for seen in self.seen.values():
            while seen and seen[0].at < self.world.now - WINDOW_S:
                seen.popleft()

    def _draw(self, route: Route, came_at: float) -> None:
        """One request that is over at about `came_at`: what is not over yet is in no trace store."""
        call = self._caller.draw(route, PATIENCE_S)
        own = self._chance.uniform(*AROUND_S)
        delivery = Delivery(0.0, own, call, 0.0 if call.failure else own)
        began_at = came_at - delivery.end_at
        sample = self._sample(FRONT, route, "", began_at, (delivery._replace(at=began_at),))
        self._count(FRONT, came_at, came_at - began_at, sample)
        self._keep(sample)

    def _on_delivery(self, queue: JobQueue, message: Message, delivery: Delivery, last: bool) -> None:
        """A worker is done with a job, for now or for good."""
        deliveries = (*message.tries, delivery)
        sample = self._sample(queue.spec.service, queue.route, queue.spec.name, message.at, deliveries)
        self._count(queue.spec.service, delivery.end_at, delivery.end_at - delivery.at, sample)
        if last:
            self._keep(sample)

    def _sample(
        self, service: str, route: Route, queue: str, began_at: float, deliveries: tuple[Delivery, ...]
    ) -> Sample:
        retrieves = "retrieval" in route.spec.around
        conversation = self._talk() if retrieves else ""
        return Sample(
            trace_id=self._hex(16),
            service=service,
            route=route,
            queue=queue,
            began_at=began_at,
            deliveries=deliveries,
            conversation=conversation,
            snapshots=tuple(self._index.snapshot(service, one.at) for one in deliveries) if retrieves else (),
            prompt=self._index.prompt(deliveries[-1].at),
            memory=self._memory(conversation) if conversation else None,
        )

    def _keep(self, sample: Sample) -> None:
        """Keep a request; what it answered is remembered by its conversation."""
        if sample.memory is not None and not sample.failure:
            sample.memory.write(sample.end_at)
        self.kept.append(sample)

    def _memory(self, conversation: str) -> Memory:
        memory = self._memories.pop(conversation, None) or Memory()
        self._memories[conversation] = memory
        if len(self._memories) > MEMORIES:
            del self._memories[next(iter(self._memories))]
        return memory

    def _count(self, service: str, at: float, duration_s: float, sample: Sample) -> None:
        self.seen[service].append(Seen(at, duration_s, sample.failure, sample.conversation, sample.snapshot))

    def _talk(self) -> str:
        """A conversation that goes on; now and then one ends and another begins."""
        place = int(self._chance.random() * TALKS)
        if self._chance.random() < 0.2:
            self._talks[place] = self._hex(4)
        return f"conv-{self._talks[place]}"

    def _hex(self, size: int) -> str:
        return f"{self._chance.getrandbits(8 * size):0{2 * size}x}"
