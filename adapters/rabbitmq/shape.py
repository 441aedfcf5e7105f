"""What a queue was made to be, and where its dead letters go.

Arguments win over policies, as in the broker. A dead letter leaves through an exchange, so the way is looked up in
that exchange's bindings; where the way depends on each message (a headers exchange, other routing keys), it is left
unknown instead of being guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adapters.rabbitmq.api import Binding, Exchange, Row
from adapters.rabbitmq.names import Place, escaped

MOST_EXCHANGES = 64
"""Dead-letter exchanges whose bindings are read; one request each."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The settings of one queue that matter here."""

    kind: str = "classic"
    exclusive: bool = False
    priorities: bool = False
    """Whether it gives out messages of a higher priority first."""
    expires: bool = False
    """Whether the broker deletes it when nobody uses it (`x-expires`)."""
    dead_exchange: str | None = None
    """None when its dead letters are dropped; the empty name is the default exchange."""
    dead_key: str | None = None
    """None when a dead letter keeps its own routing key."""


def shape_of(row: Row, before: Shape | None = None) -> Shape:
    """The shape that a row tells; where it does not hold arguments, as it was before."""
    if row.arguments is None:
        return before if before is not None else _one(Shape(kind=row.type or "unknown", exclusive=bool(row.exclusive)))
    policy = row.effective_policy_definition
    rules: Mapping[str, Any] = policy if isinstance(policy, dict) else {}
    own = row.arguments
    exchange = own.get("x-dead-letter-exchange", rules.get("dead-letter-exchange"))
    key = own.get("x-dead-letter-routing-key", rules.get("dead-letter-routing-key"))
    if policy is None and before is not None and exchange is None:  # policies were not in this answer
        exchange, key = before.dead_exchange, before.dead_key
    return _one(
        Shape(
            kind=row.type or "unknown",
            exclusive=bool(row.exclusive),
            priorities="x-max-priority" in own,
            expires="x-expires" in own or "expires" in rules,
            dead_exchange=exchange if isinstance(exchange, str) else None,
            dead_key=key if isinstance(key, str) else None,
        )
    )


@lru_cache(4096)
def _one(shape: Shape) -> Shape:
    """The same object for the same shape: ten thousand queues have a handful of them."""
    return shape


class DeadLetterWays:
    """From a queue to its dead-letter queue, in one virtual host."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self._types = {exchange.name: exchange.type for exchange in exchanges}
        self._bindings: dict[str, list[Binding]] = {}

    def learn(self, exchange: str, bindings: list[Binding]) -> None:
        """Take in an exchange's bindings."""
        self._bindings[exchange] = [one for one in bindings if one.destination_type == "queue"]

    def target(self, queue: str, shape: Shape) -> str | None:
        """The dead-letter queue of `queue`; None when there is none, or no single one that could be found."""
        if shape.dead_exchange is None:
            return None
        if shape.dead_exchange == "":
            found = shape.dead_key  # without a key of its own a dead letter comes back to where it was published
        else:
            found = self._through(shape.dead_exchange, shape.dead_key or queue, sure=shape.dead_key is not None)
        return found if found != queue else None

    def _through(self, exchange: str, key: str, *, sure: bool) -> str | None:
        bindings = self._bindings.get(exchange, [])
        match self._types.get(exchange):
            case "fanout":
                found = {one.destination for one in bindings}
            case "direct":
                found = {one.destination for one in bindings if one.routing_key == key}
            case "topic":
                found = {one.destination for one in bindings if topic_matches(one.routing_key, key)}
            case _:
                return None
        if not found and not sure:  # the messages' own keys are not known; one way in all is still the way
            found = {one.destination for one in bindings}
        return found.pop() if len(found) == 1 else None


def topic_matches(pattern: str, key: str) -> bool:
    """Whether a topic exchange sends `key` through a binding: `*` is one word, `#` any number of words."""
    reached = {0}
    words = pattern.split(".")
    if len(words) > 64:
        return False
    for part in key.split("."):
        after: set[int] = set()
        for at in _skipping(reached, words):
            if at < len(words):
                if words[at] == "#":
                    after.add(at)
                if words[at] in ("*", "#", part):
                    after.add(at + 1)
        reached = after
    return len(words) in _skipping(reached, words)


def _skipping(reached: set[int], words: list[str]) -> set[int]:
    """The places in the pattern that can be reached without another word of the key: past every `#`."""
    found = set(reached)
    for at in range(len(words)):
        if at in found and words[at] == "#":
            found.add(at + 1)
    return found


def exchanges_path(vhost: str) -> str:
    """Where the exchanges of a virtual host are listed."""
    return f"/api/exchanges/{escaped(vhost)}"


def bindings_path(vhost: str, exchange: str) -> str:
    """Where an exchange's bindings are listed."""
    return f"{exchanges_path(vhost)}/{escaped(exchange)}/bindings/source"


def dead_exchanges(shapes: Mapping[Place, Shape], vhost: str) -> list[str]:
    """The named exchanges through which dead letters leave in a virtual host, at most `MOST_EXCHANGES`."""
    found = {shape.dead_exchange for place, shape in shapes.items() if place.vhost == vhost and shape.dead_exchange}
    return sorted(found)[:MOST_EXCHANGES]
