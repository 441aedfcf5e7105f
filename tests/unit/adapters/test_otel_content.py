"""What was recorded of a span's words comes out the same, whichever convention it was recorded in."""

import json
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from adapters.otel import Aliases, Limits, content_of, from_json, from_protobuf, read
from adapters.otel.content import WORDED
from adapters.otel.documents import MOST_DOCUMENTS
from adapters.otel.flat import LISTS
from adapters.otel.messages import MOST_MESSAGES, MOST_WORDS
from adapters.otel.values import CUT
from adapters.otel.wording import MOST
from console.domain.spans import Content, Document, Message, Span, SpanEvent, SpanKind, ToolCall
from tests.unit.adapters.spans_sent import Sent, body, message

ASKED = (
    Message(role="system", text="be brief"),
    Message(role="user", text="weather in Oslo?"),
    Message(role="assistant", calls=(ToolCall(id="call-1", name="weather", arguments='{"city": "Oslo"}'),)),
    Message(role="tool", text="4 degrees", answers="call-1"),
)
ANSWERED = (Message(role="assistant", text="cold"),)

GENAI_IN = [
    {"role": "system", "parts": [{"type": "text", "content": "be brief"}]},
    {"role": "user", "parts": [{"type": "text", "content": "weather in Oslo?"}]},
    {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "call-1", "name": "weather", "arguments": {"city": "Oslo"}}],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-1", "response": "4 degrees"}]},
]
GENAI_OUT = [{"role": "assistant", "parts": [{"type": "text", "content": "cold"}], "finish_reason": "stop"}]
OPENAI_IN: list[dict[str, Any]] = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": [{"type": "text", "text": "weather in Oslo?"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call-1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
        ],
    },
    {"role": "tool", "content": "4 degrees", "tool_call_id": "call-1"},
]
OPENAI_OUT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "cold"}, "finish_reason": "stop"}]}
RESPONSES_IN = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": [{"type": "input_text", "text": "weather in Oslo?"}]},
    {"type": "function_call", "call_id": "call-1", "name": "weather", "arguments": '{"city": "Oslo"}'},
    {"type": "function_call_output", "call_id": "call-1", "output": "4 degrees"},
]
ANTHROPIC_IN = {
    "system": "be brief",
    "messages": [
        {"role": "user", "content": "weather in Oslo?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call-1", "name": "weather", "input": {"city": "Oslo"}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call-1", "content": [{"type": "text", "text": "4 degrees"}]}
            ],
        },
    ],
}
FLAT = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "be brief",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "weather in Oslo?",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "call-1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
    "llm.input_messages.3.message.role": "tool",
    "llm.input_messages.3.message.content": "4 degrees",
    "llm.input_messages.3.message.tool_call_id": "call-1",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "cold",
    "input.value": json.dumps({"messages": OPENAI_IN, "model": "m"}),
    "output.value": json.dumps(OPENAI_OUT),
}
OLD_GENAI = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "be brief",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": '[{"type": "text", "text": "weather in Oslo?"}]',
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "call-1",
    "gen_ai.prompt.2.tool_calls.0.name": "weather",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Oslo"}',
    "gen_ai.prompt.3.role": "tool",
    "gen_ai.prompt.3.content": "4 degrees",
    "gen_ai.prompt.3.tool_call_id": "call-1",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "cold",
    "gen_ai.completion.0.finish_reason": "stop",
}


def _event(name: str, **attributes: Any) -> SpanEvent:
    return SpanEvent(name=name, at=1.0, attributes=attributes)


