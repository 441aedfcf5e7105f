"""From the parts of a span, as either encoding has them, to what the domain calls a span."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.otel.aliases import Aliases
from adapters.otel.kinds import CONSUMER, SERVER, kind_of
from adapters.otel.values import Limits
from console.domain.spans import Span, SpanEvent
from console.domain.text import clean

UNNAMED_SERVICE = "unknown_service"
"""What OpenTelemetry's own rules call a service that does not say its name."""
INSTANCE = "service.instance.id"
"""Which process of a service it was; kept with the spans at which the service was asked something, nowhere else."""
RESOURCE_KEPT = ("service.version", "service.namespace", "deployment.environment", "deployment.environment.name")
"""Attributes of a resource that are kept with each of its spans; `service.name` has its own field."""

_EARLIEST_NS = 946_684_800 * 10**9
"""The year 2000: a clock that says less was never set."""
_LATEST_NS = 2**62
"""The year 2116; later moments do not fit where they are kept."""


class MalformedOtlp(Exception):
    """A body is not what OTLP says; the text is clean and says where."""


class TooLarge(Exception):
    """A body holds more than what is taken at once."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One span that came in."""

    trace_id: bytes
    """16 bytes."""
    span_id: bytes
    """8 bytes."""
    parent_id: bytes
    """8 bytes; empty for a root."""
    start_ns: int
    """Unix nanoseconds, as the application's clock said."""
    end_ns: int
    """0 while it has not ended."""
    entry: bool
    """Whether its service was asked something here: a root, a server's span, a consumer's."""
    failure: str
    """How it failed, in a word (`429`, `timeout`); empty when it did not."""
    span: Span
    """With its facts, without its content: that is derived when it is read."""


@dataclass(slots=True)
class Normalised:
    """What one body held."""

    arrivals: list[Arrival] = field(default_factory=list)
    rejected: int = 0
    """Spans that cannot be kept."""
    why: str = ""
    """What is wrong with the first of those."""

    def reject(self, why: str) -> None:
        """Leave one span out."""
        self.rejected += 1
        self.why = self.why or why


@dataclass(frozen=True, slots=True)
class Resource:
    """Who sent the spans of one group."""

    service: str
    instance: str
    """Which process of it; empty where it does not say."""
    kept: dict[str, Any]
    """Attributes that every span of the group gets."""


@dataclass(slots=True)
class Parts:
    """One span as an encoding has it, everything bounded and of the right type."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    name: str
    otel_kind: int
    start_ns: int
    end_ns: int
    failed: bool
    message: str
    attributes: dict[str, Any]
    events: tuple[SpanEvent, ...]


Screen = Callable[[Parts, str], tuple[Parts, str]]
"""(a span, its service's name) to what may be kept of both; everything else is made of that."""


def take(found: Normalised, parts: Parts, resource: Resource, aliases: Aliases, screen: Screen | None) -> None:
    """Add a span to what was found, or say why it cannot be kept."""
    if resource.instance and is_entry(parts):
        parts.attributes.setdefault(INSTANCE, resource.instance)
    service = resource.service
    if screen is not None:
        parts, service = screen(parts, service)
    if why := why_not(parts):
        found.reject(why)
    else:
        found.arrivals.append(arrival(parts, service, aliases))


def is_entry(parts: Parts) -> bool:
    """Whether its service was asked something here."""
    return not any(parts.parent_id) or parts.otel_kind in (SERVER, CONSUMER)


def why_not(parts: Parts) -> str:
    """Why a span cannot be kept; empty when it can."""
    if len(parts.trace_id) != 16 or not any(parts.trace_id):
        return "a trace id is not 16 bytes that are not all zero"
    if len(parts.span_id) != 8 or not any(parts.span_id):
        return "a span id is not 8 bytes that are not all zero"
    if len(parts.parent_id) not in (0, 8):
        return "a parent's id is not 8 bytes"
    if not _EARLIEST_NS <= parts.start_ns < _LATEST_NS:
        return "a span begins before the year 2000 or after 2100"
    if parts.end_ns and not 0 < parts.end_ns < _LATEST_NS:
        return "a span ends after the year 2100"
    return ""


def arrival(parts: Parts, service: str, aliases: Aliases) -> Arrival:
    """The span; `why_not` has found nothing."""
    attributes = parts.attributes
    parent = parts.parent_id if any(parts.parent_id) else b""
    kind = kind_of(attributes, parts.otel_kind, root=not parent)
    started_at = parts.start_ns / 1e9
    duration_s = max(0, parts.end_ns - parts.start_ns) / 1e9 if parts.end_ns else None
    span = Span(
        span_id=parts.span_id.hex(),
        parent_id=parent.hex(),
        name=parts.name,
        kind=kind,
        service=service or UNNAMED_SERVICE,
        started_at=started_at,
        duration_s=duration_s,
        failed=parts.failed,
        error=_error(parts) if parts.failed else "",
        attributes=attributes,
        facts=aliases.facts(attributes, started_at, kind),
        events=parts.events,
    )
    return Arrival(
        trace_id=parts.trace_id,
        span_id=parts.span_id,
        parent_id=parent,
        start_ns=parts.start_ns,
        end_ns=parts.end_ns,
        entry=is_entry(parts),
        failure=_failure(parts) if parts.failed else "",
        span=span,
    )


def resource_of(attributes: Mapping[str, Any], limits: Limits) -> Resource:
    """What a resource's attributes say, bounded."""
    return Resource(
        service=str(attributes.get("service.name") or "")[: limits.name],
        instance=str(attributes.get(INSTANCE) or "")[: limits.name],
        kept={name: attributes[name] for name in RESOURCE_KEPT if name in attributes},
    )


def _exception(parts: Parts) -> Mapping[str, Any]:
    """The attributes of the last exception that the span recorded."""
    return next((event.attributes for event in reversed(parts.events) if event.name == "exception"), {})


def _error(parts: Parts) -> str:
    said = _exception(parts)
    words = f"{said.get('exception.type', '')}: {said.get('exception.message', '')}".strip(": ")
    return clean(parts.message or words or str(parts.attributes.get("error.type", "")) or "failed", 300)


def _failure(parts: Parts) -> str:
    """An HTTP status or a word: what failures are counted by."""
    for name in ("http.response.status_code", "http.status_code", "error.type"):
        value = parts.attributes.get(name)
        if value and not (name != "error.type" and str(value)[:1] not in "45"):
            return clean(str(value), 60)
    kind = str(_exception(parts).get("exception.type", ""))
    return clean(kind.rpartition(".")[2], 60) or "error"
