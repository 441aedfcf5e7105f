"""A look at every stream and consumer, and at the first waiting message of some."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.nats.api import Account, Consumer, Consumers, Stream, Streams, moment
from adapters.nats.names import Place, is_name
from adapters.nats.parking import first_waiting
from adapters.nats.servers import Servers
from console.domain.errors import BackendError, Failure

MOST_AGES = 100
"""Consumers whose first waiting message is read at a look: those in sight and the longest."""
_AT_ONCE = 64


@dataclass(slots=True)
class Survey:
    """What a look saw."""

    streams: dict[str, Stream] = field(default_factory=dict)
    consumers: dict[Place, Consumer] = field(default_factory=dict)
    """The durable ones; the others come and go with those who read."""
    parked: dict[Place, int] = field(default_factory=dict)
    """Consumer → messages in its parking stream."""
    oldest: dict[Place, float] = field(default_factory=dict)
    """Consumer → when the first message that waits was stored (unix seconds)."""
    passing: int = 0
    """How many consumers are not durable."""
    problems: list[Failure] = field(default_factory=list)


async def look(servers: Servers, focus: frozenset[Place]) -> Survey:
    """Look at everything; `focus` are the consumers that somebody looks at.

    Raises:
        BackendError: the streams could not be read.
    """
    survey = Survey()
    servers.level = (await servers.api("INFO", Account)).api.level
    for stream in await _streams(servers):
        place = servers.names.parked_of(stream.config.subjects)
        if place is not None:
            survey.parked[place] = stream.state.messages
        elif is_name(stream.config.name):
            survey.streams[stream.config.name] = stream
    gate = asyncio.Semaphore(_AT_ONCE)
    await asyncio.gather(
        *(_consumers(servers, one, survey, gate) for one in survey.streams.values() if one.state.consumer_count)
    )
    await _find_ages(servers, survey, focus, gate)
    return survey


async def _streams(servers: Servers) -> list[Stream]:
    found: list[Stream] = []
    while True:
        page = await servers.api("STREAM.LIST", Streams, {"offset": len(found)})
        found += page.streams or []
        if not page.streams or len(found) >= page.total:
            return found


async def _consumers(servers: Servers, stream: Stream, survey: Survey, gate: asyncio.Semaphore) -> None:
    name, read = stream.config.name, 0
    async with gate:
        try:
            while True:
                page = await servers.api(f"CONSUMER.LIST.{name}", Consumers, {"offset": read})
                for one in page.consumers or []:
                    if one.config.durable_name and is_name(one.name):
                        survey.consumers[Place(name, one.name)] = one
                    else:
                        survey.passing += 1
                read += len(page.consumers or [])
                if not page.consumers or read >= page.total:
                    return
        except BackendError as error:
            survey.problems.append(error.failure)


async def _find_ages(servers: Servers, survey: Survey, focus: frozenset[Place], gate: asyncio.Semaphore) -> None:
    waiting = [place for place, one in survey.consumers.items() if one.num_pending]
    waiting.sort(key=lambda place: (place not in focus, -survey.consumers[place].num_pending))
    await asyncio.gather(*(_find_age(servers, survey, place, gate) for place in waiting[:MOST_AGES]))


async def _find_age(servers: Servers, survey: Survey, place: Place, gate: asyncio.Semaphore) -> None:
    async with gate:
        try:
            first = await first_waiting(servers, survey.consumers[place])
        except BackendError as error:
            if error.failure not in survey.problems:
                survey.problems.append(error.failure)
        else:
            if first is not None and (since := moment(first.time)) is not None:
                survey.oldest[place] = since


def without_consumer(survey: Survey) -> Mapping[str, int]:
    """Work queues that nobody takes anything out of → messages in them."""
    return {
        name: one.state.messages
        for name, one in survey.streams.items()
        if one.config.retention == "workqueue" and not one.state.consumer_count and one.state.messages
    }
