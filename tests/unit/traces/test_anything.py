"""Whatever spans say, a request is put together, compared with another and asked for again; nothing raises."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.difference import Comparison
from console.domain.reconstruction import Reconstruction, StageKind
from console.domain.spans import Content, Document, Facts, Message, Span, SpanKind, ToolCall
from console.traces.difference import compare
from console.traces.recorded import recorded_call
from tests.unit.traces.spans import BEGIN, TRACE, span, stage, told

_text = st.sampled_from(
    ["", "a", "a b", "{}", "[]", '{"a": [1, {"b": null}]}', "{broken", "system", "c1", '"x"', "\x00ü"]
)
_json_text = _text | st.just('{"messages": [{"role": "user", "content": "x"}], "tools": [1, {}]}')
_count = st.none() | st.integers(0, 2**53)
_calls = st.lists(st.builds(ToolCall, id=_text, name=_text, arguments=_json_text), max_size=2).map(tuple)
_roles = st.sampled_from(["", "system", "developer", "user", "assistant", "tool", "Human", "anyone"])
_messages = st.lists(st.builds(Message, role=_roles, text=_text, calls=_calls, answers=_text), max_size=3).map(tuple)
_documents = st.lists(
    st.builds(Document, id=_text, score=st.none() | st.floats(-1e9, 1e9), text=_text, snapshot=_text), max_size=3
).map(tuple)
_contents = st.none() | st.builds(
    Content, input=_json_text, output=_text, system=_text, template=_text, variables=_json_text,
    messages_in=_messages, messages_out=_messages, tools=_json_text, parameters=_json_text, query=_text,
    documents=_documents, arguments=_json_text, result=_json_text,
)  # fmt: skip
_facts = st.builds(
    Facts, prompt_name=_text, prompt_version=_text, provider=_text, request_model=_text, response_model=_text,
    finish_reason=_text, tokens_in=_count, tokens_out=_count, usd=st.none() | st.floats(0, 1e9), snapshot=_text,
    retrieval_source=_text, tool_name=_text, tool_call=_text, memory_op=_text, memory_key=_text, queue=_text,
    worker=_text, queue_wait_s=st.none() | st.floats(0, 1e6),
)  # fmt: skip
_attributes: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(
        ["openinference.span.kind", "gen_ai.response.id", "llm.request.type", "http.request.method", "url.path",
         "http.response.status_code", "server.address"]
    ),
    st.sampled_from(["PROMPT", "r1", "chat", "POST", "/x", 200, None, [1], {"a": 1}]),
    max_size=3,
)  # fmt: skip


@st.composite
def _spans(draw: st.DrawFn) -> Sequence[Span]:
    count = draw(st.integers(0, 7))
    return tuple(
        Span(
            span_id=f"{number:016x}",
            parent_id=f"{parent:016x}" if (parent := draw(st.integers(0, number - 1))) else "",
            name=draw(_text),
            kind=draw(st.sampled_from(SpanKind)),
            service=draw(st.sampled_from(["", "x", "y"])),
            started_at=BEGIN + draw(st.floats(0, 3)),
            duration_s=draw(st.none() | st.floats(0, 3)),
            failed=draw(st.booleans()),
            attributes=draw(_attributes),
            facts=draw(_facts),
            content=draw(_contents),
        )
        for number in range(1, count + 1)
    )


@given(_spans(), _spans())
@settings(max_examples=50, deadline=None)
def test_anything_can_be_put_together_compared_and_sent(first: Sequence[Span], second: Sequence[Span]) -> None:
    mine, others = told(*first), told(*second)

    comparison = compare(mine, others)

    for request in (mine, others):
        assert msgspec.json.decode(msgspec.json.encode(request), type=Reconstruction).stages == request.stages
        for one in request.stages:
            assert bool(one.pieces) or one.missing
            assert all(piece.span_id in {one.span_id for one in request.trace.spans} for piece in one.pieces)
        tokens = sum(one.facts.tokens_in or 0 for one in request.trace.spans if one.kind is SpanKind.MODEL)
        assert (stage(request, StageKind.MODEL_INPUT).tokens_in or 0) <= tokens
    msgspec.json.decode(msgspec.json.encode(comparison), type=Comparison)
    same = compare(mine, mine)
    assert not any(piece.differences for one in same.stages for piece in one.pieces)


@given(_spans())
@settings(max_examples=40, deadline=None)
def test_a_call_that_can_be_sent_again_is_a_chat(spans: Sequence[Span]) -> None:
    for one in spans:
        call = recorded_call(TRACE, one)
        if call is not None:
            assert {message["role"] for message in call.body["messages"]} <= {"system", "user", "assistant", "tool"}
            assert all(tool["type"] == "function" and "name" in tool["function"] for tool in call.body.get("tools", []))
            msgspec.json.encode(call)


def test_five_thousand_spans_beneath_each_other_are_put_together_without_recursion() -> None:
    deep = [span(number, number - 1, number / 1e3, 10, SpanKind.MODEL, input="x") for number in range(1, 5_001)]

    request = told(*deep)

    assert len(stage(request, StageKind.MODEL_INPUT).pieces) == 1
    assert sum(one.own_s for one in request.critical) == pytest.approx(9.999)
