"""From what a look saw to readings, with rates from the differences between looks."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

from adapters.nats.abilities import abilities, case_of
from adapters.nats.api import Consumer, Stream, moment
from adapters.nats.names import Place
from adapters.nats.servers import Servers
from adapters.nats.survey import Survey, without_consumer
from console.domain.durations import words_of
from console.domain.readings import AgeQuality, Queue
from console.domain.refs import Kind, Ref
from console.domain.text import clean

_MOST_NAMED = 5


@dataclass(slots=True)
class _Before:
    """What the look before saw of a consumer."""

    created: str
    at: float
    delivered: int
    in_flight: int
    pending: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class _Flow:
    """What happened between two looks; None when there is no look before."""

    arrived: float | None = None
    left: float | None = None
    still: bool = False
    """Nothing at all was delivered."""


class Readings:
    """Makes readings, and remembers what the look before counted."""

    def __init__(self, servers: Servers, feeds: Callable[[str], tuple[str, ...]]) -> None:
        self._servers = servers
        self._feeds = feeds
        self._before: dict[Place, _Before] = {}

    def of(self, now: float, survey: Survey) -> tuple[Queue, ...]:
        """One reading for each durable consumer, in the order of their names."""
        found, counts = [], {}
        for place, consumer in sorted(survey.consumers.items(), key=itemgetter(0)):
            stream = survey.streams[place.stream]
            counts[place] = _Before(
                consumer.created, moment(consumer.ts) or now, consumer.delivered.consumer_seq,
                consumer.num_ack_pending, consumer.num_pending, stream.state.last_seq,
            )  # fmt: skip
            flow = _flow(self._before.get(place), counts[place], whole=consumer.config.filters == (">",))
            found.append(self._reading(now, place, stream, consumer, survey, flow))
        self._before = counts
        return tuple(found)

    def _reading(
        self, now: float, place: Place, stream: Stream, consumer: Consumer, survey: Survey, flow: _Flow
    ) -> Queue:
        parked = survey.parked.get(place, 0)
        fits = self._servers.names.fits(place)
        since = survey.oldest.get(place)
        server_now = moment(consumer.ts) or now
        return Queue(
            ref=Ref(self._servers.source, Kind.QUEUE, place.name),
            observed_at=now,
            can=abilities(case_of(stream, consumer, self._servers.level, parked, fits=fits)),
            depth=consumer.num_pending,
            in_flight=consumer.num_ack_pending,
            consumers=_workers(consumer, flow),
            oldest_age_s=None if since is None else max(0.0, server_now - since),
            age_quality=AgeQuality.UNKNOWN if since is None else AgeQuality.EXACT,
            in_per_min=flow.arrived,
            out_per_min=flow.left,
            redelivered=consumer.num_redelivered,
            parked=parked,
            paused=consumer.paused,
            kind=stream.config.retention,
            feeds=self._feeds(place.name),
        )


def _workers(consumer: Consumer, flow: _Flow) -> int | None:
    """The server counts requests that wait, and none of those who are at work: only a consumer from which nobody takes
    what waits has nobody for certain."""
    if consumer.config.deliver_subject:
        return None if consumer.push_bound else 0
    if consumer.num_waiting:
        return consumer.num_waiting
    nobody = consumer.num_pending and not consumer.num_ack_pending and flow.still and not consumer.paused
    return 0 if nobody else None


def _flow(before: _Before | None, now: _Before, *, whole: bool) -> _Flow:
    """`whole`: it takes everything of its stream, whose own count of arrivals is exact. Otherwise arrivals are told
    from what was delivered and what waits, and a message that was delivered twice counts as two. What has left was
    delivered: what was parked, purged or has expired has not."""
    if before is None or before.created != now.created or now.at <= before.at:
        return _Flow()
    minutes = (now.at - before.at) / 60.0
    delivered = now.delivered - before.delivered
    waiting = now.pending - before.pending
    arrived = max(0, now.last_seq - before.last_seq if whole else delivered + waiting)
    held = now.in_flight - before.in_flight
    left = max(0, min(arrived - waiting, delivered) - held)
    return _Flow(arrived / minutes, left / minutes, delivered == 0)


def notes_of(survey: Survey, level: int) -> tuple[str, ...]:
    """What the operator should know of the whole."""
    notes = []
    if level < 1:
        notes.append("this server cannot pause consumers, so nothing can be paused or parked; NATS 2.11 and later can")
    paused = [(place, one) for place, one in survey.consumers.items() if one.paused]
    for place, one in paused[:_MOST_NAMED]:
        left = words_of(one.pause_remaining / 1e9)
        notes.append(f"{clean(place.name, 80)} is paused; the server lets it go on in {left}")
    for name, count in list(without_consumer(survey).items())[:_MOST_NAMED]:
        notes.append(f"{clean(name, 80)} is a work queue with {count:,} messages and no consumer")
    if survey.passing:
        notes.append(f"{survey.passing:,} consumers that are not durable are not shown")
    return tuple(notes)
