"""A circuit breaker, as it is seen and as it is told: two different things, and the first is per replica."""

from enum import StrEnum

import msgspec


class Observed(StrEnum):
    """What a replica does with requests right now."""

    CLOSED = "closed"
    """Requests pass."""
    OPEN = "open"
    """Requests are kept away."""
    HALF_OPEN = "half-open"
    """A few probes pass."""
    UNKNOWN = "unknown"
    """Nobody could be asked."""


class Mode(StrEnum):
    """What the breaker has been told to do."""

    AUTO = "auto"
    FORCED_OPEN = "forced open"
    FORCED_CLOSED = "forced closed"
    DISABLED = "disabled"


class ReplicaCircuit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The circuit as one replica of the gateway shows it."""

    replica: str
    observed: Observed
    until: float | None = None
    """Unix seconds when a timer lets requests pass again; None when no timer runs or it is not known."""
    cause: str = ""
    """Why it opened, in the backend's words; untrusted."""


class Circuit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A breaker over all replicas of a gateway."""

    mode: Mode = Mode.AUTO
    replicas: tuple[ReplicaCircuit, ...] = ()
    releases: str = ""
    """How an open circuit lets requests pass again: `timer, all at once`, `probe`, or empty when not known."""

    @property
    def observed(self) -> Observed:
        """The state that most restricts: any OPEN is OPEN, then HALF_OPEN, then UNKNOWN, then CLOSED."""
        seen = {replica.observed for replica in self.replicas}
        for state in (Observed.OPEN, Observed.HALF_OPEN, Observed.UNKNOWN):
            if state in seen:
                return state
        return Observed.CLOSED if seen else Observed.UNKNOWN

    @property
    def agreement(self) -> tuple[int, int]:
        """(replicas that show `observed`, all replicas): (1, 2) means that a change has not converged."""
        state = self.observed
        return sum(replica.observed is state for replica in self.replicas), len(self.replicas)

    @property
    def until(self) -> float | None:
        """Unix seconds when the last replica's timer ends, or None when no timer runs."""
        ends = [replica.until for replica in self.replicas if replica.until is not None]
        return max(ends, default=None)

    @property
    def cause(self) -> str:
        """The first replica's cause that is not empty; untrusted."""
        return next((replica.cause for replica in self.replicas if replica.cause), "")
