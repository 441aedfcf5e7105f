"""A model call as it was recorded, in the words of a chat completion: what it takes to send it once more."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from console.domain.reissues import RecordedCall
from console.domain.spans import TAKEN_OUT, Content, Message, Span, SpanKind
from console.traces.case import Case, counted

NOT_RECORDED: Final = "content not recorded"
"""Why a model call cannot be sent again."""
CUT_AT: Final = 65_536
"""Characters: a text of this length was cut when it was kept."""

_WHOLE_REQUEST: Final = "input.value"
"""Where OpenInference keeps the whole request, with what messages have beside their text."""
_TAKEN: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_completion_tokens",
    "max_output_tokens": "max_tokens",
    "stop": "stop",
    "stop_sequences": "stop",
    "seed": "seed",
    "n": "n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
    "response_format": "response_format",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "reasoning_effort": "reasoning_effort",
}
"""Parameters of a chat completion, by the names that conventions give them."""
_ROLES: Final = {
    "system": "system",
    "developer": "system",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
}
"""Roles of a chat completion, by the names that libraries give them; anybody else is the user."""


def recorded_call(trace_id: str, span: Span) -> RecordedCall | None:
    """The body that would ask the same again; None where the span is no model call or its messages are not known.

    What was cut or is not known to be whole is said in its notes: the answer to less is another answer.
    """
    content = span.content
    if span.kind is not SpanKind.MODEL or content is None or TAKEN_OUT in span.attributes:
        return None
    asked = _object(content.input) or _object(span.attributes.get(_WHOLE_REQUEST))
    messages = _whole(asked) or [_message(message) for message in _messages(content) if message.role]
    if not any(message["role"] != "system" for message in messages):
        return None
    tools = _tools(content, asked)
    parameters = _parameters({**asked, **_object(content.parameters)})
    body: dict[str, Any] = {"messages": messages, **({"tools": tools} if tools else {}), **parameters}
    if not tools:
        body.pop("tool_choice", None)
        body.pop("parallel_tool_calls", None)
    return RecordedCall(
        trace_id=trace_id,
        span_id=span.span_id,
        model=span.facts.request_model or span.facts.response_model,
        body=body,
        tokens_in=span.facts.tokens_in,
        tokens_out=span.facts.tokens_out,
        notes=tuple(_notes(content, messages, tools, parameters)),
    )


def why_not_again(case: Case) -> str:
    """Why none of a request's model calls can be sent again; empty when one can."""
    calls = case.works[SpanKind.MODEL]
    if not calls:
        return "no model call is recorded"
    for work in calls:
        whole = msgspec.structs.replace(work.span, facts=work.facts, content=work.content)
        if recorded_call(case.trace.trace_id, whole) is not None:
            return ""
    return f"{NOT_RECORDED}: {counted(len(calls), 'model call')} without messages"


def _object(text: Any) -> dict[str, Any]:
    """A JSON object; empty where a text is none."""
    found = _json(text) if isinstance(text, str) and text.startswith("{") else None
    return found if isinstance(found, dict) else {}


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _whole(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Messages as they were sent, where the span kept the request itself: with images and all."""
    listed = asked.get("messages")
    if not isinstance(listed, list) or not listed:
        return []
    fit = all(isinstance(one, dict) and one.get("role") in ("system", "user", "assistant", "tool") for one in listed)
    return listed if fit and all("content" in one or one.get("tool_calls") for one in listed) else []


def _messages(content: Content) -> Iterator[Message]:
    if content.system and all(message.text != content.system for message in content.messages_in):
        yield Message(role="system", text=content.system)
    yield from content.messages_in


def _message(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {"role": _ROLES.get(message.role.lower(), "user"), "content": message.text}
    if message.calls:
        found["role"] = "assistant"
        found["content"] = message.text or None
        found["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in message.calls
        ]
    if message.answers:
        found |= {"role": "tool", "tool_call_id": message.answers}
    return found


def _tools(content: Content, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    listed = _json(content.tools) if content.tools else asked.get("tools")
    return [tool for one in listed if (tool := _tool(one))] if isinstance(listed, list) else []


def _tool(definition: Any) -> dict[str, Any]:
    """A tool's definition as a chat completion has it, from the forms that conventions keep it in."""
    if not isinstance(definition, dict):
        return {}
    if isinstance(definition.get("function"), dict):
        return {"type": "function", "function": definition["function"]}
    if not isinstance(definition.get("name"), str):
        return {}
    schema = definition.get("parameters") or definition.get("input_schema") or {"type": "object", "properties": {}}
    function = {"name": definition["name"], "parameters": schema}
    if isinstance(definition.get("description"), str):
        function["description"] = definition["description"]
    return {"type": "function", "function": function}


def _parameters(named: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in named.items():
        taken = _TAKEN.get(name.removeprefix("gen_ai.request.").removeprefix("llm."))
        if taken and value is not None:
            found.setdefault(taken, _structured(value))
    return found


def _structured(value: Any) -> Any:
    """A list or an object that a convention keeps as JSON."""
    inner = _json(value) if isinstance(value, str) and value[:1] in ("[", "{") else None
    return value if inner is None else inner


def _notes(
    content: Content, messages: list[dict[str, Any]], tools: list[dict[str, Any]], parameters: Mapping[str, Any]
) -> Iterator[str]:
    if not tools and any(message.get("tool_calls") for message in messages):
        yield "the tools' definitions are not recorded"
    if not parameters and not content.parameters:
        yield "the parameters (temperature and the like) are not recorded"
    if any(message["role"] == "tool" and not message.get("tool_call_id") for message in messages):
        yield "a tool's message does not say which call it answers"
    if any(isinstance(text := message.get("content"), str) and len(text) >= CUT_AT for message in messages):
        yield f"a message was cut at {CUT_AT:,} characters"
    if any(not message.role for message in content.messages_in):
        yield "the messages were cut when they were kept: the last of them are not there"
