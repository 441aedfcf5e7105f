"""The moving parts of a world: providers, deployments, routes and tenants, each with its present state."""

from dataclasses import dataclass

from adapters.simulator.breaker import Breaker
from adapters.simulator.counters import Sums
from adapters.simulator.platform import DeploymentSpec, ProviderSpec, RouteSpec, TenantSpec
from adapters.simulator.traffic import Shape

ATTEMPTS, TOKENS_IN, TOKENS_OUT, USD, LIMITED, BROKEN, TURNED_AWAY, TIMED_OUT, TOO_LONG, REFUSED, PRICED = range(11)
"""Indexes of a deployment's sums: attempts, tokens, dollars as booked, failures by class, dollars as tokens × price."""

FAILURE_NAMES = {
    LIMITED: "429",
    BROKEN: "500",
    TURNED_AWAY: "503",
    TIMED_OUT: "timeout",
    TOO_LONG: "400",
    REFUSED: "403",
}
"""How the gateway names each class of failure."""

CHANCES = (LIMITED, BROKEN, TURNED_AWAY, TIMED_OUT)
"""Those that depend on the provider and its load, not on what is asked."""

FRESH, CALLS, FAILED, TRIES, HANDED_ON, COST, ANSWERED_IN, ANSWERED_OUT = range(8)
"""Indexes of a route's sums: original requests, calls with the clients' own retries, calls that failed in the end,
attempts made for them, calls handed on to a fallback, dollars, and the tokens of what was answered."""

KEY_CALLS, KEY_FAILED, KEY_USD, KEY_IN, KEY_OUT = range(5)
"""Indexes of a key's sums."""


class Provider:
    """Somebody who serves models, with a queue in front."""

    __slots__ = ("capacity", "deployments", "noise", "offered_s", "ratio", "spec", "wait_s")

    def __init__(self, spec: ProviderSpec) -> None:
        self.spec = spec
        self.deployments: list[Deployment] = []
        self.capacity = 1.0
        """Factor of the incident on its slots."""
        self.wait_s = 0.0
        """How long a request waits before it is worked on."""
        self.ratio = 0.0
        """Offered work / slots; above 1 the queue grows."""
        self.offered_s = 0.0
        """Slot-seconds per second that the accepted requests ask for."""
        self.noise = 0.0
        """Slow change of the latency, in logarithms."""

    @property
    def slots(self) -> float:
        """Requests that can be worked on now."""
        return self.spec.slots * self.capacity


class Deployment:
    """One model at one provider: what is sent to it and what comes back."""

    __slots__ = (
        "booked", "breakers", "classes", "fail", "faulty", "latency_s", "limit", "limited", "offered", "order",
        "price", "probes", "provider", "route", "s_per_token", "service_s", "slow_decode", "slow_ttft", "spec", "sums",
        "targets", "tokens", "ttft_s", "weight",
    )  # fmt: skip

    def __init__(self, spec: DeploymentSpec, route: str, provider: Provider, replicas: int) -> None:
        self.spec = spec
        self.route = route
        self.provider = provider
        self.breakers = [Breaker() for _ in range(replicas)]
        self.weight = [spec.weight] * replicas
        """As each replica knows it."""
        self.order = [spec.order] * replicas
        """As each replica knows it."""
        self.offered = [0.0] * replicas
        """Requests per second from each replica in this tick."""
        self.faulty = 0.0
        """Part of the requests that the incident makes fail."""
        self.slow_ttft = 1.0
        """Factor of the incident on its time to first token."""
        self.slow_decode = 1.0
        """Factor of the incident on its seconds per output token."""
        self.probes = 1.0
        """Factor of the incident on what its half-open breakers let through."""
        self.tokens = 1.0
        """Factor of the incident on its tokens for the same text."""
        self.price = 1.0
        """Factor of the incident on its price, which the gateway knows."""
        self.booked = 1.0
        """Factor of the incident on what the gateway books beyond that."""
        self.limit = spec.requests_per_min
        """Requests a minute that the rate limit allows now."""
        self.targets = (
            f"deployment/{spec.name}", f"provider/{spec.provider}", f"model/{spec.model}", f"route/{route}", "gateway"
        )  # fmt: skip
        """As which it can be hit by a fault."""
        self.fail = 0.0
        """Part of the attempts that fail now."""
        self.classes: dict[int, float] = dict.fromkeys(CHANCES, 0.0)
        """The same by class of failure (index of the sum)."""
        self.limited = 0.0
        """Part of the attempts that the rate limit turns away now."""
        self.service_s = spec.service_s
        self.latency_s = spec.service_s
        self.ttft_s = spec.ttft_s
        self.s_per_token = spec.s_per_token
        self.sums = Sums(11)


@dataclass(slots=True)
class Stage:
    """Those deployments of a route that one replica asks together: one routing order."""

    shares: list[tuple[Deployment, float]]
    """Deployments whose breaker is closed, with their part of the requests; the parts add up to 1."""
    probes: list[Deployment]
    """Deployments whose breaker is half-open."""


class Route:
    """The name that applications ask for."""

    __slots__ = ("alias", "demand", "deployments", "failing", "spec", "stages", "sums", "targets")

    def __init__(self, spec: RouteSpec, replicas: int) -> None:
        self.spec = spec
        self.deployments: list[Deployment] = []
        self.alias = [""] * replicas
        """The route that answers instead, as each replica knows it."""
        self.stages: list[list[Stage] | None] = [None] * replicas
        """What each replica asks in which order; None when it has to be worked out again."""
        self.demand = 0.0
        """Original requests per second in this tick, those that come by way of a queue in time included."""
        self.failing = 0.0
        """Calls per second that failed in the end, in this tick."""
        self.targets = (f"route/{spec.name}", "gateway")
        """As which it can be hit by a fault."""
        self.sums = Sums(8)


@dataclass(slots=True)
class Stream:
    """One tenant's requests for one route."""

    route: Route
    key: str
    base: float
    """Requests per second at the busiest time."""
    night: float
    """As the platform says of the tenant."""
    shape: Shape
    sums: Sums
    """The tenant's."""
    noise: float = 0.0
    """Slow change of the demand, in logarithms."""
    burst: float = 1.0
    """Factor of the burst that it is in; 1 outside."""
    now: float = 0.0
    """Requests per second in this tick."""
    jobs: float = 0.0
    """Calls per second that the workers of its queues make beyond that; below zero when work is held back."""
    first_jobs: float = 0.0
    """The same without calls for a job that was tried before."""
    backlog: float = 0.0
    """Failed requests whose application will send them again."""
    calls: float = 1.0
    """Calls that a request makes on the average; more when some loop."""
    bulk: float = 1.0
    """Factor on the input of its calls."""
    overflow: float = 0.0
    """Part of the requests that are longer than the window."""
    overflowing: float = 0.0
    """Requests of that sort that are still sent again and again."""

    @property
    def targets(self) -> tuple[str, str]:
        """As which it can be hit by a fault."""
        return (f"tenant/{self.key}", self.route.targets[0])


@dataclass(slots=True)
class Tenant:
    """A key, and what is asked with it."""

    spec: TenantSpec
    streams: list[Stream]
    sums: Sums
