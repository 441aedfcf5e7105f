"""Parking: what waits for a consumer is copied into its parking stream and taken out of its own, window by window.

A message is deleted only after the parking stream has said that it is stored, and only while no worker can get it: the
consumer is paused, with a fuse, so that the server lets it go on when nobody is left to do so. After a death at any
instant the last window alone is undecided, and every copy in it is compared with its original:

- the original is gone: the copy stands;
- it still waits: the original is deleted, the copy stands;
- a worker has got it meanwhile (the fuse has burnt down): the copy is deleted.
"""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.nats import headers
from adapters.nats.api import Consumer, Message, Stored, Stream
from adapters.nats.holding import declare, delete_message, parking_of
from adapters.nats.names import Place
from adapters.nats.pausing import pause, put_back
from adapters.nats.servers import Asks, Servers, consumer_of, message_or_none, next_message, stream_of, together
from adapters.nats.unbroken import unbroken
from adapters.nats.window import WINDOW, read_window, window_of
from adapters.pace import Pace
from console.domain.actions import Progress
from console.domain.errors import BackendError, ErrorKind

FUSE_S = 120.0
"""How long the server keeps the workers waiting after the last sign of life from us."""
_RENEW_S = 20.0


@dataclass(frozen=True, slots=True)
class Park:
    """What a park's step says; all of it lies in the audit log."""

    place: Place
    created: str
    """When its stream was made: sequences begin again in a new one."""
    last: int
    """The last message that waited when it was planned; what came later is worked on."""
    total: int
    """Messages that waited then."""
    base: int
    """Messages that were parked before."""
    until: str
    """When the consumer's own pause ends; empty when it was not paused."""


class Parker:
    """Carries one park."""

    def __init__(self, servers: Servers, park: Park, tell: Callable[[Progress], None]) -> None:
        self._servers = servers
        self._clock = servers.clock
        self._park = park
        self._tell = tell
        self._pace = Pace(servers.clock)
        self._paused_at: float | None = None
        self._raced = False
        self._from = 0
        """Where the next window begins; 0 before it is known where anything waits."""

    async def carry(self) -> None:
        """Move until nothing waits that waited at the beginning, then let the workers go on.

        Raises:
            BackendError: CONFLICT when the stream was made anew, FAILED when the parking stream takes no more, or what
                the calls met.
        """
        place = self._park.place
        stream = await stream_of(self._servers, place.stream)
        if stream.created != self._park.created:
            raise BackendError(ErrorKind.CONFLICT, "the stream was deleted and made anew since this was planned")
        await declare(self._servers, place)
        await settle(self._servers, place)
        await self._count()
        while window := await self._next(stream):
            await unbroken(self._move(window))
            await self._count()
        await put_back(self._servers, place, self._park.until)
        await self._count(ended=True)

    async def count(self) -> Progress:
        """How far it has come; raises when it cannot be counted."""
        done = await self._parked()
        consumer = await consumer_of(self._servers, self._park.place)
        ended = await nothing_waits(self._servers, consumer, self._park.last)
        return Progress(done=done, total=done if ended else max(self._park.total, done))

    async def _next(self, stream: Stream) -> list[Message]:
        """What is moved next, with the workers kept waiting; nothing is looked for before they are."""
        await self._keep_paused()
        consumer = await consumer_of(self._servers, self._park.place)
        last = self._park.last
        if self._from > last or not self._from:
            first = await first_waiting(self._servers, consumer)
            if first is None or first.seq > last:
                return []
            self._from = first.seq
        name, filters = self._park.place.stream, consumer.config.filters
        many, about = window_of(stream), consumer.num_pending
        found = await read_window(self._servers, name, filters, self._from, last, many, about)
        self._from = found[-1].seq + 1 if found else last + 1
        return found or await self._next(stream)

    async def _keep_paused(self) -> None:
        now = self._clock.monotonic()
        if self._paused_at is None or now - self._paused_at >= _RENEW_S:
            await pause(self._servers, self._park.place, FUSE_S)
            self._paused_at = now

    async def _move(self, window: list[Message]) -> None:
        place, created = self._park.place, self._park.created
        subject = self._servers.names.subject(place)
        ready = [(headers.to_park(one, created, f"{place.stream}:{created}:{one.seq}"), one.body) for one in window]
        stored = await together(self._servers.publish(subject, body, head) for head, body in ready)
        consumer = await consumer_of(self._servers, place)
        if not consumer.paused:
            self._paused_at, self._raced = None, True
        await _decide(self._servers, place, list(zip(window, stored, strict=True)), consumer)

    async def _parked(self) -> int:
        found = await parking_of(self._servers, self._servers, self._park.place)
        return max(0, found.state.messages - self._park.base) if found is not None else 0

    async def _count(self, *, ended: bool = False) -> None:
        done = await self._parked()
        words = "somebody let the workers go on meanwhile" if self._raced else ""
        self._tell(self._pace.progress(done, done if ended else max(self._park.total, done), words))


async def settle(servers: Servers, place: Place, until: str | None = None) -> None:
    """Decide what a park that ended in the middle left undecided; right at any moment.

    `until`: put the consumer's pause back to this afterwards (see `Park.until`).

    Raises:
        BackendError: what the calls met.
    """
    parking = await parking_of(servers, servers, place)
    if parking is not None and parking.state.messages:
        stream = await stream_of(servers, place.stream)
        if undecided := await _undecided(servers, stream, parking):
            await pause(servers, place, FUSE_S)
            await _decide(servers, place, undecided, await consumer_of(servers, place))
    if until is not None:
        await put_back(servers, place, until)


async def nothing_waits(asks: Asks, consumer: Consumer, last: int) -> bool:
    """Whether no message up to `last` waits for a consumer that stands as given; raises what the reads met."""
    if consumer.delivered.stream_seq >= last:
        return True
    first = await first_waiting(asks, consumer)
    return first is None or first.seq > last


async def first_waiting(asks: Asks, consumer: Consumer) -> Message | None:
    """The first message that waits for a consumer that stands as given; raises what the reads met."""
    first = consumer.delivered.stream_seq + 1
    found = await together(next_message(asks, consumer.stream_name, first, one) for one in consumer.config.filters)
    return min((one for one in found if one is not None), key=lambda one: one.seq, default=None)


async def _undecided(servers: Servers, stream: Stream, parking: Stream) -> list[tuple[Message, Stored]]:
    """The last copies whose originals are still there, each with where its copy is."""
    state, name = parking.state, parking.config.name
    first = max(state.first_seq, state.last_seq - 2 * WINDOW)
    tail = await read_window(servers, name, (">",), first, state.last_seq, 4 * WINDOW, state.messages)
    copies: dict[int, int] = {}
    for copy in tail[-WINDOW:]:
        lines = headers.parse(copy)
        seq = headers.value_of(lines, headers.SEQUENCE)
        if headers.value_of(lines, headers.CREATED) == stream.created and seq.isascii() and seq.isdigit():
            copies[int(seq)] = copy.seq
    originals = await together(message_or_none(servers, stream.config.name, {"seq": seq}) for seq in copies)
    return [(one, Stored(name, copies[one.seq])) for one in originals if one is not None]


async def _decide(servers: Servers, place: Place, copied: list[tuple[Message, Stored]], consumer: Consumer) -> None:
    """Delete each original that waits, and the copy of each that a worker has got."""
    reached = consumer.delivered.stream_seq
    await together(
        delete_message(servers, place.stream, original.seq)
        if original.seq > reached
        else delete_message(servers, copy.stream, copy.seq)
        for original, copy in copied
    )
