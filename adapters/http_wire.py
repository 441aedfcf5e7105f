"""How a request reaches a server: an httpx transport over aiohttp's connections; tests put another one in its place.

Requests, answers and errors are httpx's own. A request costs about 130 µs of processor here, where httpx's client over
its own connections took 440: that was half of what a look at a gateway cost.
"""

import base64
import functools
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

if TYPE_CHECKING:
    import aiohttp

Transport = httpx.AsyncBaseTransport
"""A way to a server. It sends a request once, follows no redirect and keeps no cookie.

Raises:
    httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol: nothing was sent, for certain.
    httpx.ReadError: it was sent, and the connection closed before the answer began, or before its end.
    httpx.RemoteProtocolError: what came back is no HTTP.
"""

CONNECTIONS = 4
KEPT_ALIVE_S = 60.0
_LONGEST_FIELD = 65536
_READ_AHEAD = 256 * 1024
"""Bytes of a body that may wait to be read; most pages fit, so their arrival is not stopped and started again."""
_OURS = frozenset((b"host", b"content-length", b"transfer-encoding"))
"""Headers that aiohttp writes by itself."""
_DONE = frozenset((b"content-encoding", b"content-length", b"transfer-encoding"))
"""Headers of an answer that are no longer true once aiohttp has decompressed it."""


class Network(httpx.AsyncBaseTransport):
    """The connections to one server. The first request makes them, on the loop that runs then."""

    def __init__(self, url: str, connect_s: float) -> None:
        """`connect_s`: how long finding and reaching the server may take; only then is it certain that nothing left."""
        self._url = url
        self._connect_s = connect_s
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, once, and wait for the head of its answer; the errors are those of `Transport`."""
        import aiohttp

        headers = [(name.decode(), value.decode()) for name, value in request.headers.raw if name.lower() not in _OURS]
        try:
            session = self._session or self._open()
            answer = await session.request(
                request.method,
                str(request.url),
                headers=headers,
                data=request.content or None,
                allow_redirects=False,
                proxy=self._proxy,
            )
        except aiohttp.ConnectionTimeoutError as error:
            raise httpx.ConnectTimeout(_why(error)) from None
        except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
            raise httpx.ConnectError(_why(error)) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):  # their words repeat it, query and all
            raise httpx.UnsupportedProtocol("that is no URL of a server") from None
        except ValueError as error:
            raise httpx.UnsupportedProtocol(f"{error}; is it the URL, or a proxy that the environment names?") from None
        except (aiohttp.ClientConnectionError, OSError):
            raise httpx.ReadError("the connection was closed without an answer") from None
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(_words(error)) from None
        return httpx.Response(
            answer.status,
            headers=[item for item in answer.raw_headers if item[0].lower() not in _DONE],
            stream=_Body(answer),
            request=request,
        )

    async def aclose(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        self._proxy = _proxy_for(self._url)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS,
                keepalive_timeout=KEPT_ALIVE_S,
                ssl=_certificates() if self._url.startswith("https:") else True,
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_AHEAD,
            max_line_size=_LONGEST_FIELD,
            max_field_size=_LONGEST_FIELD,
            middlewares=(_once,),
        )
        return self._session


async def _once(
    request: "aiohttp.ClientRequest", send: "Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]"
) -> "aiohttp.ClientResponse":
    """Send a request once: aiohttp itself would send a PUT or DELETE again when its connection breaks."""
    import aiohttp

    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError) as error:
        raise aiohttp.ClientConnectionError("closed") from error


class _Body(httpx.AsyncByteStream):
    """An answer's body, decompressed; its connection is kept for the next request only when it was read to its end."""

    def __init__(self, answer: "aiohttp.ClientResponse") -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import aiohttp
        from aiohttp.http_exceptions import HttpProcessingError

        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise httpx.ReadError(_words(error)) from None

    async def aclose(self) -> None:
        self._answer.release()


def _words(error: Exception) -> str:
    """The error's own words, in one line."""
    return " ".join(str(getattr(error, "message", "") or error).split()) or type(error).__name__


def _why(error: "aiohttp.ClientError") -> str:
    """Why there is no connection, in the system's words; the host is named beside it."""
    import aiohttp

    match error:
        case aiohttp.ConnectionTimeoutError():
            return "no connection within its time"
        case aiohttp.ClientConnectorCertificateError():
            return str(error.certificate_error)
        case aiohttp.ClientHttpProxyError():
            return f"the proxy says HTTP {error.status}: {error.message}"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return "connection refused"
        case aiohttp.ClientConnectorError():
            return str(error.os_error.strerror or error.os_error)
        case _:
            return str(error)


def split_user(url: str) -> tuple[str, dict[str, str]]:
    """`url` without user and password, and the header that says them instead, if there are any."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    if not at:
        return url, {}
    words = unquote(user if ":" in user else f"{user}:").encode()
    return f"{scheme}://{host}{slash}{path}", {"authorization": f"Basic {base64.b64encode(words).decode()}"}


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment (`https_proxy`, `no_proxy` …) names for a server; asked once, it takes 50 µs."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust: what SSL_CERT_FILE or SSL_CERT_DIR names, else certifi's bundle. Loaded once: it takes 20 ms."""
    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    return ssl.create_default_context(cafile=certifi.where())
