"""The broker as this process knows it: its management nodes, who asks them, and the shapes of what they answer."""

import asyncio
import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from adapters.http import Credential, Server, decode
from adapters.rabbitmq.names import OwnNames, RefNames
from adapters.rabbitmq.options import RabbitMQOptions
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import ReplicaStatus

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_NO_ANSWER = (ErrorKind.UNREACHABLE, ErrorKind.TIMEOUT)
_PART, _PART_OF_MANY = 0.8, 0.4
"""The part of a look's time that one question gets; where there are more nodes, a second one must have its time too."""
_WRONG_PASSWORD = ("login failed", "not authorized", "not authorised")
"""What 3.10, and what 4.0, says to one."""
WRITE_S = 5.0
"""The least time that a change gets: declaring a quorum queue waits for its members."""


class Node:
    """One node's management API. Each of them speaks for the whole cluster."""

    def __init__(
        self, name: str, url: str, *, timeout_s: float, who: Credential, transport: "httpx.AsyncBaseTransport | None"
    ) -> None:
        self.name = name
        self.server = Server(url, timeout_s=timeout_s, credential=who, explain=explain, transport=transport)
        """For reading, within a look's time."""
        self.actor = Server(
            url, timeout_s=max(timeout_s, WRITE_S), credential=who, explain=explain, transport=transport
        )
        """For changes, and for reading when somebody waits for it."""
        self.version = ""
        self.up = True
        self.failure: Failure | None = None

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        return self.server.requests + self.actor.requests

    def status(self) -> ReplicaStatus:
        """How it was met last."""
        failure = None if self.up else self.failure
        return ReplicaStatus(name=self.name, url=self.server.url, up=self.up, failure=failure, version=self.version)

    def met(self, failure: Failure | None) -> None:
        """Remember how it was met just now."""
        self.up, self.failure = failure is None, failure

    async def close(self) -> None:
        """Give the connections back."""
        await self.server.close()
        await self.actor.close()


class Broker:
    """What reading and acting share."""

    def __init__(self, context: AdapterContext, transport: "httpx.AsyncBaseTransport | None" = None) -> None:
        """`transport` replaces the network for every node; tests play recordings through it."""
        options: RabbitMQOptions = context.options
        self.context = context
        self.source = context.source
        self.clock = context.clock
        self.options = options
        self.names = OwnNames(options.prefix)
        self.refs = RefNames(options.vhosts)
        who = Credential(options.password, lambda reference: _basic(options.user, context.secret(reference)), "Basic")
        timeout_s = context.timeout_s * (_PART if len(options.urls) == 1 else _PART_OF_MANY)
        self.nodes = [
            Node(name, url, timeout_s=timeout_s, who=who, transport=transport)
            for name, url in zip(_names(options.urls), options.urls, strict=True)
        ]

    @property
    def requests(self) -> int:
        """How many requests the nodes were sent so far."""
        return sum(node.requests for node in self.nodes)

    async def read(
        self, path: str, shape: type[T], params: Mapping[str, str] | None = None, *, max_body: int | None = None
    ) -> T:
        """GET from the first node that answers, within a look's time; a refusal is an answer.

        Raises:
            BackendError: UNSUPPORTED when the object is not there (404), or what the reads met.
        """
        last = _nobody()
        for node in self._in_order():
            try:
                body = await node.server.body(path, ("json",), params, max_body=max_body)
                found = decode(body, shape, f"GET {node.server.url}{path}")
            except BackendError as error:
                last = error
                if error.kind not in _NO_ANSWER:
                    raise
                node.met(error.failure)
            else:
                node.met(None)
                return found
        raise last

    async def write(self, method: str, path: str, body: Any = None) -> bytes:
        """PUT, POST or DELETE on the first node that can be reached; only when nothing was sent, on the next one.

        Raises:
            BackendError: UNKNOWN_OUTCOME when it may have been done; every other kind says that it was not.
        """
        last = _nobody()
        for node in self._in_order():
            try:
                return await node.actor.write(method, path, body)
            except BackendError as error:
                last = error
                if error.kind is not ErrorKind.UNREACHABLE:
                    raise
                node.met(error.failure)
        raise last

    async def post(self, path: str, body: Any, shape: type[T]) -> T:
        """POST a question that has no effect which matters, and its JSON answer; on the first node that is reached.

        Raises:
            BackendError: as `write`; MALFORMED when the answer is not of that shape.
        """
        return decode(await self.write("POST", path, body), shape, f"POST {path}")

    async def look_after_others(self) -> None:
        """Find out whether the nodes that are not asked now are there. Never raises BackendError."""
        async with asyncio.TaskGroup() as group:
            for node in self._in_order()[1:]:
                group.create_task(self._look_after(node))

    async def _look_after(self, node: Node) -> None:
        try:
            await node.server.body("/api/whoami", ("json",))
        except BackendError as error:
            node.met(error.failure)
        else:
            node.met(None)

    def _in_order(self) -> list[Node]:
        return sorted(self.nodes, key=lambda node: not node.up)

    async def close(self) -> None:
        """Give every connection back."""
        for node in self.nodes:
            await node.close()


def explain(status: int, words: str) -> tuple[ErrorKind, str] | None:
    """RabbitMQ says 401 to a password that is wrong, and also to a user who may not: its words tell them apart."""
    if status == 401 and words and words.lower().replace("_", " ") not in _WRONG_PASSWORD:
        return ErrorKind.FORBIDDEN, "give the user the tags policymaker and monitoring, and access to the vhost"
    if status in (404, 406):  # 406: no such path of the API, and its page for people is not what was asked for
        return ErrorKind.UNSUPPORTED, "it is not there: the name, the vhost, or a plugin that is not enabled?"
    return None


def _nobody() -> BackendError:
    return BackendError(ErrorKind.UNREACHABLE, "no node is configured")


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _names(urls: list[str]) -> list[str]:
    """`host:port` each, numbered where two are the same."""
    short = [url.partition("://")[2].partition("/")[0] for url in urls]
    return [name if short.count(name) == 1 else f"{name}#{number}" for number, name in enumerate(short, 1)]
