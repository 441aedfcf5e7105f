"""What the broker complains of while messages are moved: asked for now and then, in words, with the way out.

An alarm blocks whoever publishes over AMQP. It does not stop the broker's own shovels (measured on 3.10.8 and 4.0.5).
"""

from contextlib import suppress

from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.standing import read_alarms
from console.domain.errors import BackendError

LOOK_S = 3.0
"""How old an answer may become before it is asked again; the broker's own is up to 5 s old."""


class Alarms:
    """The broker's alarms, for as long as something is moved."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._asked_at = float("-inf")
        self.words = ""
        """What the nodes complained of when they were asked last; empty when all is well."""

    async def look(self) -> str:
        """Ask again, when the last answer is too old; returns `words`. Where nobody answers the last ones stand: they
        are told beside the figures, and decide nothing.
        """
        now = self._broker.clock.monotonic()
        if now - self._asked_at >= LOOK_S:
            self._asked_at = now
            with suppress(BackendError):
                self.words = "; ".join(await read_alarms(self._broker))
        return self.words
