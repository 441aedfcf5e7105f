"""A chat completion's answer, as a span of the model call that it was. Pure."""

from typing import Any

import msgspec

from adapters.http import decode
from console.domain.spans import Content, Facts, Message, Span, SpanKind, ToolCall

_LONGEST = 65_536
"""Characters of one text that are kept."""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct):
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct):
    role: str | None = None
    content: Any = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: _Usage | None = None


def read_answer(body: bytes, where: str) -> Span:
    """The answer; id, service, times and cost are the caller's to fill in.

    Raises:
        BackendError: MALFORMED when it is no chat completion.
    """
    answer = decode(body, _Answer, where)
    usage = answer.usage or _Usage()
    details = usage.prompt_tokens_details
    choices = [choice for choice in answer.choices if choice.message is not None]
    model = (answer.model or "")[:300]
    return Span(
        span_id="",
        name=f"chat {model}".strip(),
        kind=SpanKind.MODEL,
        started_at=0.0,
        facts=Facts(
            response_model=model,
            finish_reason=",".join(choice.finish_reason[:60] for choice in choices if choice.finish_reason),
            tokens_in=usage.prompt_tokens,
            tokens_out=usage.completion_tokens,
            tokens_cached=details.cached_tokens if details else None,
        ),
        content=Content(messages_out=tuple(_message(choice.message) for choice in choices if choice.message)),
    )


def _message(message: _Message) -> Message:
    return Message(
        role=(message.role or "assistant")[:60],
        text=_text(message.content),
        calls=tuple(_call(call) for call in (message.tool_calls or [])[:100]),
    )


def _call(call: _Call) -> ToolCall:
    function = call.function or _Function()
    return ToolCall(id=(call.id or "")[:300], name=(function.name or "")[:300], arguments=_text(function.arguments))


def _text(content: Any) -> str:
    """Text, or the texts of its parts; whatever else it is, as JSON."""
    if content is None:
        return ""
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        content = "\n".join(part["text"] for part in content)
    return (content if isinstance(content, str) else msgspec.json.encode(content).decode())[:_LONGEST]
