"""Who is to blame: what the ill ones have in common and the well ones have not, over every dimension at once.

A candidate scores by how much of what is wrong it explains (like recall), by how much of it is ill (like precision),
and by what kind of thing it is: causes before effects.
"""

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.alerts import Alert
from console.domain.incidents import Dimension
from console.engine.diagnosis.grouping import Case
from console.engine.diagnosis.rules import DEMAND, LOAD, SPREADING, Worth, costs_money, rule_of, worth_of
from console.engine.diagnosis.siblings import Siblings
from console.engine.diagnosis.topology import Node, Place, Topology

PRIORS = {
    Dimension.DEPLOYMENT: 1.0,
    Dimension.INDEX: 1.0,
    Dimension.SOURCE: 1.0,
    Dimension.PROVIDER: 0.97,
    Dimension.TENANT: 0.97,
    Dimension.REGION: 0.95,
    Dimension.SERVICE: 0.95,
    Dimension.MODEL: 0.93,
    Dimension.MEMORY: 0.93,
    Dimension.RELEASE: 0.9,
    Dimension.GATEWAY: 0.8,
    Dimension.TRAFFIC: 0.6,
    Dimension.QUEUE: 0.6,
    Dimension.ROUTE: 0.55,
}
"""What is likelier to be a cause than an effect; between equals it decides."""
LEAST = 0.15
"""Candidates below this are not worth a word."""
OF_DEPLOYMENTS = (Dimension.PROVIDER, Dimension.MODEL, Dimension.REGION, Dimension.ROUTE, Dimension.GATEWAY)
"""Dimensions whose members are deployments: one is to blame only when most of them are ill."""
WHO_ASKS = (Dimension.TENANT, Dimension.SERVICE, Dimension.QUEUE)
"""Dimensions that make calls rather than answer them."""


class Candidate(NamedTuple):
    """One suspect."""

    node: Node
    score: float
    part_ill: float
    """How much of it is ill, 0 to 1; 1 for what has no members."""
    explained: tuple[str, ...]
    """Ids of the alerts that it explains."""
    alone: bool
    """Whether it is one deployment under another name: the only one of its provider, model or region."""


class Blaming:
    """One case, weighed."""

    def __init__(self, case: Case, places: Mapping[str, Place], topology: Topology, siblings: Siblings) -> None:
        self._case = case
        self._places = places
        self._topology = topology
        self._siblings = siblings
        self._first_at = min(case.began.values(), default=case.since)
        ill = {node for place in places.values() for node in place.own if node.dimension is Dimension.DEPLOYMENT}
        self._ill = frozenset(ill)
        self._origins = topology.deployments_of(
            node for identity, place in places.items() if identity not in siblings.moved for node in place.own
        )
        """Where it began, as far as alerts tell: not where load was moved to."""
        kin = {one for node in ill for one in topology.kin.get(node, ()) if not one.source}
        beside = {node for one in kin for node in topology.members.get(one, ())} - ill
        self._suspected = {node: siblings.of(node) for node in beside if siblings.of(node).ill}
        """Siblings that have no alert and yet are not well: they too want to be explained."""

    def candidates(self) -> list[Candidate]:
        """Everybody worth a word, the likeliest first."""
        found = [self._weigh(node) for node in self._suspects() if not self._is_a_name_for_more(node)]
        kept = [one for one in found if one.score >= LEAST]
        return sorted(kept, key=lambda one: (-one.score, -PRIORS[one.node.dimension], one.node))

    def _is_a_name_for_more(self, node: Node) -> bool:
        """A region in which all of a provider is says no more than the provider."""
        if node.dimension is not Dimension.REGION:
            return False
        members = self._members(node)
        kin = {one for member in members for one in self._topology.kin.get(member, ())}
        return any(one.dimension is Dimension.PROVIDER and self._members(one) == members for one in kin)

    def _suspects(self) -> set[Node]:
        found: set[Node] = set()
        for place in self._places.values():
            found |= place.own | place.kin
            for node in place.behind:
                if self._siblings.of(node).ill:
                    found |= {node} | self._topology.kin.get(node, frozenset())
        return found

    def _weigh(self, node: Node) -> Candidate:
        members = self._members(node)
        total = gained = 0.0
        explained = []
        for alert in self._case.evidence.values():
            weight = worth_of(alert) * (0.3 if alert.id in self._siblings.moved else 1.0)
            part = self._explains(node, members, alert, self._places[alert.id])
            total += weight
            gained += weight * part
            if part >= 0.5:
                explained.append(alert.id)
        for other, sibling in self._suspected.items():
            weight = Worth.CAUSE * sibling.ill * sibling.weight
            total += weight
            gained += weight * (other in members)
        recall = gained / total if total else 0.0
        part_ill = self._part_ill(node, members)
        score = recall * part_ill * PRIORS[node.dimension]
        alone = node.dimension in OF_DEPLOYMENTS[:3] and len(members) == 1
        return Candidate(node, round(score, 3), part_ill, tuple(explained), alone)

    def _part_ill(self, node: Node, members: frozenset[Node]) -> float:
        if node.dimension not in OF_DEPLOYMENTS or not members:
            return 1.0
        return self._siblings.part_ill(members)

    def _members(self, node: Node) -> frozenset[Node]:
        if node.dimension is Dimension.DEPLOYMENT:
            return frozenset({node})
        return frozenset(self._topology.members.get(node, ()))

    def _explains(self, node: Node, members: frozenset[Node], alert: Alert, place: Place) -> float:
        """How well a suspect explains one alert, 0 to 1."""
        if node in place.own:
            return 1.0
        theirs = {one for one in place.own if one.dimension is Dimension.DEPLOYMENT}
        if theirs & members:
            return 1.0
        if node.dimension is Dimension.DEPLOYMENT and node in self._topology.deployments_of(place.own):
            return 0.6 if costs_money(alert) else 0.4  # a part of what is dear, or ill, together
        if node.dimension in WHO_ASKS:
            return self._asked_for(node, alert, theirs)
        if place.behind & members:
            return 0.9 if self._ill & members else 0.5
        if alert.id in self._siblings.moved and members & self._origins:
            return 0.8
        if members and self._is_felt(alert, place, members):
            return 0.9 if node.dimension is Dimension.GATEWAY else 0.5
        return 0.0

    def _asked_for(self, node: Node, alert: Alert, theirs: set[Node]) -> float:
        """A tenant or a service as the cause of what is seen elsewhere: only where its own alert tells of demand."""
        own = [a for a in self._case.evidence.values() if node in self._places[a.id].own]
        if not any(rule_of(a) in DEMAND for a in own) or rule_of(alert) not in SPREADING:
            return 0.0
        if rule_of(alert) in LOAD or rule_of(alert) == "cost-burn" or not theirs:
            return 0.6
        beside = {taker for one in theirs for taker in self._topology.takers_of(one)} | theirs
        ill, _ = self._siblings.split(beside)
        several = len({self._topology.provider_of(one) for one in ill}) > 1
        return 0.9 if several and self._siblings.part_ill(beside) >= 0.5 else 0.3

    def _is_felt(self, alert: Alert, place: Place, members: frozenset[Node]) -> bool:
        """Whether an alert tells what callers feel or pay, of something that these members are a part of."""
        if rule_of(alert) not in SPREADING:
            return False
        for node in place.own:
            if node.dimension in (*WHO_ASKS[:2], Dimension.GATEWAY):
                return True
            if (
                node.dimension in (Dimension.PROVIDER, Dimension.MODEL)
                and self._topology.members.get(node, set()) & members
            ):
                return True
        return False
