"""Worlds of any size, for benchmarks and for looking at a screen with a thousand rows."""

import random
from typing import Final

from adapters.simulator.platform import (
    DemandSpec,
    DeploymentSpec,
    GatewaySpec,
    Platform,
    ProviderSpec,
    QueueSpec,
    RouteSpec,
    TenantSpec,
)

NAMED: Final = ("openai", "azure", "anthropic", "mistral")
"""The providers that every generated world has, so that every scenario fits it."""

PER_ROUTE: Final = 4
PER_PROVIDER: Final = 50
PER_TENANT: Final = 10
"""Routes of one tenant."""

PER_QUEUE: Final = 25
"""Routes for one queue."""

QUEUED: Final = 0.5
"""Part of such a route's demand that comes by way of its queue."""

WORK_S: Final = 1.0
"""Mean seconds of a generated worker's own work on a job."""

SMALL: Final = 100
"""Up to so many deployments the world moves every second."""

_MODELS: Final = {
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "claude-sonnet-4-5": (3.0, 15.0),
    "claude-haiku-4-5": (1.0, 5.0),
}


def generate(size: int, seed: int) -> Platform:
    """A healthy world of `size` deployments, the same for the same seed; 4 deployments a route."""
    chance = random.Random(seed)  # noqa: S311 - a game, not a secret
    count = max(len(NAMED), size // PER_PROVIDER)
    providers = [NAMED[n] if n < len(NAMED) else f"provider-{n:03}" for n in range(count)]
    work = dict.fromkeys(providers, 0.0)
    routes, demands = [], []
    for number in range((size + PER_ROUTE - 1) // PER_ROUTE):
        name = f"route-{number:04}"
        rate = chance.uniform(20.0, 120.0)
        inside = min(PER_ROUTE, size - number * PER_ROUTE)
        specs = tuple(
            _deployment(chance, f"{name}-{place}", providers[(number + place) % count], rate, place)
            for place in range(inside)
        )
        for spec in specs:
            work[spec.provider] += rate / 60.0 * spec.service_s / inside
        routes.append(RouteSpec(name=name, deployments=specs, around=("retrieval",)))
        demands.append(DemandSpec(route=name, requests_per_min=rate))
    return Platform(
        gateway=GatewaySpec(),
        tick_s=1.0 if size <= SMALL else 5.0,
        providers=tuple(ProviderSpec(name=name, slots=max(2.0, 2.5 * busy)) for name, busy in work.items()),
        routes=tuple(routes),
        tenants=tuple(
            TenantSpec(
                key=f"tenant-{start // PER_TENANT:03}",
                demands=tuple(demands[start : start + PER_TENANT]),
                night=chance.uniform(0.3, 0.8),
            )
            for start in range(0, len(demands), PER_TENANT)
        ),
        queues=tuple(
            _queue(place, routes[place], demands[place].requests_per_min) for place in range(0, len(routes), PER_QUEUE)
        ),
    )


def _queue(place: int, route: RouteSpec, rate: float) -> QueueSpec:
    """A queue in front of one route, with twice the workers that its busiest hour needs."""
    longest = max(spec.service_s for spec in route.deployments)
    return QueueSpec(
        name=f"jobs-{place // PER_QUEUE:03}",
        route=route.name,
        tenant=f"tenant-{place // PER_TENANT:03}",
        part=QUEUED,
        service=f"worker-{place // PER_QUEUE:03}",
        workers=1 + round(2.0 * QUEUED * rate / 60.0 * (WORK_S + longest)),
        work_s=WORK_S,
    )


def _deployment(chance: random.Random, name: str, provider: str, rate: float, place: int) -> DeploymentSpec:
    model = "gpt-5" if provider == "openai" else chance.choice(tuple(_MODELS))
    usd_in, usd_out = _MODELS[model]
    return DeploymentSpec(
        name=name,
        provider=provider,
        model=model,
        weight=float(chance.randint(1, 9)),
        order=1 if place < PER_ROUTE - 1 else 2,
        ttft_s=chance.uniform(0.25, 0.9),
        tokens_in=chance.uniform(300.0, 3000.0),
        tokens_out=chance.uniform(50.0, 250.0),
        s_per_token=chance.uniform(0.006, 0.014),
        requests_per_min=3.0 * rate,
        usd_in_per_m=usd_in,
        usd_out_per_m=usd_out,
    )
