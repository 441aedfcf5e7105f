"""The one choke point: a list of small pure checks, each of which looks at one case and says one thing.

Whoever asks (a key, the palette, the command line, a raw call on the socket) passes here twice: when an action
is proposed, and with fresh data when it is confirmed.
"""

from collections.abc import Callable, Sequence

from console.control.guard.asker import access, reason, time_to_live
from console.control.guard.case import Busy, Case
from console.control.guard.load import headroom, last_target
from console.control.guard.others import one_at_a_time, overridden, protected
from console.control.guard.target import able, fresh, planned, replicas, reversible, secretless
from console.domain.actions import Check, Verdict

__all__ = [
    "CHECKS",
    "Busy",
    "Case",
    "able",
    "access",
    "fresh",
    "headroom",
    "judge_case",
    "last_target",
    "one_at_a_time",
    "overridden",
    "planned",
    "protected",
    "reason",
    "replicas",
    "reversible",
    "secretless",
    "time_to_live",
]

CHECKS: tuple[Callable[[Case], Check], ...] = (
    access,
    reason,
    fresh,
    able,
    planned,
    secretless,
    protected,
    one_at_a_time,
    overridden,
    time_to_live,
    last_target,
    headroom,
    reversible,
    replicas,
)
"""Every check, in the order in which an operator reads them."""


def judge_case(case: Case, checks: Sequence[Callable[[Case], Check]] = CHECKS) -> Verdict:
    """What all checks say."""
    return Verdict(tuple(check(case) for check in checks))