TOLD = (
    _event("gen_ai.system.message", content="be brief"),
    _event("gen_ai.user.message", content="weather in Oslo?"),
    _event("gen_ai.assistant.message", tool_calls=json.dumps(OPENAI_IN[2]["tool_calls"])),
    _event("gen_ai.tool.message", content="4 degrees", id="call-1"),
    _event("gen_ai.choice", index=0, message='{"role": "assistant", "content": "cold"}'),
)
OLDER = (
    _event("gen_ai.content.prompt", **{"gen_ai.prompt": json.dumps(OPENAI_IN)}),
    _event("gen_ai.content.completion", **{"gen_ai.completion": '[{"role": "assistant", "content": "cold"}]'}),
)
DETAILS = (
    _event(
        "gen_ai.client.inference.operation.details",
        **{"gen_ai.input.messages": GENAI_IN, "gen_ai.output.messages": GENAI_OUT},
    ),
)


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        ({"gen_ai.input.messages": json.dumps(GENAI_IN), "gen_ai.output.messages": json.dumps(GENAI_OUT)}, ()),
        ({"gen_ai.input.messages": GENAI_IN, "gen_ai.output.messages": GENAI_OUT}, ()),
        ({}, DETAILS),
        (FLAT, ()),
        ({name: value for name, value in FLAT.items() if name.endswith(".value")}, ()),
        (OLD_GENAI, ()),
        ({}, TOLD),
        ({}, OLDER),
        (
            {
                "langfuse.observation.input": json.dumps(OPENAI_IN),
                "langfuse.observation.output": '{"role": "assistant", "content": "cold"}',
            },
            (),
        ),
        ({"input.value": json.dumps({"input": RESPONSES_IN}), "gen_ai.completion": '[{"content": "cold"}]'}, ()),
        ({"input.value": json.dumps(ANTHROPIC_IN), "output.value": '[{"type": "text", "text": "cold"}]'}, ()),
    ],
)
def test_the_same_messages_come_out_of_every_convention(
    attributes: dict[str, Any], events: tuple[SpanEvent, ...]
) -> None:
    found = content_of(attributes, events, SpanKind.MODEL)
    assert found is not None
    assert found.messages_in == ASKED
    assert [message.text for message in found.messages_out] == ["cold"]
    assert (found.input, found.output) == ("", "")


def test_what_a_model_was_given_beside_its_messages() -> None:
    attributes = {
        "gen_ai.system_instructions": '[{"type": "text", "content": "be brief"}, {"content": "be kind"}]',
        "gen_ai.tool.definitions": '[{"type": "function", "name": "weather"}]',
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.model": "m",
        "llm.prompt_template.template": "weather in {city}?",
        "llm.prompt_template.variables": '{"city": "Oslo"}',
    }
    assert content_of(attributes, (), SpanKind.MODEL) == Content(
        system="be brief\nbe kind",
        tools='[{"type": "function", "name": "weather"}]',
        parameters='{"temperature": 0.5}',
        template="weather in {city}?",
        variables='{"city": "Oslo"}',
    )


@pytest.mark.parametrize(
    ("attributes", "tools"),
    [
        ({"llm.tools.0.tool.json_schema": '{"name": "weather"}'}, [{"name": "weather"}]),
        ({"langfuse.observation.input": '{"tools": [{"name": "weather"}], "messages": []}'}, [{"name": "weather"}]),
        (
            {"llm.request.functions.0.name": "weather", "llm.request.functions.0.parameters": '{"type": "object"}'},
            [{"name": "weather", "parameters": {"type": "object"}}],
        ),
    ],
)
def test_tools_that_were_taken_apart_are_a_list_again(attributes: dict[str, Any], tools: list[Any]) -> None:
    found = content_of(attributes, (), SpanKind.MODEL)
    assert found is not None
    assert json.loads(found.tools) == tools


