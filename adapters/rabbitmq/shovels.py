"""The broker's shovels: asked for, watched and taken away. Each runs inside the broker, whether we live or not."""

from typing import Any

from adapters.rabbitmq.api import ShovelParameter
from adapters.rabbitmq.asking import Asks
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.counting import Counter
from adapters.rabbitmq.names import Place, escaped
from adapters.rabbitmq.standing import read_shovels
from console.domain.errors import BackendError, ErrorKind

PRIORITY = 1000
"""Above every worker: they get nothing as long as the shovel can take more."""
DIVERT_PREFETCH = 1000
"""With so many unconfirmed at a time no worker got anything while a queue was diverted; with 100 some did."""
MOVE_PREFETCH = 100
"""As fast as any more (measured). When a broker dies, so many come twice in a quorum queue; a classic queue also
forgets acknowledgements that it had not written yet, up to `FORGOTTEN`."""
FORGOTTEN = 32_768
"""Entries that a classic queue of 3.10 keeps in memory before it writes them (`queue_index_max_journal_entries`)."""

LET_END_S = 5.0
"""How long a batch under way may take to end by itself, and a divert to come to rest."""
AT_REST_S = 0.5
"""A divert whose queue is empty and whose target does not grow for so long has nothing unconfirmed."""


def twice(kind: str) -> str:
    """What a crash of the broker does to messages that are being moved from a queue of a type, in words."""
    most = MOVE_PREFETCH if kind == "quorum" else FORGOTTEN
    return f"if the broker dies meanwhile, up to {most:,} of those moved last come twice; none is lost"


def divert(source: Place, target: str) -> dict[str, Any]:
    """A shovel that takes everything, for as long as it is there."""
    return _definition(source, target, "never", DIVERT_PREFETCH)


def batch(source: Place, target: str, count: int) -> dict[str, Any]:
    """A shovel that moves `count` messages and takes itself away."""
    return _definition(source, target, count, MOVE_PREFETCH)


def _definition(source: Place, target: str, delete_after: str | int, prefetch: int) -> dict[str, Any]:
    here = f"amqp:///{escaped(source.vhost)}"
    return {
        "src-protocol": "amqp091",
        "src-uri": here,
        "src-queue": source.queue,
        "src-delete-after": delete_after,
        "src-prefetch-count": prefetch,
        "src-consumer-args": {"x-priority": PRIORITY},
        "dest-protocol": "amqp091",
        "dest-uri": here,
        "dest-queue": target,
        "dest-add-forward-headers": False,
        "ack-mode": "on-confirm",
        "reconnect-delay": 1,
    }


class Shovels:
    """The shovels of one virtual host."""

    def __init__(self, broker: Broker, vhost: str) -> None:
        self._broker = broker
        self._vhost = vhost

    def _path(self, name: str) -> str:
        return f"/api/parameters/shovel/{escaped(self._vhost)}/{escaped(name)}"

    async def put(self, name: str, definition: dict[str, Any]) -> None:
        """Ask for a shovel; the same again changes nothing but that it starts anew.

        Raises:
            BackendError: see `Broker.write`.
        """
        await self._broker.write("PUT", self._path(name), {"value": definition})

    async def delete(self, name: str) -> None:
        """Take a shovel away; one that is not there is no error.

        Raises:
            BackendError: see `Broker.write`.
        """
        try:
            await self._broker.write("DELETE", self._path(name))
        except BackendError as error:
            if error.kind is not ErrorKind.UNSUPPORTED:
                raise

    async def end(self, name: str) -> None:
        """Take a shovel away, at a good moment: one that is taken away at work brings what it had unconfirmed twice.

        A counted batch gets the time to end by itself, a divert the time to come to rest.

        Raises:
            BackendError: see `Broker.write`.
        """
        clock, end = self._broker.clock, self._broker.clock.monotonic() + LET_END_S
        counter = Counter(self._broker, self._vhost)
        before, since = (-1, -1), clock.monotonic()
        try:
            while (found := await self.asked_for(name)) is not None:
                if clock.monotonic() >= end:
                    return await self.delete(name)
                counts = await _waiting(counter, found)
                if counts != before:
                    before, since = counts, clock.monotonic()
                endless = found.value.get("src-delete-after") == "never"
                if endless and counts[0] == 0 and clock.monotonic() - since >= AT_REST_S:
                    return await self.delete(name)
                await clock.sleep(0.1)
        finally:
            await counter.close()

    async def asked_for(self, name: str) -> ShovelParameter | None:
        """The shovel as it was asked for, or None.

        Raises:
            BackendError: what the read met.
        """
        return await asked_for(self._broker, self._vhost, name)

    async def state(self, name: str) -> str:
        """See `state_of`.

        Raises:
            BackendError: what the read met.
        """
        return await state_of(self._broker, Place(self._vhost, name))


async def _waiting(counter: Counter, shovel: ShovelParameter) -> tuple[int, int]:
    """What waits before a shovel and behind it; nothing where nobody can say: it is taken away all the same."""
    try:
        ready, arrived = await counter.ready(shovel.source_queue, shovel.target_queue)
    except BackendError:
        return 0, 0
    return ready, arrived


async def asked_for(who: Asks, vhost: str, name: str) -> ShovelParameter | None:
    """A shovel as it was asked for, or None.

    Raises:
        BackendError: what the read met.
    """
    found = await who.read(f"/api/parameters/shovel/{escaped(vhost)}", list[ShovelParameter])
    return next((one for one in found if one.name == name), None)


async def state_of(who: Asks, shovel: Place) -> str:
    """What the broker says of a shovel (by virtual host and name): `running`, `starting`, `terminated`; empty when it
    is not listed.

    Raises:
        BackendError: what the read met.
    """
    found = await read_shovels(who)
    if isinstance(found, str):
        raise BackendError(ErrorKind.UNSUPPORTED, found)
    return next((one.state for one in found if Place(one.vhost, one.name) == shovel), "")
