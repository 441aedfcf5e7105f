"""What may be done about an incident, and what one should not do: by what is wrong, and by who is to blame."""

from collections.abc import Iterator

from console.domain.board import Board
from console.domain.incidents import Advice, Blame, Dimension
from console.domain.readings import Deployment, Queue, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import Verb
from console.engine.analysis.capacity import without
from console.engine.diagnosis.grouping import Case
from console.engine.diagnosis.rules import rule_of
from console.engine.diagnosis.topology import Node, Topology

KEYS_MOST = 5
"""Pieces of advice on one incident that are a key away …"""
WORDS_MOST = 3
"""… and that are not."""
TRAPS_MOST = 3

_AWAY = frozenset(
    {
        "latency",
        "errors",
        "burn-rate",
        "output-shape",
        "unparsed",
        "finish",
        "script",
        "tokens",
        "half-open-flood",
        "throttling",
    }
)
"""What ends for callers when requests go elsewhere."""
_GENTLY = frozenset({"latency", "throttling"})
"""What asks for less rather than for nothing."""
_WAITS = frozenset({"retries", "backlog", "throttling", "agent-loop", "context-overflow", "cost-burn"})
"""What gets no worse while work that can wait does."""

_WORDS: dict[str, tuple[str, ...]] = {
    "tenant-errors": ("give the tenant's requests a route of their own, or another key at the provider",),
    "tokens": ("budget again with the new count, and cap what costs most",),
    "finish/empty_stop": ("switch the tool off or pin the model's version until the tool's schema fits again",),
    "unparsed": ("pin the model's version from before the change",),
    "output-shape": ("pin the model's version from before the change",),
    "retrieval": ("roll the index back to the version from before, or pin it",),
    "divergence/snapshots": ("invalidate what the service has cached, and pin one snapshot for both",),
    "divergence/lost-write": ("stop what writes the memory, then restore it",),
    "divergence/foreign-write": ("stop what writes the memory, then restore it",),
    "agent-loop": ("end the request that goes in circles, and cap its key",),
    "cost-burn": ("cap the key that spends",),
    "stuck-workflow": ("resume the runs that stand from their last checkpoint",),
    "context-overflow": ("stop sending the request again, and shorten its history",),
    "phantom-spend": ("compare with the provider's own bill; then raise or lift the cap that the booked sum reaches",),
    "throttling": ("send less: throttle what can wait, and switch retries off",),
    "half-open-flood": ("cap the probes: keep it closed to requests, and let a small weight through first",),
    "stale-source": ("look at the backend itself: what stands here is old",),
}
"""What to do by rule, in words: where no key of this console does it."""

_TRAPS: dict[str, str] = {
    "latency": "waiting for errors: slow comes long before failed",
    "unparsed": "retrying: the same build answers in the same form, and is paid again",
    "output-shape": "retrying: the same build answers in the same form, and is paid again",
    "finish/content_filter": "retrying: a refusal is never retried",
    "tokens": "blaming traffic: volume is as it was",
    "retrieval": "switching the provider: the model answers from what it is given",
    "tenant-errors": "trusting the mean: most tenants see nothing of it",
    "throttling": "adding retries: each is turned away too, and counts",
    "retries": "unpausing or replaying at once: the backlog comes back as retries",
    "backlog": "unpausing or replaying at once: the backlog comes back as retries",
    "half-open-flood": "resetting it by hand: the next flood opens it again",
    "stuck-workflow": "restarting all: what was done would be done twice",
    "phantom-spend": "stopping traffic: nothing was spent",
    "context-overflow": "sending it again: it is refused again, and billed",
    "agent-loop": "a cheaper model: the loop goes on",
    "stale-source": "believing the last values",
}


def advice(case: Case, blame: Blame | None, board: Board, topology: Topology) -> tuple[Advice, ...]:
    """What may be done, the nearest first, then the traps."""
    rules = [name for alert in (case.firing or case.alerts.values()) for name in (alert.rule, rule_of(alert))]
    near = {one.words: one for one in _keys(case, rules, blame, board, topology)}
    keys = [one for one in near.values() if not one.trap][:KEYS_MOST]
    said = list({one.words: one for one in _in_words(rules)}.values())[:WORDS_MOST]
    traps = [one for one in near.values() if one.trap]
    traps += [Advice(words=words, trap=True) for words in sorted({_TRAPS[rule] for rule in rules if rule in _TRAPS})]
    return (*keys, *said, *traps[:TRAPS_MOST])


