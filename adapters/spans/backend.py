"""What differs from one trace store to the next: how it is asked. Everything else is `TraceStoreAdapter`'s."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.otel import Arrival
from console.domain.errors import Failure
from console.domain.readings import ReplicaStatus
from console.domain.spans import RequestQuery
from console.domain.wire import CheckRow


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought; spans that came before may come again."""

    arrivals: Sequence[Arrival]
    anew_since_s: float | None = None
    """Set when the look began anew, at the first and after a gap: unix seconds from which on it has everything. What
    earlier looks brought counts no more."""
    problems: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """Spans of one request, or of a stretch of time, as far as they are read at once."""

    arrivals: Sequence[Arrival]
    cut: bool = False
    """Whether the store has more than was read."""
    notes: tuple[str, ...] = ()
    problems: tuple[Failure, ...] = ()
    """What could not be read of it."""


class Backend(Protocol):
    """One trace store. Every call may raise BackendError with what the reading met."""

    tails: bool
    """Whether a look brings everything that came in since the last, however long ago it began; where it does not,
    requests whose root has not come are read again."""
    keeps_kinds: bool
    """Whether it keeps which spans are a server's or a consumer's."""
    drops: str
    """Why services are not known where they are not; empty for a store that keeps `service.name`."""

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        ...

    async def look(self, now: float) -> Look:
        """What has come since the last look."""
        ...

    def find(self, query: RequestQuery) -> AsyncGenerator[Whole, None]:
        """Whole requests, some at a time, newest first, among which all are that the query asks for.

        Others may be among them: what the store cannot be asked is looked at afterwards. It ends when there are no
        more, or when it has looked at enough: then the last one is `cut`.
        """
        ...

    async def whole(self, trace_id: str) -> Whole:
        """Every span of one request; none where the store has no such request."""
        ...

    async def between(self, since_s: float, until_s: float) -> Whole:
        """Spans that began between two moments (unix seconds), the newest of them where there are many."""
        ...

    def status(self) -> ReplicaStatus:
        """How the last question met it; asked after a good look."""
        ...

    async def check(self) -> tuple[CheckRow, ...]:
        """The rows of `switchgear check`; never raises BackendError."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...
