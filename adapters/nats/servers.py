"""The servers of one NATS system, and JetStream's API through any of them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar

import msgspec

from adapters.nats.api import Account, Consumer, Got, Message, Refused, Stored, Stream, decode
from adapters.nats.headers import Lines, size_of
from adapters.nats.names import OwnNames, Place
from adapters.nats.options import NatsOptions
from adapters.nats.wire import Wire
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import ReplicaStatus

T = TypeVar("T")

_NO_ANSWER = (ErrorKind.UNREACHABLE, ErrorKind.TIMEOUT)
_NO_MESSAGE = 10037
WRITE_S = 5.0
"""The least time that a change gets: in a cluster a majority of servers has to agree."""


class Asks(Protocol):
    """What JetStream's API can be asked through: any of the servers, or one of them."""

    async def api(self, call: str, shape: type[T], body: Any = None) -> T:
        """A question without effect.

        Raises:
            BackendError: what the API refused with (`Refused`), or what the way to it met.
        """
        ...


class Node:
    """One server, asked by itself."""

    def __init__(self, name: str, wire: Wire, api: str) -> None:
        self.name = name
        self.wire = wire
        self.up = True
        self.failure: Failure | None = None
        self._api = api

    async def api(self, call: str, shape: type[T], body: Any = None, *, write: bool = False) -> T:
        """One call of the API through this server; see `Asks.api`, and `Wire.ask` for a `write`."""
        subject = f"{self._api}.{call}"
        payload = b"" if body is None else msgspec.json.encode(body)
        answer = await self.wire.ask(subject, payload, timeout_s=WRITE_S if write else 0, write=write)
        return decode(answer, shape, f"{call} at {self.wire.url}")

    def status(self) -> ReplicaStatus:
        """How it was met last."""
        failure = None if self.up else self.failure
        return ReplicaStatus(
            name=self.name, url=self.wire.url, up=self.up, failure=failure, version=self.wire.version
        )  # fmt: skip

    def met(self, failure: Failure | None) -> None:
        """Remember how it was met just now."""
        self.up, self.failure = failure is None, failure


