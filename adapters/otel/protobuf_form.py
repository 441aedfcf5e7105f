"""OTLP as protobuf: what SDKs send when nobody has told them otherwise.

Only a program that receives traces imports `opentelemetry-proto` (45 ms), inside the function.
"""

import math
from base64 import b64encode
from typing import Any

from adapters.otel.aliases import Aliases
from adapters.otel.arrival import MalformedOtlp, Normalised, Parts, Screen, TooLarge, resource_of, take
from adapters.otel.flat import kept
from adapters.otel.values import CUT, Limits, plain
from console.domain.spans import SpanEvent

_ERROR = 2
"""STATUS_CODE_ERROR."""


def from_protobuf(body: bytes, aliases: Aliases, limits: Limits, screen: Screen | None = None) -> Normalised:
    """Every span of an ExportTraceServiceRequest, or what `screen` leaves of it.

    Raises:
        MalformedOtlp: it is none.
        TooLarge: it has more spans than the limits allow.
    """
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedOtlp("the body is no ExportTraceServiceRequest in protobuf") from error
    if sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans) > limits.spans:
        raise TooLarge
    found = Normalised()
    for group in request.resource_spans:
        resource = resource_of(_attributes(group.resource.attributes, limits), limits)
        for scope in group.scope_spans:
            for span in scope.spans:
                take(found, _parts(span, resource.kept, limits), resource, aliases, screen)
    return found


def _parts(span: Any, kept: dict[str, Any], limits: Limits) -> Parts:
    attributes = _attributes(span.attributes, limits)
    if kept:
        attributes = {**kept, **attributes}
    status = span.status
    return Parts(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_span_id,
        name=span.name[: limits.name],
        otel_kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=status.code == _ERROR,
        message=status.message,
        attributes=attributes,
        events=tuple(_event(event, limits) for event in span.events[: limits.events]) if span.events else (),
    )


def _event(event: Any, limits: Limits) -> SpanEvent:
    return SpanEvent(
        name=event.name[: limits.name],
        at=event.time_unix_nano / 1e9,
        attributes=_attributes(event.attributes, limits),
    )


def _attributes(pairs: Any, limits: Limits) -> dict[str, Any]:
    found: dict[str, Any] = {}
    cut: list[str] = []
    whole = len(pairs)
    if whole > limits.attributes:
        pairs = [pairs[place] for place in kept([pair.key for pair in pairs], limits)]
    for pair in pairs:
        value = pair.value
        which = value.WhichOneof("value")
        if which == "string_value":
            text = value.string_value
            if len(text) > limits.text:
                cut.append(pair.key)
                text = text[: limits.text]
            found[pair.key] = text
        elif which == "int_value":
            found[pair.key] = value.int_value
        else:
            found[pair.key] = _value(value, which, limits, 0)
    if any(len(name) > limits.name for name in found):
        found = {name[: limits.name]: value for name, value in found.items()}
    if len(pairs) < whole:
        cut.append(f"{whole - len(pairs)} more attributes")
    if cut:
        found[CUT] = cut
    return found


def _value(value: Any, which: str | None, limits: Limits, depth: int) -> Any:
    match which:
        case "string_value" | "int_value" | "bool_value":
            return plain(getattr(value, which), limits)
        case "double_value":
            number = value.double_value
            return number if math.isfinite(number) else plain(number, limits)
        case "bytes_value":
            return b64encode(value.bytes_value[: limits.text]).decode()
        case "array_value" | "kvlist_value" if depth >= limits.depth:
            return "…"
        case "array_value":
            inner = value.array_value.values[: limits.items]
            return [_value(one, one.WhichOneof("value"), limits, depth + 1) for one in inner]
        case "kvlist_value":
            pairs = value.kvlist_value.values[: limits.items]
            return {
                pair.key[: limits.name]: _value(pair.value, pair.value.WhichOneof("value"), limits, depth + 1)
                for pair in pairs
            }
    return None
