"""Answers that hold OpenTelemetry's own JSON, or what is made into it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from adapters.otel import Aliases, Arrival, Limits, MalformedOtlp, Normalised, TooLarge, from_json
from adapters.otel.arrival import UNNAMED_SERVICE
from console.domain.errors import BackendError, ErrorKind

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""An answer holds what applications put into their spans, prompts and answers too."""


def documents(body: bytes, where: str) -> list[dict[str, Any]]:
    """The JSON objects of a body: one, or, as a stream is written, one a line.

    Raises:
        BackendError: MALFORMED when it is neither.
    """
    try:
        try:
            found: Any = [msgspec.json.decode(body)]
        except msgspec.DecodeError:
            found = msgspec.json.Decoder().decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BackendError(ErrorKind.MALFORMED, f"cut or broken JSON: {error}", where=where) from None
    if not found or not all(isinstance(one, dict) for one in found):
        raise BackendError(ErrorKind.MALFORMED, "unexpected JSON: no object", where=where)
    return list(found)


def spans_of(holders: Sequence[Any], aliases: Aliases, where: str) -> list[Arrival]:
    """Every span of objects with `resourceSpans`; an empty or missing object has none.

    Raises:
        BackendError: MALFORMED when one is none of OTLP's, or holds more than is read at once.
    """
    found: list[Arrival] = []
    for holder in holders:
        if not holder:
            continue
        try:
            found += from_json(holder, aliases, Limits()).arrivals
        except MalformedOtlp as error:
            raise BackendError(ErrorKind.MALFORMED, f"unexpected JSON: {error}", where=where) from None
        except TooLarge:
            raise BackendError(ErrorKind.MALFORMED, "more spans than are read at once", where=where) from None
    return found


def spans_from(rows: Iterable[tuple[str, dict[str, Any]]], aliases: Aliases, where: str) -> Normalised:
    """Spans of a store that has a form of its own: each as OTLP's JSON, beside the name of its service.

    Where that is empty the store has dropped it, and the span's service stays empty.

    Raises:
        BackendError: MALFORMED when there are more than are read at once.
    """
    by_service: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, span in rows:
        by_service[name].append(span)
    groups = [
        {"resource": {"attributes": {"service.name": name}}, "scopeSpans": [{"spans": spans}]}
        for name, spans in by_service.items()
    ]
    try:
        found = from_json({"resourceSpans": groups}, aliases, Limits())
    except TooLarge:
        raise BackendError(ErrorKind.MALFORMED, "more spans than are read at once", where=where) from None
    found.arrivals = [_without_invented_service(one) for one in found.arrivals]
    return found


def _without_invented_service(one: Arrival) -> Arrival:
    if one.span.service != UNNAMED_SERVICE:
        return one
    return replace(one, span=msgspec.structs.replace(one.span, service=""))


def is_absent(error: BackendError) -> bool:
    """Whether a store says with 404 that it has no such request, or none at all."""
    words = error.failure.message
    return error.kind is ErrorKind.UNSUPPORTED and words.startswith("HTTP 404") and "trace" in words.lower()
