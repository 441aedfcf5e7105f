"""A trace store on the contract suite's bench: the adapter of all of them, on answers that are played back."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx

from adapters.http_wire import Transport
from adapters.spans.adapter import TraceStoreAdapter
from adapters.spans.backend import Backend
from console.domain.actions import Plan
from console.domain.ports import AdapterContext
from console.engine.clock import ManualClock
from tests.contract.bench import Bench

URL = "http://store.test"


class TraceBench:
    """One trace store that lives as long as the test."""

    source = "traces"

    def __init__(
        self, make: Callable[[AdapterContext, Transport], Backend], options: Any, transport: Transport, now: float
    ) -> None:
        self.clock = ManualClock(now)
        self.transport = Losable(transport)
        context = AdapterContext(self.source, self.clock, lambda reference: "recorded", 4.0, options)
        self.adapter = TraceStoreAdapter(context, make(context, self.transport))

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        self.transport.lost = True

    async def disturb(self, plan: Plan) -> None:
        raise NotImplementedError("nothing is planned here")


class Losable(httpx.AsyncBaseTransport):
    """Another transport, whose server may go away; remembers what was asked."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.lost = False
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.lost:
            raise httpx.ConnectError("connection refused", request=request)
        self.asked.append(request.url.raw_path.decode())
        return await self._inner.handle_async_request(request)


def opening(make: Callable[[], TraceBench]) -> Callable[[], AbstractAsyncContextManager[Bench]]:
    """How the suite opens a bench."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Bench]:
        bench = make()
        yield bench  # type: ignore[misc]  # a bench for what only observes has no verbs
        await bench.adapter.close()

    return opened
