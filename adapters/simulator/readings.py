"""The world as a gateway would report it: the domain's readings, with numbers rounded to what a meter shows."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from adapters.simulator.abilities import of_deployment, of_route, switch_options
from adapters.simulator.counters import WINDOW_S
from adapters.simulator.parts import (
    ATTEMPTS,
    CALLS,
    COST,
    FAILED,
    FAILURE_NAMES,
    FRESH,
    HANDED_ON,
    TOKENS_IN,
    TOKENS_OUT,
    TRIES,
    USD,
    Deployment,
    Provider,
    Route,
)
from adapters.simulator.supply import P95
from adapters.simulator.world import World
from console.domain import readings as r
from console.domain.circuit import Circuit, Observed, ReplicaCircuit
from console.domain.refs import Kind, Ref

QUIET: Final = 0.05
"""Fewer requests a minute than this are none."""


class _Pace(NamedTuple):
    """How quickly something answers, in seconds."""

    median_s: float
    service_s: float
    """Without the wait."""
    ttft_s: float
    s_per_token: float


class Meter:
    """Reads one world for one source, at one moment."""

    def __init__(self, world: World, source: str, at: float) -> None:
        self._world = world
        self._source = source
        self._at = at
        self._rates = {name: item.sums.per_s(world.now) for name, item in world.deployments.items()}

    def readings(self) -> tuple[r.AnyReading, ...]:
        """Everything but the money."""
        world = self._world
        return (
            *(self.provider(item) for item in world.providers.values()),
            *(self.deployment(item) for item in world.deployments.values()),
            *(self.route(item) for item in world.routes.values()),
        )

    def _ref(self, kind: Kind, name: str) -> Ref:
        return Ref(self._source, kind, name)

    def deployment(self, item: Deployment) -> r.Deployment:
        """One deployment, as the gateway's replicas together see it."""
        spec, rates = item.spec, self._rates[item.spec.name]
        return r.Deployment(
            ref=self._ref(Kind.DEPLOYMENT, spec.name),
            observed_at=self._at,
            can=of_deployment(item),
            provider=spec.provider,
            model=spec.model,
            region=spec.region,
            routes=(item.route,),
            endpoint=item.provider.spec.endpoint,
            origin="config" if spec.pinned else "database",
            circuit=self._circuit(item),
            weight=self._world.gateway.weight(item),
            order=self._world.gateway.order(item),
            traffic=_traffic(rates, (item,)),
            latency=self._latency(_pace(((item, 1.0),)), 60.0 * rates[ATTEMPTS]),
            failures=_failures(rates),
            headroom=_headroom((item,)),
            usd_per_h=round(3600.0 * rates[USD], 2),
            usd_per_request=round(spec.usd_per_request * item.tokens * item.price * item.booked, 6),
        )

    def _circuit(self, item: Deployment) -> Circuit:
        seen = tuple(
            ReplicaCircuit(replica=name, observed=Observed.UNKNOWN)
            if self._world.gateway.is_lost(number)
            else ReplicaCircuit(replica=name, observed=breaker.observed, until=breaker.until, cause=breaker.cause)
            for number, (name, breaker) in enumerate(zip(self._world.gateway.replicas, item.breakers, strict=True))
        )
        return Circuit(mode=self._world.gateway.mode(item, self._world.now), replicas=seen, releases="probe")

    def provider(self, provider: Provider) -> r.Provider:
        """Everything that goes to one provider."""
        items = tuple(provider.deployments)
        busiest = max(items, key=lambda item: sum(item.offered), default=None)
        rates = self._together(items)
        latency = None
        if busiest is not None:
            latency = self._latency(_pace(((busiest, 1.0),)), 60.0 * rates[ATTEMPTS])
        return r.Provider(
            ref=self._ref(Kind.PROVIDER, provider.spec.name),
            observed_at=self._at,
            deployments=tuple(item.spec.name for item in items),
            traffic=_traffic(rates, items),
            latency=latency,
            failures=_failures(rates),
            headroom=_headroom(items),
            usd_per_h=round(3600.0 * rates[USD], 2),
        )

    def _together(self, items: Iterable[Deployment]) -> list[float]:
        """The rates of several deployments, added up."""
        return [sum(column) for column in zip(*(self._rates[item.spec.name] for item in items), strict=True)]

    def route(self, route: Route) -> r.Route:
        """One route, as its callers see it: a call fails when everything behind it has failed."""
        rates = route.sums.per_s(self._world.now)
        answered_by = self._world.gateway.alias(route)
        behind = self._world.routes[answered_by] if answered_by else route
        tries = rates[TRIES] / rates[FRESH] if 60.0 * rates[FRESH] > QUIET else None
        return r.Route(
            ref=self._ref(Kind.ROUTE, route.spec.name),
            observed_at=self._at,
            can=of_route(self._world, route),
            targets=self._targets(route),
            answered_by=answered_by,
            fallbacks=route.spec.fallbacks,
            traffic=r.Traffic(
                window_s=WINDOW_S,
                requests_per_min=round(60.0 * rates[CALLS], 1),
                errors_per_min=round(60.0 * rates[FAILED], 1),
                attempts_per_request=None if tries is None else round(tries, 2),
                fallbacks_per_min=round(60.0 * rates[HANDED_ON], 1),
            ),
            latency=self._route_latency(behind),
            failures=_failures(self._together(route.deployments)),
            switch_options=switch_options(self._world, route),
            usd_per_h=round(3600.0 * rates[COST], 2),
        )

    def _targets(self, route: Route) -> tuple[r.RouteTarget, ...]:
        flows = [self._rates[item.spec.name][ATTEMPTS] for item in route.deployments]
        total = sum(flows)
        return tuple(
            r.RouteTarget(
                deployment=item.spec.name,
                share=round(flow / total, 3) if 60.0 * total > QUIET else None,
                weight=self._world.gateway.weight(item),
                order=self._world.gateway.order(item),
            )
            for item, flow in zip(route.deployments, flows, strict=True)
        )

    def _route_latency(self, behind: Route) -> r.Latency:
        """The mean over the deployments by their part: near enough to a median for a screen."""
        flows = [self._rates[item.spec.name][ATTEMPTS] for item in behind.deployments]
        total = sum(flows)
        if 60.0 * total <= QUIET:
            return r.Latency(window_s=WINDOW_S)
        parts = [(item, flow / total) for item, flow in zip(behind.deployments, flows, strict=True)]
        return self._latency(_pace(parts), 60.0 * total)

    def _latency(self, pace: _Pace, calls: float) -> r.Latency:
        """What is measured: a call that is given up counts with the time until then."""
        if calls <= QUIET:
            return r.Latency(window_s=WINDOW_S)
        longest = self._world.platform.gateway.timeout_s
        return r.Latency(
            window_s=WINDOW_S,
            p50_s=round(min(longest, pace.median_s), 2),
            p95_s=round(min(longest, pace.median_s + (P95 - 1.0) * pace.service_s), 2),
            ttft_p50_s=round(min(longest, pace.ttft_s), 2),
            s_per_token_p50=round(pace.s_per_token, 4) or None,
        )

    def money(self) -> Iterator[r.Spend]:
        """Spend in total, by provider, by model and by key."""
        from adapters.simulator.money import Ledger

        yield from Ledger(self._world, self._source, self._at).spends()


