"""One request in a row: what all of its spans that have arrived say together. Pure.

Spans come in any order, in several bodies, from several services; the row is right after each of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from adapters.otel import Arrival
from adapters.otel.taking import MOST_COUNT
from console.domain.spans import SpanKind

AHEAD_NS = 60 * 10**9
"""How far an application's clock may be ahead before its spans are listed by when they came."""

_MODELS = (SpanKind.MODEL, SpanKind.EMBEDDING)


@dataclass(slots=True)
class RequestRow:
    """A row of the table `requests`; the fields are its columns."""

    id: int
    """Given as requests first arrive: older requests have lower numbers."""
    trace: bytes
    """16 bytes."""
    seen_at: int
    """Unix seconds when its first span arrived."""
    start_us: int = 0
    """Unix microseconds: its root's start, or its earliest span's until that has come; what lists are ordered by."""
    duration_us: int | None = None
    """Its root's, or from its first start to its last end until that has come."""
    first_ns: int = 0
    """Where its earliest span began, and its latest ended."""
    last_ns: int = 0
    rooted: int = 0
    """1 when a root has come; a trace with several roots is as long as the earliest of them."""
    name: str = ""
    service: str = ""
    conversation: str = ""
    route: str = ""
    deployment: str = ""
    model: str = ""
    model_failed: int = 0
    """1 while `model` and `deployment` are those of a call that failed."""
    snapshot: str = ""
    failed: int = 0
    """1 when its root failed, or, until that has come, any of its spans."""
    error: str = ""
    """Of the span that failed first."""
    error_ns: int = 0
    tokens_in: int | None = None
    """Of its model calls; None where none says."""
    tokens_out: int | None = None
    usd: float | None = None
    rolled_in: int | None = None
    """What another span says of tokens, which counts where no model call says any."""
    rolled_out: int | None = None
    rolled_usd: float | None = None
    attempts: int | None = None
    ttft_s: float | None = None
    spans: int = 0
    cut: int = 0
    """Spans that came and were not kept, because it has too many."""

    def add(self, arrivals: Sequence[Arrival], now_ns: int) -> None:
        """Take in spans that it does not have yet; `now_ns` is when they came."""
        callers = {one.span_id for one in arrivals if one.span.kind in _MODELS}
        for one in arrivals:
            self._time(one)
            self._identity(one)
            self._failure(one)
            self._use(one, nested=one.parent_id in callers)
        self.spans += len(arrivals)
        start_ns = self.first_ns if self.first_ns <= now_ns + AHEAD_NS else now_ns
        if not self.rooted:
            self.start_us = start_ns // 1000
            self.duration_us = (self.last_ns - self.first_ns) // 1000 if self.last_ns > self.first_ns else None
        elif self.start_us > (now_ns + AHEAD_NS) // 1000:
            self.start_us = now_ns // 1000

    def _time(self, one: Arrival) -> None:
        if not self.first_ns or one.start_ns < self.first_ns:
            self.first_ns = one.start_ns
            if not self.rooted:
                self.name, self.service = one.span.name, one.span.service
        self.last_ns = max(self.last_ns, one.end_ns)
        if one.parent_id or (self.rooted and one.start_ns // 1000 >= self.start_us):
            return
        self.rooted = 1
        self.start_us = one.start_ns // 1000
        self.duration_us = max(0, one.end_ns - one.start_ns) // 1000 if one.end_ns else None
        self.name, self.service = one.span.name, one.span.service
        self.failed = int(one.span.failed)

    def _identity(self, one: Arrival) -> None:
        facts = one.span.facts
        if facts.conversation and (not self.conversation or not one.parent_id):
            self.conversation = facts.conversation
        if facts.route and (not self.route or not one.parent_id):
            self.route = facts.route
        self.snapshot = facts.snapshot or self.snapshot
        if facts.attempts is not None:
            self.attempts = max(self.attempts or 0, facts.attempts)
        called = facts.model or facts.deployment
        if called and (not (self.model or self.deployment) or self.model_failed or not one.span.failed):
            self.model = facts.model or self.model
            self.deployment = facts.deployment or self.deployment
            self.model_failed = int(one.span.failed)
        if facts.ttft_s is not None and (self.ttft_s is None or not one.span.failed):
            self.ttft_s = facts.ttft_s

    def _failure(self, one: Arrival) -> None:
        if not one.span.failed:
            return
        if not self.rooted:
            self.failed = 1
        if not self.error or one.start_ns < self.error_ns:
            self.error, self.error_ns = one.span.error, one.start_ns

    def _use(self, one: Arrival, *, nested: bool) -> None:
        """Tokens and money. A model call inside a model call is the same call, instrumented twice."""
        facts = one.span.facts
        if facts.tokens_in is None and facts.tokens_out is None and facts.usd is None:
            return
        if one.span.kind in _MODELS and not nested:
            self.tokens_in = _sum(self.tokens_in, facts.tokens_in)
            self.tokens_out = _sum(self.tokens_out, facts.tokens_out)
            self.usd = _sum(self.usd, facts.usd)
        elif one.span.kind not in _MODELS:
            self.rolled_in = _most(self.rolled_in, facts.tokens_in)
            self.rolled_out = _most(self.rolled_out, facts.tokens_out)
            self.rolled_usd = _most(self.rolled_usd, facts.usd)


COLUMNS = tuple(field.name for field in fields(RequestRow))
"""In the order of the table."""

values: Any = attrgetter(*COLUMNS)
"""A row as the tuple that is written."""


def _sum(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else min(one + other, MOST_COUNT)


def _most(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else max(one, other)


def by_trace(arrivals: Iterable[Arrival]) -> dict[bytes, dict[bytes, Arrival]]:
    """Spans by trace and span id, in the order in which they came; one that came twice is there once."""
    found: dict[bytes, dict[bytes, Arrival]] = {}
    for one in arrivals:
        found.setdefault(one.trace_id, {}).setdefault(one.span_id, one)
    return found
