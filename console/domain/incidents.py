"""Alerts that belong together, and who is to blame for all of them."""

from enum import StrEnum

import msgspec

from console.domain.alerts import AlertState, Aspect, Severity
from console.domain.refs import Ref
from console.domain.verbs import Verb


class Dimension(StrEnum):
    """What kind of thing is to blame: what the members of one have in common, and their siblings have not."""

    PROVIDER = "provider"
    MODEL = "model"
    DEPLOYMENT = "deployment"
    REGION = "region"
    ROUTE = "route"
    TENANT = "tenant"
    """A key, a team, a customer."""
    SERVICE = "service"
    QUEUE = "queue"
    RELEASE = "release"
    """Our own: a prompt version, a new build of an application."""
    INDEX = "index"
    """What is searched in retrieval."""
    MEMORY = "memory"
    GATEWAY = "gateway"
    SOURCE = "source"
    """Nobody can see: the source itself does not answer."""
    TRAFFIC = "traffic"
    """There is more of it than there was, and nothing is broken."""


class Blame(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate for the culprit."""

    dimension: Dimension
    name: str
    """The provider's, the model's … own name; untrusted."""
    ref: Ref | None = None
    """The object to open, where there is one on the board."""
    score: float
    """How much of what is wrong it explains, and how little else it would have to explain: 0 to 1."""
    because: str
    """What speaks for it, in words with numbers; clean."""
    against: str = ""
    """What speaks against it; empty when nothing is known."""


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be done about it: a key away where it has a target and a verb."""

    words: str
    target: Ref | None = None
    verb: Verb | None = None
    trap: bool = False
    """Whether it is what one should not do."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes wrong, however many alerts tell of it."""

    id: str
    """Stays the same while it lasts, whatever alerts join it: that of the alert that began it, and when."""
    since: float
    """Unix seconds at which its first alert fired."""
    state: AlertState
    """FIRING while one of its alerts is; RESOLVED at `until`."""
    until: float | None = None
    severity: Severity
    title: str
    """One line: what is wrong with whom since when; clean."""
    aspects: tuple[Aspect, ...] = ()
    """Which kinds of health it touches."""
    blame: Blame | None = None
    """The likeliest culprit; None while nothing points anywhere."""
    others: tuple[Blame, ...] = ()
    """The next candidates, the likeliest first; three at the most."""
    alerts: tuple[str, ...] = ()
    """Ids of its alerts, the first one first."""
    advice: tuple[Advice, ...] = ()
    notes: tuple[str, ...] = ()
    """What else is known: changes shortly before, what cannot be judged yet; clean."""
