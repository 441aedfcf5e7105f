"""Requests: how many, how fast, what fails, what limits and breakers let through."""

from console.domain.circuit import Circuit
from console.domain.readings import Deployment, Headroom, Latency, Provider, Queue, Route, Service, Traffic
from console.domain.refs import Kind, Ref
from console.engine.analysis.capacity import room_of, without
from console.engine.analysis.xray import xray
from runbooks.functions.catalogue import Value, function
from runbooks.functions.names import could_take, serving
from runbooks.looking import Look, Unsaid

GROUP = "requests"
FLOWING = (Kind.DEPLOYMENT, Kind.ROUTE, Kind.PROVIDER, Kind.SERVICE)
"""What requests go through."""
Flowing = Deployment | Route | Provider | Service


def _flowing(look: Look, x: object) -> Flowing:
    found = look.reading(x, FLOWING)
    if not isinstance(found, Flowing):
        raise Unsaid("no requests go through it")
    return found


def _traffic(look: Look, x: object) -> Traffic:
    traffic = _flowing(look, x).traffic
    if traffic is None:
        raise Unsaid("its traffic is not told")
    return traffic


def _latency(look: Look, x: object) -> Latency:
    latency = _flowing(look, x).latency
    if latency is None:
        raise Unsaid("its latency is not told")
    return latency


def _told(value: float | None, why: str) -> float:
    if value is None:
        raise Unsaid(why)
    return float(value)


@function("p50(x)", "s", "Median response time.", GROUP)
def p50(look: Look, x: object) -> Value:
    """Median response time."""
    return _told(_latency(look, x).p50_s, "nothing was answered lately")


@function("p95(x)", "s", "95th percentile of the response time.", GROUP)
def p95(look: Look, x: object) -> Value:
    """95th percentile."""
    return _told(_latency(look, x).p95_s, "nothing was answered lately")


@function("ttft(x)", "s", "Median time to the first token.", GROUP)
def ttft(look: Look, x: object) -> Value:
    """Median time to first token."""
    return _told(_latency(look, x).ttft_p50_s, "no first token was measured lately")


@function("per_token(x)", "s", "Median seconds for each output token.", GROUP)
def per_token(look: Look, x: object) -> Value:
    """Seconds for each token."""
    return _told(_latency(look, x).s_per_token_p50, "no tokens were measured lately")


@function("errors(x)", "part", "Part of its requests that fails, 0 to 1; cannot be said where nothing flows.", GROUP)
def errors(look: Look, x: object) -> Value:
    """Error ratio."""
    return _told(_traffic(look, x).error_ratio, "nothing flows there")


@function("throttled(x)", "part", "Part of its requests that is turned away with 429, 0 to 1.", GROUP)
def throttled(look: Look, x: object) -> Value:
    """429s as a part of requests."""
    return _failing(look, x, "429")


@function("failing(x, name)", "part", "Part of its requests that fails in one way: `500`, `429`, `timeout`.", GROUP)
def failing(look: Look, x: object, name: object) -> Value:
    """One failure class as a part of requests."""
    return _failing(look, x, name)


def _failing(look: Look, x: object, name: object) -> float:
    if not isinstance(name, str):
        raise Unsaid("a way of failing is a text: `429`, `timeout`")
    found, traffic = _flowing(look, x), _traffic(look, x)
    if traffic.requests_per_min > 0:
        return min(1.0, sum(one.per_min for one in found.failures if one.name == name) / traffic.requests_per_min)
    raise Unsaid("nothing flows there")


@function("requests(x)", "/min", "Requests a minute that reach it, retries included.", GROUP)
def requests(look: Look, x: object) -> Value:
    """Requests a minute."""
    return _traffic(look, x).requests_per_min


@function("tokens(x)", "/min", "Tokens a minute, in and out.", GROUP)
def tokens(look: Look, x: object) -> Value:
    """Tokens a minute."""
    traffic = _traffic(look, x)
    known = [flow for flow in (traffic.tokens_in_per_min, traffic.tokens_out_per_min) if flow is not None]
    return _told(sum(known) if known else None, "its tokens are not told")


@function("in_flight(x)", "", "Requests that are under way; of a queue, messages that workers hold.", GROUP)
def in_flight(look: Look, x: object) -> Value:
    """How much is under way."""
    found = look.reading(x, (*FLOWING, Kind.QUEUE))
    if isinstance(found, Queue):
        return _told(found.in_flight, "what its workers hold is not told")
    return _told(_traffic(look, x).in_flight, "what is under way is not told")


@function(
    "attempts(x)", "", "Attempts for each original request, as the gateway counts them; 1 multiplies nothing.", GROUP
)
def attempts(look: Look, x: object) -> Value:
    """Attempts per request."""
    return _told(_traffic(look, x).attempts_per_request, "its attempts are not told")


