"""The management API's answers, as far as they are read; every other field is skipped while decoding."""

from typing import Any

import msgspec

BASE_COLUMNS = (
    "name",
    "type",
    "state",
    "exclusive",
    "messages_ready",
    "messages_unacknowledged",
    "consumers",
    "consumer_utilisation",
    "head_message_timestamp",
    "message_stats",
)
"""What a row of many queues holds. All of `message_stats` costs the server less than picking six parts of it."""
SHAPE_COLUMNS = ("arguments", "effective_policy_definition")
"""What a queue was made to be: asked for now and then."""
DETAIL_COLUMNS = (*BASE_COLUMNS, *SHAPE_COLUMNS, "backing_queue_status")
"""What one queue alone is asked for."""
COARSE_COLUMNS = ("name", "type", "state", "exclusive", "messages_ready", "messages_unacknowledged", "arguments")
"""What the server can say without its statistics (`disable_stats`)."""
PAGE_SIZE = 500
"""Queues on a page; RabbitMQ takes no more."""


class Sample(msgspec.Struct, gc=False):
    """A cumulative count in the past; `timestamp` in unix milliseconds."""

    sample: float
    timestamp: float


class Details(msgspec.Struct, gc=False):
    """What goes with a cumulative count: events a second, and, when they were asked for, older counts."""

    rate: float = 0.0
    samples: tuple[Sample, ...] = ()


class Stats(msgspec.Struct, gc=False):
    """`message_stats`; the details are missing where the server's `rates_mode` is none."""

    publish: float | None = None
    publish_details: Details | None = None
    ack: float = 0.0
    ack_details: Details | None = None
    deliver_no_ack: float = 0.0
    deliver_no_ack_details: Details | None = None
    get_no_ack: float = 0.0
    get_no_ack_details: Details | None = None
    redeliver: float = 0.0
    redeliver_details: Details | None = None


class Row(msgspec.Struct, gc=False):
    """One queue. `Any` where servers disagree about the type (numbers that are sometimes words)."""

    name: str
    type: str | None = None
    state: str | None = None
    exclusive: bool | None = None
    """None is what 3.10 says of streams."""
    messages_ready: int | None = None
    messages_unacknowledged: int | None = None
    consumers: int | None = None
    consumer_utilisation: Any = None
    head_message_timestamp: Any = None
    message_stats: Stats | None = None
    arguments: dict[str, Any] | None = None
    """None where they were not asked for."""
    effective_policy_definition: Any = None
    """A dictionary; some versions write an empty list for none."""
    backing_queue_status: Any = None

    @property
    def ready(self) -> int:
        """Messages that wait; 0 as long as the server does not say."""
        return _count(self.messages_ready)

    @property
    def unacked(self) -> int:
        """Messages that a consumer holds."""
        return _count(self.messages_unacknowledged)


class Page(msgspec.Struct):
    """A page of queues."""

    items: list[Row]
    total_count: int


class Shovel(msgspec.Struct, gc=False):
    """One shovel as its node tells; a shovel of the server's config file has no virtual host."""

    name: str = ""
    vhost: str = ""
    state: str = ""


class Parameter(msgspec.Struct, gc=False):
    """One runtime parameter, by name alone: a shovel that somebody has asked for."""

    name: str
    vhost: str


class Exchange(msgspec.Struct, gc=False):
    """One exchange."""

    name: str
    type: str


class Binding(msgspec.Struct, gc=False):
    """Where an exchange sends messages with a routing key."""

    destination: str
    destination_type: str
    routing_key: str = ""


class Overview(msgspec.Struct):
    """What the server says of itself."""

    rabbitmq_version: str = ""
    rates_mode: str = "basic"
    disable_stats: bool = False


class WhoAmI(msgspec.Struct):
    """The user that the console is, with its tags: a list from 3.10 on, words with commas before."""

    name: str
    tags: list[str] | str = ()  # type: ignore[assignment]

    @property
    def tag_names(self) -> frozenset[str]:
        """The tags."""
        given = self.tags.split(",") if isinstance(self.tags, str) else self.tags
        return frozenset(tag.strip() for tag in given if tag.strip())


class NodeRow(msgspec.Struct):
    """One node of the cluster."""

    name: str
    running: bool = True
    mem_alarm: bool = False
    disk_free_alarm: bool = False


class Peeked(msgspec.Struct):
    """A message that was looked at and put back; its body was not asked for."""

    properties: Any = None


def rate_of(details: Details | None) -> float:
    """Events a second; 0 where the server says nothing. A rate below zero (a restart) is none."""
    return max(0.0, details.rate) if details is not None and details.rate == details.rate else 0.0


def _count(value: int | None) -> int:
    return min(value, 2**53) if value is not None and value > 0 else 0


class ShovelParameter(msgspec.Struct, gc=False):
    """One shovel as it was asked for."""

    name: str
    vhost: str
    value: dict[str, Any] = {}

    @property
    def source_queue(self) -> str:
        """The queue that it takes from."""
        return str(self.value.get("src-queue", ""))

    @property
    def target_queue(self) -> str:
        """The queue that it fills."""
        return str(self.value.get("dest-queue", ""))


class QueueBinding(msgspec.Struct, gc=False):
    """What brings messages into one queue; the empty source is the default exchange, which cannot be unbound."""

    source: str
    routing_key: str = ""
    arguments: dict[str, Any] = {}
    properties_key: str = ""
