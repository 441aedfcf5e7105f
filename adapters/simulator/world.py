"""The world: parts, time and chance. It moves only when it is asked to, up to the moment that it is told.

Time goes in equal ticks from the world's beginning, so what happens does not depend on how often somebody looks.
"""

import math
import random
from collections.abc import Iterator
from typing import Final, Protocol

from adapters.simulator.counters import DAY_S, MARK_S, Sums
from adapters.simulator.faults import Acting, Fault
from adapters.simulator.flow import Router, forget
from adapters.simulator.gateway import Gateway
from adapters.simulator.parts import (
    ANSWERED_IN,
    ANSWERED_OUT,
    CALLS,
    COST,
    FAILED,
    FRESH,
    KEY_CALLS,
    KEY_FAILED,
    KEY_IN,
    KEY_OUT,
    KEY_USD,
    Deployment,
    Provider,
    Route,
    Stream,
    Tenant,
)
from adapters.simulator.platform import Platform
from adapters.simulator.scenario import Scenario
from adapters.simulator.supply import serve

WARM_UP_S: Final = 90.0
"""The world has already run for this long when it is first seen, so that every rate has its window."""

START_HOUR: Final = 10.5
"""The hour of the tenants' day at which the world begins, whatever the clock says: busy, and not yet the peak."""

DEMAND_NOISE: Final = (0.035, 90.0)
"""Standard deviation in logarithms, and seconds after which the noise has forgotten 63 % of itself."""

LATENCY_NOISE: Final = (0.05, 45.0)
"""The same for a provider's latency."""


class Companion(Protocol):
    """Something that lives in a world and moves with it: a broker with its workers, a trace store."""

    def step(self, dt: float) -> None:
        """Move by `dt` seconds; the world has just moved by as much."""
        ...


