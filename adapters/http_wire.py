"""How a request reaches a server: over the network, by aiohttp's client; tests put a recording in its place.

A request costs 95 µs of processor here, where httpx took 440: that was half of what a look at a gateway cost.
"""

import base64
import functools
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from adapters.http_failures import AnswerWasCut, ConnectionWentStale, NotConnected, NotHttp

if TYPE_CHECKING:
    import aiohttp

CONNECTIONS = 4
KEPT_ALIVE_S = 60.0
_LONGEST_FIELD = 65536
_READ_AHEAD = 256 * 1024
"""Bytes of a body that may wait to be read; most pages fit, so their arrival is not stopped and started again."""


@dataclass(slots=True)
class Answer:
    """An answer whose body has not been read yet; `close` it in any case."""

    status: int
    headers: Mapping[str, str]
    """Names in any case; redirects and cookies are not followed."""
    chunks: AsyncIterator[bytes]
    """The body, decompressed. Raises AnswerWasCut when it ends before its end."""
    close: Callable[[], object] = lambda: None
    """Let go of the connection: it is kept for the next request only when the body was read to its end."""


class Transport(Protocol):
    """A way to a server."""

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send one request, once, and wait for the head of its answer.

        Raises:
            NotConnected: nothing was sent, for certain.
            ConnectionWentStale: it was sent, and the connection closed before the answer began.
            NotHttp: what came back is no HTTP.
        """
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


class Network:
    """The connections to one server. The first `send` makes them, on the loop that runs then."""

    def __init__(self, url: str, connect_s: float) -> None:
        """`connect_s`: how long finding and reaching the server may take; only then is it certain that nothing left."""
        self._url = url
        self._connect_s = connect_s
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """See `Transport`."""
        import aiohttp

        try:
            session = self._session or self._open()
            answer = await session.request(
                method, url, headers=headers, data=body, allow_redirects=False, proxy=self._proxy
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise NotConnected(_why(error)) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):  # their words repeat it, query and all
            raise NotConnected("that is no URL of a server", "correct the URL") from None
        except ValueError as error:
            raise NotConnected(str(error), "correct the URL, or the proxy that the environment names") from None
        except (aiohttp.ClientConnectionError, OSError):
            raise ConnectionWentStale from None
        except aiohttp.ClientError as error:
            raise NotHttp(_words(error)) from None
        return Answer(answer.status, answer.headers, _chunks(answer.content), answer.release)

    async def close(self) -> None:
        """See `Transport`."""
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
        raise ConnectionWentStale from error


async def _chunks(content: "aiohttp.StreamReader") -> AsyncIterator[bytes]:
    import aiohttp
    from aiohttp.http_exceptions import HttpProcessingError

    try:
        async for chunk in content.iter_any():
            yield chunk
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        raise AnswerWasCut(_words(error)) from None


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
