"""A relay before an HTTP server, as a load balancer is: it passes everything on, until it has the server away."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum

import aiohttp
from aiohttp import web
from yarl import URL


class Relays(StrEnum):
    """What it does with a request."""

    ALL = "all"
    """Pass it on, and bring the answer back."""
    NOTHING = "nothing"
    """Answer 503."""
    NO_WORD = "no word"
    """Pass it on and answer 503 to changes all the same: the server has done what nobody knows of."""


class Relay:
    """The relay; `mode` may be changed at any moment."""

    def __init__(self, server: str) -> None:
        self.mode = Relays.ALL
        self.refused: list[str] = []
        """The methods of the requests that were answered with 503."""
        self.changes: list[str] = []
        """Every request that is no GET, `METHOD PATH BODY`, in the order in which they came."""
        self.on_change: Callable[[str], None] = lambda moment: None
        """Called with `left`, when a change has come and before it is passed on, and with `answered`, when the server
        has answered it and before the answer is brought back."""
        self.url = ""
        self._server = server

    async def answer(self, request: web.Request, session: aiohttp.ClientSession) -> web.Response:
        if self.mode is Relays.NOTHING:
            return self._away(request)
        if request.method == "GET":
            return await self._passed_on(request, session)
        self.changes.append(f"{request.method} {request.raw_path} {(await request.read()).decode()}")
        self.on_change("left")
        answer = await self._passed_on(request, session)
        self.on_change("answered")
        return answer

    async def _passed_on(self, request: web.Request, session: aiohttp.ClientSession) -> web.Response:
        url = URL(self._server + request.raw_path, encoded=True)
        kept = {name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers}
        async with session.request(request.method, url, data=await request.read(), headers=kept) as found:
            body, type_ = await found.read(), found.headers.get("content-type", "")
        if self.mode is Relays.NO_WORD and request.method != "GET":
            return self._away(request)
        return web.Response(body=body, status=found.status, headers={"content-type": type_})

    def _away(self, request: web.Request) -> web.Response:
        self.refused.append(request.method)
        return web.Response(status=503, text="no server is available")


@asynccontextmanager
async def relaying(server: str) -> AsyncIterator[Relay]:
    """A relay before `server` (a URL), on a free port of loopback."""
    relay = Relay(server)
    async with aiohttp.ClientSession() as session:

        async def answer(request: web.Request) -> web.Response:
            return await relay.answer(request, session)

        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        relay.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield relay
        finally:
            await runner.cleanup()