@function(
    "amplification(route)",
    "",
    "What goes out to providers for each original request, over every layer that retries.",
    GROUP,
)
def amplification(look: Look, route: object) -> Value:
    """The retry X-ray's product."""
    seen = xray(look.one(route, Route), look.board, {})
    return _told(seen.amplification if seen else None, "nothing flows there")


@function(
    "headroom(x)",
    "part",
    "What is left of its tightest rate limit, 0 to 1; of a route, the least of those who serve it.",
    GROUP,
)
def headroom(look: Look, x: object) -> Value:
    """Limit left."""
    found = _flowing(look, x)
    if isinstance(found, Deployment | Provider):
        return _told(_left(found.headroom), "its rate limit is not told")
    if not isinstance(found, Route):
        raise Unsaid("a service has no rate limit of its own")
    known = [left for one in serving(look, found) if (left := _left(one.headroom)) is not None]
    return _told(min(known, default=None), "no rate limit of those who serve it is told")


def _left(limits: Headroom | None) -> float | None:
    return None if limits is None else limits.left_ratio


@function(
    "room(x)",
    "/min",
    "Requests a minute that a deployment could take on top, by its rate limits; of a route, all of its that are "
    "closed, healthy and asked now.",
    GROUP,
)
def room(look: Look, x: object) -> Value:
    """Spare requests a minute."""
    found = look.reading(x, (Kind.DEPLOYMENT, Kind.ROUTE))
    if isinstance(found, Deployment):
        return _told(room_of(found), "its rate limit is not told")
    some = serving(look, found) if isinstance(found, Route) else []
    first = min((one.order or 0 for one in some), default=0)
    known = [room_of(one) for one in some if could_take(look, one) and (one.order or 0) == first]
    told = [one for one in known if one is not None]
    return _told(sum(told) if len(told) == len(known) else None, "a rate limit of those who serve it is not told")


@function(
    "carries(provider)",
    "bool",
    "Whether the others could carry what a provider carries now, with a third to spare.",
    GROUP,
)
def carries(look: Look, provider: object) -> Value:
    """The N−1 verdict."""
    ref = look.one(provider, Provider).ref
    look.work(100 + len(look.board.readings) // 20)
    found = next((one for one in without(look.board, ref.name) if one.provider == ref), None)
    if found is None:
        raise Unsaid("nothing flows there")
    if found.carries is None:
        raise Unsaid(found.words or "it is not known")
    return found.carries


@function("weight(d)", "", "A deployment's weight, in the gateway's own unit.", GROUP)
def weight(look: Look, d: object) -> Value:
    """The weight."""
    return _told(look.one(d, Deployment).weight, "this gateway has no weights")


@function("share(d[, route])", "part", "Part of a route's requests that a deployment gets, 0 to 1.", GROUP)
def share(look: Look, d: object, route: object = None) -> Value:
    """The share."""
    found = look.one(d, Deployment)
    if route is None and len(found.routes) != 1:
        raise Unsaid(f"it serves {len(found.routes)} routes; say which")
    name = Ref(found.ref.source, Kind.ROUTE, found.routes[0]) if route is None else look.one(route, Route).ref
    served = look.board.readings.get(name)
    targets = served.targets if isinstance(served, Route) else ()
    seen = next((one for one in targets if one.deployment == found.ref.name), None)
    if seen is None:
        raise Unsaid("it does not serve that route")
    return _told(seen.share, "nothing flows there")


@function(
    "answered_by(route)",
    "name",
    "The route that answers instead while one is switched by name; empty when it answers itself.",
    GROUP,
)
def answered_by(look: Look, route: object) -> Value:
    """The alias."""
    return look.one(route, Route).answered_by


def _circuit(look: Look, d: object) -> Circuit:
    return look.one(d, Deployment).circuit


@function(
    "circuit(d)",
    "word",
    "What its breaker does, as seen: `closed`, `open`, `half-open`; any replica that is open counts.",
    GROUP,
)
def circuit(look: Look, d: object) -> Value:
    """The observed state."""
    seen = _circuit(look, d).observed
    if seen == "unknown":
        raise Unsaid("no replica shows it")
    return str(seen)


@function("mode(d)", "word", "What its breaker was told: `auto`, `forced open`, `forced closed`, `disabled`.", GROUP)
def mode(look: Look, d: object) -> Value:
    """The mode."""
    return str(_circuit(look, d).mode)


@function("converged(d)", "bool", "Whether every replica of the gateway shows the same state of its breaker.", GROUP)
def converged(look: Look, d: object) -> Value:
    """Agreement of the replicas."""
    agree, every = _circuit(look, d).agreement
    if not every:
        raise Unsaid("no replica shows it")
    return agree == every
