"""The one door to HTTP: a client for one server, with limits, and every way of failing put into the taxonomy.

A read may be asked again; a write never is. What a failed write is called decides what the engine does next:
when it is certain that nothing was sent it says so, and when the answer was lost it says UNKNOWN_OUTCOME.
"""

import asyncio
import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from adapters.http_failures import (
    AnswerWasCut,
    ConnectionWentStale,
    Mapped,
    check_content,
    error_words,
    kind_of,
    retry_after,
)
from adapters.http_wire import Network, Transport, split_user
from console.domain.errors import BackendError, ConfigError, ErrorKind

T = TypeVar("T")

MAX_BODY_BYTES = 8 * 1024 * 1024
"""The largest answer that is read, after decompression."""

QUESTIONS_KEPT = 16
"""Requests of one server that are kept ready; most looks need two or three."""

_TOO_LARGE = "the answer is larger than"

Explain = Callable[[int, str], tuple[ErrorKind, str] | None]
"""(status, the body's own words) → (kind, way out) where a backend's habits say more than the status does."""


Params = Mapping[str, str] | Sequence[tuple[str, str]]
"""What stands behind the question mark; pairs where a name may come twice."""


class Credential:
    """A secret that goes into one header. It is resolved off the event loop, at the first use and after `forget`."""

    def __init__(self, reference: str, secret: Callable[[str], str], scheme: str = "Bearer") -> None:
        self._reference = reference
        self._secret = secret
        self._scheme = scheme
        self._value: str | None = None

    async def header(self) -> str:
        """The header's value.

        Raises:
            BackendError: UNAUTHORISED when the reference leads nowhere.
        """
        if self._value is None:
            try:
                self._value = await asyncio.to_thread(self._secret, self._reference)
            except ConfigError as error:
                raise BackendError(
                    ErrorKind.UNAUTHORISED, f"no credential: {error}", way_out="set what the reference names"
                ) from None
        if not (self._value.isascii() and self._value.isprintable()):  # a library's own words would repeat it
            self._value = None
            raise BackendError(
                ErrorKind.UNAUTHORISED,
                f"what {self._reference} leads to holds characters that no key has",
                way_out="a line break or a quote too much?",
            )
        return f"{self._scheme} {self._value}"

    def forget(self) -> None:
        """Resolve again at the next use: the server did not accept it, and it may have been rotated."""
        self._value = None

    def hide(self, text: str) -> str:
        """`text` without the secret, should a server have echoed it."""
        for secret in filter(None, (self._value, self._password())):
            text = text.replace(secret, "***")
        return text

    def _password(self) -> str:
        """What stands behind the colon of a user's name and password, as a server reads them."""
        if not self._value or self._scheme != "Basic":
            return ""
        try:
            return base64.b64decode(self._value).decode().partition(":")[2]
        except ValueError:
            return ""


