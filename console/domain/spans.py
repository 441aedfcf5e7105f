"""What a request did, as its spans say: a tree that a trace store keeps and a screen shows."""

from enum import StrEnum
from typing import Any

import msgspec

from console.domain.readings import Request


class SpanKind(StrEnum):
    """What a span is about; adapters map the names of every convention onto these."""

    REQUEST = "request"
    """The request as it came in and its answer as it went out."""
    CHAIN = "chain"
    """Orchestration: a step of a workflow or an agent."""
    RETRIEVAL = "retrieval"
    MODEL = "model"
    """A call of a language model."""
    EMBEDDING = "embedding"
    TOOL = "tool"
    MEMORY = "memory"
    QUEUE = "queue"
    """Put into or taken from a queue."""
    OTHER = "other"


class SpanEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at one moment of a span."""

    name: str
    at: float
    """Unix seconds."""
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work. Every text in it is the application's: clean it before a person sees it."""

    span_id: str
    """16 hexadecimal digits."""
    parent_id: str = ""
    """Empty for a root; it may name a span that has not arrived (yet)."""
    name: str
    kind: SpanKind = SpanKind.OTHER
    service: str = ""
    started_at: float
    """Unix seconds."""
    duration_s: float | None = None
    """None while it has not ended."""
    failed: bool = False
    error: str = ""
    attributes: dict[str, Any] = {}
    """As they were sent, under the names that were sent; JSON values."""
    events: tuple[SpanEvent, ...] = ()


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Every span of one request that has arrived, by start."""

    trace_id: str
    """32 hexadecimal digits."""
    request: Request | None = None
    """The request in a line; None when its root has not arrived."""
    spans: tuple[Span, ...] = ()
    cut: int = 0
    """Spans that were left out because there are too many."""
    notes: tuple[str, ...] = ()
    """What this backend does not record, and the like."""


class RequestQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a trace store for requests, newest first."""

    source: str
    limit: int = 100
    before: float | None = None
    """Unix seconds: only requests that started earlier."""
    failed: bool = False
    """Only those that failed."""
    service: str = ""
    conversation: str = ""
    min_duration_s: float | None = None


class TraceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a trace store for one request."""

    source: str
    trace_id: str
