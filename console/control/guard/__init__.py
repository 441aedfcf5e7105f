"""The one choke point: a list of small pure checks, each of which looks at one case and says one thing.

Whoever asks (a key, the palette, the command line, a raw call on the socket) passes here twice: when an action
is proposed, and with fresh data when it is confirmed.
"""

from collections.abc import Callable, Sequence

from console.control.guard.asker import access, reason, time_to_live
from console.control.guard.backlog import growth, paused, workers
from console.control.guard.case import Busy, Case
from console.control.guard.load import headroom, last_target
from console.control.guard.others import one_at_a_time, overridden, protected
from console.control.guard.target import able, fresh, planned, replicas, reversible, secretless, stoppable
from console.domain.actions import Check, Stop, Verdict
from console.domain.refs import Kind

__all__ = [
    "CHECKS",
    "QUEUE_CHECKS",
    "STOP_CHECKS",
    "Busy",
    "Case",
    "able",
    "access",
    "checks_for",
    "fresh",
    "growth",
    "headroom",
    "judge_case",
    "last_target",
    "one_at_a_time",
    "overridden",
    "paused",
    "planned",
    "protected",
    "reason",
    "replicas",
    "reversible",
    "secretless",
    "stoppable",
    "time_to_live",
    "workers",
]

_ALWAYS: tuple[Callable[[Case], Check], ...] = (
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
)

CHECKS = (*_ALWAYS, last_target, headroom, reversible, replicas)
"""Every check of what carries requests, in the order in which an operator reads them."""

QUEUE_CHECKS = (*_ALWAYS, paused, workers, growth, reversible, replicas)
"""Every check of a queue."""

STOP_CHECKS = (access, reason, stoppable)
"""Every check of a stop, which may be needed most when the backend does not answer."""


def checks_for(case: Case) -> Sequence[Callable[[Case], Check]]:
    """The checks that mean something for what is asked."""
    if isinstance(case.intent.action, Stop):
        return STOP_CHECKS
    return QUEUE_CHECKS if case.target.kind is Kind.QUEUE else CHECKS


def judge_case(case: Case) -> Verdict:
    """What all checks say."""
    return Verdict(tuple(check(case) for check in checks_for(case)))