class Servers:
    """What reading and acting share."""

    def __init__(self, context: AdapterContext) -> None:
        options: NatsOptions = context.options
        self.context = context
        self.source = context.source
        self.clock = context.clock
        self.options = options
        self.names = OwnNames(options.prefix)
        self.level = 0
        """What the API can do, as it said last."""
        api = f"$JS.{options.domain}.API" if options.domain else "$JS.API"
        timeout_s = context.timeout_s * (0.8 if len(options.urls) == 1 else 0.4)
        self.nodes = [
            Node(name, Wire(url, self._credential, timeout_s), api)
            for name, url in zip(_names(options.urls), options.urls, strict=True)
        ]

    @property
    def requests(self) -> int:
        """How many questions the servers were sent so far."""
        return sum(node.wire.requests for node in self.nodes)

    async def api(self, call: str, shape: type[T], body: Any = None) -> T:
        """A question to the first server that answers; a refusal is an answer. See `Asks.api`."""
        return await self._through(lambda node: node.api(call, shape, body), _NO_ANSWER)

    async def change(self, call: str, shape: type[T], body: Any = None) -> T:
        """A change, through the first server that can be reached; only when nothing was sent, through the next one.

        Raises:
            BackendError: UNKNOWN_OUTCOME when it may have been done; every other kind says that it was not.
        """
        return await self._through(lambda node: node.api(call, shape, body, write=True), (ErrorKind.UNREACHABLE,))

    async def publish(self, subject: str, payload: bytes, headers: Lines) -> Stored:
        """Put a message into the stream that takes `subject`; returns once that has stored it.

        Raises:
            BackendError: as `change`; FAILED when it is too large or the stream takes no more.
        """
        size = len(payload) + size_of(headers)

        async def put(node: Node) -> Stored:
            if node.wire.max_payload and size > node.wire.max_payload:
                words = f"a message with our headers is {size:,} bytes, and the server takes {node.wire.max_payload:,}"
                raise BackendError(ErrorKind.FAILED, words, way_out="what was moved stays where it is; pause works")
            answer = await node.wire.ask(subject, payload, headers, timeout_s=WRITE_S, write=True)
            return decode(answer, Stored, f"publishing at {node.wire.url}")

        return await self._through(put, (ErrorKind.UNREACHABLE,))

    async def _through(self, ask: Callable[[Node], Awaitable[T]], tries_next: Collection[ErrorKind]) -> T:
        last = BackendError(ErrorKind.UNREACHABLE, "no server is configured")
        for node in sorted(self.nodes, key=lambda one: not one.up):
            try:
                found = await ask(node)
            except BackendError as error:
                last = error
                if error.kind in _NO_ANSWER:
                    node.met(error.failure)
                if error.kind not in tries_next:
                    raise
            else:
                node.met(None)
                return found
        raise last

    async def look_after_others(self) -> None:
        """Find out whether the servers that are not asked now are there; never raises BackendError."""
        others = sorted(self.nodes, key=lambda one: not one.up)[1:]
        await asyncio.gather(*(self._look_after(node) for node in others))

    async def _look_after(self, node: Node) -> None:
        try:
            await node.api("INFO", Account)
        except BackendError as error:
            node.met(error.failure)
        else:
            node.met(None)

    def _credential(self) -> dict[str, Any]:
        """How the client introduces itself.

        Raises:
            BackendError: UNSUPPORTED without the package that signs.
        """
        options, secret = self.options, self.context.secret
        if options.user is not None and options.password is not None:
            return {"user": options.user, "password": secret(options.password)}
        if options.token is not None:
            return {"token": secret(options.token)}
        if options.creds is None:
            return {}
        if find_spec("nkeys") is None:
            way_out = "pip install 'switchgear[nkeys]'"
            raise BackendError(ErrorKind.UNSUPPORTED, "creds need the package nkeys", way_out=way_out)
        from nats.aio.client import RawCredentials

        return {"user_credentials": RawCredentials(secret(options.creds))}

    async def close(self) -> None:
        """Give every connection back."""
        for node in self.nodes:
            await node.wire.close()


async def stream_of(asks: Asks, name: str) -> Stream:
    """One stream; raises as `Asks.api`."""
    return await asks.api(f"STREAM.INFO.{name}", Stream)


async def stream_or_none(asks: Asks, name: str) -> Stream | None:
    """One stream, or None when it is not there; raises as `Asks.api`."""
    try:
        return await stream_of(asks, name)
    except Refused as error:
        if error.kind is ErrorKind.UNSUPPORTED:
            return None
        raise


async def consumer_of(asks: Asks, place: Place) -> Consumer:
    """One consumer; raises as `Asks.api`."""
    return await asks.api(f"CONSUMER.INFO.{place.stream}.{place.consumer}", Consumer)


async def next_message(asks: Asks, stream: str, seq: int, subject: str = ">") -> Message | None:
    """The first stored message from a sequence on whose subject matches; raises as `Asks.api`."""
    return await message_or_none(asks, stream, {"seq": max(1, seq), "next_by_subj": subject})


async def message_or_none(asks: Asks, stream: str, which: dict[str, Any]) -> Message | None:
    """One stored message, read without taking it; None where there is none. Raises as `Asks.api`."""
    try:
        return (await asks.api(f"STREAM.MSG.GET.{stream}", Got, which)).message
    except Refused as error:
        if error.code == _NO_MESSAGE:
            return None
        raise


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All of it at once; when some of it failed the rest is waited for, and then the first error raised.

    Raises:
        BackendError: the first one.
    """
    found = await asyncio.gather(*work, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return [one for one in found if not isinstance(one, BaseException)]


def _names(urls: list[str]) -> list[str]:
    """`host:port` each, numbered where two are the same."""
    short = [url.partition("://")[2] for url in urls]
    return [name if short.count(name) == 1 else f"{name}#{number}" for number, name in enumerate(short, 1)]
