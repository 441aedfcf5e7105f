"""A real HTTP server on loopback that misbehaves on request."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Misbehaving:
    """Answers every path in the way that `mode` says."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.body = b"{}"
        self.content_type = "application/json"
        self.status = 200
        self.headers: dict[str, str] = {}
        self.hits: list[tuple[str, str]] = []
        self.seen: list[str] = []
        """The authorization headers."""
        self.url = ""
        self._let_go = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.hits.append((request.method, request.path))
        self.seen.append(request.headers.get("authorization", ""))
        await request.read()
        match self.mode:
            case "hang":
                await self._let_go.wait()
            case "drop" | "drop once" if self.mode == "drop" or len(self.hits) == 1:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "trickle":
                return await self._trickle(request)
            case "cut":
                return await self._cut(request)
            case "huge":
                return await self._huge(request)
            case _:
                pass
        return web.Response(
            body=self.body, status=self.status, headers={"content-type": self.content_type, **self.headers}
        )

    async def _start(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": self.content_type, **headers})
        await response.prepare(request)
        return response

    async def _trickle(self, request: web.Request) -> web.StreamResponse:
        response = await self._start(request, {})
        while not self._let_go.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        response = await self._start(request, {"content-length": "1000"})
        await response.write(b'{"data": [')
        await asyncio.sleep(0.02)
        if request.transport is not None:
            request.transport.abort()
        return response

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        response = await self._start(request, {})
        try:
            for _ in range(40 * 16):
                await response.write(b"[" * 65536)
        except ConnectionError:
            pass
        return response

    def release(self) -> None:
        self._let_go.set()


@asynccontextmanager
async def misbehaving() -> AsyncIterator[Misbehaving]:
    """The server, on a free port of loopback."""
    server = Misbehaving()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        server.release()
        await runner.cleanup()


def model_rows(count: int) -> bytes:
    """A `/model/info` body with `count` deployments."""
    rows = [
        {
            "model_name": f"route-{number % 100}",
            "litellm_params": {"model": "openai/gpt-4o", "api_base": f"http://10.0.0.{number % 250}/v1", "weight": 1},
            "model_info": {"id": f"deployment-{number}", "db_model": True, "blocked": False},
        }
        for number in range(count)
    ]
    return json.dumps({"data": rows}).encode()
