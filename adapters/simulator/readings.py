"""The world as a gateway would report it: the domain's readings, with numbers rounded to what a meter shows."""

from collections.abc import Iterator
from typing import Final

from adapters.simulator.abilities import of_deployment, of_route, switch_options
from adapters.simulator.counters import WINDOW_S, Sums
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
from console.domain.circuit import Circuit, ReplicaCircuit
from console.domain.refs import Kind, Ref

QUIET: Final = 0.05
"""Fewer requests a minute than this are none."""


class Meter:
    """Reads one world for one source, at one moment."""

    def __init__(self, world: World, source: str, at: float) -> None:
        self._world = world
        self._source = source
        self._at = at

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

    def _per_min(self, sums: Sums, *indexes: int) -> float:
        return round(60.0 * sum(sums.per_s(index, self._world.now) for index in indexes), 1)

    def _usd_per_h(self, sums: Sums, index: int) -> float:
        return round(3600.0 * sums.per_s(index, self._world.now), 2)

    def deployment(self, item: Deployment) -> r.Deployment:
        """One deployment, as the gateway's replicas together see it."""
        spec, sums = item.spec, item.sums
        calls = self._per_min(sums, ATTEMPTS)
        return r.Deployment(
            ref=self._ref(Kind.DEPLOYMENT, spec.name),
            observed_at=self._at,
            can=of_deployment(item),
            provider=spec.provider,
            model=spec.model,
            routes=(item.route,),
            endpoint=item.provider.spec.endpoint,
            origin="config" if spec.pinned else "database",
            circuit=self._circuit(item),
            weight=self._world.weight(item),
            order=self._world.order(item),
            traffic=self._traffic((item,)),
            latency=_latency(item.latency_s, item.service_s, item.ttft_s, calls),
            failures=self._failures((item,)),
            headroom=self._headroom((item,)),
            usd_per_h=self._usd_per_h(sums, USD),
            usd_per_request=round(spec.usd_per_request, 6),
        )

    def _circuit(self, item: Deployment) -> Circuit:
        seen = tuple(
            ReplicaCircuit(replica=name, observed=breaker.observed, until=breaker.until, cause=breaker.cause)
            for name, breaker in zip(self._world.replicas, item.breakers, strict=True)
        )
        return Circuit(mode=self._world.mode(item), replicas=seen, releases="probe")

    def _traffic(self, items: tuple[Deployment, ...]) -> r.Traffic:
        return r.Traffic(
            window_s=WINDOW_S,
            requests_per_min=round(sum(self._per_min(item.sums, ATTEMPTS) for item in items), 1),
            errors_per_min=round(sum(self._per_min(item.sums, *FAILURE_NAMES) for item in items), 1),
            tokens_in_per_min=round(sum(self._per_min(item.sums, TOKENS_IN) for item in items)),
            tokens_out_per_min=round(sum(self._per_min(item.sums, TOKENS_OUT) for item in items)),
            in_flight=round(sum(sum(item.offered) * (1.0 - item.limited) * item.latency_s for item in items)),
        )

    def _failures(self, items: tuple[Deployment, ...]) -> tuple[r.FailureClass, ...]:
        found = []
        for index, name in FAILURE_NAMES.items():
            rate = round(sum(self._per_min(item.sums, index) for item in items), 1)
            if rate > 0:
                found.append(r.FailureClass(name, rate))
        return tuple(sorted(found, key=lambda one: -one.per_min))

    def _headroom(self, items: tuple[Deployment, ...]) -> r.Headroom:
        limit = sum(item.spec.requests_per_min for item in items)
        left = sum(max(0.0, item.spec.requests_per_min - 60.0 * sum(item.offered)) for item in items)
        return r.Headroom(requests_left=round(left), requests_limit=round(limit))

    def provider(self, provider: Provider) -> r.Provider:
        """Everything that goes to one provider."""
        items = tuple(provider.deployments)
        busiest = max(items, key=lambda item: sum(item.offered), default=None)
        calls = self._traffic(items)
        latency = None
        if busiest is not None:
            latency = _latency(busiest.latency_s, busiest.service_s, busiest.ttft_s, calls.requests_per_min)
        return r.Provider(
            ref=self._ref(Kind.PROVIDER, provider.spec.name),
            observed_at=self._at,
            deployments=tuple(item.spec.name for item in items),
            traffic=calls,
            latency=latency,
            failures=self._failures(items),
            headroom=self._headroom(items),
            usd_per_h=round(sum(self._usd_per_h(item.sums, USD) for item in items), 2),
        )

    def route(self, route: Route) -> r.Route:
        """One route, as its callers see it: a call fails when everything behind it has failed."""
        now, sums = self._world.now, route.sums
        fresh = sums.per_s(FRESH, now)
        answered_by = self._world.alias(route)
        behind = self._world.routes[answered_by] if answered_by else route
        flows = {item.spec.name: self._per_min(item.sums, ATTEMPTS) for item in behind.deployments}
        total = sum(flows.values())
        return r.Route(
            ref=self._ref(Kind.ROUTE, route.spec.name),
            observed_at=self._at,
            can=of_route(self._world, route),
            targets=tuple(self._target(item, total) for item in route.deployments),
            answered_by=answered_by,
            fallbacks=route.spec.fallbacks,
            traffic=r.Traffic(
                window_s=WINDOW_S,
                requests_per_min=self._per_min(sums, CALLS),
                errors_per_min=self._per_min(sums, FAILED),
                attempts_per_request=round(sums.per_s(TRIES, now) / fresh, 2) if 60.0 * fresh > QUIET else None,
                fallbacks_per_min=self._per_min(sums, HANDED_ON),
            ),
            latency=self._route_latency(behind, flows),
            failures=self._failures(tuple(route.deployments)),
            switch_options=switch_options(self._world, route),
            usd_per_h=self._usd_per_h(sums, COST),
        )

    def _target(self, item: Deployment, total: float) -> r.RouteTarget:
        flow = self._per_min(item.sums, ATTEMPTS)
        return r.RouteTarget(
            deployment=item.spec.name,
            share=round(flow / total, 3) if total > QUIET else None,
            weight=self._world.weight(item),
            order=self._world.order(item),
        )

    def _route_latency(self, behind: Route, flows: dict[str, float]) -> r.Latency:
        """The mean over the deployments by their part: near enough to a median for a screen."""
        total = sum(flows.values())
        if total <= QUIET:
            return r.Latency(window_s=WINDOW_S)
        parts = [(item, flows[item.spec.name] / total) for item in behind.deployments]
        return _latency(
            sum(item.latency_s * part for item, part in parts),
            sum(item.service_s * part for item, part in parts),
            sum(item.ttft_s * part for item, part in parts),
            total,
        )

    def money(self) -> Iterator[r.Spend]:
        """Spend in total, by provider, by model and by key."""
        from adapters.simulator.money import Ledger

        yield from Ledger(self._world, self._source, self._at).spends()


def _latency(median_s: float, service_s: float, ttft_s: float, calls: float) -> r.Latency:
    if calls <= QUIET:
        return r.Latency(window_s=WINDOW_S)
    return r.Latency(
        window_s=WINDOW_S,
        p50_s=round(median_s, 2),
        p95_s=round(median_s + (P95 - 1.0) * service_s, 2),
        ttft_p50_s=round(ttft_s, 2),
    )
