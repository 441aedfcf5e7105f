"""How many messages wait in a queue, at this moment and not a few seconds ago.

The management API's figures are cached by the broker for up to five seconds (measured: 7.6 s behind a moving queue).
AMQP's passive declare asks the queue itself, in less than a millisecond, for classic and quorum queues alike. Where no
AMQP is configured the listing without statistics stands in: live for classic queues, seconds late for quorum queues.
"""

import asyncio
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.rabbitmq.amqp import Amqp, in_taxonomy
from adapters.rabbitmq.asking import Asks
from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.names import escaped
from console.domain.errors import BackendError, ErrorKind

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel
    from pamqp.commands import Queue

    Declared = Queue.DeclareOk

QUORUM_LAG_S = 6.0
"""How old a quorum queue's figures may be in a listing without statistics."""
_MOST = 100


class Total(msgspec.Struct, gc=False):
    """One queue in a listing without statistics."""

    name: str
    type: str = "classic"
    messages_ready: int = 0
    messages_unacknowledged: int = 0
    state: str | None = None
    arguments: dict[str, Any] = {}
    policy: str | None = None
    """The name of the policy that holds for it; known at once, while everything else about it takes seconds."""
    operator_policy: str | None = None


class _Totals(msgspec.Struct):
    items: list[Total]


class Counter:
    """Counts queues of one virtual host for as long as something is moved there; `close` gives the channel back."""

    def __init__(self, broker: Broker, vhost: str) -> None:
        self._broker = broker
        self._vhost = vhost
        self._amqp = Amqp(broker, vhost) if broker.options.amqp else None
        self._channel: AbstractChannel | None = None
        self._quorum = True

    @property
    def lag_s(self) -> float:
        """How old a count may be at the most."""
        return QUORUM_LAG_S if self._amqp is None and self._quorum else 0.0

    async def ready(self, *queues: str) -> tuple[int, ...]:
        """How many messages wait in each of these queues.

        Raises:
            BackendError: UNSUPPORTED when one of them is not there, or what the reads met.
        """
        if self._amqp is None:
            found = await totals(self._broker, self._vhost, queues)
            self._quorum = any(row.type == "quorum" for row in found.values())
            return tuple(_of(found, queue).messages_ready for queue in queues)
        return tuple([(await self._declared(self._amqp, queue)).message_count or 0 for queue in queues])

    async def raced(self, queue: str) -> bool:
        """Whether somebody else takes messages from a queue now; where nobody can say at once, somebody does.

        Raises:
            BackendError: as `ready`.
        """
        return self._amqp is None or bool((await self._declared(self._amqp, queue)).consumer_count)

    async def _declared(self, amqp: Amqp, queue: str) -> "Declared":
        try:
            async with in_taxonomy(amqp.where):
                if self._channel is None or self._channel.is_closed:
                    self._channel = await amqp.channel()
                return await self._channel.queue_declare(queue, passive=True, timeout=amqp.timeout_s)
        except BackendError:
            await self.close()
            raise

    async def close(self) -> None:
        """Give the connection back."""
        self._channel = None
        if self._amqp is not None:
            await asyncio.shield(self._amqp.close())


async def totals(broker: Asks, vhost: str, queues: Iterable[str]) -> dict[str, Total]:
    """Some queues of a virtual host as the broker has them without its statistics; one that is not there is left out.

    Raises:
        BackendError: what the read met.
    """
    wanted = set(queues)
    pattern = "|".join(re.escape(name) for name in sorted(wanted))
    params = {
        "page": "1", "page_size": str(_MOST), "name": f"^({pattern})$", "use_regex": "true",
        "disable_stats": "true", "enable_queue_totals": "true",
    }  # fmt: skip
    page = await broker.read(f"/api/queues/{escaped(vhost)}", _Totals, params)
    return {row.name: row for row in page.items if row.name in wanted}


def _of(found: dict[str, Total], queue: str) -> Total:
    if queue not in found:
        raise BackendError(ErrorKind.UNSUPPORTED, f"there is no queue {queue} any more")
    return found[queue]
