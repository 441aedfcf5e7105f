"""What a simulated platform consists of, as data: providers, routes, tenants, and the gateway between them."""

from functools import cache
from importlib import resources
from typing import Literal, TypeVar

import msgspec


class ProviderSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who serves models."""

    name: str
    slots: float
    """Requests that are worked on at the same time; more than that wait."""
    queue_s: float = 17.0
    """The longest wait in seconds; beyond it requests are turned away with 503."""
    endpoint: str = ""


class DeploymentSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model at one provider, in one route."""

    name: str
    provider: str
    model: str
    weight: float = 1.0
    order: int = 1
    ttft_s: float
    """Median time to first token without load, seconds."""
    tokens_in: float
    """Mean input tokens of a request."""
    tokens_out: float
    """Mean output tokens of a request."""
    s_per_token: float
    """Seconds per output token without load."""
    requests_per_min: float
    """The provider's rate limit."""
    usd_in_per_m: float
    """Price of a million input tokens, US dollars."""
    usd_out_per_m: float
    """Price of a million output tokens, US dollars."""
    region: str = ""
    """Where it answers from."""
    pinned: str = ""
    """Why this deployment cannot be changed; empty when it can."""

    @property
    def service_s(self) -> float:
        """Seconds that one request takes without load."""
        return self.ttft_s + self.tokens_out * self.s_per_token

    @property
    def usd_per_request(self) -> float:
        """US dollars for one request that succeeds."""
        return (self.tokens_in * self.usd_in_per_m + self.tokens_out * self.usd_out_per_m) / 1e6


class RouteSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name that applications ask for."""

    name: str
    deployments: tuple[DeploymentSpec, ...]
    fallbacks: tuple[str, ...] = ()
    """Routes that are asked when this one has failed."""
    stand_ins: tuple[str, ...] = ()
    """Routes that could answer instead of this one."""
    around: tuple[Literal["retrieval", "tool"], ...] = ()
    """What an application does around a call of it, besides the call; for traces."""


class DemandSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one tenant asks of one route."""

    route: str
    requests_per_min: float
    """At the busiest time of the day."""


class TenantSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product with a key of its own."""

    key: str
    """The key's alias."""
    demands: tuple[DemandSpec, ...]
    night: float = 0.4
    """Demand at the quietest time as a part of the busiest."""
    budget_usd: float | None = None
    """What the key may spend in a day."""


class QueueSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Work that waits for a worker before it reaches a route: part of what one tenant asks of it."""

    name: str
    route: str
    """The route that its workers call once for each job."""
    tenant: str
    """The key of the tenant whose jobs they are."""
    part: float
    """Part of that tenant's demand for the route that comes by way of this queue, 0 to 1."""
    service: str
    """How its workers call themselves in traces."""
    workers: int
    """How many jobs are worked on at the same time."""
    work_s: float
    """Mean seconds of a worker's own work on a job, besides the call."""
    batch_s: float = 0.0
    """Seconds between two batches, each of as many jobs as come in that time; 0 when they come one by one."""
    urgent: float = 0.0
    """Part of the jobs that have priority 1; the others have 0."""
    tries: int = 4
    """A job that failed so often is a dead letter."""
    patience_s: float = 60.0
    """A worker gives a call up after so long."""
    limit: int = 10_000
    """Beyond so many waiting messages new ones are refused to the producer; the parking queue is as large."""


class GatewaySpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the gateway behaves."""

    retries: int = 2
    """Further tries of the gateway inside the same routing order, each time with another draw."""
    same_retries: int = 1
    """Further tries of the provider's client library at the same deployment, inside each try of the gateway."""
    timeout_s: float = 20.0
    client_retry_ratio: float = 0.7
    """Part of the failed requests that applications send again by themselves."""
    client_backoff_s: float = 4.0
    """Mean wait before they do."""
    converge_s: float = 3.0
    """Seconds between two replicas hearing of a change."""
    open_at_ratio: float = 0.9
    """A breaker opens when this part of the attempts fails …"""
    open_at_attempts: float = 10.0
    """… of at least so many, over half a minute."""
    cooldown_s: float = 15.0
    probes_per_s: float = 0.5
    """What a half-open breaker lets through, at the most, on each replica."""


class Platform(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole simulated world, before anything has happened in it."""

    gateway: GatewaySpec
    providers: tuple[ProviderSpec, ...]
    routes: tuple[RouteSpec, ...]
    tenants: tuple[TenantSpec, ...]
    queues: tuple[QueueSpec, ...] = ()
    tick_s: float = 1.0
    """Seconds in which the world moves; large worlds take larger steps."""

    def __post_init__(self) -> None:
        """Names are unique and lead somewhere.

        Raises:
            ValueError: naming the one that does not.
        """
        providers = {spec.name for spec in self.providers}
        routes = {spec.name for spec in self.routes}
        seen: set[str] = set()
        for route in self.routes:
            for name in (*route.fallbacks, *route.stand_ins):
                if name not in routes:
                    raise ValueError(f"route {route.name!r} leads to {name!r}, which is no route")
            for spec in route.deployments:
                if spec.provider not in providers:
                    raise ValueError(f"deployment {spec.name!r} is at {spec.provider!r}, which is no provider")
                if spec.name in seen:
                    raise ValueError(f"two deployments are called {spec.name!r}")
                seen.add(spec.name)
        for tenant in self.tenants:
            for demand in tenant.demands:
                if demand.route not in routes:
                    raise ValueError(f"tenant {tenant.key!r} asks {demand.route!r}, which is no route")
        self._check_queues()

    def _check_queues(self) -> None:
        asked = {(tenant.key, demand.route) for tenant in self.tenants for demand in tenant.demands}
        for queue in self.queues:
            if (queue.tenant, queue.route) not in asked:
                raise ValueError(f"queue {queue.name!r}: tenant {queue.tenant!r} does not ask {queue.route!r}")
        names = [queue.name for queue in self.queues]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two queues are called {name!r}")


S = TypeVar("S")


def read_shipped(path: str, kind: type[S]) -> S:
    """A YAML file of this package as `kind`.

    Raises:
        msgspec.ValidationError: the file has another shape; the text names the field.
        FileNotFoundError: there is no such file.
    """
    from ruamel.yaml import YAML

    text = resources.files("adapters.simulator").joinpath(path).read_text(encoding="utf-8")
    return msgspec.convert(YAML(typ="safe").load(text), type=kind)


@cache
def standard() -> Platform:
    """The hand-made world of the demo; read once, for nothing in it ever changes."""
    return read_shipped("platform.yaml", Platform)
