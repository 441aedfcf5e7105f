"""Phoenix's own words for spans, and how they become OpenTelemetry's. Pure."""

import base64
import binascii
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters.otel import Aliases, Arrival, Limits, Normalised, from_json
from adapters.otel.arrival import UNNAMED_SERVICE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ROW = re.compile(rb"Span:(\d{1,18})")
_NO_KIND = "UNKNOWN"


class Context(msgspec.Struct):
    """Which span of which trace."""

    trace_id: str
    span_id: str


class Event(msgspec.Struct):
    """Something that happened at one moment of a span."""

    name: str | None = None
    timestamp: str | None = None
    attributes: dict[str, Any] | None = None


class Row(msgspec.Struct):
    """One span as `GET /v1/projects/{project}/spans` gives it."""

    id: str
    context: Context
    name: str = ""
    span_kind: str = _NO_KIND
    """OpenInference's; Phoenix takes the attribute out and works it out for other conventions."""
    parent_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    status_code: str = ""
    status_message: str = ""
    attributes: dict[str, Any] = {}
    """Flat, by dotted names."""
    events: list[Event] = []


class Page(msgspec.Struct):
    """One page of spans. The last one has no cursor."""

    data: list[Row]
    next_cursor: str | None = None


class Project(msgspec.Struct):
    """One project."""

    name: str


class Projects(msgspec.Struct):
    """A page of projects."""

    data: list[Project]


def number_of(identifier: str) -> int | None:
    """The number of a span's row, which grows as spans come in, from Phoenix's id for it; None where it is another."""
    try:
        found = _ROW.fullmatch(base64.b64decode(identifier, validate=True))
    except (binascii.Error, ValueError):
        return None
    return int(found[1]) if found else None


def cursor_at(number: int) -> str:
    """The cursor of the page that begins with this row."""
    return base64.b64encode(b"Span:%d" % max(0, number)).decode()


def moment(seconds: float) -> str:
    """A moment (unix seconds) as Phoenix takes it; one that no calendar has becomes the nearest that it has."""
    return (_EPOCH + timedelta(seconds=min(max(seconds, 0.0), 2e11))).isoformat()


def normalised(rows: Iterable[Row], service: str, aliases: Aliases, limits: Limits) -> Normalised:
    """The spans as the shared normaliser reads them; `service` is the attribute that names theirs.

    Raises:
        TooLarge: there are more than the limits allow.
    """
    by_service: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        name = row.attributes.get(service)
        by_service[name if isinstance(name, str) else ""].append(_as_otlp(row))
    groups = [
        {"resource": {"attributes": {"service.name": name}}, "scopeSpans": [{"spans": spans}]}
        for name, spans in by_service.items()
    ]
    found = from_json({"resourceSpans": groups}, aliases, limits)
    found.arrivals = [_without_invented_service(one) for one in found.arrivals]
    return found


def _without_invented_service(one: Arrival) -> Arrival:
    """That no service is named means here that it was dropped, not that the application has none."""
    if one.span.service != UNNAMED_SERVICE:
        return one
    return replace(one, span=msgspec.structs.replace(one.span, service=""))


def _as_otlp(row: Row) -> dict[str, Any]:
    attributes = row.attributes
    if row.span_kind and row.span_kind != _NO_KIND:
        attributes = {**attributes, "openinference.span.kind": row.span_kind}
    return {
        "traceId": row.context.trace_id,
        "spanId": row.context.span_id,
        "parentSpanId": row.parent_id or "",
        "name": row.name,
        "startTimeUnixNano": _nanoseconds(row.start_time),
        "endTimeUnixNano": _nanoseconds(row.end_time),
        "status": {"code": row.status_code, "message": row.status_message},
        "attributes": attributes,
        "events": [
            {"name": one.name, "timeUnixNano": _nanoseconds(one.timestamp), "attributes": one.attributes or {}}
            for one in row.events
        ],
    }


def _nanoseconds(text: str | None) -> int:
    """Unix nanoseconds of an ISO 8601 moment, to the microsecond as Phoenix has it; 0 where it is none."""
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return 0
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    return max(0, (aware - _EPOCH) // _MICROSECOND) * 1000
