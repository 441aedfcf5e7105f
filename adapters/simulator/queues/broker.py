"""The broker: every queue of the platform, moving with the world and acting back on it."""

import math
import random
from typing import Final

from adapters.simulator.calls import Caller
from adapters.simulator.counters import MARK_S
from adapters.simulator.faults import Fault
from adapters.simulator.parts import Stream
from adapters.simulator.platform import QueueSpec
from adapters.simulator.queues.backlog import Delivery, Message
from adapters.simulator.queues.job_queue import JobQueue, Told
from adapters.simulator.world import World

NODE: Final = "broker-1"
"""Its only node."""

OWN_CHANCE: Final = 0x51EE7
"""Keeps the queues' chance apart from the world's, whose numbers stay as they are without queues."""

SMOOTH_S: Final = 10.0
"""Calls of workers reach the routes as a mean over about so long: the routes move flows, not single calls."""


class Broker:
    """All queues; a companion of their world."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.lost = False
        """Whether it cannot be asked; the queues go on."""
        self.listeners: list[Told] = []
        """Who hears of every delivery that has ended."""
        chance = random.Random(seed ^ OWN_CHANCE)  # noqa: S311 - a game, not a secret
        caller = Caller(world, chance)
        self.queues = {
            spec.name: JobQueue(spec, world.routes[spec.route], _stream(world, spec), caller, chance)
            for spec in world.platform.queues
        }
        behind: dict[int, tuple[Stream, list[JobQueue]]] = {}
        for queue in self.queues.values():
            behind.setdefault(id(queue.stream), (queue.stream, []))[1].append(queue)
        self._behind = tuple(behind.values())
        """Each stream that comes by way of queues in part, with them."""
        self._marked = -math.inf

    def step(self, dt: float) -> None:
        """See `world.Companion`."""
        end = self.world.now
        if self.world.struck:
            self._strike()
        for queue in self.queues.values():
            queue.step(end - dt, end, self._tell)
        self._act_back(dt)
        if end - self._marked >= MARK_S:
            self._marked = end
            for queue in self.queues.values():
                queue.sums.mark(end)

    def _tell(self, queue: JobQueue, message: Message, delivery: Delivery, last: bool) -> None:
        for told in self.listeners:
            told(queue, message, delivery, last)

    def _act_back(self, dt: float) -> None:
        """The routes get what the workers really ask, in place of what was expected of them."""
        keep = math.exp(-dt / SMOOTH_S)
        for stream, queues in self._behind:
            calls = first = 0.0
            for queue in queues:
                expected = queue.expected_per_s()
                calls += queue.taken / dt - expected
                first += queue.first_taken / dt - expected
            stream.jobs = stream.jobs * keep + calls * (1.0 - keep)
            stream.first_jobs = stream.first_jobs * keep + first * (1.0 - keep)

    def _strike(self) -> None:
        """Hand the faults of this tick to the queues."""
        for queue in self.queues.values():
            target = f"queue/{queue.spec.name}"
            queue.workers = round(queue.spec.workers * self.world.fault(Fault.WORKERS, target))
            batch = self.world.fault(Fault.BATCH, target)
            queue.add(round(batch) - queue.batched, self.world.now)
            queue.batched = round(batch)


def _stream(world: World, spec: QueueSpec) -> Stream:
    """The demand that a queue's jobs are a part of; the platform has seen to it that it is there."""
    return next(
        stream
        for tenant in world.tenants
        if tenant.spec.key == spec.tenant
        for stream in tenant.streams
        if stream.route.spec.name == spec.route
    )
