"""Which requests of the world are kept, and what each service did."""

import math
import random
from bisect import bisect
from collections import deque
from itertools import accumulate
from typing import Final

from adapters.simulator.answers.flows import FRONT
from adapters.simulator.answers.manner import Way
from adapters.simulator.answers.minutes import Minutes
from adapters.simulator.calls import Caller
from adapters.simulator.faults import Fault
from adapters.simulator.parts import Deployment, Route, Stream
from adapters.simulator.queues.backlog import Delivery, Message
from adapters.simulator.queues.broker import Broker
from adapters.simulator.queues.job_queue import JobQueue
from adapters.simulator.traces.examples import Examples
from adapters.simulator.traces.knowledge import Index, Memory
from adapters.simulator.traces.sample import Sample, Seen, snapshots_of
from adapters.simulator.traces.workflows import Workflows
from adapters.simulator.world import World

KEPT: Final = 400
"""The newest requests that are kept in any case …"""

KEEP_S: Final = 300.0
"""… and all others of so many seconds, so that who asks now and then misses none …"""

KEPT_MOST: Final = 5000
"""… but never more than these."""

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


class Samples:
    """Keeps some requests of a world; a companion of it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.kept: deque[Sample] = deque()
        """By the moment at which they were over."""
        self.forgotten_until = -math.inf
        """Unix seconds until which something is missing: what was going on then is kept only in part."""
        self.seen: dict[str, deque[Seen]] = {FRONT: deque()}
        """What each service did in the last `WINDOW_S`."""
        self.index = Index(world)
        self.examples = Examples(self.index, self._queue_of, lambda luck: f"conv-{self._talks[int(luck * TALKS)]}")
        """Requests that are kept for longer because they show something strange."""
        self.minutes = Minutes(world, seed, self.index.prompt, self.examples.show)
        """What all calls answered, counted."""
        self.workflows = Workflows(world, seed)
        """The long runs of its agents."""
        self._chance = random.Random(seed ^ OWN_CHANCE)  # noqa: S311 - a game, not a secret
        self._who = random.Random(seed ^ OWN_CHANCE << 1)  # noqa: S311 - likewise; who asks
        self._streams: dict[str, dict[str, Stream]] = {}
        """By route and by tenant."""
        for stream in world.streams:
            self._streams.setdefault(stream.route.spec.name, {})[stream.key] = stream
        self._caller = Caller(world, self._chance)
        self._broker: Broker | None = None
        self._due = 0.0
        self._talks = [self._hex(4) for _ in range(TALKS)]
        self._memories: dict[str, Memory] = {}
        for route in world.routes.values():
            self._join(FRONT, route)

    def listen_to(self, broker: Broker) -> None:
        """Keep the jobs of its workers too."""
        self._broker = broker
        broker.listeners.append(self._on_delivery)
        for queue in broker.queues.values():
            self.seen.setdefault(queue.spec.service, deque())
            self._join(queue.spec.service, queue.route)

    def direct_per_s(self) -> dict[str, float]:
        """Requests per second for each route that no queue is in front of."""
        flows = {name: route.demand for name, route in self.world.routes.items()}
        for queue in self._broker.queues.values() if self._broker else ():
            flows[queue.spec.route] = max(0.0, flows[queue.spec.route] - queue.expected_per_s())
        return flows

    def _join(self, service: str, route: Route) -> None:
        if "retrieval" in route.spec.around:
            self.index.join(service)
        if "tool" in route.spec.around and service != FRONT:
            self.workflows.join(service, route.spec.name)

    def step(self, dt: float) -> None:
        """See `world.Companion`."""
        begin = self.world.now - dt
        self.index.step()
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
        self.workflows.step(dt)
        self.minutes.step(dt)

    def _draw(self, route: Route, came_at: float) -> None:
        """One request that is over at about `came_at`: what is not over yet is in no trace store."""
        tenant = self._asking(route)
        call = self._caller.draw(route, PATIENCE_S, tenant)
        own = self._chance.uniform(*AROUND_S)
        delivery = Delivery(0.0, own, call, 0.0 if call.failure else own)
        began_at = came_at - delivery.end_at
        sample = self._sample(FRONT, route, "", began_at, (delivery._replace(at=began_at),), tenant)
        self._count(FRONT, came_at, came_at - began_at, sample)
        self._keep(sample)

    def _asking(self, route: Route) -> str:
        """One of the tenants that ask a route by themselves, each as often as it does."""
        drawn = self._who.random() * sum(stream.now for stream in self._streams[route.spec.name].values())
        for key, stream in self._streams[route.spec.name].items():
            drawn -= stream.now
            if drawn < 0.0:
                return key
        return next(iter(self._streams[route.spec.name]))

    def _on_delivery(self, queue: JobQueue, message: Message, delivery: Delivery, last: bool) -> None:
        """A worker is done with a job, for now or for good."""
        spec, deliveries = queue.spec, (*message.tries, delivery)
        self.minutes.flows.jobs[spec.route, spec.tenant, spec.service] += 1
        # The jobs of a batch come in at one moment; in a store they have an order.
        came_at = min(message.at + message.number % 1000 * 1e-5, deliveries[0].at)
        sample = self._sample(spec.service, queue.route, spec.name, came_at, deliveries, spec.tenant)
        self._count(spec.service, delivery.end_at, delivery.end_at - delivery.at, sample)
        if last:
            self._keep(sample)

    def _sample(
        self, service: str, route: Route, queue: str, began_at: float, deliveries: tuple[Delivery, ...], tenant: str
    ) -> Sample:  # fmt: skip
        trace_id = self._hex(16)
        conversation = self._talk() if "retrieval" in route.spec.around else ""
        lost = self.world.fault(Fault.LOST_MEMORY, f"service/{service}", f"route/{route.spec.name}")
        attempts = deliveries[-1].call.attempts
        return Sample(
            trace_id=trace_id,
            service=service,
            route=route,
            queue=queue,
            began_at=began_at,
            deliveries=deliveries,
            conversation=conversation,
            snapshots=snapshots_of(self.index, service, route, deliveries),
            prompt=self.index.prompt(route.spec.name, deliveries[-1].at),
            memory=self._memory(conversation) if conversation else None,
            tenant=tenant,
            way=self._way(attempts[-1].deployment, route, tenant, service) if attempts else None,
            lost=lost > 0.0 and int(trace_id[-8:], 16) / 2**32 < lost,
        )

    def _way(self, item: Deployment, route: Route, tenant: str, service: str) -> Way:
        return self.minutes.way(item, self._streams[route.spec.name][tenant], service)

    def _keep(self, sample: Sample) -> None:
        """Keep a request; what it answered is remembered by its conversation."""
        if sample.memory is not None and not sample.failure and not sample.lost:
            sample.memory.write(sample.end_at)
        self.kept.append(sample)
        while len(self.kept) > KEPT and (
            len(self.kept) > KEPT_MOST or self.kept[0].end_at < self.world.now - KEEP_S
        ):  # fmt: skip
            self.forgotten_until = max(self.forgotten_until, self.kept.popleft().end_at)
        self.examples.note(sample)

    def _queue_of(self, service: str) -> str:
        """The queue in front of a service's workers; empty for those that take requests in themselves."""
        queues = self._broker.queues.values() if self._broker else ()
        return next((queue.spec.name for queue in queues if queue.spec.service == service), "")

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
