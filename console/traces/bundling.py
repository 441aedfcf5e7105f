"""What of a request may leave the house: by default its structure, and none of the words that applications said.

What is kept is named; whatever else an application put into a span is dropped, because nobody can list in advance
under which names words may stand.
"""

from typing import Any

import msgspec

from console.domain.bundles import Shown
from console.domain.redact import redact
from console.domain.spans import TAKEN_OUT, Content, Document, Message, Span, SpanEvent, ToolCall, Trace

_NAMES = 120
"""Characters of a text that still passes for a name."""
_KEPT = (
    "service.", "deployment.environment", "http.request.method", "http.response.status_code", "http.status_code",
    "http.method", "http.route", "server.address", "server.port", "rpc.system", "rpc.method", "rpc.service",
    "db.system", "db.operation", "db.collection", "messaging.", "error.type", "exception.type", "gen_ai.operation.name",
    "gen_ai.system", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "gen_ai.tool.name",
    "gen_ai.tool.type", "gen_ai.data_source.id", "gen_ai.response.finish_reasons", "openinference.span.kind",
    "langfuse.observation.type", "traceloop.span.kind", "traceloop.entity.path", "llm.model_name", "llm.provider",
    "llm.system", "llm.request.type",
    "embedding.model_name", "retrieval.snapshot.version", "retrieval.source", "app.route", "app.deployment",
    "app.attempt", "app.attempts", "app.worker", "app.queue.", "app.memory.", "app.prompt.",
    "switchgear.cut", "litellm.model_group",
)  # fmt: skip
"""Attributes whose texts are kept: these names, and those that begin with one that ends in a dot."""
GONE = "the words of this request were taken out when it was exported (--shown masked keeps them)"
"""The note of a trace that has lost them."""


def fit_to_leave(trace: Trace, shown: Shown) -> Trace:
    """The trace with no more of its applications' words than `shown` allows."""
    if shown is Shown.RAW:
        return trace
    if shown is Shown.MASKED:
        return msgspec.json.decode(redact(msgspec.json.encode(trace).decode()), type=Trace)
    request = trace.request and msgspec.structs.replace(trace.request, error=length(trace.request.error))
    spans = tuple(_bare(span) for span in trace.spans)
    return msgspec.structs.replace(trace, request=request, spans=spans, notes=(*trace.notes, GONE))


def length(text: str) -> str:
    """What stands for a text that was taken out; nothing stands for nothing."""
    return f"‹{len(text):,} characters›" if text else ""


def _bare(span: Span) -> Span:
    return msgspec.structs.replace(
        span,
        error=length(span.error),
        attributes=_names(span.attributes) | ({TAKEN_OUT: True} if span.content else {}),
        content=span.content and _content(span.content),
        events=tuple(
            SpanEvent(name=event.name[:_NAMES], at=event.at, attributes=_names(event.attributes))
            for event in span.events
        ),
    )


def _names(attributes: dict[str, Any]) -> dict[str, Any]:
    """Numbers, and texts that are names."""
    return {name: value for name, value in attributes.items() if _is_name(name, value)}


def _is_name(name: str, value: Any) -> bool:
    if isinstance(value, bool | int | float):
        return True
    kept = any(name == one or (one[-1] == "." and name.startswith(one)) for one in _KEPT)
    if isinstance(value, list):
        return kept and all(isinstance(one, str) and len(one) <= _NAMES for one in value)
    return kept and isinstance(value, str) and len(value) <= _NAMES and redact(value) == value


def _content(content: Content) -> Content:
    texts = ("input", "output", "system", "template", "variables", "tools", "query", "arguments", "result")
    return msgspec.structs.replace(
        content,
        **{name: length(getattr(content, name)) for name in texts},
        parameters=length(content.parameters),
        messages_in=tuple(map(_message, content.messages_in)),
        messages_out=tuple(map(_message, content.messages_out)),
        documents=tuple(map(_document, content.documents)),
    )


def _message(message: Message) -> Message:
    calls = tuple(
        ToolCall(id=call.id[:_NAMES], name=call.name[:_NAMES], arguments=length(call.arguments))
        for call in message.calls
    )
    return msgspec.structs.replace(message, text=length(message.text), calls=calls)


def _document(document: Document) -> Document:
    return msgspec.structs.replace(document, text=length(document.text))
