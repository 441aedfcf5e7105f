"""What spans say of model calls, counted by minute and group."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.spans.answering.minutes import GROUPS_MOST, minutes_in, rows
from adapters.spans.answering.reasons import finish_of, overflowed, refused
from adapters.spans.answering.said import Said, said
from adapters.spans.answering.scripts import strange
from adapters.spans.answering.shapes import PROSE, of_calls, of_text
from console.domain.answers import OTHER, SHAPES_MOST, Answers, Finish
from console.domain.spans import TAKEN_OUT, SpanKind, ToolCall
from tests.unit.adapters.spans_told import AT, asked, call, search, told, tool


def counted(*spans: Said, trace: str = "t") -> Answers:
    """The one row of one request."""
    (row,) = rows([(trace, spans)], AT - 60.0, AT)
    return row


# Reasons


@pytest.mark.parametrize(
    ("words", "finish"),
    [
        ("stop", Finish.STOP),
        ("end_turn", Finish.STOP),
        ("FinishReason.STOP", Finish.STOP),
        ("COMPLETE", Finish.STOP),
        ("max_tokens", Finish.LENGTH),
        ("MAX_TOKENS", Finish.LENGTH),
        ("tool_use", Finish.TOOL_CALLS),
        ("tool_calls", Finish.TOOL_CALLS),
        ("content_filter", Finish.REFUSAL),
        ("SAFETY", Finish.REFUSAL),
        ("refusal", Finish.REFUSAL),
        ("guardrail_intervened", Finish.REFUSAL),
        ("MALFORMED_FUNCTION_CALL", Finish.ERROR),
        ("something new", Finish.OTHER),
        ("stop,content-filter", Finish.REFUSAL),
        ("", None),
    ],
)
def test_reasons_of_every_provider_are_one(words: str, finish: Finish | None) -> None:
    assert finish_of(words) is finish


@pytest.mark.parametrize(
    "error",
    [
        "Error code: 400 - {'code': 'context_length_exceeded'}",
        "This model's maximum context length is 8192 tokens. However, you requested 9000",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "litellm.ContextWindowExceededError: input is too long",
        "The input token count exceeds the context window",
    ],
)
def test_an_input_that_is_too_long_is_known_by_every_providers_words(error: str) -> None:
    assert overflowed(error)
    assert not overflowed("429 too many requests")


def test_a_filter_that_refuses_by_an_error_is_a_refusal() -> None:
    assert refused("400: the response was filtered due to Azure OpenAI's content management policy")
    assert not refused("500 internal error")


# Shapes


def test_a_shape_is_made_of_keys_and_types_and_of_nothing_that_stands_in_it() -> None:
    one = of_text('{"city": "Bern", "temp": 21, "days": [{"rain": false}, {"rain": true}]}', json_asked=True)
    same = of_text('{"temp": 3.5, "days": [{"rain": true}], "city": "Oslo"}', json_asked=True)
    other = of_text('{"city": "Bern", "temp": "21", "days": []}', json_asked=True)
    assert one == same
    assert one.shape != other.shape
    assert (one.structured, one.parsed, len(one.shape)) == (True, True, 8)


@pytest.mark.parametrize(
    ("text", "json_asked", "structured", "parsed"),
    [
        ("It rains.", False, False, True),
        ("It rains.", True, True, False),
        ('"It rains."', True, True, False),
        ('{"a": 1', False, True, False),
        ("[1] See the handbook.", False, False, True),
        ('```json\n{"a": 1}\n```', False, True, True),
        ('```json\n{"a": 1}\n```', True, True, False),
        ("```python\nprint(1)\n```", False, False, True),
    ],
)
def test_who_was_asked_for_json_is_held_to_it(text: str, json_asked: bool, structured: bool, parsed: bool) -> None:
    form = of_text(text, json_asked=json_asked)
    assert (form.structured, form.parsed) == (structured, parsed)
    assert (form.shape == PROSE) == (not structured or not parsed)


SCHEMA = {
    "type": "object",
    "required": ["city"],
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
}
TOOLS = [
    json.dumps([{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]),
    json.dumps([{"name": "weather", "input_schema": SCHEMA}]),
]


@pytest.mark.parametrize("tools", TOOLS)
@pytest.mark.parametrize(
    ("arguments", "fit"),
    [
        ('{"city": "Bern"}', True),
        ('{"city": "Bern", "days": 3, "more": null}', True),
        ('{"days": 3}', False),
        ('{"city": 4}', False),
        ('{"city": "Bern", "days": true}', False),
        ('{"city": "Be', False),
        ("[]", False),
        ("", False),
    ],
)
def test_arguments_that_the_tools_schema_refuses_are_not_parsed(tools: str, arguments: str, fit: bool) -> None:
    assert of_calls([ToolCall(name="weather", arguments=arguments)], tools).parsed is fit
    assert of_calls([ToolCall(name="another", arguments='{"days": 3}')], tools).parsed


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "required", "x"]), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(ANYTHING, ANYTHING)
def test_no_schema_and_no_arguments_are_an_error(schema: Any, arguments: Any) -> None:
    tools = json.dumps([{"name": "f", "parameters": {"properties": {"x": schema}, "required": schema}}, schema])
    form = of_calls([ToolCall(name="f", arguments=json.dumps(arguments))], tools)
    assert form.parsed <= isinstance(arguments, dict)
    assert of_text(json.dumps(arguments), json_asked=True).parsed is isinstance(arguments, dict | list)


def test_json_that_is_nested_without_end_is_no_error() -> None:
    assert not of_text("[" * 100_000, json_asked=True).parsed
    assert of_text("[" * 50 + "]" * 50, json_asked=True).parsed


# Scripts


@pytest.mark.parametrize(
    ("answer", "question", "is_strange"),
    [
        ("Es regnet, naïve Ärzte.", "Regnet es?", False),
        ("Идёт дождь", "Is it raining?", True),
        ("Идёт дождь", "Скажи, идёт ли дождь", False),
        ("It is 下雨 today", "Is it raining?", True),
        ("α is the angle, β the other", "What is the angle?", False),
        ("It\ufffds raining", "Is it?", True),
        ("It rains 🌧", "下雨吗", False),
    ],
)
def test_a_script_that_the_question_has_not_is_strange(answer: str, question: str, is_strange: bool) -> None:
    assert strange(answer, question) is is_strange
    assert strange(answer, "x" * 10_000 + question + "y" * 10_000) is is_strange


# What a span says


def test_a_call_is_counted_with_everything_that_its_span_says() -> None:
    row = counted(
        call(
            "It rains.", finish="end_turn", tokens=(100, 11), usd=0.5, ttft_s=0.4, lasts=2.4, system="Be short.",
            deployment="chat-azure", tenant="shop", region="eu", prompt="greet@3", fingerprint="fp-1",
            answered="gpt-5-x",
        )
    )  # fmt: skip
    assert row.at == AT
    group = row.group
    assert (group.deployment, group.tenant, group.region, group.prompt) == ("chat-azure", "shop", "eu", "greet@3")
    assert (group.model, group.response_model, group.fingerprint) == ("gpt-5", "gpt-5-x", "fp-1")
    assert (row.calls, row.requests, row.calls_most, row.failed) == (1, 1, 1, 0)
    assert row.finish == {Finish.STOP: 1}
    assert row.shapes == {PROSE: 1}
    assert (row.tokens_in, row.tokens_out, row.usd) == (100, 11, 0.5)
    assert (row.chars_in, row.tokens_of_chars) == (len("Be short.\nIs it raining?"), 100)
    assert row.ttft_p50_s == 0.4
    assert row.s_per_token_p50 == pytest.approx(0.2)
    assert (row.with_text, row.strange_script, row.part) == (1, 0, 1.0)


def test_what_was_not_recorded_is_not_judged() -> None:
    row = counted(call(None, finish="stop", tokens=(10, 5)))
    assert (row.shapes, row.structured, row.with_text, row.chars_in) == ({}, 0, 0, 0)
    assert row.finish == {Finish.STOP: 1}
    assert (row.usd, row.ttft_p50_s, row.s_per_token_p50) == (None, None, None)
    taken = counted(call("Идёт дождь", attributes={TAKEN_OUT: True}))
    assert (taken.shapes, taken.with_text, taken.finish) == ({}, 0, {Finish.STOP: 1})
    hidden = counted(call("__REDACTED__", tokens=(10, 5)))
    assert (hidden.shapes, hidden.with_text) == ({}, 0)


def test_an_answer_that_was_hidden_is_not_an_empty_one() -> None:
    hidden = {"llm.output_messages.0.message.content": "__REDACTED__", "output.value": "__REDACTED__"}
    assert counted(call(None, tokens=(10, 5), attributes=hidden)).finish == {Finish.STOP: 1}
    said_nothing = {"llm.output_messages.0.message.role": "assistant", "output.value": '{"choices": []}'}
    assert counted(call(None, tokens=(10, 5), attributes=said_nothing)).finish == {Finish.EMPTY: 1}


def test_words_that_were_cut_are_not_held_to_a_form() -> None:
    row = counted(call('{"a": 1', attributes={"switchgear.cut": ["gen_ai.output.messages"]}, tokens=(10, 5)))
    assert (row.structured, row.unparsed, row.shapes, row.chars_in) == (0, 0, {}, 0)


@pytest.mark.parametrize(
    ("text", "more", "finish"),
    [
        ("", {}, Finish.EMPTY),
        (None, {"tokens": (10, 0)}, Finish.EMPTY),
        (None, {"tokens": (10, 5)}, Finish.STOP),
        ("I shall look.", {"parameters": '{"tool_choice": "required"}'}, Finish.EMPTY),
        ("I shall look.", {"parameters": '{"tool_choice": "auto"}'}, Finish.STOP),
        ("", {"finish": "length"}, Finish.LENGTH),
    ],
)
def test_a_call_that_stops_without_a_word_is_an_empty_one(
    text: str | None, more: dict[str, Any], finish: Finish
) -> None:
    row = counted(call(text, **more))
    assert row.finish == {finish: 1}
    assert row.examples == (("t",) if finish is Finish.EMPTY else ())


def test_calls_that_fail_say_why() -> None:
    long = counted(call(None, finish="", failed="400 context_length_exceeded"))
    assert (long.failed, long.overflows, long.finish) == (1, 1, {Finish.ERROR: 1})
    filtered = counted(call(None, finish="", failed="400 content_filter"))
    assert (filtered.failed, filtered.overflows, filtered.finish) == (1, 0, {Finish.REFUSAL: 1})


def test_a_span_that_has_not_ended_says_nothing() -> None:
    assert said(told(1, SpanKind.MODEL, lasts=None)) is None


# Which calls are one


def test_a_call_that_two_libraries_tell_of_counts_once() -> None:
    outer = call(None, number=1, finish="", tokens=(None, None), deployment="chat-azure")
    inner = call("It rains.", number=2, parent=1, tokens=(10, 5))
    row = counted(outer, inner)
    assert (row.calls, row.tokens_in, row.group.deployment) == (1, 10, "chat-azure")
    assert (row.finish, row.shapes) == ({Finish.STOP: 1}, {PROSE: 1})
    twins = [call("It rains.", number=n, attributes={"gen_ai.response.id": "r-1"}) for n in (1, 2)]
    assert counted(*twins).calls == 1
    assert counted(call("a", number=1), call("b", number=2)).calls == 2


def test_a_call_that_only_wraps_others_is_none() -> None:
    wrapper = call(None, number=1, finish="")
    row = counted(wrapper, call("a", number=2, parent=1), call("b", number=3, parent=1))
    assert (row.calls, row.calls_most) == (2, 2)


def test_attempts_within_a_call_are_the_call() -> None:
    outer = call("It rains.", number=1)
    failed = call(None, number=2, parent=1, finish="", failed="429")
    row = counted(outer, failed, call("It rains.", number=3, parent=1))
    assert (row.calls, row.failed, row.finish) == (1, 0, {Finish.STOP: 1})


def test_what_any_span_says_of_its_request_holds_for_its_calls() -> None:
    root = said(told(1, SpanKind.REQUEST, tenant="shop", route="chat"))
    assert root is not None
    assert counted(root, call("x", number=2, parent=1)).group.tenant == "shop"


def test_spans_that_are_each_others_parents_are_no_endless_loop() -> None:
    rows([("t", [call("a", number=1, parent=2), call("b", number=2, parent=1)])], AT - 60.0, AT)


# Minutes, groups, requests


def test_a_minute_has_the_calls_that_ended_in_it() -> None:
    spans = [call("x", number=n, ends=AT - 60.0 + 30.0 * n) for n in range(5)]  # at its begin, in it, at its end, after
    found = rows([("t", spans)], AT - 60.0, AT + 60.0)
    assert [(row.at, row.calls) for row in found] == [(AT, 2), (AT + 60.0, 2)]
    assert list(minutes_in(AT - 60.0, AT + 59.0)) == [AT]
    assert list(minutes_in(AT - 61.0, AT)) == [AT - 60.0, AT]


def test_rare_shapes_are_counted_together() -> None:
    requests = [(f"t{n}", [call(json.dumps({f"key{n}": 1}))]) for n in range(SHAPES_MOST + 5)]
    (row,) = rows(requests, AT - 60.0, AT)
    assert len(row.shapes) == SHAPES_MOST + 1
    assert row.shapes[OTHER] == 5
    assert sum(row.shapes.values()) == row.calls


def test_tenants_without_end_are_counted_together() -> None:
    requests = [(f"t{n}", [call("x", tenant=f"user-{n}")]) for n in range(GROUPS_MOST + 50)]
    found = rows(requests, AT - 60.0, AT)
    assert len(found) == GROUPS_MOST + 1
    assert sum(row.calls for row in found) == GROUPS_MOST + 50
    assert {row.group.tenant for row in found if row.calls == 50} == {OTHER}


def test_a_request_that_goes_round_in_a_circle_is_named() -> None:
    turns = [call("x", number=n, ends=AT - 50 + n) for n in range(1, 9)]
    tools = [tool("search", '{"q": 1}', number=20 + n, ends=AT - 50 + n) for n in range(6)]
    others = [tool("search", f'{{"q": {n}}}', number=40 + n) for n in range(6)]
    found = rows([("mad", [*turns, *tools]), ("sane", [call("x"), *others])], AT - 60.0, AT)
    (row,) = found
    assert (row.calls, row.requests, row.calls_most) == (9, 2, 8)
    assert (row.repeats_most, row.repeating) == (6, "mad")


def test_a_tool_that_two_libraries_tell_of_was_called_once() -> None:
    spans = [call("x"), tool("search", "{}", number=2), tool("search", "{}", number=3, parent=2)]
    assert counted(*spans).repeats_most == 1


def test_searches_count_once_with_the_call_that_came_after_them() -> None:
    found, nothing, unknown = search([0.9, 0.4], number=2), search([], number=3), search(None, number=4)
    late = search([0.1], number=5, ends=AT + 30.0)
    within = search([0.9], number=6, parent=2)
    spans: Sequence[Said] = [
        found,
        nothing,
        unknown,
        late,
        within,
        call("x", ends=AT - 1),
        call("y", number=9, ends=AT + 40),
    ]
    first, second = rows([("t", spans)], AT - 60.0, AT + 60.0)
    assert (first.retrievals, first.empty_retrievals, first.top_score_p50) == (2, 1, 0.9)
    assert (second.retrievals, second.empty_retrievals, second.top_score_p50) == (1, 0, 0.1)


def test_the_strangest_are_the_examples() -> None:
    requests = [
        ("failed", [call(None, failed="500")]),
        ("empty", [call("")]),
        ("fine", [call("x")]),
        ("refused", [call("No.", finish="refusal")]),
        ("unparsed", [call("x", **asked("json_object"))]),
    ]
    (row,) = rows(requests, AT - 60.0, AT)
    assert row.examples == ("unparsed", "refused", "empty")