class World:
    """One simulated platform in motion."""

    def __init__(
        self, platform: Platform, scenario: Scenario, *, seed: int, speed: float, replicas: int, begin: float
    ) -> None:
        scenario.fits(platform)
        self.platform = platform
        self.scenario = scenario
        self.begin = begin
        """Unix seconds at which the world is first seen."""
        self.now = begin - WARM_UP_S
        """Unix seconds up to which the world has moved."""
        self._speed = speed
        self._acting = Acting(scenario.tracks)
        self._chance = random.Random(seed)  # noqa: S311 - a game, not a secret
        self.providers = {spec.name: Provider(spec) for spec in platform.providers}
        self.routes = {spec.name: Route(spec, replicas) for spec in platform.routes}
        self.deployments: dict[str, Deployment] = {}
        for route in self.routes.values():
            self._furnish(route, replicas)
        self.tenants = [self._tenant(number) for number in range(len(platform.tenants))]
        self._streams = [stream for tenant in self.tenants for stream in tenant.streams]
        self._asking: dict[str, list[tuple[Tenant, Stream]]] = {name: [] for name in self.routes}
        for tenant in self.tenants:
            for stream in tenant.streams:
                self._asking[stream.route.spec.name].append((tenant, stream))
        self.gateway = Gateway(replicas, platform.gateway.converge_s, self.deployments, self.routes)
        self._router = Router(platform.gateway, self.routes)
        self._tick_s = platform.tick_s
        self._marked = -math.inf
        self.companions: list[Companion] = []
        """What moves with it, in this order."""
        self._live_since_midnight()

    def _furnish(self, route: Route, replicas: int) -> None:
        for spec in route.spec.deployments:
            provider = self.providers[spec.provider]
            made = self.deployments[spec.name] = Deployment(spec, route.spec.name, provider, replicas)
            route.deployments.append(made)
            provider.deployments.append(made)

    def _tenant(self, number: int) -> Tenant:
        spec = self.platform.tenants[number]
        streams = [Stream(self.routes[d.route], d.requests_per_min / 60.0, spec.night) for d in spec.demands]
        return Tenant(spec, streams)

    def _live_since_midnight(self) -> None:
        """Book what an ordinary day would have brought since 00:00 UTC: one second of it, times its seconds."""
        self._step(1.0)  # settles the chances that the measured second meets
        before = [list(sums.now) for sums in self._all_sums()]
        self._step(1.0)
        passed = self.now % DAY_S
        for sums, then in zip(self._all_sums(), before, strict=True):
            for index, was in enumerate(then):
                sums.credit(index, (sums.now[index] - was) * passed - sums.now[index])

    def advance(self, now: float, ticks: int | None = None) -> bool:
        """Move up to `now`, by at most `ticks` ticks; returns whether the world has got there."""
        done = 0
        while self.now + self._tick_s <= now:
            if ticks is not None and done >= ticks:
                return False
            self._step(self._tick_s)
            done += 1
        self.gateway.settings.spread(now)
        return True

    def _step(self, dt: float) -> None:
        before, self.now = self.now, self.now + dt
        self.gateway.settings.spread(self.now)
        self._blow(dt)
        for item in self.deployments.values():
            for replica in range(len(item.offered)):
                item.offered[replica] = 0.0
        self._ask(dt)
        for provider in self.providers.values():
            serve(provider, self.platform.gateway, dt)
        self._judge(dt)
        if self.now // DAY_S != before // DAY_S:
            for sums in self._all_sums():
                sums.midnight()
        if self.now - self._marked >= MARK_S:
            self._marked = self.now
            for sums in self._all_sums():
                sums.mark(self.now)
        for companion in self.companions:
            companion.step(dt)

    def _all_sums(self) -> Iterator[Sums]:
        yield from (item.sums for item in self.deployments.values())
        yield from (route.sums for route in self.routes.values())
        yield from (tenant.sums for tenant in self.tenants)

    def _blow(self, dt: float) -> None:
        """Demand, noise and faults as they are now."""
        hour = (START_HOUR + (self.now - self.begin) / 3600.0) % 24.0
        day = 0.5 - 0.5 * math.cos(2.0 * math.pi * (hour - 2.0) / 24.0)
        for route in self.routes.values():
            route.demand = 0.0
        for stream in self._streams:
            stream.noise = self._wander(stream.noise, DEMAND_NOISE, dt)
            level = stream.night + (1.0 - stream.night) * day
            stream.now = stream.base * level * math.exp(stream.noise)
            stream.route.demand += stream.now
        for provider in self.providers.values():
            provider.noise = self._wander(provider.noise, LATENCY_NOISE, dt)
        if self.scenario.tracks:
            self._acting.at(self.ill_for)
            self._strike()

    @property
    def ill_for(self) -> float:
        """Seconds since time 0 of the scenario, in its own time; below zero before it."""
        return (self.now - self.begin - self.scenario.quiet_s) * self._speed

    def fault(self, fault: Fault, *targets: str) -> float:
        """How much of a fault hits somebody who is all of `targets` (`deployment/chat-azure`, `provider/azure`, …) now.

        What several tracks do adds up as `faults.together` says; neutral when none hits. It is worked out once a tick.
        """
        return self._acting.value(fault, targets)

    def _strike(self) -> None:
        """Hand the faults of this tick to those whom they hit."""
        for provider in self.providers.values():
            provider.capacity = self.fault(Fault.CAPACITY, f"provider/{provider.spec.name}")
        for item in self.deployments.values():
            item.faulty = self.fault(Fault.ERRORS, *item.targets)
            item.slow_ttft = self.fault(Fault.TTFT, *item.targets)
            item.slow_decode = self.fault(Fault.DECODE, *item.targets)

    def _wander(self, value: float, noise: tuple[float, float], dt: float) -> float:
        deviation, memory_s = noise
        keep = math.exp(-dt / memory_s)
        return value * keep + self._chance.gauss(0.0, deviation) * math.sqrt(1.0 - keep * keep)

    def _ask(self, dt: float) -> None:
        gateway = self.platform.gateway
        there = self.gateway.there()
        # What of a backlog comes again in this tick, per second; it can never be more than all of it.
        due = (1.0 - math.exp(-dt / gateway.client_backoff_s)) / dt
        for route in self.routes.values():
            again = route.backlog * due
            calls = max(0.0, route.demand + route.jobs) + again
            sums = route.sums.now
            before = (sums[COST], sums[ANSWERED_IN], sums[ANSWERED_OUT])
            failing = sum(self._router.send(route, replica, calls / len(there), dt) for replica in there)
            failing = failing if there else calls
            route.failing = failing
            route.backlog += (failing * gateway.client_retry_ratio - again) * dt
            sums[FRESH] += max(0.0, route.demand + route.first_jobs) * dt
            sums[CALLS] += calls * dt
            sums[FAILED] += failing * dt
            grown = (sums[COST] - before[0], sums[ANSWERED_IN] - before[1], sums[ANSWERED_OUT] - before[2])
            self._bill(route, calls * dt, failing * dt, grown)

    def _bill(self, route: Route, calls: float, failed: float, grown: tuple[float, float, float]) -> None:
        if route.demand <= 0:
            return
        for tenant, stream in self._asking[route.spec.name]:
            part = stream.now / route.demand
            sums = tenant.sums.now
            sums[KEY_CALLS] += calls * part
            sums[KEY_FAILED] += failed * part
            sums[KEY_USD] += grown[0] * part
            sums[KEY_IN] += grown[1] * part
            sums[KEY_OUT] += grown[2] * part

    def _judge(self, dt: float) -> None:
        gateway = self.platform.gateway
        for item in self.deployments.values():
            for replica, breaker in enumerate(item.breakers):
                attempts = item.offered[replica] * dt
                if breaker.tick(self.now, dt, attempts, attempts * item.fail, gateway):
                    forget(self.routes[item.route], replica)
