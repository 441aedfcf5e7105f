"""What people do elsewhere than in this console: `rollback index/knowledge-base` and what it ends, as data.

A remedy ends some faults for everybody who is its target, and nothing else: the wrong one, or the right one at the
wrong place, changes nothing. A fault that is ended so does not come back.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from adapters.simulator.faults import KINDS, Cure, Fault
from adapters.simulator.platform import Platform


class Remedy(NamedTuple):
    """One thing that a person can do."""

    ends: frozenset[Fault]
    at: frozenset[str]
    """Kinds of targets at which it can be done."""
    words: str


_MODELS: Final = frozenset({"provider", "model", "deployment", "route"})
_WORK: Final = frozenset({"service", "route", "tenant", "queue"})


def _remedy(words: str, at: Iterable[str], *ends: Fault) -> Remedy:
    return Remedy(frozenset(ends), frozenset(at), words)


REMEDIES: Final = {
    "rollback": _remedy("the index of the version before", ("index",), Fault.EMPTY_RETRIEVAL, Fault.SCORE),
    "pin": _remedy(
        "the model's version from before the change", _MODELS,
        Fault.UNPARSED, Fault.SHAPE, Fault.REFUSALS, Fault.EMPTY, Fault.TOKENIZER, Fault.FINGERPRINT,
    ),
    "disable tool": _remedy("the tool that the model cannot call any more", _MODELS | _WORK, Fault.EMPTY),
    "restart": _remedy("a service takes what is published", ("service",), Fault.OLD_SNAPSHOT),
    "restore": _remedy("its writer is stopped, what it lost is put back", ("memory", "service"), Fault.LOST_MEMORY),
    "resume runs": _remedy("from their last checkpoint, each once", _WORK, Fault.STUCK, Fault.DUPLICATES),
    "end loops": _remedy("the runs that go in circles, by their traces", _WORK, Fault.LOOP),
    "cap": _remedy("a key: its loops end at the cap", ("tenant",), Fault.LOOP),
    "compact": _remedy("conversations that no longer fit, and no retries of them", _WORK | _MODELS, Fault.OVERFLOW),
    "reroute": _remedy("a tenant gets another account", ("tenant",), Fault.ERRORS),
    "retries off": _remedy("applications do no more than they usually do", ("route", "gateway"), Fault.CLIENT_RETRIES),
    "cap probes": _remedy("of half-open circuits", ("gateway", "provider", "deployment"), Fault.PROBES),
    "correct books": _remedy("the gateway books what tokens cost", (*_MODELS, "gateway"), Fault.BOOKED),
    "start workers": _remedy("those that are missing", ("queue",), Fault.WORKERS),
    "reconnect": _remedy("the way to a source", ("source",), Fault.LOST),
}  # fmt: skip
"""By what is done: `pin` in `pin deployment/chat-azure`."""


def cures(does: str, platform: Platform) -> tuple[Cure, ...]:
    """What `DO KIND/NAME` ends, and for whom; a `key` is the tenant of that name.

    A service stands for the routes that are asked by way of it: what is done to its runs is done to their calls.

    Raises:
        ValueError: there is no such remedy, or not at such a target; the text says what there is.
    """
    do, _, target = does.strip().rpartition(" ")
    kind, _, name = target.partition("/")
    kind = {"key": "tenant"}.get(kind, kind)
    remedy = REMEDIES.get(do)
    if remedy is None:
        raise ValueError(f"{does!r}: nobody can {do!r} here; there are: {', '.join(REMEDIES)}")
    if kind not in remedy.at or bool(name) == (kind == "gateway"):
        known = ", ".join(one if one == "gateway" else f"{one}/NAME" for one in (*KINDS, "memory") if one in remedy.at)
        raise ValueError(f"{does!r}: {do} is done to one of {known}")
    if kind == "memory":  # a platform has one, and it is everybody's
        return (Cure(remedy.ends, frozenset()),)
    found = [frozenset({kind if kind == "gateway" else f"{kind}/{name}"})]
    if kind == "service":
        found += _behind(name, platform)
    if kind in ("deployment", "model", "provider") and Fault.OVERFLOW in remedy.ends:
        found += _asked_for(f"{kind}/{name}", platform)
    return tuple(Cure(remedy.ends, target) for target in found)


def _asked_for(target: str, platform: Platform) -> list[frozenset[str]]:
    """The routes for which something answers: what is too long for it was sent to them."""
    return [
        frozenset({f"route/{route.name}"})
        for route in platform.routes
        for one in route.deployments
        if target in (f"deployment/{one.name}", f"model/{one.model}", f"provider/{one.provider}")
    ]


def _behind(service: str, platform: Platform) -> list[frozenset[str]]:
    """Whose calls a service makes: those of its queues' work; one without a queue takes in everybody's."""
    queues = [queue for queue in platform.queues if queue.service == service]
    if queues:
        return [frozenset({f"tenant/{one.tenant}", f"route/{one.route}"}) for one in queues]
    return [
        frozenset({f"tenant/{tenant.key}", f"route/{demand.route}"})
        for tenant in platform.tenants
        for demand in tenant.demands
    ]
