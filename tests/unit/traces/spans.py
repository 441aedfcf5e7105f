"""Spans made by hand, and real conventions' attributes through the shared normaliser."""

import json
from collections.abc import Sequence
from typing import Any

from adapters.otel import Aliases, read
from adapters.otel.kinds import kind_of
from console.domain.reconstruction import Lane, Piece, Reconstruction, Stage, StageKind
from console.domain.spans import Content, Facts, LaneKind, Message, Span, SpanKind, Trace
from console.traces.reconstruct import reconstruct

BEGIN = 1_795_000_000.0
TRACE = "0" * 31 + "1"
_ALIASES = Aliases.of()


def span(
    number: int,
    parent: int = 0,
    start: float = 0.0,
    end: float | None = 1.0,
    kind: SpanKind = SpanKind.OTHER,
    name: str = "",
    **more: Any,
) -> Span:
    """A span by domain types; fields of `Facts` and `Content` go where they belong; seconds after `BEGIN`."""
    facts = {key: more.pop(key) for key in tuple(more) if key in Facts.__struct_fields__}
    content = {key: more.pop(key) for key in tuple(more) if key in Content.__struct_fields__}
    more.setdefault("service", "shop")
    return Span(
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=name or f"span {number}",
        kind=kind,
        started_at=BEGIN + start,
        duration_s=None if end is None else end - start,
        facts=Facts(**facts),
        content=Content(**content) if content else None,
        **more,
    )


def sent(
    number: int, parent: int, start: float, end: float, name: str, attributes: dict[str, Any], *,
    otel_kind: int = 1, service: str = "shop",
) -> Span:  # fmt: skip
    """A span as an instrumentation sends it: values that are no plain ones become JSON."""
    plain = {key: json.dumps(value) if isinstance(value, dict | list) else value for key, value in attributes.items()}
    raw = Span(
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=name,
        kind=kind_of(plain, otel_kind, root=not parent),
        service=service,
        started_at=BEGIN + start,
        duration_s=end - start,
        attributes=plain,
    )
    return read(raw, _ALIASES)


def told(*spans: Span, **more: Any) -> Reconstruction:
    """The request that these spans tell of."""
    return reconstruct(Trace(trace_id=TRACE, spans=spans, **more))


def stage(request: Reconstruction, kind: StageKind) -> Stage:
    return next(one for one in request.stages if one.kind is kind)


def lane(request: Reconstruction, kind: LaneKind) -> Lane:
    return next(one for one in request.lanes if one.kind is kind)


def numbers(pieces: Sequence[Piece]) -> list[int]:
    """The spans that they are from, by the numbers that these were made with."""
    return [int(piece.span_id, 16) for piece in pieces]


def words(piece: Piece) -> str:
    """All that was said in a piece."""
    return " ".join((piece.text, *(message.text for message in piece.messages))).strip()


def user(text: str) -> Message:
    return Message(role="user", text=text)


def answer(text: str, **more: Any) -> Message:
    return Message(role="assistant", text=text, **more)
