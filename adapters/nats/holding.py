"""The parking stream: made before anything is moved, and without anything that loses messages."""

from typing import Any

from adapters.nats.api import Done, Refused, Stream
from adapters.nats.names import Place
from adapters.nats.servers import Asks, Servers, stream_of, stream_or_none
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

DUPLICATES_S = 600
"""How long the server remembers what was stored, for a mover that begins again. What is older is looked up."""
_NO_SEQUENCE = 10043


async def parking_of(servers: Servers, asks: Asks, place: Place) -> Stream | None:
    """The parking stream of a consumer, or None when there is none.

    Raises:
        BackendError: UNSUPPORTED when it would not keep what it is given, or belongs to somebody else.
    """
    found = await stream_or_none(asks, servers.names.parking(place))
    if found is not None:
        refuse_limits(servers, place, found)
    return found


async def declare(servers: Servers, place: Place) -> None:
    """Make the parking stream where there is none, with as many replicas as the consumer's stream.

    Raises:
        BackendError: UNSUPPORTED when it would lose or refuse messages; what the calls met.
    """
    if await parking_of(servers, servers, place) is not None:
        return
    stream = await stream_of(servers, place.stream)
    body: dict[str, Any] = {
        "name": servers.names.parking(place), "subjects": [servers.names.subject(place)], "retention": "limits",
        "storage": "file", "discard": "new", "num_replicas": stream.config.num_replicas,
        "duplicate_window": DUPLICATES_S * 10**9, "max_msgs": -1, "max_bytes": -1, "max_age": 0,
        "description": "what Switchgear has parked; it goes back by a replay",
    }  # fmt: skip
    await servers.change(f"STREAM.CREATE.{body['name']}", Done, body)


def refuse_limits(servers: Servers, place: Place, found: Stream) -> None:
    """See that a parking stream is ours and keeps what it is given.

    Raises:
        BackendError: UNSUPPORTED, with what is wrong.
    """
    config, name = found.config, clean(found.config.name, 100)
    if config.subjects != [servers.names.subject(place)]:
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"the stream {name} is not the parking stream of {clean(place.name, 100)}",
            way_out="rename it, or give this source another `prefix`",
        )  # fmt: skip
    limits = {
        "max_msgs": config.max_msgs, "max_bytes": config.max_bytes, "max_age": config.max_age,
        "max_msgs_per_subject": config.max_msgs_per_subject, "max_msg_size": config.max_msg_size,
    }  # fmt: skip
    words = ", ".join(f"{key} {value}" for key, value in limits.items() if value > 0)
    words = words or ("" if config.retention == "limits" else f"retention {config.retention}")
    if words:
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"{name} would not keep what is set aside: {words}",
            way_out="lift the limit, or delete the stream if it is empty",
        )  # fmt: skip


async def delete_message(servers: Servers, stream: str, seq: int) -> None:
    """Take one message away; one that is not there any more is no error. Raises what the call met."""
    try:
        await servers.change(f"STREAM.MSG.DELETE.{stream}", Done, {"seq": seq, "no_erase": True})
    except Refused as error:
        if error.code != _NO_SEQUENCE:
            raise
