"""The gateway's routing: orders, weights, retries, breakers, aliases and fallbacks, on one replica at a time.

Requests are a flow (per second), not single calls: a share of a flow fails, and the failing share goes on to the
next try. So a tick costs the same at one request a minute and at a million.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from adapters.simulator.parts import (
    ANSWERED_IN,
    ANSWERED_OUT,
    ATTEMPTS,
    CALLS,
    COST,
    FAILED,
    HANDED_ON,
    PRICED,
    TOKENS_IN,
    TOKENS_OUT,
    TRIES,
    USD,
    Deployment,
    Route,
    Stage,
)
from adapters.simulator.platform import GatewaySpec
from console.domain.circuit import Observed

NOTHING: Final = 1e-9
"""Requests per second that are not worth following."""


def stages_of(route: Route, replica: int) -> list[Stage]:
    """What a replica asks, in which order; remembered until `forget`."""
    known = route.stages[replica]
    if known is None:
        known = route.stages[replica] = [_stage(group, replica) for group in _groups(route, replica)]
    return known


def forget(route: Route, replica: int) -> None:
    """Something changed that decides who is asked."""
    route.stages[replica] = None


def _groups(route: Route, replica: int) -> list[list[Deployment]]:
    orders = sorted({item.order[replica] for item in route.deployments})
    return [[item for item in route.deployments if item.order[replica] == order] for order in orders]


def _stage(group: list[Deployment], replica: int) -> Stage:
    closed = [d for d in group if d.breakers[replica].observed is Observed.CLOSED and d.weight[replica] > 0]
    total = sum(item.weight[replica] for item in closed)
    return Stage(
        shares=[(item, item.weight[replica] / total) for item in closed],
        probes=[item for item in group if item.breakers[replica].observed is Observed.HALF_OPEN],
    )


class Refusal(NamedTuple):
    """Calls that are turned away where they arrive first, at once, and tried nowhere else: trying again is no use."""

    counted: int
    """The sum of a deployment that counts them."""
    parts: Mapping[str, float] | None = None
    """By deployment: the part of the calls that it refuses; None: each refuses all."""
    billed: float = 0.0
    """What of the input is billed all the same, as a factor on an ordinary call's."""


class Router:
    """Sends one replica's part of a route's calls through everything that may answer."""

    def __init__(self, gateway: GatewaySpec, routes: dict[str, Route]) -> None:
        self._gateway = gateway
        self._routes = routes

    def send(self, origin: Route, replica: int, flow: float, dt: float, bulk: float) -> float:
        """Route `flow` calls per second for `dt` seconds; returns those per second that fail in the end.

        Args:
            origin: the route that is asked for.
            replica: whose part of the calls it is.
            flow: calls per second.
            dt: seconds.
            bulk: factor on the input of a call.
        """
        first = self._routes[origin.alias[replica]] if origin.alias[replica] else origin
        left = self._ask(origin, first, replica, flow, dt, bulk)
        for name in first.spec.fallbacks:
            if left <= NOTHING:
                return 0.0
            if name != origin.spec.name:
                origin.sums.now[HANDED_ON] += left * dt
                left = self._ask(origin, self._routes[name], replica, left, dt, bulk)
        return left

    def refuse(self, origin: Route, replica: int, flow: float, dt: float, why: Refusal) -> float:
        """Let those of `flow` calls per second be refused that are; the rest is for `send`. Returns how many."""
        first = self._routes[origin.alias[replica]] if origin.alias[replica] else origin
        stage = next((stage for stage in stages_of(first, replica) if stage.shares), None)
        refused = 0.0
        for item, share in stage.shares if stage else ():
            calls = flow * share * (1.0 if why.parts is None else why.parts.get(item.spec.name, 0.0))
            refused += calls
            sums = item.sums.now
            sums[ATTEMPTS] += calls * dt
            sums[why.counted] += calls * dt
            origin.sums.now[TRIES] += calls * dt
            _book(origin, item, calls * dt * item.spec.tokens_in * why.billed * item.tokens, 0.0)
        return refused

    def _ask(self, origin: Route, route: Route, replica: int, flow: float, dt: float, bulk: float) -> float:
        if route is not origin:
            route.sums.now[CALLS] += flow * dt
        for stage in stages_of(route, replica):
            if flow <= NOTHING:
                flow = 0.0
                break
            for item in stage.probes:
                # A part of what is asked, so that few calls are not all probes; without a cap everything goes there.
                probes = min(self._gateway.probes_per_s * item.probes, flow if item.probes > 1.0 else 0.2 * flow)
                self._offer(origin, item, replica, probes, dt, bulk)
                flow -= probes * (1.0 - item.fail)
            if stage.shares:
                flow = self._try(origin, stage, replica, flow, dt, bulk)
        if route is not origin:
            route.sums.now[FAILED] += flow * dt
        return flow

    def _try(self, origin: Route, stage: Stage, replica: int, flow: float, dt: float, bulk: float) -> float:
        inner = self._gateway.same_retries + 1
        failing = 0.0
        for item, share in stage.shares:
            failing += share * item.fail**inner
        attempts, left = 0.0, flow
        for _ in range(self._gateway.retries + 1):
            attempts += left
            left *= failing
        for item, share in stage.shares:
            calls = attempts * share
            again = calls
            for _ in range(self._gateway.same_retries):
                again *= item.fail
                calls += again
            self._offer(origin, item, replica, calls, dt, bulk)
        return left

    def _offer(self, origin: Route, item: Deployment, replica: int, flow: float, dt: float, bulk: float) -> None:
        item.offered[replica] += flow
        good = flow * (1.0 - item.fail) * dt * item.tokens
        origin.sums.now[TRIES] += flow * dt
        _book(origin, item, good * item.spec.tokens_in * bulk, good * item.spec.tokens_out)


def _book(origin: Route, item: Deployment, tokens_in: float, tokens_out: float) -> None:
    """Tokens, and dollars for them, to a deployment and to the route that asked."""
    spec, sums = item.spec, item.sums.now
    priced = (tokens_in * spec.usd_in_per_m + tokens_out * spec.usd_out_per_m) / 1e6 * item.price
    sums[PRICED] += priced
    sums[USD] += priced * item.booked
    sums[TOKENS_IN] += tokens_in
    sums[TOKENS_OUT] += tokens_out
    sums = origin.sums.now
    sums[COST] += priced * item.booked
    sums[ANSWERED_IN] += tokens_in
    sums[ANSWERED_OUT] += tokens_out
