"""The world: parts, time and chance. It moves only when it is asked to, up to the moment that it is told.

Time goes in equal ticks from the world's beginning, so what happens does not depend on how often somebody looks.
"""

import math
import random
from collections.abc import Iterator
from typing import Final, Protocol

from adapters.simulator.asking import Applications
from adapters.simulator.counters import DAY_S, MARK_S, Sums
from adapters.simulator.demand import move, wander
from adapters.simulator.faults import Acting, Fault
from adapters.simulator.flow import forget
from adapters.simulator.gateway import Gateway
from adapters.simulator.parts import Deployment, Provider, Route, Stream, Tenant
from adapters.simulator.platform import Platform
from adapters.simulator.remedies import cures
from adapters.simulator.scenario import Scenario
from adapters.simulator.strike import strike
from adapters.simulator.supply import serve

WARM_UP_S: Final = 90.0
"""The world has already run for this long when it is first seen, so that every rate has its window."""

LATENCY_NOISE: Final = (0.05, 45.0)
"""A provider's latency: standard deviation in logarithms, and seconds after which it has forgotten 63 % of itself."""


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
        self.chance = random.Random(seed)  # noqa: S311 - a game, not a secret
        """The world's own; others bring theirs."""
        self.providers = {spec.name: Provider(spec) for spec in platform.providers}
        self.routes = {spec.name: Route(spec, replicas) for spec in platform.routes}
        self.deployments: dict[str, Deployment] = {}
        for route in self.routes.values():
            self._furnish(route, replicas)
        self.tenants = [self._tenant(number) for number in range(len(platform.tenants))]
        self.streams = [stream for tenant in self.tenants for stream in tenant.streams]
        self.hurting: dict[str, dict[str, float]] = {}
        """Part of the calls that are refused because of who asks: by tenant, by deployment; only what is not nought."""
        self.struck = False
        """Whether a fault hits anybody in this tick, or did in the last one."""
        self.gateway = Gateway(replicas, platform.gateway.converge_s, self.deployments, self.routes)
        self._applications = Applications(self)
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
        shape, sums = self.scenario.traffic.of(spec.key), Sums(5)
        streams = [
            Stream(self.routes[one.route], spec.key, one.requests_per_min / 60.0, spec.night, shape, sums)
            for one in spec.demands
        ]
        return Tenant(spec, streams, sums)

    def _live_since_midnight(self) -> None:
        """Book what an ordinary day would have brought since 00:00 UTC: one second of it, times its seconds."""
        self._step(1.0)  # settles the chances that the measured second meets
        before = [list(sums.now) for sums in self._all_sums()]
        self._step(1.0)
        passed = self.now % DAY_S
        for sums, then in zip(self._all_sums(), before, strict=True):
            for index, was in enumerate(then):
                sums.credit(index, (sums.now[index] - was) * passed - sums.now[index])

    def play(self, scenario: Scenario, at: float) -> None:
        """From `at` (unix seconds: its time 0) on another scenario happens; the traffic stays what it was.

        Raises:
            ConfigError: it names something that is not in this platform.
        """
        scenario.fits(self.platform)
        self.scenario = scenario.model_copy(update={"quiet_s": at - self.begin, "traffic": self.scenario.traffic})
        self._acting.play(scenario.tracks)

    def remedy(self, does: str) -> None:
        """Somebody does something about it elsewhere: `rollback index/knowledge-base` (see `remedies`).

        Raises:
            ValueError: nobody can do that here.
        """
        for cure in cures(does, self.platform):
            self._acting.cure(cure)
            for stream in self.streams:
                if Fault.OVERFLOW in cure.ends and cure.target.issubset(stream.targets):
                    stream.overflowing = 0.0  # what was too long is not sent again either

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
        self._applications.ask(dt)
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
        """Faults, demand and noise as they are now."""
        self.struck = self._acting.at(self.ill_for)
        if self.struck:
            strike(self)
        move(self, self.streams, self.routes.values(), dt)
        for provider in self.providers.values():
            provider.noise = wander(self.chance, provider.noise, LATENCY_NOISE, dt)

    @property
    def ill_for(self) -> float:
        """Seconds since time 0 of the scenario, in its own time; below zero before it."""
        return (self.now - self.begin - self.scenario.quiet_s) * self._speed

    def fault(self, fault: Fault, *targets: str) -> float:
        """How much of a fault hits somebody who is all of `targets` (`deployment/chat-azure`, `provider/azure`, …) now.

        What several tracks do adds up as `faults.together` says; neutral when none hits. It is worked out once a tick.
        """
        return self._acting.value(fault, targets)

    def hits(self, fault: Fault) -> bool:
        """Whether a fault hits anybody now."""
        return self._acting.is_on(fault)

    def _judge(self, dt: float) -> None:
        gateway = self.platform.gateway
        for item in self.deployments.values():
            # Without a cap nobody counts what is under way, so nothing is decided before the first answers.
            answer_s = item.latency_s if item.probes > 1.0 else 0.0
            for replica, breaker in enumerate(item.breakers):
                attempts = item.offered[replica] * dt
                if breaker.tick(self.now, dt, attempts, attempts * item.fail, gateway, answer_s):
                    forget(self.routes[item.route], replica)
