"""How ill each deployment is, and how much that says: the ill ones against those that are well."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from console.domain.alerts import Alert, AlertState, Aspect, Severity
from console.domain.circuit import Mode, Observed
from console.domain.incidents import Dimension
from console.engine.diagnosis.grouping import Case
from console.engine.diagnosis.moved import moved
from console.engine.diagnosis.rules import costs_money
from console.engine.diagnosis.topology import QUIET_PER_MIN, Node, Place, Topology
from console.engine.diagnosis.usual import Usual

MOVED = 0.3
"""How ill a deployment counts that may only have got the load of another one."""
PENDING = 0.7
LOOKS_ILL = 0.6
"""… one whose readings are off although no alert fires."""
TOGETHER = 0.7
"""… one whose provider, model or region has the alert."""
SAID_TOGETHER = (Dimension.PROVIDER, Dimension.MODEL, Dimension.REGION)
ALIKE = 0.6
"""A sibling looks ill when it is off by this part of what the ill ones are, as logarithms …"""
STILL_ALIKE = 0.4
"""… and goes on looking ill down to this."""
ENOUGH_PER_MIN = 20.0
"""From so many requests a minute on, a deployment without an alert counts fully as one that is well."""


class Sibling(NamedTuple):
    """One deployment as evidence."""

    ill: float
    """0 well, 1 ill."""
    weight: float
    """How much it says: little traffic says little."""


class Siblings:
    """Every deployment on the board, seen with one case's eyes."""

    def __init__(
        self, case: Case, places: Mapping[str, Place], topology: Topology, pending: Iterable[Alert], usual: Usual
    ) -> None:
        self._case = case
        self._topology = topology
        self._usual = usual
        self.moved = moved(case, places, topology, usual)
        """Ids of alerts that only tell of load that was moved there."""
        self._ill: dict[Node, float] = {}
        self.aspects = {alert.aspect for alert in case.evidence.values()}
        only_money = all(costs_money(alert) for alert in case.evidence.values())
        for alert in case.evidence.values():
            ill = MOVED if alert.id in self.moved else 1.0
            if only_money or not costs_money(alert):
                self._count(places[alert.id].own, ill)
        for alert in pending:
            counts = alert.state is AlertState.PENDING and alert.severity is not Severity.NOTICE
            if counts and alert.aspect in self.aspects:
                self._count(topology.place(alert).own, PENDING)
        self._ill_by = self._worst_of_the_ill()
        self._seen: dict[Node, Sibling] = {}

    def _count(self, nodes: Iterable[Node], ill: float) -> None:
        for node in nodes:
            if node.dimension is Dimension.DEPLOYMENT:
                self._ill[node] = max(ill, self._ill.get(node, 0.0))
            elif node.dimension in SAID_TOGETHER:
                for member in self._topology.members.get(node, ()):
                    self._ill[member] = max(min(ill, TOGETHER), self._ill.get(member, 0.0))

    def of(self, node: Node) -> Sibling:
        """One deployment. Weight 0 when nothing flows there: then it is neither ill nor well."""
        if node not in self._seen:
            self._seen[node] = self._judged(node)
        return self._seen[node]

    def _judged(self, node: Node) -> Sibling:
        ill = self._ill.get(node, 0.0)
        if ill >= 1.0:
            return Sibling(ill, 1.0)
        per_min = self._topology.traffic_of(node)
        if per_min < QUIET_PER_MIN:
            return Sibling(ill, 0.3 if ill or self._opened(node) else 0.0)
        looks = LOOKS_ILL if self._looks_ill(node) else 0.0
        return Sibling(max(ill, looks), min(1.0, max(0.1, per_min / ENOUGH_PER_MIN)))

    def part_ill(self, nodes: Iterable[Node]) -> float:
        """How much of these is ill, 0 to 1, by their weight."""
        seen = [self.of(node) for node in nodes]
        total = sum(one.weight for one in seen)
        return sum(one.ill * one.weight for one in seen) / total if total else 0.0

    def split(self, nodes: Iterable[Node]) -> tuple[list[Node], list[Node]]:
        """Those that are ill and those that are well, by name; without those that say nothing."""
        ordered = sorted(nodes)
        ill = [node for node in ordered if self.of(node).ill >= LOOKS_ILL]
        well = [node for node in ordered if not self.of(node).ill and self.of(node).weight > 0]
        return ill, well

    def _opened(self, node: Node) -> bool:
        reading = self._topology.deployments.get(node)
        return reading is not None and reading.circuit.mode is Mode.AUTO and reading.circuit.observed is Observed.OPEN

    def _looks_ill(self, node: Node) -> bool:
        """Whether its readings are off much as those of the ill ones are, in a case that readings tell of."""
        reading = self._topology.deployments.get(node)
        if reading is None or Aspect.TRANSPORT not in self.aspects:
            return False
        if self._opened(node):
            return True
        part = STILL_ALIKE if node in self._case.alike else ALIKE
        off = self._usual.off_by(reading)
        alike = any(value >= part * self._ill_by.get(metric, math.inf) for metric, value in off.items())
        (self._case.alike.add if alike else self._case.alike.discard)(node)
        return alike

    def _worst_of_the_ill(self) -> dict[str, float]:
        """How far the ones with an alert are off, by metric."""
        found: dict[str, float] = {}
        for node, ill in self._ill.items():
            reading = self._topology.deployments.get(node)
            if reading is not None and ill >= 1.0:
                for metric, value in self._usual.off_by(reading).items():
                    found[metric] = max(value, found.get(metric, 0.0))
        return found
