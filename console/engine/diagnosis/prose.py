"""An incident in words: its title, what speaks for a suspect, and what against."""

from collections.abc import Mapping, Sequence
from time import gmtime, strftime

from console.domain.alerts import Alert, Aspect
from console.domain.durations import words_of
from console.domain.health import WARN_ERROR_RATIO
from console.domain.incidents import Blame, Dimension
from console.domain.text import clean
from console.engine.diagnosis.blame import OF_DEPLOYMENTS, Candidate
from console.engine.diagnosis.grouping import Case
from console.engine.diagnosis.rules import sign_of, worth_of
from console.engine.diagnosis.siblings import Siblings
from console.engine.diagnosis.topology import Node, Place, Topology

NAMED = 3
"""Names in a list before the rest is counted."""


def leading(case: Case) -> Alert:
    """The alert that says most about what is wrong; of equals the first."""
    fires = case.firing or list(case.evidence.values())
    return max(fires, key=lambda alert: (worth_of(alert), -case.began.get(alert.id, alert.since)))


def title(case: Case, blame: Blame | None) -> str:
    """What is wrong with whom since when."""
    alert = leading(case)
    who = str(alert.ref) if blame is None else f"{blame.dimension} {blame.name}"
    return clean(f"{sign_of(alert).words}: {who}, since {clock(case.since)}", 160)


def clock(at: float) -> str:
    """A moment as people on call say it: `14:31 UTC`."""
    return strftime("%H:%M UTC", gmtime(at))


def names(nodes: Sequence[Node]) -> str:
    """`a, b and 3 more`."""
    shown = [clean(node.name, 60) for node in nodes[:NAMED]]
    if len(nodes) > NAMED:
        return f"{', '.join(shown)} and {len(nodes) - NAMED} more"
    return " and ".join(", ".join(shown).rsplit(", ", 1))


class Prose:
    """The words for one case's suspects."""

    def __init__(self, case: Case, places: Mapping[str, Place], topology: Topology, siblings: Siblings) -> None:
        self._case = case
        self._places = places
        self._topology = topology
        self._siblings = siblings

    def blame(self, one: Candidate, support: str = "") -> Blame:
        """A candidate as it is shown; `support` is what else speaks for it."""
        because = [self._why(one), *self._beside(one), support]
        return Blame(
            dimension=one.node.dimension,
            name=clean(one.node.name, 100),
            ref=self._topology.ref_of(one.node),
            score=min(1.0, one.score),
            because=clean("; ".join(words for words in because if words), 400),
            against=clean("; ".join(self._against(one)), 300),
        )

    def _why(self, one: Candidate) -> str:
        """How much of it is ill, and the best evidence in the detector's own words."""
        alerts = [self._case.evidence[identity] for identity in one.explained]
        best = max(alerts, key=lambda alert: worth_of(alert), default=None)
        words = best.words if best is not None else ""
        if one.node.dimension not in OF_DEPLOYMENTS:
            return words
        ill, well = self._siblings.split(self._members(one.node))
        if not ill:
            return words
        if one.alone:
            return f"{names(ill)} is its only deployment: {words}"
        return f"{len(ill)} of its {len(ill) + len(well)} deployments with traffic are ill ({names(ill)}): {words}"

    def _beside(self, one: Candidate) -> list[str]:
        """The siblings that are well: the same routes, other deployments."""
        members = self._members(one.node)
        if not members or one.node.dimension in (Dimension.ROUTE, Dimension.GATEWAY):
            return []
        beside = {n for d in members for r in self._topology.routes_of(d) for n in self._topology.members.get(r, ())}
        _, well = self._siblings.split(beside - members)
        found = [f"{'sibling' if len(well) == 1 else 'siblings'} {names(well)} {_be(well)} normal"] if well else []
        if one.node.dimension is Dimension.DEPLOYMENT:
            found += self._another_name(one.node)
        return found

    def _another_name(self, node: Node) -> list[str]:
        """A provider with a single deployment equals it: then both are named."""
        for kin in sorted(self._topology.kin.get(node, ())):
            if kin.dimension is Dimension.PROVIDER and len(self._topology.members.get(kin, ())) == 1:
                return [f"it is all that goes to {clean(kin.name, 60)}"]
        return []

    def _against(self, one: Candidate) -> list[str]:
        found = []
        members = self._members(one.node)
        if one.node.dimension in OF_DEPLOYMENTS:
            _, well = self._siblings.split(members)
            if well:
                found.append(f"{names(well)} of it {_be(well)} normal")
        found += self._other_health(members)
        left = [alert for identity, alert in self._case.evidence.items() if identity not in one.explained]
        left = [alert for alert in left if alert.id not in self._siblings.moved and worth_of(alert) >= 1]
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            found.append(f"it does not explain {sign_of(left[0]).words} at {clean(left[0].ref.name, 60)}{more}")
        return found

    def _other_health(self, members: frozenset[Node]) -> list[str]:
        """What one would expect to be wrong too, and is not."""
        about = {alert.aspect for alert in self._case.evidence.values()}
        rules = {alert.rule.partition("/")[0] for alert in self._case.evidence.values()}
        if Aspect.TRANSPORT not in about or rules & {"errors", "burn-rate", "tenant-errors", "half-open-flood"}:
            return []
        flows = [d.traffic for node in members if (d := self._topology.deployments.get(node)) and d.traffic]
        ratios = [flow.error_ratio for flow in flows if flow.error_ratio is not None]
        return ["but its errors are as few as ever"] if ratios and max(ratios) < WARN_ERROR_RATIO else []

    def _members(self, node: Node) -> frozenset[Node]:
        if node.dimension is Dimension.DEPLOYMENT:
            return frozenset({node})
        return frozenset(self._topology.members.get(node, ()))


def ago(at: float, since: float) -> str:
    """How long before the incident something was."""
    return f"{words_of(max(0.0, since - at))} before"


def _be(nodes: Sequence[Node]) -> str:
    return "is" if len(nodes) == 1 else "are"
