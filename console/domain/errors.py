"""What can go wrong when talking to a backend, in words that name the way out."""

from enum import StrEnum

import msgspec

from console.domain.text import clean


class ErrorKind(StrEnum):
    """The taxonomy of backend errors; every adapter maps what it meets onto these."""

    UNREACHABLE = "unreachable"
    """No connection: refused, no route, name not resolved, TLS failed. Nothing was done."""
    TIMEOUT = "timeout"
    """Connected, and no whole answer in time. For a read nothing is lost; a write raises UNKNOWN_OUTCOME."""
    UNAUTHORISED = "unauthorised"
    """The credential is missing or not accepted (401)."""
    FORBIDDEN = "forbidden"
    """The credential is known and may not do this (403)."""
    UNSUPPORTED = "unsupported"
    """This backend, version or object cannot do it."""
    MALFORMED = "malformed"
    """An answer came that is not what was asked for: HTML with 200, cut JSON, too large, wrong shape."""
    THROTTLED = "throttled"
    """The backend asks for patience (429, 503 with Retry-After)."""
    CONFLICT = "conflict"
    """The object changed since it was read; read again before acting."""
    FAILED = "failed"
    """The backend answered that it could not (5xx, or an error body), and nothing more is known."""
    UNKNOWN_OUTCOME = "unknown outcome"
    """A write was sent and its answer was lost: it may or may not have happened. Look; never repeat blindly."""


class Failure(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A backend error as data: what happened, where, and the way out.

    All three texts are already clean for display and hold no secret.
    """

    kind: ErrorKind
    message: str
    where: str = ""
    """What was asked of whom, without credentials: `GET http://127.0.0.1:4000/model/info`."""
    way_out: str = ""
    retry_after_s: float | None = None

    def __str__(self) -> str:
        parts = [f"{self.kind}: {self.message}", self.where and f"({self.where})", self.way_out and f"→ {self.way_out}"]
        return " ".join(part for part in parts if part)


class BackendError(Exception):
    """Raised by adapters, and only by adapters; carries a `Failure`."""

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        where: str = "",
        way_out: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.failure = Failure(
            kind=kind,
            message=clean(message),
            where=clean(where),
            way_out=clean(way_out),
            retry_after_s=retry_after_s,
        )
        super().__init__(str(self.failure))

    @property
    def kind(self) -> ErrorKind:
        """The failure's place in the taxonomy."""
        return self.failure.kind


class Refusal(Exception):
    """The engine says no before anything is done: no right, read-only access, a guard, a stale proposal.

    `code` is the HTTP status that the door answers with; `words` say why and what would be allowed.
    """

    def __init__(self, words: str, *, code: int = 403) -> None:
        self.words = clean(words, 500)
        self.code = code
        super().__init__(self.words)


class ConfigError(Exception):
    """The config, a secret or a place on disk cannot be used; the text says where, what is wrong and the way out.

    It may hold several lines, one a fault. It never holds a secret.
    """


class EngineLost(Exception):
    """The engine cannot be reached, or went away in the middle; the text says which, and the way out."""

    def __init__(self, words: str, *, by_config: bool = False) -> None:
        """`by_config`: it could not start because the config, or a place on disk, cannot be used."""
        self.by_config = by_config
        super().__init__(words)
