"""Pausing a consumer: the server itself lets it go on when the time is up, whoever is still there by then."""

from datetime import UTC, datetime

import msgspec

from adapters.nats.api import Consumer, moment
from adapters.nats.names import Place
from adapters.nats.servers import Servers, consumer_of
from console.domain.errors import BackendError, ErrorKind

NEEDED_LEVEL = 1
"""The API level that can pause: NATS 2.11."""


class Paused(msgspec.Struct, gc=False):
    """Answer of `CONSUMER.PAUSE`."""

    paused: bool = False


async def pause(servers: Servers, place: Place, seconds: float) -> None:
    """Let no worker get anything for so long, by the server's own clock.

    Raises:
        BackendError: FAILED when the server does not do it; what the calls met.
    """
    consumer = await consumer_of(servers, place)
    now = moment(consumer.ts) or servers.clock.now()
    await _pause_until(servers, place, now + seconds)


async def resume(servers: Servers, place: Place) -> None:
    """Let workers get everything again; raises what the call met."""
    await servers.change(f"CONSUMER.PAUSE.{place.stream}.{place.consumer}", Paused, {})


async def put_back(servers: Servers, place: Place, until: str) -> None:
    """As it was before: paused until that time when it is still to come, and not paused otherwise."""
    consumer = await consumer_of(servers, place)
    now, wanted = moment(consumer.ts) or servers.clock.now(), moment(until)
    if wanted is not None and wanted > now:
        await _pause_until(servers, place, wanted)
    elif consumer.paused:
        await resume(servers, place)


def paused_until(consumer: Consumer) -> str:
    """When its pause ends, as the API writes it; empty when it is not paused."""
    return consumer.config.pause_until if consumer.paused else ""


async def _pause_until(servers: Servers, place: Place, when: float) -> None:
    until = datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")
    call = f"CONSUMER.PAUSE.{place.stream}.{place.consumer}"
    answer = await servers.change(call, Paused, {"pause_until": until})
    if not answer.paused:
        raise BackendError(ErrorKind.FAILED, f"the server did not pause it until {until}", where=call)
