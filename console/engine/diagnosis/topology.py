"""What hangs together on the board: which node of which dimension an alert is about, and what stands behind it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from console.domain.alerts import Alert
from console.domain.board import Board
from console.domain.incidents import Dimension
from console.domain.readings import Deployment, Queue, Route, Spend, SpendScope
from console.domain.refs import Kind, Ref
from console.engine.knowledge import NO_KNOWLEDGE, Knowing

QUIET_PER_MIN = 0.5
"""A deployment with fewer requests a minute than this says nothing about anything."""


class Node(NamedTuple):
    """One member of one dimension. A provider, a model, a tenant is the same one whichever source names it."""

    dimension: Dimension
    name: str
    source: str = ""
    """Which source's object it is, of a deployment, route, queue, gateway or source; else empty."""


class Place(NamedTuple):
    """Where on the platform an alert is."""

    own: frozenset[Node]
    """What it is about."""
    kin: frozenset[Node]
    """What that is a part of: the provider, the model, the region and the gateway of a deployment."""
    behind: frozenset[Node]
    """The deployments whose trouble it would show: those of a route, and of the routes that a queue feeds."""


_PLAIN = {
    Kind.PROVIDER: Dimension.PROVIDER, Kind.SERVICE: Dimension.SERVICE, Kind.KEY: Dimension.TENANT,
}  # fmt: skip
_OF_SPEND = {
    SpendScope.PROVIDER: Dimension.PROVIDER,
    SpendScope.MODEL: Dimension.MODEL,
    SpendScope.KEY: Dimension.TENANT,
    SpendScope.TEAM: Dimension.TENANT,
}
_OF_GROUP = {
    "provider": Dimension.PROVIDER, "model": Dimension.MODEL, "region": Dimension.REGION, "tenant": Dimension.TENANT,
    "service": Dimension.SERVICE, "prompt": Dimension.RELEASE,
}  # fmt: skip


_OF_DEPLOYMENT = (Dimension.PROVIDER, Dimension.MODEL, Dimension.REGION)
"""What goes without saying where the deployment is known."""


