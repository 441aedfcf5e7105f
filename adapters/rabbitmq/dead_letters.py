"""Dead letters: which queue takes those of which, and why they died.

A dead letter's `x-death` header says why, but it has to be read for that. RabbitMQ has no reading without taking: a
message that was looked at and put back is marked as redelivered, a quorum queue counts it as a failed delivery (and
throws the message away at its limit), and a queue that expires unused counts it as use. So only classic queues that
nobody consumes from and that do not expire are looked into, a few messages at a time, seldom, and only while somebody
looks at the queue.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.rabbitmq.api import Binding, Exchange, Peeked
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.seen import Seen
from adapters.rabbitmq.shape import DeadLetterWays, Shape, bindings_path, dead_exchanges, exchanges_path
from console.domain.errors import BackendError, Failure
from console.domain.readings import DeadReason
from console.domain.text import clean

PEEK_EVERY_S = 60.0
PEEKED_AT_ONCE = 10
"""Messages that are looked at; those at the head, the oldest."""
_REASONS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    reasons: tuple[DeadReason, ...]


class DeadLetters:
    """What is known about dead letters."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.ways: dict[Place, Place] = {}
        """Queue → its dead-letter queue."""
        self.targets: frozenset[Place] = frozenset()
        """All dead-letter queues."""
        self._looks: dict[Place, _Look] = {}

    async def find_ways(self, shapes: Mapping[Place, Shape]) -> None:
        """Find out anew which queue takes whose dead letters.

        Raises:
            BackendError: what the reads met; what was known before stands.
        """
        ways: dict[Place, Place] = {}
        dying = {place: shape for place, shape in shapes.items() if shape.dead_exchange is not None}
        for vhost in sorted({place.vhost for place in dying}):
            map_ = await self._map(vhost, dying)
            for place, shape in dying.items():
                target = map_.target(place.queue, shape) if place.vhost == vhost else None
                if target is not None and Place(vhost, target) in shapes:
                    ways[place] = Place(vhost, target)
        self.ways, self.targets = ways, frozenset(ways.values())

    async def _map(self, vhost: str, dying: Mapping[Place, Shape]) -> DeadLetterWays:
        names = dead_exchanges(dying, vhost)
        if not names:
            return DeadLetterWays([])
        found = await self._broker.read(exchanges_path(vhost), list[Exchange], {"columns": "name,type"})
        map_ = DeadLetterWays(found)
        there = {exchange.name for exchange in found}
        for name in names:
            if name in there:
                map_.learn(name, await self._broker.read(bindings_path(vhost, name), list[Binding]))
        return map_

    def reasons(self, target: Place) -> tuple[DeadReason, ...]:
        """Why the messages in a dead-letter queue died, as far as it was looked into."""
        look = self._looks.get(target)
        return look.reasons if look is not None else ()

    async def peek(self, focus: Iterable[Place], queues: Mapping[Place, Seen], now: float) -> list[Failure]:
        """Look into the dead-letter queues of those that somebody looks at, where that does no harm."""
        wanted = {self.ways.get(place, place) for place in focus} & self.targets
        due = [place for place in wanted if self._may_peek(place, queues.get(place), now)]
        for place in [place for place in self._looks if place not in self.targets]:
            del self._looks[place]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._peek(place, now)) for place in due]
        return [failure for task in tasks if (failure := task.result())]

    def _may_peek(self, place: Place, seen: Seen | None, now: float) -> bool:
        look = self._looks.get(place)
        if seen is None or (look is not None and now - look.at < PEEK_EVERY_S):
            return False
        return seen.ready > 0 and why_no_peek(seen) == ""

    async def _peek(self, place: Place, now: float) -> Failure | None:
        ask = {"count": PEEKED_AT_ONCE, "ackmode": "ack_requeue_true", "encoding": "base64", "truncate": 1}
        self._looks[place] = _Look(now, self.reasons(place))
        try:
            messages = await self._broker.post(f"{place.path}/get", ask, list[Peeked])
        except BackendError as error:
            return error.failure
        self._looks[place] = _Look(now, _counted(messages))
        return None


def why_no_peek(seen: Seen) -> str:
    """Why a queue may not be looked into; empty when it does no harm."""
    if seen.shape.kind != "classic":
        return "looking into it would count as a failed delivery"
    if seen.consumers != 0:
        return "it has consumers, who would see the message as redelivered"
    return "looking into it would count as use, and keep it from expiring" if seen.shape.expires else ""


def _counted(messages: list[Peeked]) -> tuple[DeadReason, ...]:
    reasons = Counter(_reason(message) for message in messages)
    reasons.pop("", None)
    return tuple(DeadReason(reason, count) for reason, count in reasons.most_common(_REASONS_SHOWN))


def _reason(message: Peeked) -> str:
    """Why it died the last time: the first entry of `x-death`; empty when it does not say."""
    headers = message.properties.get("headers") if isinstance(message.properties, dict) else None
    deaths = headers.get("x-death") if isinstance(headers, dict) else None
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    reason = first.get("reason") if isinstance(first, dict) else None
    return clean(reason, 40) if isinstance(reason, str) else ""
