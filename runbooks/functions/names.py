"""Who belongs to whom: names that further functions are asked about."""

from collections.abc import Iterable

from console.domain.circuit import Observed
from console.domain.freshness import Freshness
from console.domain.health import Level, judge
from console.domain.incidents import Dimension
from console.domain.readings import Deployment, Provider, Queue, Route
from console.domain.refs import Kind, Ref
from console.engine.analysis.capacity import room_of
from runbooks.functions.catalogue import Value, function
from runbooks.looking import Look, Unsaid

GROUP = "names"
ILL = Level.STALE
"""From this level on nothing is sent there."""
_FIELDS = {
    Dimension.DEPLOYMENT: "ref",
    Dimension.PROVIDER: "provider",
    Dimension.MODEL: "model",
    Dimension.REGION: "region",
}


def _deployment(look: Look, d: object) -> Deployment:
    return look.one(d, Deployment)


def serving(look: Look, one: Route | Provider) -> list[Deployment]:
    """The deployments of a route or a provider."""
    listed = one.deployments if isinstance(one, Provider) else [target.deployment for target in one.targets]
    refs = (Ref(one.ref.source, Kind.DEPLOYMENT, name) for name in listed)
    return [found for ref in refs if isinstance(found := look.board.readings.get(ref), Deployment)]


def _served(look: Look, x: object) -> list[Deployment]:
    found = look.reading(x, (Kind.ROUTE, Kind.PROVIDER))
    return serving(look, found) if isinstance(found, Route | Provider) else []


def busiest(some: Iterable[Deployment]) -> Deployment | None:
    """The one with the most requests; of equals the first by name."""
    ordered = sorted(some, key=lambda one: (-_per_min(one), one.ref.name))
    return ordered[0] if ordered else None


def _per_min(one: Deployment) -> float:
    return 0.0 if one.traffic is None else one.traffic.requests_per_min


@function(
    "route_of(x)",
    "name",
    "The route that a deployment serves (of several the first), or whose work waits in a queue.",
    GROUP,
)
def route_of(look: Look, x: object) -> Value:
    """A route."""
    found = look.reading(x, (Kind.DEPLOYMENT, Kind.QUEUE, Kind.ROUTE))
    if isinstance(found, Route):
        return look.name(found.ref)
    if isinstance(found, Deployment):
        refs = [Ref(found.ref.source, Kind.ROUTE, name) for name in found.routes]
    else:
        refs = [Ref.parse(text) for text in found.feeds] if isinstance(found, Queue) else []
    known = [ref for ref in refs if ref in look.board.readings]
    return look.name(known[0]) if known else None


@function("routes(x)", "names", "The routes that a deployment or a provider serves.", GROUP)
def routes(look: Look, x: object) -> Value:
    """Several routes."""
    found = look.reading(x, (Kind.DEPLOYMENT, Kind.PROVIDER))
    some = [found] if isinstance(found, Deployment) else serving(look, found) if isinstance(found, Provider) else []
    refs = {Ref(one.ref.source, Kind.ROUTE, name): None for one in some for name in one.routes}
    return look.names(ref for ref in refs if ref in look.board.readings)


@function("provider_of(d)", "name", "The provider behind a deployment.", GROUP)
def provider_of(look: Look, d: object) -> Value:
    """A provider."""
    return _deployment(look, d).provider


@function("model_of(d)", "word", "The model that a deployment serves.", GROUP)
def model_of(look: Look, d: object) -> Value:
    """A model."""
    return _deployment(look, d).model


@function("deployments(x)", "names", "The deployments of a route or a provider.", GROUP)
def deployments(look: Look, x: object) -> Value:
    """Several deployments."""
    return look.names(one.ref for one in _served(look, x))


@function("primary(x)", "name", "The deployment of a route or provider that gets the most requests.", GROUP)
def primary(look: Look, x: object) -> Value:
    """The busiest deployment."""
    best = busiest(_served(look, x))
    return None if best is None else look.name(best.ref)


