"""From rows to the domain's readings: requests and services. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.spans.row import RequestRow
from console.domain.readings import FailureClass, Latency, Request, Service, Traffic
from console.domain.refs import Kind, Ref

SERVICES_MOST = 200
"""Services on the board, those with the most traffic; an application that makes names up has no end of them."""
FAILURES_SHOWN = 8
SNAPSHOTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Window:
    """What came in the last while, the newest first."""

    since_s: float
    """Unix seconds; later than asked for where more came than is read."""
    entries: Sequence[tuple[str, int | None, str]]
    """(service, microseconds, failure) of every span by which a service was asked something."""
    requests: Sequence[tuple[str, str, int | None, int | None, float | None]]
    """(service, conversation, tokens in, tokens out, seconds to the first token) of every request."""
    snapshots: Sequence[tuple[str, str]]
    """(service, retrieval snapshot), the newest first."""


@dataclass(slots=True)
class _Sums:
    """What one service did in a window."""

    durations: list[float] = field(default_factory=list)
    asked: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    conversations: set[str] = field(default_factory=set)
    tokens_in: int | None = None
    tokens_out: int | None = None
    ttfts: list[float] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)


def request(source: str, row: RequestRow, now: float) -> Request:
    """One request as it is known now."""
    trace_id = row.trace.hex()
    return Request(
        ref=Ref(source, Kind.REQUEST, trace_id),
        observed_at=now,
        started_at=row.start_us / 1e6,
        name=row.name,
        service=row.service,
        route=row.route,
        deployment=row.deployment,
        model=row.model,
        status="error" if row.failed else "ok" if row.rooted else "",
        failed=bool(row.failed),
        error=row.error,
        duration_s=None if row.duration_us is None else row.duration_us / 1e6,
        ttft_s=row.ttft_s,
        attempts=row.attempts,
        tokens_in=row.rolled_in if row.tokens_in is None else row.tokens_in,
        tokens_out=row.rolled_out if row.tokens_out is None else row.tokens_out,
        usd=row.rolled_usd if row.usd is None else row.usd,
        conversation=row.conversation,
        spans=row.spans + row.cut,
        trace_id=trace_id,
    )


def services(source: str, known: Sequence[str], seen: Window | None, now: float) -> list[Service]:
    """One reading for each service, the busiest first; without a window (nobody collects) they say nothing of now."""
    if seen is None:
        return [Service(ref=Ref(source, Kind.SERVICE, name), observed_at=now) for name in known[:SERVICES_MOST]]
    sums = _summed(known, seen)
    busiest = sorted(sums, key=lambda name: (-sums[name].asked, name))[:SERVICES_MOST]
    window_s = max(1.0, now - seen.since_s)
    return [_service(Ref(source, Kind.SERVICE, name), sums[name], window_s, now) for name in busiest]


def _summed(known: Sequence[str], seen: Window) -> dict[str, _Sums]:
    sums: dict[str, _Sums] = defaultdict(_Sums)
    for name in known:
        sums[name] = _Sums()
    for name, duration_us, failure in seen.entries:
        found = sums[name]
        found.asked += 1
        if duration_us is not None:
            found.durations.append(duration_us / 1e6)
        if failure:
            found.failures[failure] += 1
    for name, conversation, tokens_in, tokens_out, ttft_s in seen.requests:
        found = sums[name]
        if conversation:
            found.conversations.add(conversation)
        if tokens_in is not None:
            found.tokens_in = (found.tokens_in or 0) + tokens_in
        if tokens_out is not None:
            found.tokens_out = (found.tokens_out or 0) + tokens_out
        if ttft_s is not None:
            found.ttfts.append(ttft_s)
    for name, snapshot in seen.snapshots:
        sums[name].snapshots.append(snapshot)
    return sums


def _service(ref: Ref, sums: _Sums, window_s: float, now: float) -> Service:
    def per_min(count: float) -> float:
        return float(f"{60 * count / window_s:.4g}")

    return Service(
        ref=ref,
        observed_at=now,
        traffic=Traffic(
            window_s=round(window_s, 1),
            requests_per_min=per_min(sums.asked),
            errors_per_min=per_min(sums.failures.total()),
            tokens_in_per_min=None if sums.tokens_in is None else per_min(sums.tokens_in),
            tokens_out_per_min=None if sums.tokens_out is None else per_min(sums.tokens_out),
        ),
        latency=Latency(
            window_s=round(window_s, 1),
            p50_s=_quantile(sums.durations, 0.5),
            p95_s=_quantile(sums.durations, 0.95),
            ttft_p50_s=_quantile(sums.ttfts, 0.5),
        ),
        failures=tuple(FailureClass(name, per_min(count)) for name, count in sums.failures.most_common(FAILURES_SHOWN)),
        conversations=len(sums.conversations),
        snapshots=tuple(sums.snapshots[:SNAPSHOTS_SHOWN]),
    )


def _quantile(values: list[float], part: float) -> float | None:
    """The value below which `part` (0 to 1) of the values lie."""
    if not values:
        return None
    values.sort()
    return float(f"{values[min(len(values) - 1, int(part * len(values)))]:.4g}")
