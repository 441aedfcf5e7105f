"""What went wrong between a request and its answer, put into the taxonomy of `console.domain.errors`."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from console.domain.errors import BackendError, ErrorKind


class ConnectionWentStale(Exception):
    """The server closed the connection before it said anything."""


class AnswerWasCut(Exception):
    """The connection ended in the middle of the answer, or its compression is broken."""


class Mapped:
    """Turns httpx's errors into the taxonomy; what was sent and not answered is only known to have been sent."""

    def __init__(self, where: str, timeout_s: float, *, wrote: bool) -> None:
        self._where, self._timeout_s, self._wrote = where, timeout_s, wrote

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> None:
        match error:
            case httpx.UnsupportedProtocol() | httpx.InvalidURL():
                raise self._unsent(error, "correct the URL") from None
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.ProxyError():
                raise self._unsent(error, "is it running, and is the URL right?") from None
            case httpx.TimeoutException() | TimeoutError():
                raise self._lost(ErrorKind.TIMEOUT, f"no whole answer in {self._timeout_s:g} s") from None
            case AnswerWasCut() | httpx.DecodingError():
                raise self._lost(ErrorKind.MALFORMED, f"the answer was cut: {error}") from None
            case ConnectionWentStale() if self._wrote:
                raise self._lost(ErrorKind.UNREACHABLE, "the connection was closed without an answer") from None
            case httpx.RemoteProtocolError():
                raise self._lost(ErrorKind.MALFORMED, f"the answer is no HTTP: {error}") from None
            case httpx.HTTPError():
                raise self._lost(ErrorKind.UNREACHABLE, str(error) or type(error).__name__) from None

    def _unsent(self, error: Exception, way_out: str) -> BackendError:
        words = str(error) or type(error).__name__
        return BackendError(ErrorKind.UNREACHABLE, words, where=self._where, way_out=way_out)

    def _lost(self, kind: ErrorKind, words: str) -> BackendError:
        if self._wrote:
            look = "look at the backend before trying again"
            return BackendError(ErrorKind.UNKNOWN_OUTCOME, f"sent, but {words}", where=self._where, way_out=look)
        return BackendError(kind, words, where=self._where)


def check_content(found: str, wanted: tuple[str, ...], where: str) -> None:
    """Hold a content type against the words of which it has to contain one.

    Raises:
        BackendError: MALFORMED when it contains none: a page for people, answered with 200.
    """
    if any(word in found for word in wanted):
        return
    said = found.partition(";")[0].strip() or "no content type"
    way_out = "a login page or another server? check the URL" if "html" in found else "is it the right URL?"
    raise BackendError(
        ErrorKind.MALFORMED, f"the answer is {said}, not {' or '.join(wanted)}", where=where, way_out=way_out
    )


_KINDS = {
    400: (ErrorKind.UNSUPPORTED, ""),
    401: (ErrorKind.UNAUTHORISED, "check the key that the config refers to"),
    403: (ErrorKind.FORBIDDEN, "give the key the right, or use another"),
    404: (ErrorKind.UNSUPPORTED, "another version, or the wrong path?"),
    405: (ErrorKind.UNSUPPORTED, "another version?"),
    409: (ErrorKind.CONFLICT, "read again before acting"),
    412: (ErrorKind.CONFLICT, "read again before acting"),
    422: (ErrorKind.UNSUPPORTED, ""),
    429: (ErrorKind.THROTTLED, "poll less often, or raise the key's limit"),
    501: (ErrorKind.UNSUPPORTED, "another version?"),
}


def kind_of(status: int, headers: Mapping[str, str], *, wrote: bool) -> tuple[ErrorKind, str]:
    """(kind, way out) of a status that is no success, after a read or a write."""
    if status in _KINDS:
        return _KINDS[status]
    if 300 <= status < 400:
        return ErrorKind.MALFORMED, "it redirects; put the URL that it leads to into the config"
    if wrote and status >= 500:  # the change may have been made before it broke
        return ErrorKind.UNKNOWN_OUTCOME, "look at the backend before trying again"
    if status == 503 and "retry-after" in headers:
        return ErrorKind.THROTTLED, "it asks for patience"
    if status in (502, 503, 504):  # a proxy before it, or it is being started: what lasts goes on when it is back
        return ErrorKind.UNREACHABLE, "is it running? a proxy may have answered in its place"
    return ErrorKind.FAILED, ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to be left alone; None when it does not say, or names a date."""
    text = headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"\d{1,6}", text) else None


def error_words(body: str, content_type: str) -> str:
    """The message of the usual error bodies (`reason`, `error.message`, `detail.error`, `detail`, `message`).

    Of a plain text it is the first line.
    """
    if content_type.startswith("text/plain"):
        return body.strip().partition("\n")[0][:160]
    try:
        found: Any = msgspec.json.decode(body.encode())
    except (msgspec.DecodeError, RecursionError):
        return ""
    for _ in range(3):
        if isinstance(found, dict):
            found = next((found[key] for key in ("reason", "error", "message", "detail") if found.get(key)), "")
    return found[:160] if isinstance(found, str) else ""
