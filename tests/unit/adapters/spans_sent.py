"""Bodies as OpenTelemetry's SDKs send them, made by hand so that every field of them is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

BEGIN_NS = 1_795_000_000_000_000_000


@dataclass(frozen=True)
class Sent:
    """One span to be sent; numbers become ids."""

    number: int
    parent: int = 0
    trace: int = 1
    name: str = "work"
    kind: int = 1
    start_ms: float = 0.0
    """After `BEGIN_NS`."""
    ms: float | None = 10.0
    failed: bool = False
    message: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[tuple[str, Mapping[str, Any]]] = ()

    @property
    def trace_id(self) -> bytes:
        return self.trace.to_bytes(16, "big")

    @property
    def span_id(self) -> bytes:
        return self.number.to_bytes(8, "big")


def message(*spans: Sent, service: str = "shop", **resource: Any) -> ExportTraceServiceRequest:
    """The protobuf message."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for name, value in {"service.name": service, **resource}.items():
        _put(group.resource.attributes, name, value)
    scope = group.scope_spans.add()
    for one in spans:
        span = scope.spans.add(
            trace_id=one.trace_id,
            span_id=one.span_id,
            name=one.name,
            kind=one.kind,
            start_time_unix_nano=BEGIN_NS + int(one.start_ms * 1e6),
        )
        if one.ms is not None:
            span.end_time_unix_nano = BEGIN_NS + int((one.start_ms + one.ms) * 1e6)
        if one.parent:
            span.parent_span_id = one.parent.to_bytes(8, "big")
        if one.failed:
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = one.message
        for name, value in one.attributes.items():
            _put(span.attributes, name, value)
        for name, attributes in one.events:
            event = span.events.add(name=name, time_unix_nano=span.start_time_unix_nano)
            for key, value in attributes.items():
                _put(event.attributes, key, value)
    return request


def body(*spans: Sent, service: str = "shop", **resource: Any) -> bytes:
    """The same as it is sent."""
    return message(*spans, service=service, **resource).SerializeToString()


def _put(pairs: Any, name: str, value: Any) -> None:
    pairs.add(key=name).value.CopyFrom(_any(value))


def _any(value: Any) -> AnyValue:
    found = AnyValue()
    match value:
        case bool():
            found.bool_value = value
        case int():
            found.int_value = value
        case float():
            found.double_value = value
        case bytes():
            found.bytes_value = value
        case str():
            found.string_value = value
        case dict():
            found.kvlist_value.SetInParent()
            for key, inner in value.items():
                _put(found.kvlist_value.values, key, inner)
        case list():
            found.array_value.SetInParent()
            for inner in value:
                found.array_value.values.add().CopyFrom(_any(inner))
    return found
