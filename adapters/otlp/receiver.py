"""The collector's door: OTLP over HTTP at `/v1/traces`.

Answers are those that OpenTelemetry's SDKs know: 400 and 413 are not tried again, 503 with Retry-After is.
"""

import asyncio
import hmac
from collections.abc import Callable

from aiohttp import web

from adapters.otel import MalformedOtlp, TooLarge
from adapters.otlp.http_forms import (
    EXHAUSTED,
    INVALID,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Body,
    Form,
    accepted,
    form_of,
    packing_of,
    refused,
)
from adapters.otlp.intake import Intake, Unavailable

PATH = "/v1/traces"
RECEIVE_S = 30.0
"""How long one body may take to come in: a sender that dawdles holds room that others need."""
RETRY_AFTER_S = 1


class Receiver:
    """Answers requests; `token` gives the bearer token that they must show, or nothing when none is needed."""

    def __init__(self, intake: Intake, token: Callable[[], str]) -> None:
        self._intake = intake
        self._token = token

    def runner(self) -> web.AppRunner:
        """The application, ready to be set up and to listen."""
        app = web.Application()
        app.router.add_post(PATH, self._traces)
        # A body is unpacked on the writer's thread and within a limit, not by the server.
        return web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=10.0, handle_signals=False)

    async def _traces(self, request: web.Request) -> web.Response:
        form = form_of(request.headers.get("Content-Type", ""))
        packing = packing_of(request.headers.get("Content-Encoding", ""))
        if not self._knows(request):
            why = "a bearer token is needed: set OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20…"
            return _no(401, form, UNAUTHENTICATED, why, {"WWW-Authenticate": "Bearer"})
        if form is None or packing is None:
            why = "send application/x-protobuf or application/json, plain, gzip or deflate"
            return _no(415, form, INVALID, why)
        size = request.content_length
        if size is not None and size > self._intake.bounds.body:
            return self._too_large(form)
        room = _Room(self._intake)
        try:
            room.take(size or 0)
            async with asyncio.timeout(RECEIVE_S):
                data = await self._received(request, room)
            found = await self._intake.keep(Body(form, packing, data))
        except TimeoutError:
            return _no(408, form, UNAVAILABLE, f"the body did not come within {RECEIVE_S:.0f} s")
        except TooLarge:
            return self._too_large(form)
        except MalformedOtlp as error:
            return _no(400, form, INVALID, str(error))
        except Unavailable as error:
            return _no(503, form, EXHAUSTED, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        except (ConnectionError, web.RequestPayloadError):
            return _no(400, form, INVALID, "the body ended early")  # mostly nobody is there any more to hear it
        finally:
            room.give_back()
        return web.Response(body=accepted(form, found.rejected, found.why), content_type=form)

    async def _received(self, request: web.Request, room: "_Room") -> bytes:
        data = bytearray()
        async for chunk in request.content.iter_any():
            data += chunk
            if len(data) > self._intake.bounds.body:
                raise TooLarge
            room.take(len(data))
        return bytes(data)

    def _knows(self, request: web.Request) -> bool:
        wanted = self._token()
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        return not wanted or (scheme.lower() == "bearer" and hmac.compare_digest(_bytes(shown), _bytes(wanted)))

    def _too_large(self, form: Form) -> web.Response:
        bounds = self._intake.bounds
        most = f"{bounds.body:,} bytes, {bounds.unpacked:,} unpacked, and {self._intake.limits.spans:,} spans"
        why = f"a body may have {most}: send less at once"
        return _no(413, form, INVALID, why)


def _bytes(text: str) -> bytes:
    """A header as it came, whatever bytes it had."""
    return text.encode("utf-8", "surrogateescape")


class _Room:
    """What one body takes of the queue: what it says of its length, or as much of it as has come."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._taken = 0

    def take(self, size: int) -> None:
        """Have room for `size` bytes in all.

        Raises:
            Unavailable: there is none.
        """
        if size > self._taken:
            if not self._intake.reserve(size - self._taken):
                raise Unavailable("too much waits to be written")
            self._taken = size

    def give_back(self) -> None:
        """Have none any more."""
        self._intake.release(self._taken)
        self._taken = 0


def _no(status: int, form: Form | None, code: int, why: str, headers: dict[str, str] | None = None) -> web.Response:
    form = form or Form.JSON
    return web.Response(status=status, body=refused(form, code, why), content_type=form, headers=headers)
