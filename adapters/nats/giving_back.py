"""Giving back what was parked: to the original subjects, at a limited rate, each message once."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from adapters.nats import headers
from adapters.nats.api import Message, Stream
from adapters.nats.holding import delete_message, parking_of
from adapters.nats.names import Place
from adapters.nats.parking import settle
from adapters.nats.servers import Servers, together
from adapters.nats.unbroken import unbroken
from adapters.nats.window import WINDOW, read_window, window_of
from adapters.pace import Pace
from console.domain.actions import Progress

_BATCHES_A_SECOND = 4


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay's step says; all of it lies in the audit log."""

    place: Place
    after: int
    """What was parked up to this sequence of the parking stream stays there."""
    stays: int
    """How many messages those are."""
    total: int
    """Messages to give back, as known when it was planned."""
    per_s: float
    """Messages a second at the most."""


class Replayer:
    """Carries one replay."""

    def __init__(self, servers: Servers, replay: Replay, tell: Callable[[Progress], None]) -> None:
        self._servers = servers
        self._clock = servers.clock
        self._replay = replay
        self._tell = tell
        self._pace = Pace(servers.clock)

    async def carry(self) -> None:
        """Give back until nothing of it is parked any more.

        Raises:
            BackendError: FAILED when the stream takes no more, UNSUPPORTED when it does not take the subject any more,
                or what the calls met.
        """
        place, per_s = self._replay.place, self._replay.per_s
        await settle(self._servers, place)
        while (parking := await self._count()) is not None and parking.state.messages:
            began = self._clock.monotonic()
            many = min(window_of(parking), at_once(per_s))
            first = max(self._replay.after + 1, parking.state.first_seq)
            state, name = parking.state, parking.config.name
            batch = await read_window(self._servers, name, (">",), first, state.last_seq, many, state.messages)
            if not batch:
                return
            await unbroken(self._give_back(parking, batch))
            rest = began + len(batch) / per_s - self._clock.monotonic()
            if rest > 0:
                await self._clock.sleep(rest)

    async def count(self) -> Progress:
        """How far it has come; raises when it cannot be counted."""
        done, total = self._progress(await parking_of(self._servers, self._servers, self._replay.place))
        return Progress(done=done, total=total)

    async def _give_back(self, parking: Stream, batch: list[Message]) -> None:
        await together(self._one(parking, message) for message in batch)

    async def _one(self, parking: Stream, message: Message) -> None:
        """Publish, and only then delete. Begun again, the stream knows the id and drops the second."""
        msg_id = f"{parking.config.name}:{parking.created}:{message.seq}"
        subject, lines = headers.to_give_back(message, self._replay.place.stream, msg_id)
        await self._servers.publish(subject, message.body, lines)
        await delete_message(self._servers, parking.config.name, message.seq)

    async def _count(self) -> Stream | None:
        parking = await parking_of(self._servers, self._servers, self._replay.place)
        self._tell(self._pace.progress(*self._progress(parking)))
        return parking

    def _progress(self, parking: Stream | None) -> tuple[int, int]:
        """(done, total): what is left between them is true."""
        left = max(0, parking.state.messages - self._replay.stays) if parking is not None else 0
        total = max(self._replay.total, left)
        return total - left, total


def at_once(per_s: float) -> int:
    """How many messages may be under way at a rate."""
    return min(WINDOW, max(1, math.ceil(per_s / _BATCHES_A_SECOND)))
