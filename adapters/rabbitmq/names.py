"""Names: a queue and its reference, the queues that hold what was set aside, and the shovels that move it.

The broker itself remembers what was done to a queue, because the name of each holding queue and each shovel says it:
`switchgear.parked.orders` holds what was parked of `orders`, and `switchgear.park.orders` is the shovel that does it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar
from urllib.parse import quote, unquote

K = TypeVar("K", bound=StrEnum)

LONGEST = 255
"""Bytes that the name of a queue may have."""


class Hold(StrEnum):
    """Why messages are kept in a queue of ours."""

    PARKED = "parked"
    """What waited was set aside, until it is replayed."""
    PAUSED = "paused"
    """What comes in while a queue is paused (or is being finished), until it is resumed."""
    RETRIES = "retries"
    """The retries of a queue, set aside so that first tries get through."""


class Errand(StrEnum):
    """What a shovel of ours is for."""

    PAUSE = "pause"
    """Queue → paused, for as long as it is there: this is what makes a queue count as paused."""
    RESUME = "resume"
    """Paused → queue."""
    PARK = "park"
    """Queue → parked."""
    REPLAY = "replay"
    """Parked → queue."""
    REQUEUE = "requeue"
    """Dead-letter queue → queue."""
    REJOIN = "rejoin"
    """Retries → queue."""


class Place(NamedTuple):
    """One queue on the broker. Both names are the broker's own and untrusted."""

    vhost: str
    queue: str

    @property
    def path(self) -> str:
        """Where the management API has it."""
        return f"/api/queues/{escaped(self.vhost)}/{escaped(self.queue)}"


def escaped(name: str) -> str:
    """A name as one part of a path: `/` becomes `%2F`. A lone surrogate, which no queue has, becomes `?`."""
    return quote(name, safe="", errors="replace")


class RefNames:
    """From a queue to the name in its reference, and back. With one virtual host that is the queue's own name."""

    def __init__(self, vhosts: Sequence[str]) -> None:
        self._only = vhosts[0] if len(vhosts) == 1 else None
        self._prefixes = {vhost: f"{escaped(vhost)}/" for vhost in vhosts}

    def name(self, place: Place) -> str:
        """The name in the reference; `place.vhost` is one of those that are watched."""
        return place.queue if self._only is not None else self._prefixes[place.vhost] + place.queue

    def place(self, name: str) -> Place | None:
        """The queue that a reference's name means; None when it names no virtual host that is watched."""
        if self._only is not None:
            return Place(self._only, name)
        vhost, slash, queue = name.partition("/")
        found = unquote(vhost)
        return Place(found, queue) if slash and found in self._prefixes else None


class OwnNames:
    """The names of what this console makes on the broker: holding queues and shovels."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        """As in the options; what begins with it and a dot is ours."""
        self._holds = {f"{prefix}.{hold}.": hold for hold in Hold}
        self._errands = {f"{prefix}.{errand}.": errand for errand in Errand}
        self._spare = LONGEST - max(len(start) for start in (*self._holds, *self._errands))

    def fits(self, queue: str) -> bool:
        """Whether there is room for our prefix before this name; without it nothing can be moved."""
        return len(queue.encode(errors="replace")) <= self._spare

    def holding(self, queue: str, hold: Hold) -> str:
        """The queue that holds what was set aside of `queue`, in the same virtual host."""
        return f"{self.prefix}.{hold}.{queue}"

    def held(self, name: str) -> tuple[Hold, str] | None:
        """(why, of which queue) for a holding queue; None for every other queue."""
        return _split(name, self._holds)

    def shovel(self, queue: str, errand: Errand) -> str:
        """The shovel (and its parameter) that does an errand for `queue`, in the same virtual host."""
        return f"{self.prefix}.{errand}.{queue}"

    def errand(self, name: str) -> tuple[Errand, str] | None:
        """(what for, of which queue) for a shovel of ours; None for every other shovel."""
        return _split(name, self._errands)


def _split(name: str, starts: dict[str, K]) -> tuple[K, str] | None:
    for start, what in starts.items():
        if name.startswith(start) and len(name) > len(start):
            return what, name[len(start) :]
    return None
