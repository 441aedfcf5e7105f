"""Two requests held against each other."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.difference import Change, Comparison, Difference, StageDifference
from console.domain.readings import Request
from console.domain.reconstruction import StageKind
from console.domain.refs import Kind, Ref
from console.domain.spans import Document, Span, SpanKind, ToolCall, Trace
from console.traces.difference import SPARED, compare
from console.traces.reconstruct import reconstruct
from tests.unit.traces.spans import BEGIN, TRACE, answer, span, told, user
from tests.unit.traces.test_critical import any_spans

K, S = SpanKind, StageKind


def _compared(first: Sequence[Span], second: Sequence[Span]) -> Comparison:
    return compare(told(*first), told(*second))


def _stage(comparison: Comparison, kind: StageKind) -> StageDifference:
    return next(one for one in comparison.stages if one.kind is kind)


def _one(first: dict[str, Any], second: dict[str, Any], kind: SpanKind, stage: StageKind) -> list[Difference]:
    """Differences of the only piece of a stage."""
    root = span(1, 0, 0, 9, K.REQUEST)
    comparison = _compared((root, span(2, 1, 1, 2, kind, **first)), (root, span(2, 1, 1, 2, kind, **second)))
    [piece] = _stage(comparison, stage).pieces
    return list(piece.differences)


def _short(differences: Sequence[Difference]) -> list[tuple[str, str, str, str]]:
    return [(str(one.change), one.what, one.first, one.second) for one in differences]


def _runs(difference: Difference) -> list[tuple[str, str]]:
    return [(str(run.change), run.text) for run in difference.runs]


def _everything(question: str = "which tea?") -> list[Span]:
    return [
        span(1, 0, 0, 9, K.REQUEST, input=question, output="green"),
        span(
            2, 1, 0, 1, K.RETRIEVAL, query=question, documents=(Document(id="d"),), retrieval_source="w", snapshot="1"
        ),
        span(3, 1, 1, 3, K.MODEL, messages_in=(user(question),), messages_out=(answer("green"),), response_model="m"),
        span(4, 1, 3, 4, K.TOOL, tool_name="t", arguments="{}", result="r"),
    ]


def test_a_request_is_the_same_as_itself() -> None:
    comparison = _compared(_everything(), _everything())

    assert [one.kind for one in comparison.stages] == list(StageKind)
    assert {one.change for one in comparison.stages} == {Change.SAME}
    assert not any(piece.differences for one in comparison.stages for piece in one.pieces)


def test_texts_differ_by_word() -> None:
    comparison = _compared(_everything("which green tea is it?"), _everything("which black tea is it?"))

    for kind, what in ((S.INCOMING, "text"), (S.RETRIEVAL, "text"), (S.MODEL_INPUT, "message 1 (user)")):
        [difference] = _stage(comparison, kind).pieces[0].differences
        assert (difference.what, _runs(difference)) == (
            what,
            [
                ("same", "which "),
                ("only in the first", "green "),
                ("only in the second", "black "),
                ("same", "tea is it?"),
            ],
        )
    assert _stage(comparison, S.TOOLS).change is Change.SAME


def test_scripts_without_spaces_differ_by_sign() -> None:
    comparison = _compared(
        [span(1, kind=K.REQUEST, input="今日は緑茶です。")], [span(1, kind=K.REQUEST, input="今日は紅茶です。")]
    )

    [difference] = _stage(comparison, S.INCOMING).pieces[0].differences
    assert [text for change, text in _runs(difference)] == ["今日は", "緑", "紅", "茶です。"]


def test_documents_differ_by_id_score_place_text_and_snapshot() -> None:
    first = {
        "documents": (Document(id="a", score=0.9), Document(id="b", score=0.8, text="old words"), Document(id="c"))
    }
    second = {
        "documents": (
            Document(id="b", score=0.8, text="new words"),
            Document(id="a", score=0.7, snapshot="2"),
            Document(id="e", score=0.5),
        )
    }

    found = _one(first, second, K.RETRIEVAL, S.RETRIEVAL)

    assert _short(found) == [
        ("changed", "document a", "score 0.9", "score 0.7"),
        ("only in the second", "document a snapshot", "", "2"),
        ("changed", "document b text", "", ""),
        ("only in the first", "document c", "place 3", ""),
        ("only in the second", "document e", "", "place 3, score 0.5"),
        ("changed", "order", "a, b", "b, a"),
        ("only in the second", "snapshot", "", "2"),
    ]


def test_documents_without_ids_are_known_by_their_words_and_doubles_are_counted() -> None:
    twice = (Document(text="x"), Document(text="x"), Document(text="y"))

    assert _short(_one({"documents": twice}, {"documents": twice[1:]}, K.RETRIEVAL, S.RETRIEVAL)) == [
        ("only in the first", "document x (2)", "place 2", "")
    ]


def test_arguments_differ_by_path() -> None:
    first = {"q": "tea", "filters": {"year": 2024, "tags": ["a", "b"]}, "odd key": None, "n": 1}
    second = {"q": "tea", "filters": {"year": 2025, "tags": ["a", "c", "d"]}, "n": True}

    found = _one({"arguments": json.dumps(first)}, {"arguments": json.dumps(second)}, K.TOOL, S.TOOLS)

    assert _short(found) == [
        ("changed", "$.filters.year", "2024", "2025"),
        ("changed", "$.filters.tags[1]", '"b"', '"c"'),
        ("only in the second", "$.filters.tags[2]", "", '"d"'),
        ("only in the first", '$["odd key"]', "null", ""),
        ("changed", "$.n", "1", "true"),
    ]


def test_arguments_that_are_no_json_are_texts_and_results_that_are_json_differ_by_path() -> None:
    broken = _one({"arguments": '{"q": 1'}, {"arguments": '{"q": 2'}, K.TOOL, S.TOOLS)
    results = _one({"result": '{"n": [1]}'}, {"result": '{"n": [2]}'}, K.TOOL, S.TOOLS)
    twice = _one({"arguments": '{"q": 1}'}, {"arguments": json.dumps('{"q": 2}')}, K.TOOL, S.TOOLS)

    assert [one.what for one in broken] == ["arguments"]
    assert _runs(broken[0])[0] == ("same", '{"q": ')
    assert _short(results) == [("changed", "result $.n[0]", "1", "2")]
    assert _short(twice) == [("changed", "$.q", "1", "2")]


def test_of_thousands_of_paths_two_hundred_are_told() -> None:
    first, second = ({"arguments": json.dumps([number] * 5_000)} for number in (1, 2))

    found = _one(first, second, K.TOOL, S.TOOLS)

    assert (len(found), found[-1].first) == (201, "more differences")


def test_a_model_call_differs_by_all_that_was_said_of_it() -> None:
    first = {
        "request_model": "m", "provider": "x", "prompt_name": "p", "prompt_version": "1", "finish_reason": "stop",
        "tokens_in": 10, "tokens_out": 3, "usd": 0.1, "ttft_s": 0.5, "parameters": '{"temperature": 0, "seed": 1}',
        "messages_in": (user("a"),), "messages_out": (answer("b"),), "tools": '[{"name": "s"}]',
    }  # fmt: skip
    second = first | {
        "request_model": "n", "provider": "y", "prompt_version": "2", "finish_reason": "length", "tokens_in": 11,
        "tokens_out": 4, "usd": 0.2, "ttft_s": 0.9, "parameters": '{"temperature": 1, "seed": 1}',
        "tools": '[{"name": "s"}, {"name": "t"}]', "failed": True, "error": "cut",
    }  # fmt: skip

    asked = _one(first, second, K.MODEL, S.MODEL_INPUT)
    answered = _one(first, second, K.MODEL, S.MODEL_RESPONSE)

    assert _short(asked) == [
        ("changed", "model", "m", "n"),
        ("changed", "provider", "x", "y"),
        ("changed", "prompt", "p@1", "p@2"),
        ("changed", "parameters $.temperature", "0", "1"),
        ("changed", "tools", "s", "s, t"),
        ("changed", "tokens in", "10", "11"),
        ("changed", "outcome", "ok", "failed"),
    ]
    assert _short(answered) == [
        ("changed", "finish reason", "stop", "length"),
        ("changed", "cost", "0.1 USD", "0.2 USD"),
        ("only in the second", "error", "", "cut"),
        ("changed", "tokens out", "3", "4"),
        ("changed", "outcome", "ok", "failed"),
    ]


def test_messages_are_aligned_and_their_tool_calls_compared() -> None:
    def asks(text: str) -> tuple[ToolCall, ...]:
        return (ToolCall(id="any", name="search", arguments=json.dumps({"q": text})),)

    first = (user("a"), answer("b"), user("c"), answer("", calls=asks("x")))
    second = (user("zero"), user("a"), answer("b"), user("d"), answer("", calls=asks("y")))

    found = _one({"messages_in": first}, {"messages_in": second}, K.MODEL, S.MODEL_INPUT)

    assert _short(found) == [
        ("only in the second", "message 1 (user)", "", ""),
        ("changed", "message 4 (user)", "", ""),
        ("changed", "message 5 (assistant) search $.q", '"x"', '"y"'),
    ]


def test_messages_of_one_convention_are_held_against_the_text_of_another() -> None:
    assert _one({"output": "a b"}, {"messages_out": (answer("a b"),)}, K.MODEL, S.MODEL_RESPONSE) == []


def test_where_only_one_was_recorded_that_is_the_difference() -> None:
    found = _one({"messages_in": (user("a"),)}, {"tokens_in": 3}, K.MODEL, S.MODEL_INPUT)

    assert _short(found) == [
        ("changed", "content", "recorded", "content not recorded"),
        ("only in the second", "tokens in", "", "3"),
    ]


def test_steps_are_aligned_by_what_they_are_not_by_when() -> None:
    def steps(*names: str) -> list[Span]:
        return [
            span(1, 0, 0, 99, K.REQUEST),
            *(span(n, 1, n, n + 1, K.TOOL, tool_name=name, result=name) for n, name in enumerate(names, 2)),
        ]

    found = _stage(_compared(steps("look", "read", "mail"), steps("look", "ask", "look", "mail")), S.TOOLS)

    assert [(one.first_span[-1:], one.second_span[-1:], str(one.change)) for one in found.pieces] == [
        ("2", "2", "same"),
        ("3", "", "only in the first"),
        ("", "3", "only in the second"),
        ("", "4", "only in the second"),
        ("4", "5", "same"),
    ]


def test_another_model_in_the_same_place_is_a_changed_call() -> None:
    def calls(model: str) -> list[Span]:
        return [
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 3, K.CHAIN, "plan"),
            span(3, 2, 1, 2, K.MODEL, f"chat {model}", request_model=model, messages_in=(user("plan it"),)),
            span(4, 1, 3, 6, K.CHAIN, "answer"),
            span(5, 4, 4, 5, K.MODEL, f"chat {model}", request_model=model, messages_in=(user("say it"),)),
        ]

    without_plan = [one for one in calls("n") if int(one.span_id) not in (2, 3)]
    both = _stage(_compared(calls("m"), calls("n")), S.MODEL_INPUT)
    one = _stage(_compared(calls("m"), without_plan), S.MODEL_INPUT)

    assert [_short(piece.differences) for piece in both.pieces] == [[("changed", "model", "m", "n")]] * 2
    assert [(piece.first_span[-1:], piece.second_span[-1:]) for piece in one.pieces] == [("3", ""), ("5", "5")]


def test_a_stage_that_only_one_has_says_why_the_other_has_not() -> None:
    comparison = _compared(_everything(), _everything()[:1])

    tools = _stage(comparison, S.TOOLS)
    assert (tools.change, tools.first_missing) == (Change.ONLY_FIRST, "")
    assert tools.second_missing == "not recorded: no span of a tool"
    assert (tools.first_took_s, tools.second_took_s) == (1.0, None)
    assert _stage(comparison, S.CONTEXT).change is Change.SAME


def test_a_tool_that_ran_and_one_that_was_only_asked_for_stand_against_each_other() -> None:
    call = ToolCall(id="c", name="t", arguments="{}")
    asked = span(2, 1, 0, 1, K.MODEL, messages_out=(answer("", calls=(call,)),))
    ran = span(3, 1, 1, 2, K.TOOL, tool_name="t", tool_call="c", arguments="{}")
    root = span(1, 0, 0, 9, K.REQUEST)

    [piece] = _stage(_compared((root, asked, ran), (root, asked)), S.TOOLS).pieces

    assert _short(piece.differences) == [("changed", "outcome", "ok", "asked for by the model; no span ran it")]


def test_it_says_which_two_and_why_the_first() -> None:
    request = Request(ref=Ref("s", Kind.REQUEST, TRACE), observed_at=1.0, started_at=1.0, name="chat")
    first = reconstruct(Trace(trace_id=TRACE, request=request, notes=("no costs here",)))
    second = told(span(1, 0, name="POST /chat", service="web"))

    comparison = compare(first, second, chosen="the last good chat")

    assert comparison.first is request
    assert (comparison.second.name, comparison.second.service, comparison.second.started_at) == (
        "POST /chat",
        "web",
        BEGIN,
    )
    assert (comparison.chosen, comparison.notes) == ("the last good chat", ("first: no costs here",))


_prose = st.lists(st.sampled_from(["tea ", "green ", "black\n", "is. ", "  ", "x"]), max_size=60).map("".join)


@given(_prose, _prose)
@settings(max_examples=100, deadline=None)
def test_both_texts_can_be_read_from_what_they_share_and_do_not(first: str, second: str) -> None:
    comparison = _compared([span(1, kind=K.REQUEST, input=first)], [span(1, kind=K.REQUEST, input=second)])

    for piece in _stage(comparison, S.INCOMING).pieces:
        for one in piece.differences:
            if one.runs:
                assert "".join(run.text for run in one.runs if run.change is not Change.ONLY_SECOND) == first
                assert "".join(run.text for run in one.runs if run.change is not Change.ONLY_FIRST) == second


_LONG = " ".join(f"word{number}{'.' if number % 8 == 7 else ''}" for number in range(8_000))


@pytest.mark.parametrize(
    ("second", "changed", "spared"),
    [
        (_LONG.replace("word20 ", "other ").replace("word7000 ", "some "), ["word20 ", "word7000 "], False),
        (_LONG.replace("word", "wort"), [_LONG], True),
        (_LONG.replace(".", ""), [], True),
    ],
)
def test_long_texts_are_compared_by_sentence_or_whole_and_nothing_of_them_is_lost(
    second: str, changed: list[str], spared: bool
) -> None:
    comparison = _compared([span(1, kind=K.REQUEST, input=_LONG)], [span(1, kind=K.REQUEST, input=second)])

    [difference] = _stage(comparison, S.INCOMING).pieces[0].differences
    assert "".join(run.text for run in difference.runs if run.change is not Change.ONLY_SECOND) == _LONG
    assert "".join(run.text for run in difference.runs if run.change is not Change.ONLY_FIRST) == second
    if changed:
        assert [run.text for run in difference.runs if run.change is Change.ONLY_FIRST] == changed
    assert (SPARED in comparison.notes) is spared


def test_thousands_of_steps_are_paired_by_their_counts() -> None:
    first, second = (
        [span(1, 0, 0, 9, K.REQUEST), *(span(n, 1, 1, 2, K.TOOL, tool_name=f"t{n % 3}") for n in range(2, count))]
        for count in (1_002, 1_005)
    )

    found = _stage(_compared(first, second), S.TOOLS)

    assert [str(one.change) for one in found.pieces].count("same") == 1_000
    assert len(found.pieces) == 1_003


@given(any_spans(), any_spans())
@settings(max_examples=60, deadline=None)
def test_any_two_requests_can_be_compared_and_every_piece_stands_once(
    first: Sequence[Span], second: Sequence[Span]
) -> None:
    mine, others = told(*first), told(*second)

    comparison = compare(mine, others)

    for one, other, found in zip(mine.stages, others.stages, comparison.stages, strict=True):
        assert sorted(piece.span_id for piece in one.pieces) == sorted(
            piece.first_span for piece in found.pieces if piece.change is not Change.ONLY_SECOND
        )
        assert sorted(piece.span_id for piece in other.pieces) == sorted(
            piece.second_span for piece in found.pieces if piece.change is not Change.ONLY_FIRST
        )