def _pace(parts: Iterable[tuple[Deployment, float]]) -> _Pace:
    """How quickly some deployments together answer; each has its part of the calls."""
    values = [[part * x for x in (one.latency_s, one.service_s, one.ttft_s, one.s_per_token)] for one, part in parts]
    return _Pace(*(sum(column) for column in zip(*values, strict=True)))


def _traffic(rates: list[float], items: Iterable[Deployment]) -> r.Traffic:
    return r.Traffic(
        window_s=WINDOW_S,
        requests_per_min=round(60.0 * rates[ATTEMPTS], 1),
        errors_per_min=round(60.0 * sum(rates[index] for index in FAILURE_NAMES), 1),
        tokens_in_per_min=round(60.0 * rates[TOKENS_IN]),
        tokens_out_per_min=round(60.0 * rates[TOKENS_OUT]),
        in_flight=round(sum(sum(item.offered) * (1.0 - item.limited) * item.latency_s for item in items)),
    )


def _failures(rates: list[float]) -> tuple[r.FailureClass, ...]:
    found = [(round(60.0 * rates[index], 1), name) for index, name in FAILURE_NAMES.items()]
    return tuple(r.FailureClass(name, rate) for rate, name in sorted(found, reverse=True) if rate > 0)


def _headroom(items: Iterable[Deployment]) -> r.Headroom:
    limit = left = 0.0
    for item in items:
        limit += item.limit
        left += max(0.0, item.limit - 60.0 * sum(item.offered))
    return r.Headroom(requests_left=round(left), requests_limit=round(limit))
