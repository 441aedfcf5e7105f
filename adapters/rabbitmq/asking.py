"""Whom a question goes to: the broker as a whole, or one node of it when each has to answer for itself."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from adapters.rabbitmq.broker import Node

T = TypeVar("T")


class Asks(Protocol):
    """What reads the management API."""

    async def read(
        self, path: str, shape: type[T], params: Mapping[str, str] | None = None, *, max_body: int | None = None
    ) -> T:
        """GET a JSON answer of a shape; see `Broker.read`."""
        ...


class OneNode:
    """One node, asked for what it shows itself."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def read(
        self, path: str, shape: type[T], params: Mapping[str, str] | None = None, *, max_body: int | None = None
    ) -> T:
        """GET from this node alone.

        Raises:
            BackendError: what the read met.
        """
        return await self._node.server.json(path, shape, params)
