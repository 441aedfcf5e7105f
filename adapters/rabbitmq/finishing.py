"""Waiting until the workers have done what waited, and the bindings that keep new work away meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.pace import Pace
from adapters.rabbitmq.api import QueueBinding, Row
from adapters.rabbitmq.asking import Asks
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import totals
from adapters.rabbitmq.holding import existing
from adapters.rabbitmq.names import Place, escaped
from console.domain.actions import Progress
from console.domain.errors import BackendError, ErrorKind

POLL_S = 1.0
SETTLED_S = 8.0
"""How long nothing has to wait or be worked on before that counts: quorum queues tell it seconds late (up to 7.6)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What a finish's step says."""

    place: Place
    total: int
    """Messages that waited or were worked on when it was planned."""
    acked: int
    """Messages that workers had ever finished by then, as the broker counts them since its start."""
    diverted: bool
    """Whether new work is held back: then nothing may be left. Otherwise as many have to be finished as waited."""


class Waiter:
    """Carries one wait."""

    def __init__(self, broker: Broker, wait: Wait, tell: Callable[[Progress], None]) -> None:
        self._broker = broker
        self._wait = wait
        self._tell = tell
        self._pace = Pace(broker.clock)

    async def carry(self) -> None:
        """Wait until as many are finished as waited, or none waits and none is worked on.

        Raises:
            BackendError: the queue is gone, or what the reads met.
        """
        clock, empty_since = self._broker.clock, None
        while True:
            done, open_, held = await self._look()
            words = f"workers hold {held:,}" if held else ""
            self._tell(self._pace.progress(done, self._wait.total, words))
            if done >= self._wait.total and not self._wait.diverted:
                return
            empty_since = None if open_ else (clock.monotonic() if empty_since is None else empty_since)
            if empty_since is not None and clock.monotonic() - empty_since >= SETTLED_S:
                return
            await clock.sleep(POLL_S)

    async def count(self) -> Progress:
        """How many are finished.

        Raises:
            BackendError: it cannot be counted.
        """
        done, _, held = await self._look()
        return Progress(done=done, total=self._wait.total, words=f"workers hold {held:,}" if held else "")

    async def _look(self) -> tuple[int, int, int]:
        """(finished, waiting or worked on now, worked on now)."""
        place = self._wait.place
        row = await existing(self._broker, place)
        now = (await totals(self._broker, place.vhost, (place.queue,))).get(place.queue)
        held = now.messages_unacknowledged if now is not None else 0
        open_ = held + (now.messages_ready if now is not None else 0)
        if self._wait.diverted:
            return max(0, self._wait.total - open_), open_, held
        acked = finished(row) - self._wait.acked  # below 0: the broker has begun to count anew
        return min(self._wait.total, max(0, acked if acked >= 0 else self._wait.total - open_)), open_, held


def finished(row: Row) -> int:
    """Messages of a queue that workers have finished since the broker counts, acknowledged or taken without."""
    stats = row.message_stats
    return int((stats.ack or 0) + (stats.deliver_no_ack or 0)) if stats is not None else 0


async def bindings_of(broker: Asks, place: Place) -> list[QueueBinding]:
    """What brings messages into a queue, without the default exchange, from which nothing can be unbound.

    Raises:
        BackendError: what the read met.
    """
    found = await broker.read(f"{place.path}/bindings", list[QueueBinding])
    return [one for one in found if one.source]


def binding_args(place: Place, binding: QueueBinding) -> dict[str, Any]:
    """A binding as a step keeps it."""
    return {
        "vhost": place.vhost, "queue": place.queue, "exchange": binding.source, "key": binding.routing_key,
        "arguments": binding.arguments,
    }  # fmt: skip


def _path(args: dict[str, Any]) -> str:
    return f"/api/bindings/{escaped(args['vhost'])}/e/{escaped(args['exchange'])}/q/{escaped(args['queue'])}"


async def bind(broker: Broker, args: dict[str, Any]) -> None:
    """Bring an exchange's messages into a queue; a binding that is there already stays as it is.

    Raises:
        BackendError: see `Broker.write`.
    """
    await broker.write("POST", _path(args), {"routing_key": args["key"], "arguments": args["arguments"]})


async def unbind(broker: Broker, args: dict[str, Any]) -> None:
    """Take that away; a binding that is not there is no error.

    Raises:
        BackendError: see `Broker.write`.
    """
    place = Place(args["vhost"], args["queue"])
    for one in await bindings_of(broker, place):
        if (one.source, one.routing_key, one.arguments) == (args["exchange"], args["key"], args["arguments"]):
            try:
                await broker.write("DELETE", f"{_path(args)}/{escaped(one.properties_key)}")
            except BackendError as error:
                if error.kind is not ErrorKind.UNSUPPORTED:
                    raise
