"""One connection to one server: questions with their answers, many at once, and what can go wrong with them."""

import asyncio
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adapters.nats.headers import Headers, Lines
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

Who = Callable[[], dict[str, Any]]
"""The credential as the client's `connect` takes it, found out at the moment of use."""

_CLOSE_S = 2.0


class Wire:
    """A connection that is made when it is needed. One that is lost is not mended behind our back: what waits for an
    answer then gets an error, and the next question connects anew."""

    def __init__(self, url: str, who: Who, timeout_s: float) -> None:
        self.url = url
        self._who = who
        self._timeout_s = timeout_s
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._inbox = ""
        self._numbers = itertools.count()
        self._waiting: dict[str, tuple[str, asyncio.Future[Msg]]] = {}
        self.version = ""
        self.max_payload = 0
        self.requests = 0
        """How many questions were sent so far."""

    async def ask(
        self, subject: str, payload: bytes = b"", headers: Lines | None = None, *, timeout_s: float = 0, write: bool
    ) -> bytes:
        """Send a question and take its answer; `write`: it changes something.

        Raises:
            BackendError: UNREACHABLE when it was not sent; UNKNOWN_OUTCOME when a write's answer was lost, TIMEOUT or
                UNREACHABLE when a read's was; FORBIDDEN; UNSUPPORTED when nobody listens there.
        """
        where = f"{clean(subject, 120)} at {self.url}"
        client = await self._connected()
        if len(payload) > client.max_payload:
            raise BackendError(ErrorKind.FAILED, f"{len(payload):,} bytes are more than the server takes", where=where)
        token = str(next(self._numbers))
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._waiting[token] = (subject, future)
        try:
            await self._send(client, subject, payload, f"{self._inbox}.{token}", headers, where)
            async with asyncio.timeout(timeout_s or self._timeout_s):
                answer = await future
        except TimeoutError:
            kind = ErrorKind.UNKNOWN_OUTCOME if write else ErrorKind.TIMEOUT
            raise BackendError(kind, f"no answer in {timeout_s or self._timeout_s:.0f} s", where=where) from None
        except ConnectionError:
            kind = ErrorKind.UNKNOWN_OUTCOME if write else ErrorKind.UNREACHABLE
            raise BackendError(kind, "the connection was lost before the answer", where=where) from None
        except PermissionError:
            way_out = "docs/backends/nats.md lists the rights that it takes"
            raise BackendError(ErrorKind.FORBIDDEN, "the user may not ask this", where=where, way_out=way_out) from None
        finally:
            self._waiting.pop(token, None)
        if not answer.data and (answer.headers or {}).get("Status", "").startswith("503"):
            way_out = "turn JetStream on, for the server and for this account; or the subject leads into no stream"
            raise BackendError(ErrorKind.UNSUPPORTED, "nobody listens there", where=where, way_out=way_out)
        return answer.data

    async def _send(
        self, client: "Client", subject: str, payload: bytes, reply: str, headers: Lines | None, where: str
    ) -> None:
        from nats.errors import Error

        self.requests += 1
        try:
            await client.publish(subject, payload, reply=reply, headers=Headers(headers) if headers else None)
        except Error as error:
            raise BackendError(ErrorKind.UNREACHABLE, f"not sent: {error}", where=where) from None

    async def _connected(self) -> "Client":
        async with self._connecting:
            if self._client is None or not self._client.is_connected:
                await self._drop()
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> "Client":
        from nats.aio.client import Client
        from nats.errors import Error

        client, trouble = Client(), []

        async def met(error: Exception) -> None:
            trouble.append(error)
            self._refuse(error)

        async def lost() -> None:
            self._fail_all()

        try:
            given = self._who()
            async with asyncio.timeout(self._timeout_s):
                await client.connect(
                    [self.url], error_cb=met, disconnected_cb=lost, closed_cb=lost, name="switchgear",
                    allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0, **given,
                )  # fmt: skip
                if self.url.startswith("tls:") and not _is_tls(client):
                    raise BackendError(ErrorKind.UNREACHABLE, "the server offers no TLS", where=self.url)
                self._inbox = client.new_inbox()
                await client.subscribe(f"{self._inbox}.*", cb=self._answered)
        except TimeoutError:
            await self._end(client)
            words = _words(trouble) or f"no greeting in {self._timeout_s:.0f} s"
            raise BackendError(ErrorKind.UNREACHABLE, words, where=self.url) from None
        except (Error, OSError, ValueError) as error:
            await self._end(client)
            raise _no_connection(error, trouble, self.url) from None
        except BaseException:
            await self._end(client)
            raise
        found = client.connected_server_version
        self.version, self.max_payload = f"{found.major}.{found.minor}.{found.patch}", client.max_payload
        return client

    async def _answered(self, message: "Msg") -> None:
        _, future = self._waiting.get(message.subject.rpartition(".")[2], ("", None))
        if future is not None and not future.done():
            future.set_result(message)

    def _refuse(self, error: Exception) -> None:
        """A right that is missing is told without saying to which question: by the subject, in small letters."""
        text = str(error)
        if "permissions violation" not in text:
            return
        for subject, future in self._waiting.values():
            if f'"{subject.lower()}"' in text and not future.done():
                future.set_exception(PermissionError(text))

    def _fail_all(self) -> None:
        for _, future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("lost"))

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._fail_all()
            await self._end(client)

    async def _end(self, client: "Client") -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await client.close()
        except Exception:  # noqa: BLE001, S110  it is given up, whatever it says
            pass

    async def close(self) -> None:
        """Give the connection back."""
        await self._drop()


def _is_tls(client: "Client") -> bool:
    return bool(client._server_info.get("tls_required"))


def _words(trouble: list[Exception]) -> str:
    return str(trouble[0]) or type(trouble[0]).__name__ if trouble else ""


def _no_connection(error: Exception, trouble: list[Exception], url: str) -> BackendError:
    words = f"{error} {_words(trouble)}"
    if "uthorization" in words or "uthentication" in words:
        way_out = "correct the credential of this source in the config"
        return BackendError(ErrorKind.UNAUTHORISED, "the credential is not accepted", where=url, way_out=way_out)
    return BackendError(ErrorKind.UNREACHABLE, _words(trouble) or str(error) or type(error).__name__, where=url)