DOCUMENTS = (
    Document(id="d-1", score=0.5, text="one", snapshot="s-7"),
    Document(id="d-2", score=-0.25, text="two"),
)
GENAI_DOCUMENTS = [
    {"id": "d-1", "score": 0.5, "content": "one", "metadata": {"snapshot": "s-7"}},
    {"id": "d-2", "score": -0.25, "content": "two"},
]


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        ({"gen_ai.retrieval.query.text": "q", "gen_ai.retrieval.documents": GENAI_DOCUMENTS}, ()),
        ({"gen_ai.retrieval.query.text": "q", "gen_ai.retrieval.documents": json.dumps(GENAI_DOCUMENTS)}, ()),
        (
            {
                "input.value": "q",
                "retrieval.documents.0.document.id": "d-1",
                "retrieval.documents.0.document.score": 0.5,
                "retrieval.documents.0.document.content": "one",
                "retrieval.documents.0.document.metadata": '{"retrieval.snapshot.version": "s-7"}',
                "retrieval.documents.1.document.id": "d-2",
                "retrieval.documents.1.document.score": -0.25,
                "retrieval.documents.1.document.content": "two",
            },
            (),
        ),
        (
            {
                "langfuse.observation.input": '{"query": "q"}',
                "langfuse.observation.output": json.dumps({"documents": GENAI_DOCUMENTS}),
            },
            (),
        ),
        (
            {
                "traceloop.entity.input": '{"args": ["q"], "kwargs": {}}',
                "traceloop.entity.output": json.dumps(GENAI_DOCUMENTS),
            },
            (),
        ),
        (
            {"input.value": "q"},
            (
                _event(
                    "db.query.result",
                    **{
                        "db.query.result.id": "d-1",
                        "db.query.result.score": 0.5,
                        "db.query.result.document": "one",
                        "db.query.result.metadata": '{"snapshot_version": "s-7"}',
                    },
                ),
                _event(
                    "db.search.result",
                    **{
                        "db.search.result.id": "d-2",
                        "db.search.result.score": "-0.25",
                        "db.search.result.document": "two",
                    },
                ),
            ),
        ),
    ],
)
def test_the_same_documents_come_out_of_every_convention(
    attributes: dict[str, Any], events: tuple[SpanEvent, ...]
) -> None:
    assert content_of(attributes, events, SpanKind.RETRIEVAL) == Content(query="q", documents=DOCUMENTS)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.tool.call.arguments": {"city": "Oslo"}, "gen_ai.tool.call.result": "4 degrees"},
        {"input.value": '{"city": "Oslo"}', "output.value": "4 degrees", "tool.parameters": "{}"},
        {"tool.parameters": '{"city": "Oslo"}', "output.value": "4 degrees"},
        {"langfuse.observation.input": '{"city": "Oslo"}', "langfuse.observation.output": "4 degrees"},
        {"traceloop.entity.input": '{"args": [], "kwargs": {"city": "Oslo"}}', "traceloop.entity.output": "4 degrees"},
    ],
)
def test_the_same_tool_comes_out_of_every_convention(attributes: dict[str, Any]) -> None:
    assert content_of(attributes, (), SpanKind.TOOL) == Content(arguments='{"city": "Oslo"}', result="4 degrees")


def test_the_schema_of_a_tools_parameters_is_not_what_it_was_called_with() -> None:
    attributes = {"tool.parameters": '{"type": "object", "properties": {}}', "input.value": "__REDACTED__"}
    assert content_of(attributes, (), SpanKind.TOOL) is None


@pytest.mark.parametrize(
    "convention", ["{}.value", "langfuse.observation.{}", "traceloop.entity.{}", "langfuse.trace.{}"]
)
def test_what_came_in_and_went_out_of_a_request(convention: str) -> None:
    attributes = {convention.format("input"): "in", convention.format("output"): {"a": 1}}
    assert content_of(attributes, (), SpanKind.REQUEST) == Content(input="in", output='{"a": 1}')


def test_a_decorated_step_is_shown_without_its_wrapping() -> None:
    attributes = {
        "traceloop.entity.input": '{"args": ["a", 1], "kwargs": {}}',
        "traceloop.entity.output": '"said \\"yes\\""',
        "traceloop.prompt.template": "{x} and {y}",
        "traceloop.prompt.template_variables.x": "one",
        "traceloop.prompt.template_variables.y": 2,
    }
    assert content_of(attributes, (), SpanKind.CHAIN) == Content(
        input='["a", 1]', output='said "yes"', template="{x} and {y}", variables='{"x": "one", "y": 2}'
    )


def test_what_memory_gave_back_and_what_was_embedded() -> None:
    searched = {"gen_ai.memory.query.text": "name?", "gen_ai.memory.records": '[{"id": "m", "content": "Ada"}]'}
    assert content_of(searched, (), SpanKind.MEMORY) == Content(query="name?", result=searched["gen_ai.memory.records"])
    embedded = {"embedding.embeddings.0.embedding.text": "hello", "embedding.embeddings.0.embedding.vector": [0.5]}
    assert content_of(embedded, (), SpanKind.EMBEDDING) == Content(input="hello")


def test_what_is_no_text_is_named() -> None:
    parts = [
        {"type": "reasoning", "content": "hm"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "aGk="},
        {"type": "text", "content": "a cat"},
    ]
    found = content_of({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]}, (), SpanKind.MODEL)
    assert found is not None
    assert found.messages_out == (Message(role="assistant", text="[reasoning] hm\n[blob image image/png]\na cat"),)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.route": "/chat"},
        {"input.value": "__REDACTED__", "llm.input_messages.0.message.content": "__REDACTED__"},
        {"gen_ai.input.messages": "[]", "gen_ai.retrieval.documents": 5},
    ],
)
def test_where_no_words_were_recorded_there_is_no_content(attributes: dict[str, Any]) -> None:
    assert content_of(attributes, (), SpanKind.MODEL) is None