class Topology:
    """An index of one board's deployments, routes and queues; made anew when the board may have changed."""

    def __init__(self, board: Board, knowing: Knowing = lambda _: NO_KNOWLEDGE) -> None:
        """`knowing` says which index or memory a service uses."""
        self._knowing = knowing
        self.deployments: dict[Node, Deployment] = {}
        self.members: dict[Node, set[Node]] = {}
        """Of a provider, model, region, route or gateway: its deployments."""
        self.kin: dict[Node, frozenset[Node]] = {}
        self._named: dict[str, set[Node]] = {}
        self._fed: dict[Ref, frozenset[Node]] = {}
        self._board = board
        self._places: dict[str, Place] = {}
        for deployment in board.of(Deployment):
            self._add(deployment)
        for route in board.of(Route):
            node = Node(Dimension.ROUTE, route.ref.name, route.ref.source)
            found = {Node(Dimension.DEPLOYMENT, target.deployment, route.ref.source) for target in route.targets}
            self.members.setdefault(node, set()).update(found & self.deployments.keys())
        for queue in board.of(Queue):
            self._fed[queue.ref] = self._routes(queue.feeds)

    def _add(self, deployment: Deployment) -> None:
        source = deployment.ref.source
        node = Node(Dimension.DEPLOYMENT, deployment.ref.name, source)
        self.deployments[node] = deployment
        self._named.setdefault(deployment.ref.name, set()).add(node)
        kin = {
            Node(Dimension.PROVIDER, deployment.provider),
            Node(Dimension.MODEL, deployment.model),
            Node(Dimension.REGION, deployment.region),
            Node(Dimension.GATEWAY, source, source),
        }
        self.kin[node] = frozenset(one for one in kin if one.name)
        for one in self.kin[node]:
            self.members.setdefault(one, set()).add(node)
        for route in deployment.routes:
            self.members.setdefault(Node(Dimension.ROUTE, route, source), set()).add(node)

    def _routes(self, feeds: Iterable[str]) -> frozenset[Node]:
        found = set()
        for text in feeds:
            try:
                ref = Ref.parse(text)
            except ValueError:
                continue
            found.add(Node(Dimension.ROUTE, ref.name, ref.source))
        return frozenset(found)

    def renew(self) -> None:
        """Look anew where alerts are: what they are about may have changed."""
        self._places.clear()

    def traffic_of(self, node: Node) -> float:
        """Requests a minute of a deployment; 0 when nothing flows or nobody says."""
        reading = self.deployments.get(node)
        return 0.0 if reading is None or reading.traffic is None else reading.traffic.requests_per_min

    def routes_of(self, node: Node) -> set[Node]:
        """The routes that a deployment serves."""
        reading = self.deployments.get(node)
        return set() if reading is None else {Node(Dimension.ROUTE, name, node.source) for name in reading.routes}

    def takers_of(self, node: Node) -> set[Node]:
        """The deployments that get a deployment's load when it fails: of its routes, and of what those fall back to."""
        found: set[Node] = set()
        for route in self.routes_of(node):
            found |= self.members.get(route, set())
            reading = self._board.readings.get(Ref(route.source, Kind.ROUTE, route.name))
            for name in reading.fallbacks if isinstance(reading, Route) else ():
                found |= self.members.get(Node(Dimension.ROUTE, name, route.source), set())
        return found - {node}

    def deployments_of(self, nodes: Iterable[Node]) -> set[Node]:
        """The deployments among these, and those of the providers and models among these."""
        found: set[Node] = set()
        for node in nodes:
            if node.dimension is Dimension.DEPLOYMENT:
                found.add(node)
            elif node.dimension in (Dimension.PROVIDER, Dimension.MODEL, Dimension.REGION):
                found |= self.members.get(node, set())
        return found

    def provider_of(self, node: Node) -> str:
        """A deployment's provider."""
        reading = self.deployments.get(node)
        return "" if reading is None else reading.provider

    def ref_of(self, node: Node) -> Ref | None:
        """The object to open; None where there is none on the board."""
        if node.dimension is Dimension.DEPLOYMENT:
            return Ref(node.source, Kind.DEPLOYMENT, node.name)
        kinds = {
            Dimension.PROVIDER: Kind.PROVIDER, Dimension.ROUTE: Kind.ROUTE, Dimension.QUEUE: Kind.QUEUE,
            Dimension.SERVICE: Kind.SERVICE, Dimension.TENANT: Kind.KEY, Dimension.SOURCE: Kind.SOURCE,
            Dimension.GATEWAY: Kind.SOURCE,
        }  # fmt: skip
        kind = kinds.get(node.dimension)
        if kind is None:
            return None
        if node.source:
            return Ref(node.source, kind, node.name)
        fits = [ref for ref in self._board.readings if ref.kind is kind and ref.name == node.name]
        return min(fits, default=None)

    def place(self, alert: Alert) -> Place:
        """Where an alert is; worked out once for each."""
        if (known := self._places.get(alert.id)) is not None:
            return known
        own = self._own(alert)
        kin: set[Node] = set()
        behind: set[Node] = set()
        for node in own:
            kin |= self.kin.get(node, frozenset())
            if node.dimension is Dimension.ROUTE:
                behind |= self.members.get(node, set())
            elif node.dimension is Dimension.QUEUE:
                for route in self._fed.get(Ref(node.source, Kind.QUEUE, node.name), frozenset()):
                    behind |= self.members.get(route, set())
        found = self._places[alert.id] = Place(own, frozenset(kin - own), frozenset(behind))
        return found

    def _own(self, alert: Alert) -> frozenset[Node]:
        ref, (rule, _, detail) = alert.ref, alert.rule.partition("/")
        if rule == "stale-source":
            return frozenset({Node(Dimension.SOURCE, ref.name, ref.source)})
        found = self._said(alert)
        if rule == "retrieval":
            return frozenset({Node(Dimension.INDEX, self._used(alert, "indexes") or "retrieval"), *found})
        if rule == "divergence":
            if detail != "snapshots":
                return frozenset({Node(Dimension.MEMORY, self._used(alert, "memories") or "memory"), *found})
            return frozenset(found)
        if found and ref.kind is Kind.SERVICE:
            return frozenset(found)  # the service is only where to look, unless it is what the calls have in common
        return frozenset(found | self._of_ref(ref))

    def _used(self, alert: Alert, what: Literal["indexes", "memories"]) -> str:
        """The index or memory of the service that an alert is about; of none in particular, the one that most use."""
        used: Mapping[str, str] = getattr(self._knowing(alert.ref.source), what)
        service = alert.about.service if alert.about is not None else ""
        named = used.get(service or (alert.ref.name if alert.ref.kind is Kind.SERVICE else ""))
        if named is not None:
            return named
        common = Counter(used.values()).most_common(1)
        return common[0][0] if common else ""

    def _of_ref(self, ref: Ref) -> set[Node]:
        if dimension := _PLAIN.get(ref.kind):
            return {Node(dimension, ref.name)}
        match ref.kind:
            case Kind.DEPLOYMENT:
                return {Node(Dimension.DEPLOYMENT, ref.name, ref.source)}
            case Kind.ROUTE:
                return {Node(Dimension.ROUTE, ref.name, ref.source)}
            case Kind.QUEUE:
                return {Node(Dimension.QUEUE, ref.name, ref.source)}
            case Kind.SPEND:
                reading = self._board.readings.get(ref)
                if isinstance(reading, Spend) and reading.scope in _OF_SPEND:
                    return {Node(_OF_SPEND[reading.scope], reading.subject)}
                return {Node(Dimension.GATEWAY, ref.source, ref.source)}
            case Kind.SOURCE:
                return {Node(Dimension.GATEWAY, ref.name, ref.source)}
            case _:
                return set()

    def _said(self, alert: Alert) -> set[Node]:
        """What the model calls that show it have in common."""
        about = alert.about
        if about is None:
            return set()
        found = {Node(dimension, name) for field, dimension in _OF_GROUP.items() if (name := getattr(about, field))}
        if about.deployment and (named := self._named.get(about.deployment)):
            found = {node for node in found if node.dimension not in _OF_DEPLOYMENT} | named
        if about.route:
            found |= {node for node in self.members if node.dimension is Dimension.ROUTE and node.name == about.route}
        return found
