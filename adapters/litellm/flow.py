"""Sums over the window, put in order: how much flowed through each deployment, route and key, and how it went."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.counters import quantile
from adapters.litellm.metrics import Key
from console.domain.readings import FailureClass, Latency, Traffic


@dataclass(slots=True)
class Flow:
    """What flowed through one object in the window."""

    ok: float = 0.0
    failed: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    usd: float = 0.0
    took: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    """Bucket edge in seconds → observations at or below it."""
    first_token: dict[float, float] = field(default_factory=lambda: defaultdict(float))
    s_in_all: float = 0.0
    """Seconds of all calls that were answered (deployments and providers) …"""
    s_to_first_token: float = 0.0
    """… and of these, of streams, until their first token."""
    asked: float = 0.0
    """Original requests (routes only)."""
    attempts: float = 0.0
    """Calls of deployments that these led to (routes only)."""
    fallbacks: float = 0.0

    @property
    def failures(self) -> float:
        """How many failed, of all sorts."""
        return sum(self.failed.values())

    @property
    def calls(self) -> float:
        """How many attempts reached it (deployments and providers)."""
        return self.ok + self.failures

    def add(self, other: "Flow") -> None:
        """Count `other` in: a provider is the sum of its deployments."""
        self.ok += other.ok
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.usd += other.usd
        self.s_in_all += other.s_in_all
        self.s_to_first_token += other.s_to_first_token
        for mine, theirs in (
            (self.took, other.took),
            (self.first_token, other.first_token),
        ):
            for edge, count in theirs.items():
                mine[edge] += count
        for name, count in other.failed.items():
            self.failed[name] += count


@dataclass(slots=True)
class Flows:
    """Everything that flowed in the window."""

    span_s: float
    """How many seconds the sums cover; 0 before there were two pages."""
    window_s: float
    deployments: dict[str, Flow] = field(default_factory=lambda: defaultdict(Flow))
    routes: dict[str, Flow] = field(default_factory=lambda: defaultdict(Flow))
    usd_of_key: dict[str, float] = field(default_factory=dict)

    def per_min(self, count: float) -> float:
        """A sum as a rate a minute."""
        return round(count * 60.0 / self.span_s, 2) if self.span_s > 0 else 0.0

    def per_h(self, usd: float) -> float | None:
        """A sum of money as a rate an hour; None before anything could be measured."""
        return float(f"{usd * 3600.0 / self.span_s:.4g}") if self.span_s > 0 else None


_OF_ROUTE = frozenset(
    ("asked", "refused", "attempts", "fallbacks", "answered", "usd of route", "route tokens in", "route tokens out")
)
_SUMS = {
    "ok": "ok",
    "usd": "usd",
    "usd of route": "usd",
    "tokens in": "tokens_in",
    "tokens out": "tokens_out",
    "route tokens in": "tokens_in",
    "route tokens out": "tokens_out",
    "asked": "asked",
    "attempts": "attempts",
    "fallbacks": "fallbacks",
    "s in all": "s_in_all",
    "s to first token": "s_to_first_token",
}
"""What is counted → the Flow's field that sums it."""


class Sorter:
    """Puts sums in order; remembers the histograms' edges, because a bucket that did not grow is not in the sums."""

    def __init__(self) -> None:
        self._edges: set[float] = set()

    def sort(self, sums: Mapping[Key, float], span_s: float, window_s: float) -> Flows:
        """Put the sums of a window in order."""
        flows = Flows(span_s, window_s)
        for key, value in sums.items():
            if key.what == "usd of key":
                flows.usd_of_key[key.name] = value
                continue
            objects = flows.routes if key.what in _OF_ROUTE else flows.deployments
            flow = objects[key.name]
            if key.edge:
                self._edges.add(key.edge)
                (flow.first_token if key.what == "first token" else flow.took)[key.edge] += value
            elif key.sort:
                flow.failed[key.sort] += value
            elif attribute := _SUMS.get(key.what):
                setattr(flow, attribute, getattr(flow, attribute) + value)
        for flow in (*flows.deployments.values(), *flows.routes.values()):
            self._fill(flow.took)
            self._fill(flow.first_token)
        return flows

    def _fill(self, buckets: dict[float, float]) -> None:
        if not buckets:
            return
        below = 0.0
        for edge in sorted(self._edges):
            below = buckets[edge] = max(below, buckets.get(edge, 0.0))


def deployment_traffic(flows: Flows, flow: Flow) -> Traffic:
    """What reached a deployment or a provider: every attempt counts."""
    return Traffic(
        window_s=flows.window_s,
        requests_per_min=flows.per_min(flow.calls),
        errors_per_min=flows.per_min(flow.failures),
        tokens_in_per_min=flows.per_min(flow.tokens_in),
        tokens_out_per_min=flows.per_min(flow.tokens_out),
    )


def route_traffic(flows: Flows, flow: Flow) -> Traffic:
    """What applications asked of a route, what became of it, and how many attempts that took.

    Where LiteLLM did not count what was asked, the attempts stand for it: demand that is not known is not zero.
    """
    asked = flow.asked or flow.attempts
    return Traffic(
        window_s=flows.window_s,
        requests_per_min=flows.per_min(asked),
        errors_per_min=flows.per_min(min(flow.failures, asked)),
        attempts_per_request=round(max(flow.attempts / flow.asked, 0.0), 2) if flow.asked and flow.attempts else None,
        fallbacks_per_min=flows.per_min(flow.fallbacks),
        tokens_in_per_min=flows.per_min(flow.tokens_in),
        tokens_out_per_min=flows.per_min(flow.tokens_out),
    )


def latency(flows: Flows, flow: Flow) -> Latency:
    """Response times; None where nothing was measured in the window."""
    return Latency(
        window_s=flows.window_s,
        p50_s=_quantile(0.5, flow.took),
        p95_s=_quantile(0.95, flow.took),
        ttft_p50_s=_quantile(0.5, flow.first_token),
        s_per_token_p50=_s_per_token(flow),
    )


def _s_per_token(flow: Flow) -> float | None:
    """The mean: seconds after the first token of streams, of other calls all seconds, for each token that came."""
    seconds = flow.s_in_all - flow.s_to_first_token
    return float(f"{seconds / flow.tokens_out:.3g}") if seconds > 0 and flow.tokens_out > 0 else None


def failure_classes(flows: Flows, flow: Flow) -> tuple[FailureClass, ...]:
    """The ways of failing, the most frequent first."""
    classes = [FailureClass(name, flows.per_min(count)) for name, count in flow.failed.items() if count]
    return tuple(sorted(classes, key=lambda item: (-item.per_min, item.name)))


def _quantile(q: float, buckets: Mapping[float, float]) -> float | None:
    found = quantile(q, buckets.items())
    return None if found is None or math.isinf(found) else float(f"{found:.3g}")