@function(
    "queue_of(route)",
    "name",
    "The queue in which a route's work waits, as the config's `feeds` say; of several the deepest.",
    GROUP,
)
def queue_of(look: Look, route: object) -> Value:
    """A queue."""
    text = str(look.one(route, Route).ref)
    fed = sorted((one for one in look.of(Queue) if text in one.feeds), key=lambda one: (-one.depth, one.ref.name))
    return look.name(fed[0].ref) if fed else None


@function(
    "alternative(route[, d])", "name",
    "The healthiest deployment of a route with the most room, other than `d` (left out: the busiest) and those of the "
    "incident's culprit; those at another provider first, then those that are asked now; open, stale, and ill ones "
    "never. None when there is none.", GROUP,
)  # fmt: skip
def alternative(look: Look, route: object, d: object = None) -> Value:
    """Where a route's requests could go."""
    some = serving(look, look.one(route, Route))
    left = _deployment(look, d) if d is not None else None
    fit = [one for one in some if could_take(look, one) and not _is_meant(look, one, left, some)]
    if not fit:
        return None
    here = {left.provider} if left is not None else set[str]()
    first = min(one.order or 0 for one in some)

    def rank(one: Deployment) -> tuple[bool, Level, bool, float, str]:
        waits = (one.order or 0) > first
        return one.provider in here, judge(look.board, one).level, waits, -_room(one), one.ref.name

    return look.name(min(fit, key=rank).ref)


@function(
    "fallback(route)", "name",
    "The first of a route's fallbacks, and of those that it can be switched to, that has a deployment to answer: "
    "healthy, not open, not stale, and not of the incident's culprit. None when there is none.", GROUP,
)  # fmt: skip
def fallback(look: Look, route: object) -> Value:
    """Which route answers instead."""
    found = look.one(route, Route)
    named = dict.fromkeys((*found.fallbacks, *(one.to for one in found.switch_options if one.mechanism == "alias")))
    for name in named:
        other = look.board.readings.get(Ref(found.ref.source, Kind.ROUTE, name))
        some = serving(look, other) if isinstance(other, Route) and other.ref != found.ref else []
        if any(could_take(look, one) and not _is_blamed(look, one) for one in some) and isinstance(other, Route):
            return look.name(other.ref)
    return None


def could_take(look: Look, one: Deployment) -> bool:
    """Whether it may be sent requests: seen, not open, and well."""
    look.work(5)
    fresh = look.board.freshness(one.ref) is Freshness.FRESH
    closed = one.circuit.observed not in (Observed.OPEN, Observed.HALF_OPEN)
    return fresh and closed and judge(look.board, one).level < ILL


def _is_meant(look: Look, one: Deployment, left: Deployment | None, some: list[Deployment]) -> bool:
    """Whether it is what the requests are to leave."""
    if _is_blamed(look, one):
        return True
    if left is not None:
        return one.ref == left.ref
    blame = look.scope.incident.blame if look.scope.incident is not None else None
    return (blame is None or blame.dimension not in _FIELDS) and one is busiest(some)


def _is_blamed(look: Look, one: Deployment) -> bool:
    """Whether it is the incident's likeliest culprit, or of that provider, model or region."""
    blame = look.scope.incident.blame if look.scope.incident is not None else None
    if blame is None or blame.dimension not in _FIELDS:
        return False
    if blame.dimension is Dimension.DEPLOYMENT:
        return one.ref == blame.ref or (blame.ref is None and one.ref.name == blame.name)
    return bool(getattr(one, _FIELDS[blame.dimension]) == blame.name)


def _room(one: Deployment) -> float:
    """What it could take on top; where no limit is told, a little."""
    known = room_of(one)
    return 0.5 if known is None else known


@function("same(a, b)", "bool", "Whether two names are one object, however they are written.", GROUP)
def same(look: Look, a: object, b: object) -> Value:
    """Whether they are the same."""
    kinds = [kind for kind in Kind if kind is not Kind.REQUEST]
    if not isinstance(a, str) or not isinstance(b, str):
        raise Unsaid("two names are compared")
    return a == b or look.ref(a, kinds) == look.ref(b, kinds)
