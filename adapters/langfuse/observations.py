"""Langfuse's observations, and how they become OpenTelemetry's spans. Pure.

Their fields are put under the names that Langfuse itself gives them on a span, so that the shared table reads them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from adapters.spans.moments import nanoseconds

FIELDS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"
"""The groups of fields that are asked for: all."""
RESOURCE, ATTRIBUTES = "resourceAttributes", "attributes"
"""Where metadata holds what an OpenTelemetry span came with; without asking for them whole they are cut."""


class Observation(msgspec.Struct, rename="camel"):
    """One observation as `GET /api/public/v2/observations` gives it."""

    id: str
    trace_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    parent_observation_id: str | None = None
    type: str = ""
    name: str | None = None
    level: str | None = None
    status_message: str | None = None
    session_id: str | None = None
    completion_start_time: str | None = None
    input: Any = None
    output: Any = None
    metadata: Any = None
    model: str | None = None
    model_parameters: Any = None
    usage_details: Any = None
    cost_details: Any = None
    total_cost: float | None = None
    prompt_name: str | None = None
    prompt_version: Any = None


class Meta(msgspec.Struct):
    """Where the next page begins; the last page has no cursor."""

    cursor: str | None = None


class Page(msgspec.Struct):
    """One page of observations."""

    data: list[Observation]
    meta: Meta = msgspec.field(default_factory=Meta)


def as_spans(rows: Iterable[Observation]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each observation as OTLP's JSON, beside the name of its service."""
    for row in rows:
        metadata = _object(row.metadata)
        name = _object(metadata.get(RESOURCE)).get("service.name")
        yield name if isinstance(name, str) else "", _as_otlp(row, metadata)


def _as_otlp(row: Observation, metadata: dict[str, Any]) -> dict[str, Any]:
    failed = row.level == "ERROR"
    return {
        "traceId": row.trace_id or "",
        "spanId": row.id,
        "parentSpanId": row.parent_observation_id or "",
        "name": row.name or "",
        "startTimeUnixNano": nanoseconds(row.start_time),
        "endTimeUnixNano": nanoseconds(row.end_time),
        "status": {"code": 2 if failed else 0, "message": row.status_message or ""},
        "attributes": {**_object(metadata.get(ATTRIBUTES)), **_said(row), **_own(metadata)},
    }


def _said(row: Observation) -> dict[str, Any]:
    """What the observation's own fields say, under the names that a span has for them."""
    prefix = "langfuse.observation."
    costs = _object(row.cost_details)
    if row.total_cost is not None:
        costs = {"total": row.total_cost, **costs}
    said = {
        f"{prefix}type": row.type.lower(),
        f"{prefix}input": _text(row.input),
        f"{prefix}output": _text(row.output),
        f"{prefix}model.name": row.model,
        f"{prefix}model.parameters": _text(row.model_parameters),
        f"{prefix}usage_details": _object(row.usage_details),
        f"{prefix}cost_details": costs,
        f"{prefix}prompt.name": row.prompt_name,
        f"{prefix}prompt.version": row.prompt_version,
        f"{prefix}completion_start_time": row.completion_start_time,
        "langfuse.session.id": row.session_id,
    }
    return {name: value for name, value in said.items() if value not in (None, "", {})}


def _own(metadata: dict[str, Any]) -> dict[str, Any]:
    """What the application itself put into the metadata."""
    return {name: value for name, value in metadata.items() if name not in (RESOURCE, ATTRIBUTES, "scope")}


def _object(value: Any) -> dict[str, Any]:
    """An object, or its JSON; empty where it is neither."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
