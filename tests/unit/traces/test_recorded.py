"""A recorded model call as the body of a chat completion, from what each convention keeps."""

import json
from typing import Any

import pytest

from console.domain.reissues import RecordedCall
from console.domain.spans import Message, Span, SpanKind, ToolCall
from console.traces.recorded import recorded_call
from tests.unit.traces.spans import TRACE, answer, sent, span, told, user

K = SpanKind
SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}
FUNCTION = {"name": "search", "description": "finds", "parameters": SCHEMA}
CHAT = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "which tea?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "tea"}'}}],
    },
    {"role": "tool", "content": "green", "tool_call_id": "c1"},
]


def _gen_ai() -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.system_instructions": [{"type": "text", "content": "be kind"}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "which tea?"}]},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "id": "c1", "name": "search", "arguments": '{"q": "tea"}'}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "green"}]},
        ],
        "gen_ai.tool.definitions": [{"type": "function", **FUNCTION}],
    }


def _openinference() -> dict[str, Any]:
    messages = "llm.input_messages"
    return {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m",
        "llm.invocation_parameters": {"model": "m", "temperature": 0.2, "max_tokens": 50, "stop": ["END"]},
        "llm.token_count.prompt": 10,
        f"{messages}.0.message.role": "system",
        f"{messages}.0.message.content": "be kind",
        f"{messages}.1.message.role": "user",
        f"{messages}.1.message.content": "which tea?",
        f"{messages}.2.message.role": "assistant",
        f"{messages}.2.message.tool_calls.0.tool_call.id": "c1",
        f"{messages}.2.message.tool_calls.0.tool_call.function.name": "search",
        f"{messages}.2.message.tool_calls.0.tool_call.function.arguments": '{"q": "tea"}',
        f"{messages}.3.message.role": "tool",
        f"{messages}.3.message.content": "green",
        f"{messages}.3.message.tool_call_id": "c1",
        "llm.tools.0.tool.json_schema": {"type": "function", "function": FUNCTION},
    }


def _traceloop() -> dict[str, Any]:
    prompt = "gen_ai.prompt"
    return {
        "llm.request.type": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.stop_sequences": ["END"],
        "gen_ai.usage.prompt_tokens": 10,
        f"{prompt}.0.role": "system",
        f"{prompt}.0.content": "be kind",
        f"{prompt}.1.role": "user",
        f"{prompt}.1.content": "which tea?",
        f"{prompt}.2.role": "assistant",
        f"{prompt}.2.tool_calls.0.id": "c1",
        f"{prompt}.2.tool_calls.0.name": "search",
        f"{prompt}.2.tool_calls.0.arguments": '{"q": "tea"}',
        f"{prompt}.3.role": "tool",
        f"{prompt}.3.content": "green",
        f"{prompt}.3.tool_call_id": "c1",
        "llm.request.functions.0.name": "search",
        "llm.request.functions.0.description": "finds",
        "llm.request.functions.0.parameters": SCHEMA,
    }


def _langfuse() -> dict[str, Any]:
    return {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "m",
        "langfuse.observation.model.parameters": {"temperature": 0.2, "max_tokens": 50, "stop": ["END"]},
        "langfuse.observation.usage_details": {"input": 10},
        "langfuse.observation.input": CHAT,
    }


@pytest.mark.parametrize("attributes", [_gen_ai(), _openinference(), _traceloop()])
def test_every_convention_asks_the_same_again(attributes: dict[str, Any]) -> None:
    call = recorded_call(TRACE, sent(1, 0, 0, 1, "chat m", attributes))

    assert call is not None
    assert call == RecordedCall(
        trace_id=TRACE,
        span_id=f"{1:016x}",
        model="m",
        body={
            "messages": CHAT,
            "tools": [{"type": "function", "function": FUNCTION}],
            "temperature": 0.2,
            "max_tokens": 50,
            "stop": ["END"],
        },
        tokens_in=10,
    )


def test_what_was_not_recorded_is_said() -> None:
    call = recorded_call(TRACE, sent(1, 0, 0, 1, "chat m", _langfuse()))

    assert call is not None
    assert (call.body["messages"], "tools" in call.body) == (CHAT, False)
    assert call.notes == ("the tools' definitions are not recorded",)


@pytest.mark.parametrize("where", [_openinference(), {"openinference.span.kind": "LLM"}])
def test_a_request_that_was_kept_whole_is_sent_as_it_was(where: dict[str, Any]) -> None:
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}
    asked = {"model": "m", "messages": [picture], "seed": 7, "stream": True, "tools": [{"name": "s"}]}

    call = recorded_call(TRACE, sent(1, 0, 0, 1, "chat", where | {"input.value": json.dumps(asked)}))

    assert call is not None
    assert (call.body["messages"], call.body["seed"], "stream" in call.body) == ([picture], 7, False)
    assert len(call.body["tools"]) == 1


@pytest.mark.parametrize(
    ("messages", "note"),
    [
        ((user("a"), Message(text="{broken")), "the messages were cut when they were kept"),
        ((user("x" * 65_536),), "a message was cut at 65,536 characters"),
        ((user("a"), Message(role="tool", text="b")), "a tool's message does not say which call it answers"),
        ((user("a"), answer("", calls=(ToolCall(id="c", name="n"),))), "the tools' definitions are not recorded"),
        ((user("a"),), "the parameters (temperature and the like) are not recorded"),
    ],
)
def test_what_is_not_whole_is_said(messages: tuple[Message, ...], note: str) -> None:
    call = recorded_call(TRACE, span(1, kind=K.MODEL, messages_in=messages))

    assert call is not None
    assert any(said.startswith(note) for said in call.notes)
    assert all(message["role"] for message in call.body["messages"])


@pytest.mark.parametrize(
    "one",
    [
        span(1, kind=K.MODEL),
        span(1, kind=K.MODEL, messages_out=(answer("a"),)),
        span(1, kind=K.MODEL, system="be kind"),
        span(1, kind=K.MODEL, input="not JSON"),
        span(1, kind=K.MODEL, input='{"messages": [1, {"role": "nobody"}]}'),
        span(1, kind=K.MODEL, tools="[", parameters="[1]"),
        span(1, kind=K.TOOL, messages_in=(user("a"),)),
    ],
)
def test_without_messages_nothing_can_be_asked_again(one: Span) -> None:
    assert recorded_call(TRACE, one) is None


def test_a_request_says_whether_any_of_its_calls_can_be_sent_again() -> None:
    root = span(1, kind=K.REQUEST)

    assert told(root).replayable == "no model call is recorded"
    assert told(root, span(2, 1, kind=K.MODEL), span(3, 1, kind=K.MODEL)).replayable == (
        "content not recorded: 2 model calls without messages"
    )
    assert told(root, span(2, 1, kind=K.MODEL), span(3, 1, kind=K.MODEL, messages_in=(user("a"),))).replayable == ""