class Server:
    """One server over HTTP."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        credential: Credential | None = None,
        headers: Mapping[str, str] | None = None,
        explain: Explain | None = None,
        max_body: int = MAX_BODY_BYTES,
        transport: Transport | None = None,
    ) -> None:
        """`url` may hold a path, under which every request goes; `transport` replaces the network in tests."""
        self.url = safe_url(url)
        """Without user, password and query: fit to be shown."""
        self.requests = 0
        """How many requests were sent so far."""
        self._base, user = split_user(url.rstrip("/"))
        self._timeout_s = timeout_s
        self._credential = credential
        self._headers = {**(headers or {}), **user}
        self._explain = explain
        self._max_body = max_body
        self._transport = transport
        self._reader: Transport | None = None
        self._questions: dict[str, tuple[dict[str, str], httpx.Request]] = {}

    async def json(self, path: str, shape: type[T], params: Params | None = None, *, max_body: int | None = None) -> T:
        """GET a JSON body of the given shape; unknown fields are skipped, at C speed, on the event loop.

        (A thread would not help: a C parse holds the interpreter's lock. 8 MB take about 15 ms.)

        Raises:
            BackendError: any kind but UNKNOWN_OUTCOME.
        """
        body = await self.body(path, ("json",), params, max_body=max_body)
        return decode(body, shape, f"GET {self.url}{path}")

    async def body(
        self,
        path: str,
        content: tuple[str, ...],
        params: Params | None = None,
        *,
        max_body: int | None = None,
    ) -> bytes:
        """GET a body whose content type holds one of the words in `content`; `max_body` as in `__init__`.

        Raises:
            BackendError: any kind but UNKNOWN_OUTCOME.
        """
        where = f"GET {self.url}{path}"
        if self._reader is None:
            self._reader = self._connect()
        for attempt in (1, 2):
            try:
                with Mapped(where, self._timeout_s, wrote=False):
                    async with asyncio.timeout(self._timeout_s):
                        return await self._exchange(
                            self._reader, "GET", path, where, content, params=params, max_body=max_body
                        )
            except ConnectionWentStale:
                if attempt == 2:
                    raise BackendError(
                        ErrorKind.UNREACHABLE, "the connection was closed without an answer", where=where
                    ) from None
        raise AssertionError("unreachable")

    async def write(self, method: str, path: str, body: Any) -> bytes:
        """Send a change as JSON, once, on a connection of its own, and return the answer's body.

        Raises:
            BackendError: UNKNOWN_OUTCOME when it may have been done; every other kind says that it was not.
        """
        where = f"{method} {self.url}{path}"
        if self._credential is not None:
            await self._credential.header()  # before the deadline begins: nothing is sent while it is looked for
        transport = self._connect()
        try:
            with Mapped(where, self._timeout_s, wrote=True):
                async with asyncio.timeout(self._timeout_s):
                    return await self._exchange(transport, method, path, where, (), body=msgspec.json.encode(body))
        finally:
            await transport.aclose()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Give the connections back."""
        if self._reader is not None:
            await self._reader.aclose()
            self._reader = None

    def _connect(self) -> Transport:
        # Each exchange has one deadline around all of it. Connecting has its own, and a shorter one: only then is it
        # certain that nothing was sent.
        return self._transport or Network(self._base, 0.8 * self._timeout_s)

    async def _exchange(
        self,
        transport: Transport,
        method: str,
        path: str,
        where: str,
        content: tuple[str, ...],
        *,
        params: Params | None = None,
        body: bytes | None = None,
        max_body: int | None = None,
    ) -> bytes:
        headers = {"accept": "application/json" if content == ("json",) else "*/*"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self._credential is not None:
            headers["authorization"] = await self._credential.header()
        self.requests += 1
        url = f"{self._base}{path}?{urlencode(params)}" if params else self._base + path
        request = self._question(method, url, headers | self._headers, body)
        try:
            answer = await transport.handle_async_request(request)
        except (httpx.ReadError, httpx.WriteError):
            raise ConnectionWentStale from None
        try:
            if not answer.is_success:
                raise self._refused(answer.status_code, answer.headers, await self._head(answer), where, method)
            if content:
                check_content(answer.headers.get("content-type", ""), content, where)
            return await self._whole(answer, where, max_body or self._max_body, wrote=method != "GET")
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:
            raise AnswerWasCut(error) from None
        finally:
            await answer.aclose()

    def _question(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> httpx.Request:
        """The request; one that only reads is kept, because a look asks the same again and making it takes 40 µs."""
        if method != "GET":
            return httpx.Request(method, _url(url), headers=headers, content=body)
        known = self._questions.get(url)
        if known is None or known[0] != headers:
            if len(self._questions) >= QUESTIONS_KEPT:
                self._questions.clear()
            known = self._questions[url] = headers, httpx.Request(method, _url(url), headers=headers)
        return known[1]

    async def _whole(self, answer: httpx.Response, where: str, max_body: int, *, wrote: bool) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in answer.aiter_bytes():
            size += len(chunk)
            if size > max_body:
                if wrote:
                    break  # the status was the answer
                limit = f"{max_body / 1048576:.3g} MB"
                raise BackendError(
                    ErrorKind.MALFORMED,
                    f"{_TOO_LARGE} {limit}",
                    where=where,
                    way_out="is it the right URL?",
                )
            chunks.append(chunk)
        return b"".join(chunks)

    async def _head(self, answer: httpx.Response) -> str:
        """The first words of an error body."""
        head = b""
        async for chunk in answer.aiter_bytes():
            head += chunk
            if len(head) > 4096:
                break
        return head[:4096].decode(errors="replace")

    def _refused(self, status: int, headers: Mapping[str, str], body: str, where: str, method: str) -> BackendError:
        words = error_words(body, headers.get("content-type", ""))
        if self._credential is not None:
            words = self._credential.hide(words)
        kind, way_out = kind_of(status, headers, wrote=method != "GET")
        special = self._explain(status, words) if self._explain else None
        if special is not None:
            kind, way_out = special
        if kind is ErrorKind.UNAUTHORISED:
            words = ""  # servers like to repeat what they were given
            if self._credential is not None:
                self._credential.forget()
        message = f"HTTP {status}" + (f": {words}" if words else "")
        return BackendError(kind, message, where=where, way_out=way_out, retry_after_s=retry_after(headers))


_url = functools.lru_cache(maxsize=4096)(httpx.URL)
"""The same few URLs are asked for again and again, and reading one takes 15 µs."""


def decode(body: bytes, shape: type[T], where: str) -> T:
    """Decode JSON into `shape`.

    Raises:
        BackendError: MALFORMED when it is cut, no JSON, or of another shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise BackendError(ErrorKind.MALFORMED, f"unexpected JSON: {error}", where=where) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BackendError(ErrorKind.MALFORMED, f"cut or broken JSON: {error}", where=where) from None


def is_too_large(error: BackendError) -> bool:
    """Whether an answer was not read to its end because it is larger than it may be: asking for less may help."""
    return error.kind is ErrorKind.MALFORMED and error.failure.message.startswith(_TOO_LARGE)


def safe_url(url: str) -> str:
    """`url` without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an unreadable URL"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")
