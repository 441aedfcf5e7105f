"""HTTP over the Unix socket: the door's questions and its event stream, for the peers that the kernel names."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from console import __version__
from console.control.audit import AuditError
from console.domain.errors import BackendError, ConfigError, Refusal
from console.domain.text import clean
from console.domain.wire import PROTOCOL, PROTOCOL_HEADER, VERSION_HEADER, Problem, encode
from console.places import private_dir
from console.server.door import Desk, Door
from console.server.openapi import page
from console.server.peers import Accounts
from console.server.routes import EVENTS, OPENAPI, QUESTIONS, Question

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
"""Bytes of the largest question that is read; a picture may be larger."""
BODY_TIMEOUT_S = 10.0
"""A peer that sends its question slower than this is not waited for."""

PACE_S = 0.03
"""After each line the stream rests this long: what happens meanwhile is merged into the next one."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_DOOR = web.AppKey("door", Door)
_ACCOUNTS = web.AppKey("accounts", Accounts)


@asynccontextmanager
async def listening(door: Door, path: Path, *, group: int | None = None) -> AsyncIterator[None]:
    """Serve `door` on a socket at `path` until left; `group` may enter besides this account.

    Raises:
        ConfigError: the socket's folder cannot be used.
        OSError: the socket cannot be made.
    """
    private_dir(path.parent, group=group)
    runner = web.AppRunner(application(door), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    ours: int | None = None
    before = os.umask(0o177 if group is None else 0o117)
    try:
        await web.UnixSite(runner, str(path)).start()
    finally:
        os.umask(before)
    try:
        if group is not None:
            os.chown(path, -1, group)
        ours = _inode(path)
        yield
    finally:
        door.close()
        await runner.cleanup()
        if ours is not None and _inode(path) == ours:
            path.unlink(missing_ok=True)  # noqa: ASYNC240  the last thing that this loop does


def _inode(path: Path) -> int | None:
    """Which file lies at `path`: when somebody cleared the folder, the next engine's socket may, and is not ours."""
    try:
        return path.lstat().st_ino
    except OSError:
        return None


def application(door: Door) -> web.Application:
    """The aiohttp application of a door."""
    app = web.Application(middlewares=[_answered], client_max_size=LARGEST_BODY)
    app[_DOOR] = door
    app[_ACCOUNTS] = Accounts(door.runtime.clock)
    for question in QUESTIONS:
        app.router.add_route(question.method, question.path, _asking(question))
    app.router.add_route("GET", EVENTS, _events)
    app.router.add_route("GET", OPENAPI, _openapi)
    return app


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer that is not 2xx is a `Problem`, whatever went wrong."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _problem(refusal.code, refusal.words)
    except BackendError as error:
        return _problem(502, str(error), error.failure.way_out)
    except (ConfigError, AuditError) as error:
        return _problem(503, str(error))
    except msgspec.DecodeError as error:
        return _problem(400, f"the body is not what {request.path} takes: {error}", f"GET {OPENAPI}")
    except RecursionError:
        return _problem(400, "the body is nested too deeply")
    except TimeoutError:
        return _problem(408, f"no whole body within {BODY_TIMEOUT_S:.0f} s")
    except web.HTTPRequestEntityTooLarge:
        return _problem(413, f"a body has at most {LARGEST_BODY} bytes")
    except web.HTTPException as error:
        return _problem(error.status, f"{request.method} {request.path}: {error.reason}", f"GET {OPENAPI}")
    except ConnectionError:
        raise
    except Exception:
        log.exception("%s %s failed", request.method, clean(request.path))
        return _problem(500, "the engine met an error of its own", "its log file has the details")


def _asking(question: Question) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        desk = await _desk(request, any_protocol=question.any_protocol)
        given: Any = request.match_info.get("id")
        if question.takes is not None:
            if question.largest is not None:
                request = request.clone(client_max_size=question.largest)
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await request.read()
            given = msgspec.json.decode(body, type=question.takes)
        answer = await question.ask(desk, given)
        if question.gives is None:
            return web.Response(status=204, headers=_HEADERS)
        return web.Response(body=encode(answer), content_type="application/json", headers=_HEADERS)

    return handle


async def _events(request: web.Request) -> web.StreamResponse:
    desk = await _desk(request)
    response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "application/x-ndjson"})
    async with aclosing(desk.events()) as events:
        async for event in events:
            try:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(encode(event) + b"\n")
                await asyncio.sleep(PACE_S)
            except ConnectionError:
                break
    return response


async def _openapi(request: web.Request) -> web.StreamResponse:
    await _desk(request, any_protocol=True)
    return web.json_response(page(), headers=_HEADERS)


async def _desk(request: web.Request, *, any_protocol: bool = False) -> Desk:
    """The door as the peer of this request sees it.

    Raises:
        Refusal: the kernel does not say who it is, or its console speaks another protocol.
    """
    spoken = request.headers.get(PROTOCOL_HEADER, str(PROTOCOL))
    if spoken != str(PROTOCOL) and not any_protocol:
        raise Refusal(
            f"this engine (pid {os.getpid()}) is Switchgear {__version__} and speaks protocol {PROTOCOL}, your console "
            f"speaks {clean(spoken, 20)}: restart the engine (`switchgear stop ENV`, then attach), or use a console of "
            "the engine's version",
            code=426,
        )
    transport = request.transport
    connection = None if transport is None else transport.get_extra_info("socket")
    if connection is None:
        raise Refusal("the connection is gone")
    return request.app[_DOOR].for_peer(await request.app[_ACCOUNTS].peer_of(connection))


def _problem(status: int, error: str, way_out: str = "") -> web.Response:
    body = encode(Problem(error=clean(error, 500), way_out=clean(way_out)))
    return web.Response(status=status, body=body, content_type="application/json", headers=_HEADERS)


_HEADERS = {PROTOCOL_HEADER: str(PROTOCOL), VERSION_HEADER: __version__}
