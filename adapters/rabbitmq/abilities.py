"""Which verb works on which queue of this broker, and why not."""

from dataclasses import dataclass
from functools import lru_cache

from adapters.rabbitmq.standing import Standing
from console.domain.readings import Ability
from console.domain.text import clean
from console.domain.verbs import Verb

QUEUE_VERBS = (
    Verb.PAUSE,
    Verb.RESUME,
    Verb.PARK,
    Verb.REPLAY,
    Verb.FINISH,
    Verb.REQUEUE,
    Verb.ISOLATE,
    Verb.PURGE,
)
"""Every verb that a queue may have."""
_MOVING = frozenset(QUEUE_VERBS) - {Verb.PURGE}
"""Done by shovels, or put back by one (isolate)."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that decides which verbs work on a queue; queues with the same case share one answer."""

    kind: str
    state: str
    exclusive: bool = False
    fits: bool = True
    """Whether there is room for our prefix before its name."""
    paused: bool = False
    held_back: bool = False
    """Whether messages wait in its paused queue."""
    parked: bool = False
    """Whether messages wait in its parked or retries queue."""
    dead_letter_queue: bool = False
    """Whether its dead-letter queue is known."""
    dead_letters: bool = False
    """Whether messages wait there."""


@dataclass(frozen=True, slots=True)
class Powers:
    """What can be done on this broker at all, as far as it is known now."""

    why_no_shovel: str = ""
    """Why nothing can be moved; empty when it can."""
    amqp: bool = False
    """Whether the config says where AMQP is taken."""
    exports: bool = False
    """Whether messages may be written to files."""

    def of(self, case: Case) -> tuple[Ability, ...]:
        """The abilities of a queue, each verb once."""
        return _abilities(self, case)

    def why_not(self, verb: Verb, case: Case) -> str:
        """Why one verb does not work on a queue; empty when it does."""
        if why := _of_the_queue(case):
            return why
        if verb in _MOVING and self.why_no_shovel:
            return self.why_no_shovel
        if verb in (Verb.ISOLATE, Verb.PURGE) and not self.amqp:
            return "the config does not say where the broker takes AMQP (`amqp`), and messages are read through it"
        match verb:
            case Verb.PAUSE | Verb.FINISH:
                return "it is paused already" if case.paused else ""
            case Verb.RESUME:
                return "" if case.paused or case.held_back else "it is not paused"
            case Verb.REPLAY:
                return "" if case.parked else "nothing of it is parked"
            case Verb.REQUEUE:
                return _requeue(case)
            case Verb.ISOLATE:
                return "" if case.kind == "classic" else _NO_ISOLATE
            case Verb.PURGE:
                return "" if self.exports else "there is no folder for the messages that are taken away"
            case _:
                return ""


_NO_ISOLATE = (
    "reading a message of a quorum queue and giving it back counts as a failed delivery, up to its limit; "
    "retries cannot be told apart without that"
)


def powers_of(standing: Standing | None, shovels: str, *, amqp: bool, exports: bool) -> Powers:
    """The powers; `shovels` is why shovels cannot be listed, or nothing."""
    why = "not known yet what the user may do" if standing is None else shovels or standing.why_no_change
    return Powers(why, amqp, exports)


@lru_cache(1024)
def _abilities(powers: Powers, case: Case) -> tuple[Ability, ...]:
    found = ((verb, powers.why_not(verb, case)) for verb in QUEUE_VERBS)
    return tuple(Ability(verb, not why, why) for verb, why in found)


def _of_the_queue(case: Case) -> str:
    if case.kind == "stream":
        return "it is a stream: reading takes nothing out of it, so nothing can be moved"
    if case.exclusive:
        return "it is exclusive: only the connection that declared it may read it"
    if case.state not in ("running", "flow", "idle"):
        return f"the queue is {clean(case.state, 30)}"
    return "" if case.fits else "its name is so long that there is no room for the name of a parking queue"


def _requeue(case: Case) -> str:
    if not case.dead_letter_queue:
        return "it has no dead-letter queue, or none that could be found"
    return "" if case.dead_letters else "there are no dead letters"
