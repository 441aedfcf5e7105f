"""What was changed shortly before an incident: by a provider, by an operator."""

from collections.abc import Iterable, Sequence

from console.domain.actions import Override
from console.domain.alerts import Alert
from console.domain.board import Board
from console.domain.incidents import Blame, Dimension
from console.domain.refs import Kind
from console.domain.text import clean
from console.engine.diagnosis.grouping import Case
from console.engine.diagnosis.prose import ago
from console.engine.diagnosis.rules import CHANGE, rule_of
from console.engine.diagnosis.topology import Node, Place, Topology

SHORTLY_S = 1800.0
"""A change speaks for what begins within this long after it."""
OPERATOR_SCORE = 0.5
"""What came after an action need not come from it."""


def changes_before(case: Case, changes: Iterable[Alert]) -> list[Alert]:
    """The changes upstream of the half hour before (and of the first minutes of) a case, the newest first."""
    found = [a for a in changes if rule_of(a) == CHANGE and -SHORTLY_S <= a.since - case.since <= SHORTLY_S]
    return sorted(found, key=lambda alert: -alert.since)


def support_of(node: Node, members: frozenset[Node], changes: Sequence[Alert], topology: Topology, since: float) -> str:
    """The newest change at a suspect, in words; empty when there is none."""
    for change in changes:
        place = topology.place(change)
        if node in place.own or place.own & members:
            when = ago(change.since, since) if change.since < since else "at the same time"
            return f"{when}: {change.words}"
    return ""


def operators_action(case: Case, board: Board, places: Iterable[Place], topology: Topology) -> tuple[Blame, str] | None:
    """The newest override shortly before, on something that belongs to the case; as a suspect, and as a note."""
    touched = {node for place in places for node in place.own | place.behind}
    touched |= {route for node in touched for route in topology.routes_of(node)}
    held = [item for item in board.overrides.values() if 0 <= case.since - item.created_at <= SHORTLY_S]
    near = [item for item in held if _node(item) in touched or topology.members.get(_node(item), set()) & touched]
    if not near:
        return None
    newest = max(near, key=lambda item: item.created_at)
    words = f"{newest.action.verb} of {newest.target.name} by {newest.owner} {ago(newest.created_at, case.since)}"
    blame = Blame(
        dimension=Dimension.RELEASE,
        name=clean(f"{newest.action.verb} of {newest.target.name}", 100),
        ref=newest.target,
        score=OPERATOR_SCORE,
        because=clean(f"an operator's action: {words}", 300),
        against="nothing but the time speaks for it",
    )
    return blame, clean(words, 300)


def _node(item: Override) -> Node:
    kinds = {Kind.DEPLOYMENT: Dimension.DEPLOYMENT, Kind.ROUTE: Dimension.ROUTE, Kind.QUEUE: Dimension.QUEUE}
    return Node(kinds.get(item.target.kind, Dimension.GATEWAY), item.target.name, item.target.source)
