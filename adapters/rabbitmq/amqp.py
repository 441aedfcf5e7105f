"""AMQP: one connection, opened when something needs it. Imported late: only acting reads messages."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.names import escaped
from console.domain.errors import BackendError, ConfigError, ErrorKind

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel, AbstractConnection

TIMEOUT_S = 10.0
_ANY_NAME = re.compile(".*", re.DOTALL)
CLOSING_S = 3.0
"""How long a connection may take to say goodbye."""


class Amqp:
    """One connection to the broker in one virtual host."""

    timeout_s = TIMEOUT_S

    def __init__(self, broker: Broker, vhost: str) -> None:
        self._broker = broker
        self._vhost = vhost
        self._connection: AbstractConnection | None = None
        self.where = broker.options.amqp or "AMQP"
        """Whom it asks, without credentials."""

    async def channel(self) -> "AbstractChannel":
        """A new channel with publisher confirms, on the one connection, which is opened when it is not there.

        Raises:
            BackendError: UNREACHABLE or UNAUTHORISED; nothing was sent.
        """
        import aiormq
        from pamqp.constants import DOMAIN_REGEX

        # The client refuses names that the broker has: `%`, brackets, any letter that is not ASCII.
        DOMAIN_REGEX["queue-name"] = _ANY_NAME
        # A lost connection is told in our own words; the client's are a page of them on the engine's log.
        logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)
        if self._connection is None or self._connection.is_closed:
            url = await self._url()
            async with in_taxonomy(self.where), asyncio.timeout(TIMEOUT_S):
                self._connection = await aiormq.connect(url)
        async with in_taxonomy(self.where), asyncio.timeout(TIMEOUT_S):
            return await self._connection.channel(publisher_confirms=True, on_return_raises=True)

    async def close(self) -> None:
        """Close the connection: whatever was taken and not acknowledged is back in its queue."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(CLOSING_S):
                await connection.close()
        except Exception:  # noqa: BLE001, S110  it is gone either way, and the broker takes back what it held
            pass

    async def _url(self) -> str:
        options, context = self._broker.options, self._broker.context
        if options.amqp is None:
            raise BackendError(
                ErrorKind.UNSUPPORTED, "the config does not say where the broker takes AMQP",
                way_out="add `amqp: amqp://host:5672` to the source",
            )  # fmt: skip
        try:
            password = await asyncio.to_thread(context.secret, options.password)
        except ConfigError as error:
            raise BackendError(ErrorKind.UNAUTHORISED, f"no credential: {error}") from None
        if "%2F" in self._vhost:  # the client would open the virtual host that has `/` in its place
            raise BackendError(ErrorKind.UNSUPPORTED, "the name of this virtual host has %2F in it")
        parts = urlsplit(options.amqp)
        who = f"{quote(options.user, safe='')}:{quote(password, safe='')}"
        return f"{parts.scheme}://{who}@{parts.netloc}/{escaped(self._vhost)}"


@asynccontextmanager
async def in_taxonomy(where: str) -> AsyncIterator[None]:
    """Turn what the AMQP client raises into the taxonomy. What was not confirmed is looked up, never assumed.

    Raises:
        BackendError: UNREACHABLE for a lost connection; UNSUPPORTED, FORBIDDEN or FAILED for what the broker refuses.
    """
    import aiormq.exceptions as failed

    try:
        yield
    except failed.AuthenticationError as error:
        raise BackendError(ErrorKind.UNAUTHORISED, _words(error), where=where) from None
    except failed.ChannelNotFoundEntity as error:
        raise BackendError(ErrorKind.UNSUPPORTED, _words(error), where=where) from None
    except (failed.ChannelAccessRefused, failed.ConnectionNotAllowed) as error:
        raise BackendError(
            ErrorKind.FORBIDDEN, _words(error), where=where, way_out="give the user the permission on this vhost"
        ) from None
    except failed.DeliveryError as error:
        raise BackendError(
            ErrorKind.FAILED, f"the broker did not take a message: {_words(error)}", where=where,
            way_out="is the parking queue full?",
        ) from None  # fmt: skip
    except (failed.AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BackendError(ErrorKind.UNREACHABLE, _words(error), where=where) from None


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
