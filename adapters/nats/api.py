"""What JetStream's API answers, and only what is read of it."""

import base64
import binascii
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from console.domain.errors import BackendError, ErrorKind

T = TypeVar("T")

NOT_FOUND = frozenset({10014, 10037, 10043, 10059})
"""Error codes: no such consumer, no message found, no such sequence, no such stream."""
NO_JETSTREAM = frozenset({10039, 10076})
"""Error codes: JetStream is not on for this account, or not at all."""
STORE_REFUSED = 10077
"""Error code: the stream does not take the message; the words say which of its limits it is at."""


class ApiError(msgspec.Struct, gc=False):
    """Why the API refused."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct):
    error: ApiError | None = None


class Level(msgspec.Struct, frozen=True, gc=False):
    """What the API can do: 1 and more can pause consumers."""

    level: int = 0


class Account(msgspec.Struct, gc=False):
    """Answer of `INFO`."""

    streams: int = 0
    consumers: int = 0
    api: Level = Level()


class StreamConfig(msgspec.Struct):
    """How a stream is set up."""

    name: str
    subjects: list[str] = []
    retention: str = "limits"
    storage: str = "file"
    num_replicas: int = 1
    duplicate_window: int = 0
    """Nanoseconds."""
    max_msgs: int = -1
    max_bytes: int = -1
    max_age: int = 0
    max_msgs_per_subject: int = -1
    max_msg_size: int = -1
    sealed: bool = False
    deny_delete: bool = False
    allow_msg_ttl: bool = False
    mirror: Any = None
    subject_transform: Any = None


class StreamState(msgspec.Struct, frozen=True, gc=False):
    """What is in a stream."""

    messages: int = 0
    bytes: int = 0
    first_seq: int = 0
    last_seq: int = 0
    consumer_count: int = 0


class Stream(msgspec.Struct):
    """Answer of `STREAM.INFO`, and one of `STREAM.LIST`."""

    config: StreamConfig
    created: str
    state: StreamState = StreamState()


class ConsumerConfig(msgspec.Struct):
    """How a consumer is set up."""

    durable_name: str = ""
    ack_policy: str = "explicit"
    deliver_subject: str = ""
    filter_subject: str = ""
    filter_subjects: list[str] = []
    pause_until: str = ""

    @property
    def filters(self) -> tuple[str, ...]:
        """The subjects that it takes; everything when none is named."""
        return tuple(self.filter_subjects) or ((self.filter_subject,) if self.filter_subject else (">",))


class Position(msgspec.Struct, frozen=True, gc=False):
    """How far a consumer has come."""

    consumer_seq: int = 0
    """Deliveries, those of the same message again included."""
    stream_seq: int = 0


class Consumer(msgspec.Struct):
    """Answer of `CONSUMER.INFO`, and one of `CONSUMER.LIST`."""

    stream_name: str
    name: str
    created: str
    config: ConsumerConfig
    ts: str = ""
    """The server's clock as it answered."""
    delivered: Position = Position()
    ack_floor: Position = Position()
    num_ack_pending: int = 0
    num_redelivered: int = 0
    num_waiting: int = 0
    """Pull requests that wait for a message."""
    num_pending: int = 0
    push_bound: bool = False
    paused: bool = False
    pause_remaining: int = 0
    """Nanoseconds."""


class Streams(msgspec.Struct):
    """A page of `STREAM.LIST`."""

    total: int = 0
    streams: list[Stream] | None = None


class Consumers(msgspec.Struct):
    """A page of `CONSUMER.LIST`."""

    total: int = 0
    consumers: list[Consumer] | None = None


class Message(msgspec.Struct, gc=False):
    """One stored message."""

    seq: int
    time: str
    subject: str
    hdrs: str = ""
    """The header block as it was sent, base64."""
    data: str = ""
    """Base64."""

    @property
    def head(self) -> bytes:
        """The header block; empty when there is none.

        Raises:
            BackendError: MALFORMED.
        """
        return _bytes(self.hdrs)

    @property
    def body(self) -> bytes:
        """The payload; raises as `head` does."""
        return _bytes(self.data)


class Got(msgspec.Struct):
    """Answer of `STREAM.MSG.GET`."""

    message: Message


class Done(msgspec.Struct, gc=False):
    """An answer of which only matters that it is no refusal."""


class Stored(msgspec.Struct, gc=False):
    """What a stream says to a message that was published."""

    stream: str
    seq: int
    duplicate: bool = False


def decode(body: bytes, shape: type[T], where: str) -> T:
    """The answer in its shape.

    Raises:
        BackendError: what the API refused with, or MALFORMED.
    """
    try:
        refused = msgspec.json.decode(body, type=_Answer).error
        if refused is None:
            return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackendError(ErrorKind.MALFORMED, f"not what was asked for: {error}", where=where) from None
    raise refusal(refused, where)


class Refused(BackendError):
    """The API's own refusal, with its code."""

    code = 0


def refusal(error: ApiError, where: str) -> Refused:
    """The API's error in the taxonomy."""
    kind, way_out = ErrorKind.FAILED, ""
    if error.err_code in NOT_FOUND:
        kind = ErrorKind.UNSUPPORTED
    elif error.err_code in NO_JETSTREAM:
        kind, way_out = ErrorKind.UNSUPPORTED, "turn JetStream on, for the server and for this account"
    elif error.err_code == STORE_REFUSED:
        way_out = "the stream is at a limit of its own; what was moved stays where it is"
    elif error.code == 503:
        kind = ErrorKind.THROTTLED
    elif error.code in (401, 403):
        kind, way_out = ErrorKind.FORBIDDEN, "docs/backends/nats.md lists the rights that it takes"
    elif error.err_code == 10047:
        way_out = "the account's storage is used up: make room, then ask again; what was moved stays where it is"
    found = Refused(kind, error.description or f"refused with code {error.err_code}", where=where, way_out=way_out)
    found.code = error.err_code
    return found


def moment(text: str) -> float | None:
    """Unix seconds of an API time; None for none (`0001-01-01…`) and for what is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.timestamp() if found.year > 1 and found.tzinfo is not None else None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BackendError(ErrorKind.MALFORMED, "a message is not base64") from None
