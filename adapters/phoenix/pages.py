"""Phoenix's own words for spans, and how they become OpenTelemetry's. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from adapters.spans.moments import nanoseconds

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


def as_spans(rows: Iterable[Row], service: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row as OTLP's JSON, beside the name of its service, which the attribute `service` says."""
    for row in rows:
        name = row.attributes.get(service)
        yield name if isinstance(name, str) else "", _as_otlp(row)


def _as_otlp(row: Row) -> dict[str, Any]:
    attributes = row.attributes
    if row.span_kind and row.span_kind != _NO_KIND:
        attributes = {**attributes, "openinference.span.kind": row.span_kind}
    return {
        "traceId": row.context.trace_id,
        "spanId": row.context.span_id,
        "parentSpanId": row.parent_id or "",
        "name": row.name,
        "startTimeUnixNano": nanoseconds(row.start_time),
        "endTimeUnixNano": nanoseconds(row.end_time),
        "status": {"code": row.status_code, "message": row.status_message},
        "attributes": attributes,
        "events": [
            {"name": one.name, "timeUnixNano": nanoseconds(one.timestamp), "attributes": one.attributes or {}}
            for one in row.events
        ],
    }
