"""What applications do: they ask, ask again when they fail, loop, and pay for all of it by their key."""

import math
from typing import TYPE_CHECKING, Final

from adapters.simulator.faults import Fault
from adapters.simulator.flow import Refusal, Router
from adapters.simulator.habits import AGAIN_S, FOR_S, OVERFLOW_TOKENS
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
    REFUSED,
    TOO_LONG,
    Route,
    Stream,
)

if TYPE_CHECKING:
    from adapters.simulator.world import World

_BILLED: Final = ((COST, KEY_USD), (ANSWERED_IN, KEY_IN), (ANSWERED_OUT, KEY_OUT))
"""Sums of a route, and those of a key that they are booked to."""

TOO_LONG_BILLED: Final = Refusal(TOO_LONG, billed=OVERFLOW_TOKENS)
"""How calls fare that are longer than the window."""


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
            for bulk, streams in _apart(self._streams[route.spec.name]).items():
                self._send(route, bulk, streams, there, due, dt)

    def _send(self, route: Route, bulk: float, streams: list[Stream], there: list[int], due: float, dt: float) -> None:
        """Calls of tenants, those that they make again included."""
        calls = [self._pass(one, there, due, dt) for one in streams]
        flow, sums = sum(calls), route.sums.now
        before = [sums[index] for index, _ in _BILLED]
        failing = sum(self._router.send(route, replica, flow / len(there), dt, bulk) for replica in there)
        failing = failing if there else flow
        route.failing += failing
        sums[CALLS] += flow * dt
        sums[FAILED] += failing * dt
        again = max(self._gateway.client_retry_ratio, self._world.fault(Fault.CLIENT_RETRIES, *route.targets))
        grown = [sums[index] - was for (index, _), was in zip(_BILLED, before, strict=True)]
        for one, asked in zip(streams, calls, strict=True):
            part = asked / flow if flow > 0 else 0.0
            one.backlog += (failing * part * again - one.backlog * due) * dt
            key = one.sums.now
            key[KEY_CALLS] += asked * dt
            key[KEY_FAILED] += failing * part * dt
            for (_, index), amount in zip(_BILLED, grown, strict=True):
                key[index] += amount * part

    def _pass(self, one: Stream, there: list[int], due: float, dt: float) -> float:
        """What one stream asks per second beyond what is refused at the door."""
        fits = one.now * (1.0 - one.overflow)
        one.route.sums.now[FRESH] += max(0.0, fits + one.first_jobs) * one.calls * dt
        flow = max(0.0, fits + one.jobs) * one.calls + one.backlog * due
        if one.overflow or one.overflowing > 1e-6:
            new = one.now * one.overflow
            one.route.sums.now[FRESH] += new * dt
            self._refuse(one, there, new + one.overflowing / AGAIN_S, TOO_LONG_BILLED, dt)
            one.overflowing += (new - one.overflowing / FOR_S) * dt
        if (parts := self._world.hurting.get(one.key)) is not None:
            flow -= self._refuse(one, there, flow, Refusal(REFUSED, parts), dt)
        return flow

    def _refuse(self, one: Stream, there: list[int], flow: float, why: Refusal, dt: float) -> float:
        """Those of a stream's calls that are refused, per second; billed, counted, and at an end."""
        sums, key = one.route.sums.now, one.sums.now
        before = [sums[index] for index, _ in _BILLED]
        refused = sum(self._router.refuse(one.route, replica, flow / len(there), dt, why) for replica in there)
        sums[CALLS] += refused * dt
        sums[FAILED] += refused * dt
        one.route.failing += refused
        key[KEY_CALLS] += refused * dt
        key[KEY_FAILED] += refused * dt
        for (index, to), was in zip(_BILLED, before, strict=True):
            key[to] += sums[index] - was
        return refused


def _apart(streams: list[Stream]) -> dict[float, list[Stream]]:
    """Streams by how long their calls are; usually all of them together."""
    found: dict[float, list[Stream]] = {}
    for one in streams:
        found.setdefault(one.bulk, []).append(one)
    return found
