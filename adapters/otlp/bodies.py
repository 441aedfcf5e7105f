"""A span as it lies on disk: msgpack under deflate, with a dictionary of the words that every span has.

The benchmark's spans take 184 bytes on average; without the dictionary they would take 275.
"""

import zlib
from typing import Any

import msgspec

from adapters.otel.values import CUT
from console.domain.spans import Span, SpanEvent, SpanKind

MOST = 262_144
"""Bytes of one span before it is packed; of a longer one the longest texts are cut."""
UNPACKED_MOST = 4 * MOST
"""No body of ours is longer; a file that was tampered with is not unpacked for ever."""

_FORM = b"\x01"
"""The first byte of a body: which dictionary it was packed with."""

# The words that matter most stand last, where deflate reaches them cheapest. Never edit: a file is full of bodies that
# were packed with it. A better one gets another first byte.
_WORDS = (
    b"openinference.span.kind langfuse.observation.type traceloop.span.kind traceloop.entity.name LLM CHAIN AGENT TOOL "
    b"http.request.method http.response.status_code http.route url.path server.address server.port "
    b"network.peer.address messaging.system messaging.destination.name messaging.operation.name db.system db.statement "
    b"llm.token_count.prompt llm.token_count.completion llm.model_name input.value output.value session.id user.id "
    b"gen_ai.tool.name gen_ai.tool.call.id gen_ai.tool.call.arguments gen_ai.tool.call.result gen_ai.data_source.id "
    b"retrieval.documents.0.document.id retrieval.documents.0.document.score retrieval.documents.0.document.content "
    b"gen_ai.retrieval.query.text retrieval.snapshot.version app.queue.wait_ms app.route app.deployment app.attempts "
    b"exception.type exception.message exception.stacktrace exception.escaped Traceback (most recent call last): File "
    b"service.version deployment.environment.name execute_tool embeddings invoke_agent retrieval chat gpt-4o assistant "
    b'[{"role": "user", "parts": [{"type": "text", "content": " gen_ai.input.messages gen_ai.output.messages '
    b"gen_ai.system openai anthropic gen_ai.provider.name gen_ai.request.temperature gen_ai.request.max_tokens "
    b"gen_ai.response.id gen_ai.response.finish_reasons stop gen_ai.conversation.id gen_ai.operation.name "
    b"gen_ai.request.model gen_ai.response.model gen_ai.usage.input_tokens gen_ai.usage.output_tokens "
    b"queue memory chain tool retrieval model request other attributes events error failed\xc2\xc3 duration_s "
    b"started_at service kind name parent_id span_id"
)

_PRIMED = zlib.compressobj(1, zlib.DEFLATED, -15, 6, zlib.Z_DEFAULT_STRATEGY, _WORDS)
"""Has read the words already, which would take a quarter of the time for each span."""
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Span)


class _Body(msgspec.Struct, frozen=True, gc=False):
    """A span without what is made of its attributes: facts and content are made again whenever it is read."""

    span_id: str
    parent_id: str
    name: str
    kind: SpanKind
    service: str
    started_at: float
    duration_s: float | None
    failed: bool
    error: str
    attributes: dict[str, Any]
    events: tuple[SpanEvent, ...]


def pack(span: Span) -> bytes:
    """A span as it is kept: without its facts and content."""
    plain = _encoder.encode(_body(span))
    limit = MOST // 4
    while len(plain) > MOST:
        span = _shorter(span, limit)
        plain = _encoder.encode(_body(span))
        limit //= 4
    squeeze = _PRIMED.copy()
    return _FORM + squeeze.compress(plain) + squeeze.flush()


def _body(span: Span) -> _Body:
    return _Body(
        span.span_id,
        span.parent_id,
        span.name,
        span.kind,
        span.service,
        span.started_at,
        span.duration_s,
        span.failed,
        span.error,
        span.attributes,
        span.events,
    )


def unpack(body: bytes) -> tuple[Span, int]:
    """A span that was kept, and how many bytes it has unpacked; facts and content are not in it.

    Raises:
        ValueError: it is none of ours.
    """
    if body[:1] != _FORM:
        raise ValueError("the body of a span has a form that this version does not know")
    try:
        loosen = zlib.decompressobj(-15, _WORDS)
        plain = loosen.decompress(body[1:], UNPACKED_MOST)
        return _decoder.decode(plain), len(plain)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise ValueError(f"the body of a span is broken: {error}") from error


def _shorter(span: Span, limit: int) -> Span:
    """The span with every value of more than `limit` bytes cut, its name noted; without room for any, with none."""
    kept: dict[str, object] = {}
    cut: list[str] = []
    for name, value in span.attributes.items():
        if len(_encoder.encode(value)) <= limit:
            kept[name] = value
        elif limit:
            cut.append(name)
            kept[name] = value[:limit] if isinstance(value, str) else "…"
    before = span.attributes.get(CUT)
    known = [str(name) for name in before] if isinstance(before, list) else []
    kept[CUT] = ([*known, *(name for name in cut if name not in known)] if limit else ["everything"])[:50]
    return msgspec.structs.replace(span, attributes=kept, events=span.events[: limit // 512])
