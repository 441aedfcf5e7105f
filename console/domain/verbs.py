"""What can be asked for: one frozen type a verb, and the verbs' names."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

import msgspec

HEAVIEST = 1e9
"""No weight is this much."""
DEAREST = 10.0
"""US dollars that one call may be allowed to cost."""
LONGEST = 32_768
"""Tokens that one answer may be allowed to have."""


class Verb(StrEnum):
    """What an operator can do to an object."""

    TRIP = "trip"
    RESET = "reset"
    WEIGHT = "weight"
    SWITCH = "switch"
    RESTORE = "restore"
    PAUSE = "pause"
    RESUME = "resume"
    PARK = "park"
    REPLAY = "replay"
    FINISH = "finish"
    REQUEUE = "requeue"
    ISOLATE = "isolate"
    PURGE = "purge"
    STOP = "stop"
    REISSUE = "reissue"


class Trip(msgspec.Struct, frozen=True, tag="trip"):
    """Keep requests away from a deployment."""

    verb: ClassVar[Verb] = Verb.TRIP


class Reset(msgspec.Struct, frozen=True, tag="reset"):
    """Let requests reach a deployment again: end a trip, and a cooldown where the backend can."""

    verb: ClassVar[Verb] = Verb.RESET


class SetWeight(msgspec.Struct, frozen=True, tag="weight"):
    """Give a deployment another share of its route."""

    weight: float
    """The backend's own unit, relative to the siblings' weights; 0 or more."""
    verb: ClassVar[Verb] = Verb.WEIGHT

    @property
    def fault(self) -> str:
        """Why this is no weight; empty when it is one. A router with a negative weight fails every request."""
        return "" if 0 <= self.weight < HEAVIEST else f"a weight is 0 or more, and less than {HEAVIEST:,.0f}"


class Switch(msgspec.Struct, frozen=True, tag="switch"):
    """Send a route's requests elsewhere. `to` is one of the route's `switch_options`."""

    to: str
    mechanism: str = ""
    """`alias`, `order` …; empty takes the first option that leads there."""
    verb: ClassVar[Verb] = Verb.SWITCH


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """Undo an override: put back what it had replaced."""

    override_id: str
    verb: ClassVar[Verb] = Verb.RESTORE


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Let no worker take a message from a queue; what comes in is kept."""

    verb: ClassVar[Verb] = Verb.PAUSE


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Let workers take messages again, those that came in meanwhile included."""

    verb: ClassVar[Verb] = Verb.RESUME


class Park(msgspec.Struct, frozen=True, tag="park"):
    """Move everything that waits now into a parking queue, where no worker takes it; new messages are worked on."""

    verb: ClassVar[Verb] = Verb.PARK


class Finish(msgspec.Struct, frozen=True, tag="finish"):
    """Let the workers finish what waits now, with what comes in held back where the backend can."""

    verb: ClassVar[Verb] = Verb.FINISH


class Replay(msgspec.Struct, frozen=True, tag="replay"):
    """Move what is parked back into its queue."""

    per_s: float | None = None
    """Messages a second at the most; None takes the adapter's own, careful rate."""
    verb: ClassVar[Verb] = Verb.REPLAY

    @property
    def fault(self) -> str:
        """Why this is no rate; empty when it is one."""
        return _rate_fault(self.per_s)


class Requeue(msgspec.Struct, frozen=True, tag="requeue"):
    """Move the dead letters of a queue back into it."""

    per_s: float | None = None
    """As `Replay.per_s`."""
    verb: ClassVar[Verb] = Verb.REQUEUE

    @property
    def fault(self) -> str:
        """Why this is no rate; empty when it is one."""
        return _rate_fault(self.per_s)


class Isolate(msgspec.Struct, frozen=True, tag="isolate"):
    """Move the retries that wait in a queue into a parking queue of their own, so that first tries get through."""

    verb: ClassVar[Verb] = Verb.ISOLATE


class Purge(msgspec.Struct, frozen=True, tag="purge"):
    """Take every waiting message away for good, after each has been written to a file."""

    verb: ClassVar[Verb] = Verb.PURGE


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End a lasting action early: what it has moved stays where it is."""

    action_id: str
    verb: ClassVar[Verb] = Verb.STOP


class Reissue(msgspec.Struct, frozen=True, tag="reissue", kw_only=True):
    """Send one recorded model call to a deployment once more: a new answer beside the old one, and nothing else.

    The tools that the answer asks for are shown and never run.
    """

    source: str
    """The trace store that has the recording."""
    trace_id: str
    span_id: str
    max_usd: float = 0.25
    """What it may cost at the most, at the price that is known."""
    max_tokens: int = 2048
    """How long the answer may be at the most; shorter where the cost wants it."""
    verb: ClassVar[Verb] = Verb.REISSUE

    @property
    def fault(self) -> str:
        """Why this cannot be; empty when it can."""
        if not 0 < self.max_usd <= DEAREST:
            return f"a call may cost more than $0 and at most ${DEAREST:g}"
        return "" if 1 <= self.max_tokens <= LONGEST else f"an answer has 1 to {LONGEST:,} tokens"


def _rate_fault(per_s: float | None) -> str:
    return (
        "" if per_s is None or 0 < per_s < HEAVIEST else f"a rate is more than 0 and less than {HEAVIEST:,.0f} a second"
    )


QueueAction = Pause | Resume | Park | Finish | Replay | Requeue | Isolate | Purge
"""What is asked of a queue."""

Action = Trip | Reset | SetWeight | Switch | Restore | QueueAction | Stop | Reissue
"""What is asked for (JSON field `type`)."""

PLAIN: Mapping[Verb, Action] = {
    Verb.TRIP: Trip(),
    Verb.RESET: Reset(),
    Verb.PAUSE: Pause(),
    Verb.RESUME: Resume(),
    Verb.PARK: Park(),
    Verb.FINISH: Finish(),
    Verb.ISOLATE: Isolate(),
    Verb.PURGE: Purge(),
}
"""The actions that need nothing but an object, by their verbs."""