def _in_words(rules: list[str]) -> Iterator[Advice]:
    for rule in dict.fromkeys(rules):
        for words in _WORDS.get(rule, ()):
            yield Advice(words=words)


def _keys(case: Case, rules: list[str], blame: Blame | None, board: Board, topology: Topology) -> Iterator[Advice]:
    """What a key away from here does it."""
    ill = _deployments(blame, topology)
    if ill and _AWAY & set(rules):
        yield from _elsewhere(ill, rules, blame, board, topology)
    if _WAITS & set(rules):
        yield from _queues(case, ill, board, topology)


def _deployments(blame: Blame | None, topology: Topology) -> list[Node]:
    if blame is None:
        return []
    if blame.dimension is Dimension.DEPLOYMENT and blame.ref is not None:
        return [Node(Dimension.DEPLOYMENT, blame.ref.name, blame.ref.source)]
    if blame.dimension in (Dimension.PROVIDER, Dimension.MODEL, Dimension.REGION):
        return sorted(topology.members.get(Node(blame.dimension, blame.name), ()))
    return []


def _elsewhere(
    ill: list[Node], rules: list[str], blame: Blame | None, board: Board, topology: Topology
) -> Iterator[Advice]:
    """Switch the routes that have another place to go; keep requests away from the others' deployments."""
    routes = sorted({route for node in ill for route in topology.routes_of(node)})
    carries = _carries(blame, board)
    for route in routes:
        reading = board.readings.get(Ref(route.source, Kind.ROUTE, route.name))
        if isinstance(reading, Route) and (to := _other_place(reading, ill, topology)):
            words = f"switch {clean(route.name, 60)} to {clean(to, 60)}, in steps{carries}"
            yield Advice(words=words, target=reading.ref, verb=Verb.SWITCH)
    for node in ill:
        reading = board.readings.get(Ref(node.source, Kind.DEPLOYMENT, node.name))
        if not isinstance(reading, Deployment) or not _has_sibling(node, ill, topology):
            continue
        name = clean(node.name, 60)
        if _GENTLY & set(rules) and reading.ability(Verb.WEIGHT).able:
            yield Advice(words=f"take weight from {name}, in steps", target=reading.ref, verb=Verb.WEIGHT)
        if reading.ability(Verb.TRIP).able:
            words = f"keep requests away from {name}{carries}"
            yield Advice(words=words, target=reading.ref, verb=Verb.TRIP)
    if carries:
        yield Advice(words="sending all of it elsewhere at once: the others have no room for it", trap=True)


def _carries(blame: Blame | None, board: Board) -> str:
    """What the N−1 check says of it; empty when the others carry it."""
    if blame is None or blame.dimension is not Dimension.PROVIDER:
        return ""
    for one in without(board, blame.name):
        if one.carries is False:
            return f" (not all at once: {one.words})"
    return ""


def _other_place(route: Route, ill: list[Node], topology: Topology) -> str:
    """The first place to which a route can be switched that is not one of the ill ones."""
    if not route.ability(Verb.SWITCH).able:
        return ""
    names = {node.name for node in ill}
    for option in route.switch_options:
        behind = topology.members.get(Node(Dimension.ROUTE, option.to, route.ref.source), set())
        if option.to not in names and option.to != route.ref.name and not (behind and behind <= set(ill)):
            return option.to
    return ""


def _has_sibling(node: Node, ill: list[Node], topology: Topology) -> bool:
    """Whether each of its routes keeps a deployment that is not ill."""
    routes = topology.routes_of(node)
    return bool(routes) and all(topology.members.get(route, set()) - set(ill) for route in routes)


def _queues(case: Case, ill: list[Node], board: Board, topology: Topology) -> Iterator[Advice]:
    """Shed retries first, then hold what can wait: in the queues that feed what is ill, and those with an alert."""
    routes = {f"{route.source}:route/{route.name}" for node in ill for route in topology.routes_of(node)}
    told = {alert.ref for alert in case.alerts.values()}
    for queue in board.of(Queue):
        if queue.ref not in told and not routes & set(queue.feeds):
            continue
        name = clean(queue.ref.name, 60)
        if queue.ability(Verb.ISOLATE).able and (queue.redelivered or queue.redelivered_per_min):
            yield Advice(words=f"move the retries in {name} aside", target=queue.ref, verb=Verb.ISOLATE)
        if queue.ability(Verb.PAUSE).able and not queue.paused:
            yield Advice(words=f"pause {name} until it is over", target=queue.ref, verb=Verb.PAUSE)
