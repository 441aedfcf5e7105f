"""What each rule's alerts are worth as evidence, and how they are said."""

from enum import IntEnum
from typing import NamedTuple

from console.domain.alerts import Alert, Severity


class Worth(IntEnum):
    """How much an alert says about the culprit."""

    EFFECT = 1
    """It follows from something else more often than not."""
    CAUSE = 2
    """It is mostly seen where the trouble is."""
    DECISIVE = 4
    """It names its object and nothing else."""


class Sign(NamedTuple):
    """One rule."""

    worth: Worth
    words: str
    """What is wrong, to stand before ` at azure`."""


_SIGNS = {
    "latency": Sign(Worth.CAUSE, "slow answers"),
    "errors": Sign(Worth.CAUSE, "failing requests"),
    "throttling": Sign(Worth.CAUSE, "requests turned away"),
    "half-open-flood": Sign(Worth.DECISIVE, "a flood of probes"),
    "tenant-errors": Sign(Worth.DECISIVE, "failing requests of one tenant"),
    "output-shape": Sign(Worth.CAUSE, "answers of another form"),
    "unparsed": Sign(Worth.CAUSE, "answers that do not parse"),
    "finish": Sign(Worth.CAUSE, "answers that stop for another reason"),
    "finish/content_filter": Sign(Worth.CAUSE, "refusals"),
    "finish/empty_stop": Sign(Worth.CAUSE, "empty answers and tools not called"),
    "finish/length": Sign(Worth.CAUSE, "answers cut off"),
    "script": Sign(Worth.CAUSE, "answers in a wrong script"),
    "tokens": Sign(Worth.CAUSE, "more tokens for the same text"),
    "retrieval": Sign(Worth.DECISIVE, "searches that find less"),
    "agent-loop": Sign(Worth.DECISIVE, "agents that go in circles"),
    "stuck-workflow": Sign(Worth.DECISIVE, "workflows that do not get on"),
    "context-overflow": Sign(Worth.DECISIVE, "requests longer than the window"),
    "divergence": Sign(Worth.DECISIVE, "services that disagree"),
    "divergence/snapshots": Sign(Worth.DECISIVE, "answers from different knowledge"),
    "divergence/lost-write": Sign(Worth.DECISIVE, "memory that is lost"),
    "divergence/foreign-write": Sign(Worth.DECISIVE, "memory written by others"),
    "phantom-spend": Sign(Worth.DECISIVE, "booked money that nobody spent"),
    "stale-source": Sign(Worth.DECISIVE, "nobody can see"),
    "cost-burn": Sign(Worth.EFFECT, "burning money"),
    "retries": Sign(Worth.EFFECT, "multiplying retries"),
    "backlog": Sign(Worth.EFFECT, "a backlog"),
    "burn-rate": Sign(Worth.EFFECT, "a burning error budget"),
    "upstream-change": Sign(Worth.EFFECT, "a change upstream"),
}
_OTHER = Sign(Worth.CAUSE, "trouble")

CHANGE = "upstream-change"
"""The rule of a change at a provider: it begins no incident, and supports a culprit."""
LOAD = frozenset({"throttling", "latency", "retries", "backlog", "half-open-flood", "burn-rate"})
"""Rules that also fire where load has been moved to."""
SPREADING = LOAD | {"errors", "cost-burn", "phantom-spend", "tenant-errors"}
"""Rules of which several objects may tell at once although one is the cause."""

DEMAND = frozenset({"agent-loop", "context-overflow", "tenant-errors", "cost-burn"})
"""Rules that tell of who asks: what they ask for may then be seen everywhere else."""

MONEY = frozenset({"cost-burn", "phantom-spend"})
"""Rules about sums: an object's being dear does not make it ill."""


def rule_of(alert: Alert) -> str:
    """The first part of an alert's rule."""
    return alert.rule.partition("/")[0]


def sign_of(alert: Alert) -> Sign:
    """What an alert's rule is worth, and its words."""
    written = alert.rule.replace(" ", "-")
    return _SIGNS.get(written) or _SIGNS.get(rule_of(alert)) or _OTHER


def costs_money(alert: Alert) -> bool:
    """Whether an alert is about a sum of money."""
    return rule_of(alert) in MONEY


def worth_of(alert: Alert) -> float:
    """How much an alert counts; a notice begins nothing and counts little."""
    return 0.25 if alert.severity is Severity.NOTICE else float(sign_of(alert).worth)
