"""One call through the gateway, attempt by attempt, as it would go at this moment.

The world itself moves flows; a worker and a trace need single calls. They are drawn from the flow's own chances: the
same orders, weights, breakers, retries and fallbacks, the same latencies, the same ways of failing.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from adapters.simulator.flow import stages_of
from adapters.simulator.parts import FAILURE_NAMES, LIMITED, REFUSED, TIMED_OUT, TURNED_AWAY, Deployment, Route, Stage
from adapters.simulator.supply import FAILED_WORK, SPREAD
from adapters.simulator.world import World

BACKOFF_S: Final = 0.2
"""What the gateway waits before it tries again."""

NO_ANSWER: Final = "503"
"""How a call fails that nobody was asked for: every circuit is open, or no replica is there."""

GIVEN_UP: Final = "timeout"
"""How a call fails whose caller had no more patience."""

REFUSED_S: Final = (0.02, 0.08)
"""Seconds (least, most) of an attempt that is refused because of who asks; nobody tries it again."""

_QUICK: Final = {LIMITED: (0.03, 0.12), TURNED_AWAY: (0.1, 0.4)}
"""Seconds (least, most) of an attempt that is turned away at the door."""


class Attempt(NamedTuple):
    """One request to one deployment."""

    deployment: Deployment
    route: str
    """The route that it was asked for: the call's own, or a fallback."""
    begin_s: float
    """Seconds since the call began."""
    duration_s: float
    ttft_s: float | None
    """Seconds to the first token; None when none came."""
    failure: str
    """`403`, `429`, `500`, `503`, `timeout`; empty when it was answered."""


@dataclass(slots=True)
class Call:
    """One call of an application or a worker, with everything that the gateway tried for it."""

    attempts: tuple[Attempt, ...]
    duration_s: float
    failure: str
    """How the last attempt failed; empty when the call was answered."""

    @property
    def answer(self) -> Attempt | None:
        """The attempt that was answered."""
        return None if self.failure or not self.attempts else self.attempts[-1]


class Caller:
    """Draws calls from a world as it is now, with a stream of chance of its own."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._refusing: Mapping[str, float] = {}
        """Part of the calls that are refused because of who asks, by deployment."""

    def draw(self, route: Route, patience_s: float, tenant: str = "") -> Call:
        """One call of `route` by somebody who gives up after `patience_s` seconds, with the key `tenant`."""
        self._refusing = self._world.hurting.get(tenant, {})
        there = self._world.gateway.there()
        if not there:
            return Call((), 0.05, NO_ANSWER)
        replica = there[int(self._chance.random() * len(there))]
        first = self._world.routes[route.alias[replica]] if route.alias[replica] else route
        made: list[Attempt] = []
        at = 0.0
        for name in (first.spec.name, *first.spec.fallbacks):
            if name == route.spec.name and first is not route:
                continue
            asked = self._world.routes[name]
            for stage in stages_of(asked, replica):
                at, done = self._try(made, asked, stage, at, patience_s)
                if done:
                    return Call(tuple(made), at, made[-1].failure)
        return Call(tuple(made), max(at, 0.05), made[-1].failure if made else NO_ANSWER)

    def _try(self, made: list[Attempt], route: Route, stage: Stage, at: float, patience_s: float) -> tuple[float, bool]:
        """The gateway's tries inside one routing order: (seconds since the call began, whether the call has ended)."""
        gateway = self._world.platform.gateway
        for _ in range(gateway.retries + 1):
            item = self._pick(stage)
            if item is None:
                return at, False
            for _ in range(gateway.same_retries + 1):
                attempt = self._attempt(item, route.spec.name, at)
                at += attempt.duration_s
                if at >= patience_s:
                    spent = attempt._replace(duration_s=patience_s - attempt.begin_s, ttft_s=None, failure=GIVEN_UP)
                    made.append(spent)
                    return patience_s, True
                made.append(attempt)
                if not attempt.failure or attempt.failure == FAILURE_NAMES[REFUSED]:
                    return at, True
                at += BACKOFF_S
        return at, False

    def _pick(self, stage: Stage) -> Deployment | None:
        drawn = self._chance.random()
        for item, share in stage.shares:
            drawn -= share
            if drawn <= 0.0:
                return item
        return stage.shares[-1][0] if stage.shares else None

    def _attempt(self, item: Deployment, route: str, at: float) -> Attempt:
        if self._refusing and self._chance.random() < self._refusing.get(item.spec.name, 0.0):
            return Attempt(item, route, at, self._chance.uniform(*REFUSED_S), None, FAILURE_NAMES[REFUSED])
        factor = math.exp(self._chance.gauss(0.0, SPREAD))
        wait = item.provider.wait_s
        service = max(0.0, item.latency_s - wait) * factor
        drawn = self._chance.random()
        for index, part in item.classes.items():
            drawn -= part
            if drawn < 0.0:
                return Attempt(item, route, at, self._failing(index, wait, service), None, FAILURE_NAMES[index])
        # What would have come too late is among the failures; the rest came in time.
        lasted = min(wait + service, self._world.platform.gateway.timeout_s)
        ttft = min(lasted, wait + max(0.0, item.ttft_s - wait) * factor)
        return Attempt(item, route, at, lasted, ttft, "")

    def _failing(self, index: int, wait_s: float, service_s: float) -> float:
        """Seconds that a failing attempt takes."""
        if index in _QUICK:
            return self._chance.uniform(*_QUICK[index])
        timeout_s = self._world.platform.gateway.timeout_s
        if index == TIMED_OUT:
            return timeout_s
        # It breaks in the middle of the work.
        return min(timeout_s, wait_s + FAILED_WORK * service_s)
