"""What applications do: they ask, ask again when they fail, loop, and pay for all of it by their key."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from adapters.simulator.faults import Fault
from adapters.simulator.flow import Router
from adapters.simulator.habits import AGAIN_S, FOR_S
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
    ORDINARY,
    Asker,
    Route,
    Stream,
)

if TYPE_CHECKING:
    from adapters.simulator.world import World

_BILLED: Final = ((COST, KEY_USD), (ANSWERED_IN, KEY_IN), (ANSWERED_OUT, KEY_OUT))
"""Sums of a route, and those of a key that they are booked to."""


class Applications:
    """All tenants' applications at once, as flows."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._gateway = world.platform.gateway
        self._router = Router(self._gateway, world.routes)
        self._streams: dict[str, list[Stream]] = {name: [] for name in world.routes}
        for tenant in world.tenants:
            for stream in tenant.streams:
                self._streams[stream.route.spec.name].append(stream)

    def ask(self, dt: float) -> None:
        """Let everything be asked that is asked in the last `dt` seconds."""
        there = self._world.gateway.there()
        # What of a backlog comes again in this tick, per second; it can never be more than all of it.
        due = -math.expm1(-dt / self._gateway.client_backoff_s) / dt
        for route in self._world.routes.values():
            route.failing = 0.0
            for asker, streams in _apart(self._streams[route.spec.name], self._world.hurting).items():
                self._send(route, asker, streams, there, due, dt)

    def _send(self, route: Route, asker: Asker, streams: list[Stream], there: list[int], due: float, dt: float) -> None:
        """Calls of tenants that fare alike, those that they make again included."""
        calls = [max(0.0, one.now * (1.0 - one.overflow) + one.jobs) * one.calls + one.backlog * due for one in streams]
        flow, sums = sum(calls), route.sums.now
        before = [sums[index] for index, _ in _BILLED]
        failing = sum(self._router.send(route, replica, flow / len(there), dt, asker) for replica in there)
        failing = failing if there else flow
        route.failing += failing
        sums[CALLS] += flow * dt
        sums[FAILED] += failing * dt
        again = max(self._gateway.client_retry_ratio, self._world.fault(Fault.CLIENT_RETRIES, *route.targets))
        grown = [sums[index] - was for (index, _), was in zip(_BILLED, before, strict=True)]
        for one, asked in zip(streams, calls, strict=True):
            sums[FRESH] += max(0.0, one.now * (1.0 - one.overflow) + one.first_jobs) * one.calls * dt
            part = asked / flow if flow > 0 else 0.0
            one.backlog += (failing * part * again - one.backlog * due) * dt
            key = one.sums.now
            key[KEY_CALLS] += asked * dt
            key[KEY_FAILED] += failing * part * dt
            for (_, index), amount in zip(_BILLED, grown, strict=True):
                key[index] += amount * part
            if one.overflow or one.overflowing > 1e-6:
                self._refuse(one, there, dt)

    def _refuse(self, one: Stream, there: list[int], dt: float) -> None:
        """Calls that are longer than the window: refused, billed, and the same again."""
        new = one.now * one.overflow
        flow = new + one.overflowing / AGAIN_S
        one.overflowing += (new - one.overflowing / FOR_S) * dt
        sums, key = one.route.sums.now, one.sums.now
        before = [sums[index] for index, _ in _BILLED]
        for replica in there:
            self._router.refuse(one.route, replica, flow / len(there), dt)
        sums[FRESH] += new * dt
        sums[CALLS] += flow * dt
        sums[FAILED] += flow * dt
        one.route.failing += flow
        key[KEY_CALLS] += flow * dt
        key[KEY_FAILED] += flow * dt
        for (index, to), was in zip(_BILLED, before, strict=True):
            key[to] += sums[index] - was


def _apart(streams: list[Stream], hurting: Mapping[str, Mapping[str, float]]) -> dict[Asker, list[Stream]]:
    """Streams that fare alike together; usually all of them."""
    if not hurting and all(one.bulk == 1.0 for one in streams):
        return {ORDINARY: streams}
    found: dict[Asker, list[Stream]] = {}
    for one in streams:
        hurt = tuple(sorted(hurting.get(one.key, {}).items()))
        found.setdefault(Asker(hurt, one.bulk), []).append(one)
    return found
