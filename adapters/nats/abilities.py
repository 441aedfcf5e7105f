"""Which verb works on which consumer, and why not."""

from dataclasses import dataclass
from functools import lru_cache

from adapters.nats.api import Consumer, Stream
from adapters.nats.pausing import NEEDED_LEVEL
from console.domain.readings import Ability
from console.domain.verbs import Verb

QUEUE_VERBS = (
    Verb.PAUSE, Verb.RESUME, Verb.PARK, Verb.REPLAY, Verb.FINISH, Verb.REQUEUE, Verb.ISOLATE, Verb.PURGE,
)  # fmt: skip
"""Every verb that a queue may have."""
_OLD = "this server cannot pause a consumer; NATS 2.11 and later can"
_NO_DEAD = "JetStream has no dead letters: what was delivered too often stays in its stream, and nobody lists it"
_NO_RETRIES = "a retry does not wait here: it goes to the next worker that asks, before everything that waits"
_NO_PURGE = "JetStream purges what workers hold too; park takes only what waits, and keeps it"


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides which verbs work on a consumer; those with the same case share one answer."""

    can_pause: bool
    paused: bool
    parked: bool
    fits: bool
    why_no_park: str = ""
    """Why its messages cannot be taken out of their stream and put back; empty when they can."""

    def why_not(self, verb: Verb) -> str:
        """Why one verb does not work; empty when it does."""
        match verb:
            case Verb.PAUSE:
                return "it is paused already" if self.paused else "" if self.can_pause else _OLD
            case Verb.RESUME:
                return "" if self.paused else "it is not paused"
            case Verb.PARK:
                unfit = "" if self.fits else "its names are too long for a parking stream's, or have control characters"
                return self.why_no_park or unfit or ("" if self.can_pause else _OLD)
            case Verb.REPLAY:
                return "" if self.parked else "nothing of it is parked"
            case Verb.FINISH:
                return "it is paused: workers finish nothing" if self.paused else ""
            case Verb.REQUEUE:
                return _NO_DEAD
            case Verb.ISOLATE:
                return _NO_RETRIES
            case _:
                return _NO_PURGE


def case_of(stream: Stream, consumer: Consumer, level: int, parked: int, *, fits: bool) -> Case:
    """What decides about one consumer; `level` is the API's."""
    return Case(level >= NEEDED_LEVEL, consumer.paused, parked > 0, fits, why_no_park(stream))


def why_no_park(stream: Stream) -> str:
    """Why the messages of a stream cannot be parked; empty when they can."""
    config = stream.config
    if config.name.startswith(("KV_", "OBJ_")):
        return "this stream is a store and no queue: what waits for a watcher is its content"
    if config.retention != "workqueue" and stream.state.consumer_count > 1:
        return "other consumers read the same messages, and parking would take them away from those; pause works"
    if config.mirror is not None:
        return "this stream mirrors another one: nothing can be put back into it"
    if config.sealed or config.deny_delete:
        return "no message can be deleted from this stream"
    if config.max_msgs_per_subject > 0:
        return "this stream keeps a few messages a subject: what comes back would push newer ones out"
    if config.subject_transform is not None:
        return "this stream changes subjects as messages come in: none could be put back as it was"
    return ""


@lru_cache(1024)
def abilities(case: Case) -> tuple[Ability, ...]:
    """The abilities of a consumer, each verb once."""
    found = ((verb, case.why_not(verb)) for verb in QUEUE_VERBS)
    return tuple(Ability(verb, not why, why) for verb, why in found)
