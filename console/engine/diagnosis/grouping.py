"""Which alerts tell of the same thing: same object, one behind the other, or siblings that fell ill together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.incidents import Dimension
from console.engine.diagnosis.rules import CHANGE, DEMAND, SPREADING, rule_of
from console.engine.diagnosis.topology import Node, Place, Topology

TOGETHER_S = 600.0
"""Alerts of one rule, or with an effect among them, that begin within this long on one gateway belong together."""
KIN_S = 3600.0
"""Siblings (one provider, one model) that fall ill within this long do; a slow creep takes its time to be seen."""
SETTLE_S = 300.0
"""An incident is over when none of its alerts has fired for this long: what comes back sooner is the same one."""
EVIDENCE_MOST = 60
"""Alerts of one incident that are weighed."""
ALERTS_MOST = 200
"""Alerts of one incident that are kept; later ones would say nothing new."""


@dataclass(slots=True)
class Case:
    """One incident while it lasts."""

    id: str
    since: float
    """When its first alert fired."""
    alerts: dict[str, Alert] = field(default_factory=dict)
    """By id, the first one first; those that are over too."""
    joined: set[str] = field(default_factory=set)
    """Ids of all that ever joined, also of those that are not kept."""
    began: dict[str, float] = field(default_factory=dict)
    """When each of them fired first."""
    moved: set[str] = field(default_factory=set)
    """Ids of those that only tell of load that others left them."""
    alike: set[Node] = field(default_factory=set)
    """Deployments without an alert whose readings are off as those of the ill ones are."""
    fired_at: float = 0.0
    """When one of them was last seen to fire."""
    until: float | None = None

    def take(self, alert: Alert) -> None:
        """Add an alert, or what became of it."""
        self.joined.add(alert.id)
        if alert.id not in self.alerts and len(self.alerts) >= ALERTS_MOST:
            return
        self.alerts[alert.id] = alert
        if alert.state is AlertState.FIRING:
            self.began.setdefault(alert.id, alert.since)

    @property
    def evidence(self) -> dict[str, Alert]:
        """The alerts that are weighed: the first ones, what came much later is mostly what followed from them."""
        return dict(islice(self.alerts.items(), EVIDENCE_MOST))

    @property
    def firing(self) -> list[Alert]:
        """Its alerts that are not over; a notice keeps no incident open."""
        return [a for a in self.alerts.values() if a.state is AlertState.FIRING and a.severity is not Severity.NOTICE]


class Grouping:
    """Cases that are open, kept as alerts come and go. Times are unix seconds, given by the caller."""

    def __init__(self) -> None:
        self.open: dict[str, Case] = {}

    def take(self, alerts: Mapping[str, Alert], topology: Topology, now: float) -> list[Case]:
        """Hold the board's alerts against the open cases; those that are over now, already closed."""
        for case in self.open.values():
            self._refresh(case, alerts, now)
        known = {identity for case in self.open.values() for identity in case.joined}
        fresh = [a for a in alerts.values() if a.state is AlertState.FIRING and a.id not in known]
        for alert in sorted(fresh, key=lambda a: (a.since, a.id)):
            if alert.severity is not Severity.NOTICE:
                self._place(alert, topology, now)
        over = [case for case in self.open.values() if now - case.fired_at >= SETTLE_S]
        for case in over:
            case.until = now
            del self.open[case.id]
        return over

    @staticmethod
    def _refresh(case: Case, alerts: Mapping[str, Alert], now: float) -> None:
        for identity, old in list(case.alerts.items()):
            new = alerts.get(identity)
            if new is not None:
                case.take(new)
            elif old.state is not AlertState.RESOLVED:  # it left the board long after it was over
                case.alerts[identity] = _resolved(old, now)
        if case.firing:
            case.fired_at = now

    def _place(self, alert: Alert, topology: Topology, now: float) -> None:
        enough = 1 if len(self.open) == 1 else 4
        fits = [(found, case) for case in self.open.values() if (found := related(alert, case, topology, enough))]
        if fits:
            case = max(fits, key=lambda fit: (fit[0], -fit[1].since))[1]
        else:
            case = Case(id=f"{alert.id}~{alert.since:.0f}", since=alert.since)
            self.open[case.id] = case
        case.take(alert)
        case.fired_at = now


def _resolved(alert: Alert, now: float) -> Alert:
    return msgspec.structs.replace(alert, state=AlertState.RESOLVED, since=now)


def related(alert: Alert, case: Case, topology: Topology, enough: int = 4) -> int:
    """How closely an alert belongs to a case: 4 one object, 3 behind one another, 2 siblings, 1 together, 0 not.

    With `enough` it is looked for no further than that.
    """
    closest = 0
    for other in case.evidence.values():
        closest = max(closest, _of_two(alert, other, case, topology))
        if closest >= enough:
            break
    return closest


def _of_two(alert: Alert, other: Alert, case: Case, topology: Topology) -> int:
    if CHANGE in (rule_of(alert), rule_of(other)):
        return 0
    one, two = topology.place(alert), topology.place(other)
    apart = abs(alert.since - case.began.get(other.id, other.since))
    if one.own & two.own:
        return 4
    if "stale-source" in (rule_of(alert), rule_of(other)):
        return 0
    if _behind(one, two) or (_behind(two, one) and apart <= KIN_S):
        return 3
    if apart <= KIN_S and _siblings(alert, other, one, two):
        return 2
    return 1 if apart <= TOGETHER_S and _together(alert, other, one, two) else 0


def _behind(effect: Place, cause: Place) -> bool:
    """Whether what the one shows would come from what the other is about."""
    return bool(effect.behind & cause.own or effect.kin & cause.own)


def _siblings(alert: Alert, other: Alert, one: Place, two: Place) -> bool:
    """One provider, model or region, or both behind what the other shows; a gateway is no kinship."""
    shared = {node for node in one.kin & two.kin if not node.source}
    same_kind = alert.aspect is other.aspect or Aspect.COST in (alert.aspect, other.aspect)
    if any(node.dimension is Dimension.PROVIDER for node in shared):
        return same_kind
    return bool(shared) and rule_of(alert) == rule_of(other)


def _together(alert: Alert, other: Alert, one: Place, two: Place) -> bool:
    """Of one rule on one source; or the effects of one thing, where one of the two is an effect."""
    if rule_of(alert) == rule_of(other):
        return alert.ref.source == other.ref.source
    if one.behind & two.behind:
        return True
    first, second = rule_of(alert), rule_of(other)
    if alert.ref.kind == other.ref.kind:
        return False
    if Aspect.ANSWERS in (alert.aspect, other.aspect):
        return (first in DEMAND and second in SPREADING) or (second in DEMAND and first in SPREADING)
    return first in SPREADING or second in SPREADING