def test_messages_in_broken_json_are_shown_as_they_stand() -> None:
    found = content_of({"input.value": '{"messages": [{'}, (), SpanKind.MODEL)
    assert found == Content(input='{"messages": [{')


def test_no_limit_is_no_parameter() -> None:
    attributes = {"langfuse.observation.model.parameters": '{"temperature": 0, "max_tokens": "Infinity"}'}
    assert content_of(attributes, (), SpanKind.MODEL) == Content(parameters='{"temperature": 0}')


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("gen_ai.input.messages", GENAI_IN),
        ("langfuse.observation.input", {"tools": [{"name": "weather"}], "messages": OPENAI_IN}),
    ],
)
def test_of_a_list_that_was_cut_the_whole_messages_are_kept(name: str, whole: Any) -> None:
    text = json.dumps(whole)
    found = content_of({name: text[: text.index("call-1")]}, (), SpanKind.MODEL)
    assert found is not None
    assert found.messages_in[:2] == ASKED[:2]
    assert found.messages_in[2].text.startswith('{"role": "assistant"')
    assert len(found.messages_in) == 3


@pytest.mark.parametrize("as_json", [False, True])
def test_ten_thousand_messages_are_not_all_kept(*, as_json: bool) -> None:
    many: Any = [{"role": "user", "content": str(number)} for number in range(10_000)]
    found = content_of({"gen_ai.input.messages": json.dumps(many) if as_json else many}, (), SpanKind.MODEL)
    assert found is not None
    assert len(found.messages_in) == MOST_MESSAGES + 1
    assert (found.messages_in[0].text, found.messages_in[-1].text) == ("0", "9999")
    assert "9000 messages left out" in [message.text.strip("… ") for message in found.messages_in]


def test_words_beyond_the_limits_are_cut_and_it_is_said() -> None:
    many = [{"role": "user", "content": "x" * (MOST + 5)} for _ in range(100)]
    documents = [{"id": str(number), "content": "y" * MOST} for number in range(1_000)]
    found = content_of({"gen_ai.input.messages": many, "gen_ai.retrieval.documents": documents}, (), SpanKind.MODEL)
    assert found is not None
    assert len(found.messages_in) <= MOST_WORDS // MOST + 1
    assert found.messages_in[0].text == "x" * MOST + "…"
    assert "messages left out: too long" in found.messages_in[-1].text
    assert len(found.documents) == MOST_DOCUMENTS
    assert sum(len(document.text) for document in found.documents) <= MOST_WORDS + MOST
    assert found.documents[-1].id


def test_a_span_of_any_store_is_read_by_the_names_of_the_config() -> None:
    span = Span(
        span_id="1", name="x", kind=SpanKind.MODEL, started_at=1.0, attributes={"chat": "c-1", "input.value": "hello"}
    )
    found = read(span, Aliases.of({"conversation": ["chat"]}))
    assert (found.facts.conversation, found.content) == ("c-1", Content(input="hello"))
    assert read(found, Aliases.of()).facts.conversation == ""


def _conversation(messages: int, *, body: int) -> dict[str, Any]:
    """A model call as OpenInference tells of it: first the request's body (its first `body` characters), then its
    messages taken apart, then the rest.
    """
    whole = [{"role": "user", "content": f"turn {number}"} for number in range(messages)]
    apart = {
        f"llm.input_messages.{number}.message.{key}": value
        for number, message in enumerate(whole)
        for key, value in message.items()
    }
    told = {"llm.token_count.prompt": 9, "llm.output_messages.0.message.content": "cold"}
    kind = {"openinference.span.kind": "LLM"}
    return {**kind, "input.value": json.dumps({"messages": whole})[:body], **apart, **told}


@pytest.mark.parametrize("as_json", [False, True])
def test_of_a_long_conversation_its_beginning_and_its_newest_messages_are_kept(*, as_json: bool) -> None:
    sent = Sent(1, attributes=_conversation(2_000, body=100))
    (found,) = (
        from_json(MessageToDict(message(sent)), Aliases.of(), Limits())
        if as_json
        else from_protobuf(body(sent), Aliases.of(), Limits())
    ).arrivals
    assert found.span.facts.tokens_in == 9
    assert len(found.span.attributes) <= Limits().attributes + Limits().listed + 1
    assert found.span.attributes[CUT] == ["2978 more attributes"]
    content = read(found.span, Aliases.of()).content
    assert content is not None
    assert [one.text for one in content.messages_out] == ["cold"]
    texts = [one.text for one in content.messages_in]
    assert texts[:4] == ["turn 0", "turn 1", "… 1489 messages left out", "turn 1491"]
    assert texts[-1] == "turn 1999"


