"""What the replicas show, as one answer."""

from collections.abc import Sequence
from enum import Enum, auto

from console.control.alarm import within
from console.domain.actions import Plan, Proof
from console.domain.ports import Actuator, Clock
from console.domain.text import clean

LONGEST_LOOK_S = 30.0
"""A look at all replicas that takes longer counts as not answered."""


class Shown(Enum):
    """What a look at all replicas says of an effect."""

    ALL = auto()
    """Every replica shows it."""
    SOME = auto()
    """At least one replica shows it."""
    NONE = auto()
    """Every replica answered, and none shows it."""
    UNKNOWN = auto()
    """No replica shows it, and not every one could be asked."""


def weigh(plan: Plan, proofs: Sequence[Proof]) -> Shown:
    """Judge a look; a replica of the plan that is missing from the proofs was not asked."""
    answered = {proof.replica: proof.holds for proof in proofs}
    answers = [answered.get(name) for name in dict.fromkeys((*plan.replicas, *answered))]
    if answers and all(answers):
        return Shown.ALL
    if any(answers):
        return Shown.SOME
    return Shown.UNKNOWN if not answers or None in answers else Shown.NONE


async def look(adapter: Actuator, plan: Plan, clock: Clock, *, undone: bool = False) -> tuple[Proof, ...]:
    """Read every replica once; never raises but when cancelled: what went wrong is in the proofs."""
    try:
        return await within(clock, LONGEST_LOOK_S, adapter.prove(plan, undone=undone))
    except Exception as error:  # noqa: BLE001  an adapter's fault must not lose an action that has begun
        words = clean(f"{type(error).__name__}: {error}")
        names = plan.replicas or (plan.target.source,)
        return tuple(Proof(replica=name, holds=None, seen=words, read_at=clock.now()) for name in names)


def counted(plan: Plan, proofs: Sequence[Proof]) -> str:
    """`seen on 1/2 replicas`, with who does not show it and what it shows instead."""
    names = dict.fromkeys((*plan.replicas, *(proof.replica for proof in proofs)))
    shown = [proof.replica for proof in proofs if proof.holds]
    words = f"seen on {len(shown)}/{len(names)} replicas"
    others = [
        f"{p.replica}: {p.seen or ('no answer' if p.holds is None else 'not yet')}" for p in proofs if not p.holds
    ]
    return clean(f"{words} ({'; '.join(others)})" if others else words, 300)
