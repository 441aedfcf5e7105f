"""What deployments make of the requests that reach them: limits, retries, fallbacks, and how these feed each other.

Per request a route makes up to `TRIES` attempts; each fails with the mean chance of those who are asked. Attempts above
a limit fail, failing attempts are made again, and those are load too: the flow goes round until it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from console.domain.board import Board
from console.domain.readings import Deployment
from console.domain.refs import Kind, Ref
from console.forecast.trend import Past

TRIES: Final = 3
"""Attempts for one request among the deployments that are asked first, where nothing tells more."""
ROUNDS: Final = 12
"""Times that the flow goes round at the most, and …"""
SETTLED: Final = 1e-4
"""… the part by which it may still move when it stands."""
TURNED_AWAY: Final = ("429", "503")
"""Failures that come of too much load: with less of it they end."""
LATE: Final = "timeout"
"""Comes of load too, where a provider turns away what it cannot take."""
PRESSED: Final = 0.02
"""Part of the attempts turned away from which on what gets through is taken to be all that a provider can."""
LAST_SEEN_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One deployment, as far as it can be told how it will fare."""

    name: str
    flow: float
    """Attempts a minute that reach it now."""
    own: float
    """Part that fails whatever the load."""
    most: float | None
    """Attempts a minute that get through at the most; None where nothing says."""
    p50_s: float | None
    usd_each: float | None
    """Dollars for an attempt that is answered."""
    known: bool = True
    """False when nothing was sent to it lately: how it fares is what was seen of it last."""

    def failing(self, flow: float) -> float:
        """Part that fails of so many attempts a minute."""
        if self.most is None or flow <= self.most:
            return self.own
        return 1.0 - (1.0 - self.own) * self.most / flow


def carrier_of(board: Board, source: str, name: str, past: Past) -> Carrier | None:
    """One deployment as it shows itself; None where it has no traffic figures."""
    one = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    if not isinstance(one, Deployment) or one.traffic is None:
        return None
    flow = one.traffic.requests_per_min
    fails = one.traffic.error_ratio
    known = fails is not None and flow > 0
    if fails is None:
        fails = next((v for v in reversed(past(one.ref, "error_ratio", LAST_SEEN_S)) if v is not None), 0.0)
    pressed = sum(item.per_min for item in one.failures if item.name in TURNED_AWAY)
    busy = sum(item.per_min for item in one.failures if item.name == "503")
    if busy > PRESSED * flow:
        pressed += sum(item.per_min for item in one.failures if item.name == LATE)
    of_load = min(fails, pressed / flow) if flow > 0 else 0.0
    through = flow * (1.0 - of_load) if of_load > PRESSED else None
    own = (fails - of_load) / (1.0 - of_load) if of_load < 1.0 else 0.0
    return Carrier(
        name=name,
        flow=flow,
        own=own,
        most=min((limit for limit in (limit_of(one), through) if limit is not None), default=None),
        p50_s=one.latency.p50_s if one.latency else None,
        usd_each=_usd_each(one, flow * (1.0 - fails)),
        known=known,
    )


def limit_of(one: Deployment) -> float | None:
    """The rate limit in requests a minute: the scarcer of requests and tokens; None where none is told."""
    head, traffic = one.headroom, one.traffic
    if head is None or traffic is None:
        return None
    limits = [head.requests_limit] if head.requests_limit is not None else []
    tokens = (traffic.tokens_in_per_min or 0.0) + (traffic.tokens_out_per_min or 0.0)
    good = traffic.requests_per_min - traffic.errors_per_min
    if head.tokens_limit is not None and tokens > 0 and good > 0:
        limits.append(head.tokens_limit * good / tokens)
    return min(limits, default=None)


def _usd_each(one: Deployment, good: float) -> float | None:
    if one.usd_per_h and good > 0:
        return one.usd_per_h / 60.0 / good
    return one.usd_per_request


@dataclass(slots=True)
class Settled:
    """Where the flow stands."""

    failing: float = 0.0
    """Part of the requests that fail in the end."""
    flows: dict[str, float] = field(default_factory=dict)
    """Attempts a minute, by deployment."""
    good: dict[str, float] = field(default_factory=dict)
    """Answered attempts a minute of these requests, by deployment."""
    p50_s: float | None = None
    """Seconds of a typical attempt, as a route shows it; None where nothing says."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Who is asked together, each with its part of the attempts, and what they carry besides (attempts a minute)."""

    shares: Sequence[tuple[Carrier, float]]
    beside: dict[str, float]


def settle(fresh: float, again: float, pools: Sequence[Pool], homeless: float = 0.0) -> Settled:
    """Let `fresh` requests a minute reach the pools, one after the other for what fails, until it stands.

    Args:
        fresh: requests a minute without those that applications make again.
        again: part of the failing requests that applications make again.
        pools: who is asked first, then the fallbacks.
        homeless: part of the requests that nobody takes.
    """
    failing, found = 0.0, Settled()
    for _ in range(ROUNDS):
        asked = fresh / max(0.05, 1.0 - again * failing)
        found = Settled()
        left = asked * (1.0 - homeless)
        for pool in pools:
            left = _try(pool, left, found)
        now = min(1.0, left / asked + homeless) if asked > 0 else 0.0
        moved = now - failing
        failing += 0.6 * moved
        if abs(moved) < SETTLED:
            break
    found.failing = failing
    paces = {carrier.name: carrier.p50_s for pool in pools for carrier, _ in pool.shares}
    known = [(flow, pace) for name, flow in found.flows.items() if (pace := paces.get(name)) is not None]
    whole = sum(flow for flow, _ in known)
    found.p50_s = sum(flow * pace for flow, pace in known) / whole if whole > 0 else None
    return found


def _try(pool: Pool, requests: float, found: Settled) -> float:
    """Send requests to one pool; how many are left failing."""
    whole = sum(part for _, part in pool.shares)
    if whole <= 0 or requests <= 0:
        return requests
    shares = [(carrier, part / whole) for carrier, part in pool.shares if part > 0]
    chance = 0.0
    attempts = requests
    for _ in range(ROUNDS):
        chance = sum(
            part * carrier.failing(pool.beside.get(carrier.name, 0.0) + attempts * part) for carrier, part in shares
        )
        moved = requests * sum(chance**number for number in range(TRIES)) - attempts
        attempts += 0.6 * moved
        if abs(moved) < SETTLED * requests:
            break
    good = 0.0
    for carrier, part in shares:
        flow = attempts * part
        answered = flow * (1.0 - carrier.failing(pool.beside.get(carrier.name, 0.0) + flow))
        found.flows[carrier.name] = found.flows.get(carrier.name, pool.beside.get(carrier.name, 0.0)) + flow
        found.good[carrier.name] = found.good.get(carrier.name, 0.0) + answered
        good += answered
    return max(0.0, requests - good)
