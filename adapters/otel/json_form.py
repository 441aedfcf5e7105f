"""OTLP as JSON, as the specification writes it and as stores answer: names, ids, numbers and enums in every manner."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.otel.aliases import Aliases
from adapters.otel.arrival import MalformedOtlp, Normalised, Parts, Screen, TooLarge, resource_of, take
from adapters.otel.flat import kept
from adapters.otel.values import CUT, Limits, is_cut, plain, unicode
from console.domain.spans import SpanEvent

_DEEPEST = 32
"""Values within values that are followed at all."""
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}


def from_json(document: Any, aliases: Aliases, limits: Limits, screen: Screen | None = None) -> Normalised:
    """Every span of a decoded JSON document with `resourceSpans` (older stores say `batches`), or what `screen` leaves.

    Raises:
        MalformedOtlp: it has none of those.
        TooLarge: it has more spans than the limits allow.
    """
    if not isinstance(document, dict):
        raise MalformedOtlp("the body is no JSON object")
    groups = _get(document, "resourceSpans", "resource_spans", "batches")
    if groups is None and document:
        raise MalformedOtlp("the JSON object has no resourceSpans")
    found = Normalised()
    for group in _objects(groups, "resourceSpans"):
        resource = resource_of(_attributes(_object(group.get("resource")).get("attributes"), limits), limits)
        scopes = _get(
            group, "scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans"
        )
        for scope in _objects(scopes, "scopeSpans"):
            for span in _objects(scope.get("spans"), "spans"):
                if len(found.arrivals) + found.rejected >= limits.spans:
                    raise TooLarge
                try:
                    parts = _parts(span, resource.kept, limits)
                except (ValueError, TypeError) as error:
                    found.reject(str(error))
                else:
                    take(found, parts, resource, aliases, screen)
    return found


def _parts(span: Mapping[str, Any], kept: dict[str, Any], limits: Limits) -> Parts:
    status = _object(span.get("status"))
    events = list(_objects(span.get("events"), "events"))[: limits.events]
    return Parts(
        trace_id=_id(_get(span, "traceId", "trace_id"), 16),
        span_id=_id(_get(span, "spanId", "span_id"), 8),
        parent_id=_id(_get(span, "parentSpanId", "parent_span_id"), 8),
        name=unicode(str(span.get("name") or "")[: limits.name]),
        otel_kind=_kind(span.get("kind")),
        start_ns=_nanoseconds(_get(span, "startTimeUnixNano", "start_time_unix_nano")),
        end_ns=_nanoseconds(_get(span, "endTimeUnixNano", "end_time_unix_nano")),
        failed=_failed(status.get("code")),
        message=unicode(str(status.get("message") or "")[: limits.text]),
        attributes={**kept, **_attributes(span.get("attributes"), limits)},
        events=tuple(_event(event, limits) for event in events),
    )


def _event(event: Mapping[str, Any], limits: Limits) -> SpanEvent:
    return SpanEvent(
        name=unicode(str(event.get("name") or "")[: limits.name]),
        at=_nanoseconds(_get(event, "timeUnixNano", "time_unix_nano")) / 1e9,
        attributes=_attributes(event.get("attributes"), limits),
    )


def _attributes(pairs: Any, limits: Limits) -> dict[str, Any]:
    """A list of `{key, value}`; a plain object is taken as it is."""
    found: dict[str, Any] = {}
    cut: list[str] = []
    named = _pairs(pairs)
    whole = len(named)
    if whole > limits.attributes:
        named = [named[place] for place in kept([name for name, _ in named], limits)]
    plainly = isinstance(pairs, dict)
    for name, said in named:
        value = said if plainly else _value(said, 0)
        key = unicode(name[: limits.name])
        if is_cut(value, limits):
            cut.append(key)
        found[key] = plain(value, limits)
    if len(named) < whole:
        cut.append(f"{whole - len(named)} more attributes")
    if cut:
        found[CUT] = cut
    return found


def _pairs(pairs: Any) -> list[tuple[str, Any]]:
    if isinstance(pairs, dict):
        return [(str(name), value) for name, value in pairs.items()]
    return [(str(pair.get("key") or ""), pair.get("value")) for pair in _objects(pairs, "attributes")]


def _value(value: Any, depth: int) -> Any:
    """What an AnyValue holds; `plain` bounds the rest of it later."""
    if not isinstance(value, dict):
        return value
    if depth > _DEEPEST:
        return "…"
    for name, inner in value.items():
        match name.replace("_", "").lower():
            case "stringvalue" | "boolvalue":
                return inner
            case "intvalue":
                return _integer(inner)
            case "doublevalue":
                return _double(inner)
            case "bytesvalue":
                return str(inner)
            case "arrayvalue":
                return [_value(one, depth + 1) for one in _list(_object(inner).get("values"))]
            case "kvlistvalue":
                pairs = [one for one in _list(_object(inner).get("values")) if isinstance(one, dict)]
                return {str(one.get("key") or ""): _value(one.get("value"), depth + 1) for one in pairs}
    return None


def _integer(value: Any) -> Any:
    try:
        return int(str(value)[:40])
    except ValueError:
        return str(value)


def _double(value: Any) -> Any:
    try:
        return float(value)
    except (ValueError, TypeError):
        return str(value)


def _get(holder: Mapping[str, Any], *names: str) -> Any:
    return next((holder[name] for name in names if name in holder), None)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any, what: str) -> Iterator[Mapping[str, Any]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise MalformedOtlp(f"{what} is no list")
    for one in value:
        if not isinstance(one, dict):
            raise MalformedOtlp(f"a member of {what} is no object")
        yield one


def _id(value: Any, size: int) -> bytes:
    """An id of `size` bytes in hexadecimal or base64, told apart by length; empty stays empty.

    Raises:
        ValueError: it is neither.
    """
    text = str(value or "")
    try:
        if len(text) == 2 * size:
            return bytes.fromhex(text)
        if text:
            return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, NotBase64):
        raise ValueError(f"an id is neither {2 * size} hexadecimal digits nor base64") from None
    return b""


def _nanoseconds(value: Any) -> int:
    """Unix nanoseconds from a number or its digits; 0 where there is none.

    Raises:
        ValueError: it is neither.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a time is no number of nanoseconds")
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise ValueError("a time is no number of nanoseconds") from None


def _kind(value: Any) -> int:
    if isinstance(value, int):
        return value
    return _KINDS.get(str(value or "").lower().removeprefix("span_kind_"), 0)


def _failed(code: Any) -> bool:
    return code == 2 or str(code).lower().removeprefix("status_code_") in ("error", "2")
