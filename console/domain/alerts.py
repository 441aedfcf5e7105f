"""What the detectors say."""

from enum import StrEnum

import msgspec

from console.domain.answers import Group
from console.domain.refs import Ref


class Severity(StrEnum):
    """How much it is worth waking someone."""

    PAGE = "page"
    TICKET = "ticket"
    NOTICE = "notice"


class Aspect(StrEnum):
    """Which kind of health an alert is about."""

    TRANSPORT = "transport"
    """Whether requests get through, and how fast: what ordinary monitoring sees."""
    ANSWERS = "answers"
    """Whether what comes back is right."""
    COST = "cost"


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One finding about one object."""

    rule: str
    """The detector or configured rule: `stale-source`, `burn-rate/gpt-main`."""
    ref: Ref
    severity: Severity
    state: AlertState
    since: float
    """Unix seconds when the present state began."""
    words: str
    """What is wrong, with its numbers; plain text, clean."""
    value: float | None = None
    aspect: Aspect = Aspect.TRANSPORT
    examples: tuple[str, ...] = ()
    """Trace ids of requests that show it."""
    about: Group | None = None
    """Which model calls it is about, where it was found in those: what they have in common."""
    acknowledged_by: str = ""
    silenced_until: float | None = None

    @property
    def id(self) -> str:
        """One alert per rule and object."""
        return f"{self.rule}@{self.ref}"