def test_of_a_long_conversation_the_whole_body_says_more() -> None:
    sent = Sent(1, attributes=_conversation(800, body=100_000))
    (found,) = from_protobuf(body(sent), Aliases.of(), Limits()).arrivals
    content = read(found.span, Aliases.of()).content
    assert content is not None
    assert [one.text for one in content.messages_in] == [f"turn {number}" for number in range(800)]


KEYS = st.sampled_from(
    (
        *("role", "content", "parts", "type", "text", "message", "messages", "choices", "tool_calls", "tool_call"),
        *("function", "name", "arguments", "id", "document", "metadata", "score", "contents", "message_content"),
        *("args", "kwargs", "query", "response", "tool", "json_schema", "snapshot", "call_id", "embedding"),
    )
)
WORDS = st.sampled_from(
    ("tool_call", "tool_use", "tool_result", "text", "[{", "\ud800", '"\\ud800"', '["\\ud800"]', "1e999", "user")
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions"),
    *("gen_ai.retrieval.documents", "gen_ai.tool.call.arguments", "input.value", "output.value", "gen_ai.prompt"),
    *("traceloop.entity.input", "langfuse.observation.input", "llm.invocation_parameters", "gen_ai.request.x"),
    *(
        f"{name}.{rest}"
        for name in LISTS
        for rest in ("0", "0.message", "1.message.contents.0", "x", "0.document", "²")
    ),
)
VALUES = JUNK | JUNK.map(lambda value: json.dumps(value)) | JUNK.map(lambda value: json.dumps(value)[:-2])
EVENTS = st.sampled_from(
    (
        "gen_ai.content.prompt",
        "gen_ai.choice",
        "gen_ai.user.message",
        "db.query.result",
        "gen_ai.client.inference.operation.details",
    )
)


@given(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6),
    st.lists(st.tuples(EVENTS, st.dictionaries(st.sampled_from(("message", "content", *NAMES)), VALUES)), max_size=2),
    st.sampled_from(SpanKind),
)
def test_no_junk_breaks_the_reading(
    attributes: dict[str, Any], events: list[tuple[str, dict[str, Any]]], kind: SpanKind
) -> None:
    told = [SpanEvent(name=name, at=1.0, attributes=inner) for name, inner in events]
    found = content_of(attributes, told, kind)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Content | None) == found


def _nested(levels: int) -> Any:
    """As deep as JSON may be here."""
    value: Any = {"role": "user", "content": "x"}
    for _ in range(levels):
        value = {"message": value}
    return [value]


def test_values_within_values_end_somewhere() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    wrapped: Any = {"message": "x"}
    for _ in range(5_000):
        wrapped = {"message": wrapped, "content": [wrapped], "document": wrapped}
    for value in (deep, [wrapped], "[" * 100_000, '{"a":' * 50_000, json.dumps(_nested(900))):
        found = content_of({"gen_ai.input.messages": value, "input.value": value}, (), SpanKind.MODEL)
        assert found is not None


class _Watched(dict[str, Any]):
    """Attributes that note by which names they were asked."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(attributes)
        self.asked: set[object] = set()

    def __contains__(self, name: object) -> bool:
        self.asked.add(name)
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.mark.parametrize("kind", SpanKind)
def test_only_attributes_that_are_known_to_hold_words_are_asked_for_them(kind: SpanKind) -> None:
    attributes = _Watched(**dict.fromkeys(WORDED, ""))
    assert content_of(attributes, (), kind) is None
    assert len(attributes.asked) > 20
    assert attributes.asked <= WORDED | {CUT}


@pytest.mark.parametrize("name", sorted(WORDED))
def test_a_span_with_one_attribute_of_words_alone_is_not_passed_over(name: str) -> None:
    value = [{"role": "user", "content": "word", "id": "word"}]
    found = {kind: content_of({name: value}, (), kind) for kind in SpanKind}
    assert any(one is not None and "word" in str(one) for one in found.values())
