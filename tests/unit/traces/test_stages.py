"""The seven stages: which span says what of each, counted once."""

from typing import Any

import pytest

from console.domain.readings import Request
from console.domain.reconstruction import StageKind
from console.domain.refs import Kind, Ref
from console.domain.spans import Document, Message, Span, SpanKind, ToolCall
from console.traces.tree import tree_of
from tests.unit.traces.spans import BEGIN, TRACE, answer, numbers, span, stage, told, user, words

K, S = SpanKind, StageKind


def _agent() -> tuple[Span, ...]:
    """A request that goes through everything."""
    search = ToolCall(id="c1", name="search", arguments='{"q": "tea"}')
    asked: dict[str, Any] = {"messages_in": (user("which tea?"),), "tokens_in": 10}
    return (
        span(1, 0, 0, 10, K.REQUEST, "POST /chat", input="which tea?", output="green tea"),
        span(2, 1, 0, 9, K.CHAIN, "agent", input="which tea?", output="green tea"),
        span(3, 2, 0, 1, K.CHAIN, template="Answer {q}", variables='{"q": 1}', prompt_name="p", prompt_version="2"),
        span(4, 2, 1, 2, K.RETRIEVAL, query="tea", documents=(Document(id="d1", score=0.5),), snapshot="v1"),
        span(5, 2, 2, 4, K.MODEL, messages_out=(answer("", calls=(search,)),), tokens_out=1, **asked),
        span(6, 2, 4, 5, K.TOOL, tool_name="search", tool_call="c1", arguments='{"q": "tea"}', result="green"),
        span(7, 2, 5, 8, K.MODEL, messages_out=(answer("green tea"),), tokens_out=2, **asked),
    )


def test_every_stage_has_the_spans_that_are_its_own() -> None:
    request = told(*_agent())

    assert [one.kind for one in request.stages] == list(StageKind)
    assert [numbers(one.pieces) for one in request.stages] == [[1], [3], [4], [5, 7], [5, 7], [6], [1]]
    assert [one.missing for one in request.stages] == [""] * 7


def test_every_stage_says_its_words() -> None:
    request = told(*_agent())

    assert [[words(piece) for piece in one.pieces] for one in request.stages] == [
        ["which tea?"],
        ["Answer {q}"],
        ["tea"],
        ["which tea?", "which tea?"],
        ["", "green tea"],
        ["green"],
        ["green tea"],
    ]
    assert stage(request, S.CONTEXT).pieces[0].arguments == '{"q": 1}'
    assert stage(request, S.CONTEXT).pieces[0].facts == (("prompt", "p@2"),)
    assert stage(request, S.RETRIEVAL).pieces[0].documents == (Document(id="d1", score=0.5),)


def test_every_stage_has_its_time_and_its_tokens() -> None:
    request = told(*_agent())

    assert [one.took_s for one in request.stages] == [None, 1.0, 1.0, None, 5.0, 1.0, None]
    assert [(one.tokens_in, one.tokens_out) for one in request.stages][3:5] == [(20, None), (None, 3)]
    assert [one.at - BEGIN for one in request.stages if one.at is not None] == [0, 0, 1, 2, 2, 4, 10]


def test_what_ran_side_by_side_counts_once() -> None:
    calls = [
        span(number, 1, start, end, K.TOOL, result="x") for number, start, end in ((2, 0, 3), (3, 1, 2), (4, 5, 6))
    ]

    assert stage(told(span(1, 0, 0, 9, K.REQUEST), *calls), S.TOOLS).took_s == 4.0


class TestEnds:
    """What came in and what went out."""

    def test_a_root_that_only_wraps_is_looked_through(self) -> None:
        request = told(
            span(1, 0, 0, 9, K.REQUEST, "POST /chat"),
            span(2, 1, 0, 9, K.OTHER, "handler"),
            span(3, 2, 0, 9, K.CHAIN, "agent", input="in", output="out"),
            span(4, 3, 0, 9, K.CHAIN, "step", input="other", output="other"),
        )

        for kind, text in ((S.INCOMING, "in"), (S.RESULT, "out")):
            [piece] = stage(request, kind).pieces
            assert (int(piece.span_id), piece.text, stage(request, kind).missing) == (3, text, "")
            assert ("from", "agent: the request's own span has no content") in piece.facts

    def test_one_step_of_several_does_not_stand_for_the_request(self) -> None:
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 1, K.CHAIN, input="a", output="b"),
            span(3, 1, 1, 2, K.CHAIN, input="b", output="c"),
        )

        assert stage(request, S.INCOMING).missing == "not recorded: the request's own span has no input"
        assert stage(request, S.RESULT).missing == "not recorded: the request's own span has no output"

    def test_an_http_server_says_what_it_was_asked_without_the_body(self) -> None:
        root = span(1, 0, kind=K.REQUEST, attributes={"http.request.method": "POST", "url.path": "/chat"})

        [piece] = stage(told(root), S.INCOMING).pieces

        assert (piece.text, piece.missing) == ("POST /chat", "its body is not recorded")

    def test_the_last_answer_that_asks_for_no_tool_stands_for_the_result_and_says_so(self) -> None:
        root = span(1, 0, 0, 10, K.REQUEST)
        tool_call = answer("", calls=(ToolCall(name="x"),))
        calls = (
            span(8, 1, 1, 2, K.MODEL, messages_out=(answer("it is green"),)),
            span(9, 1, 3, 4, K.MODEL, messages_out=(tool_call,)),
            span(10, 1, 5, 6, K.MODEL, messages_out=(answer("no"),), failed=True),
        )

        result = stage(told(root, *calls), S.RESULT)

        assert (numbers(result.pieces), words(result.pieces[0])) == ([8], "it is green")
        assert result.missing.endswith("the last model answer stands in its place")
        assert result.pieces[0].facts[0][0] == "from"

    def test_a_request_that_failed_or_runs_says_that(self) -> None:
        failed = told(span(1, 0, 0, 1, K.REQUEST, failed=True, error="429 too many"))
        runs = told(span(1, 0, 0, None, K.REQUEST))

        assert stage(failed, S.RESULT).missing == "not recorded: the request failed: 429 too many"
        assert stage(runs, S.RESULT).missing == "not recorded: the request has not ended"

    def test_a_lone_model_call_is_no_request(self) -> None:
        request = told(span(1, 0, kind=K.MODEL, messages_in=(user("a"),), messages_out=(answer("b"),)))

        assert stage(request, S.INCOMING).missing == "not recorded: no span of what called the model"
        assert [one.kind for one in request.stages if not one.missing] == [S.MODEL_INPUT, S.MODEL_RESPONSE]

    def test_of_several_roots_the_one_that_is_named_like_the_request_counts(self) -> None:
        spans = span(1, 0, 0, 1, K.REQUEST, "warm up", input="x"), span(2, 0, 1, 5, K.REQUEST, "chat", input="y")
        request = Request(ref=Ref("s", Kind.REQUEST, TRACE), observed_at=1.0, started_at=1.0, name="chat")

        assert words(stage(told(*spans, request=request), S.INCOMING).pieces[0]) == "y"
        assert words(stage(told(*spans), S.INCOMING).pieces[0]) == "x"

    def test_a_job_that_came_through_a_queue_was_given_what_its_worker_was(self) -> None:
        request = told(
            span(1, 0, 0, 1, K.REQUEST, "POST /jobs"),
            span(2, 1, 0, 1, K.QUEUE, "publish"),
            span(3, 2, 5, 9, K.QUEUE, "process", service="worker"),
            span(4, 3, 5, 9, K.CHAIN, "agent", service="worker", input="in", output="out"),
        )
        alone = told(span(3, 0, 5, 9, K.QUEUE, "process"), span(4, 3, 5, 9, K.CHAIN, "agent", input="in"))

        assert [words(stage(request, kind).pieces[0]) for kind in (S.INCOMING, S.RESULT)] == ["in", "out"]
        assert words(stage(alone, S.INCOMING).pieces[0]) == "in"

    def test_without_a_root_a_lone_top_tells_what_it_was_given_and_several_do_not(self) -> None:
        lone = told(span(1, 9, kind=K.REQUEST, input="x"))
        several = told(span(1, 9, kind=K.REQUEST, input="x"), span(2, 8, kind=K.REQUEST, input="y"))

        [piece] = stage(lone, S.INCOMING).pieces
        assert (piece.text, piece.facts[-1][0]) == ("x", "from")
        assert stage(several, S.INCOMING).missing == "not recorded: the request's first span has not arrived"
        assert any("has not arrived" in note for note in several.notes)


class TestContext:
    """What prompts were filled with."""

    def test_instructions_beside_and_among_the_messages_count_once(self) -> None:
        system = Message(role="system", text="be kind")
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 1, K.MODEL, system="be kind", messages_in=(user("a"),)),
            span(3, 1, 1, 2, K.MODEL, messages_in=(system, user("a"))),
            span(4, 1, 2, 3, K.MODEL, messages_in=(Message(role="developer", text="be brief"), user("a"))),
        )

        assert [words(piece) for piece in stage(request, S.CONTEXT).pieces] == ["be kind", "be brief"]
        assert [one.role for one in stage(request, S.MODEL_INPUT).pieces[0].messages] == ["system", "user"]

    def test_a_template_that_is_copied_onto_every_span_counts_once_for_each_filling(self) -> None:
        spans = [
            span(number, 1, number, 9, kind, template="Say {x}", variables=variables, prompt_name="p")
            for number, kind, variables in ((2, K.CHAIN, "1"), (3, K.MODEL, "1"), (4, K.CHAIN, "2"))
        ]

        context = stage(told(span(1, 0, 0, 9, K.REQUEST), *spans), S.CONTEXT)

        assert numbers(context.pieces) == [2, 4]
        assert [piece.arguments for piece in context.pieces] == ["1", "2"]

    def test_a_prompt_that_is_only_named_is_said_and_not_recorded(self) -> None:
        context = stage(told(span(1, 0, kind=K.REQUEST), span(2, 1, kind=K.MODEL, prompt_name="p")), S.CONTEXT)

        assert (numbers(context.pieces), context.pieces[0].facts) == ([2], (("prompt", "p"),))
        assert context.missing == "not recorded: 1 prompt named, without the text"


class TestOnce:
    """What is told twice counts once."""

    def test_a_call_within_a_call_is_one(self) -> None:
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 5, K.MODEL, "ChatModel", messages_in=(user("a"),), messages_out=(answer("b"),)),
            span(3, 2, 0, 5, K.OTHER, "POST"),
            span(4, 3, 1, 4, K.REQUEST, "gateway", service="gateway"),
            span(5, 4, 1, 4, K.MODEL, "chat m", service="gateway", tokens_in=7, tokens_out=1, provider="x"),
        )

        response = stage(request, S.MODEL_RESPONSE)
        assert (numbers(response.pieces), response.tokens_out) == ([2], 1)
        assert ("provider", "x") in stage(request, S.MODEL_INPUT).pieces[0].facts
        assert any("counted once" in note for note in request.notes)

    def test_attempts_of_a_gateway_are_one_call_that_says_how_many(self) -> None:
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 5, K.MODEL, messages_in=(user("a"),), messages_out=(answer("b"),)),
            span(3, 2, 0, 1, K.MODEL, failed=True, provider="one"),
            span(4, 2, 1, 4, K.MODEL, provider="two", tokens_out=3),
        )

        [piece] = stage(request, S.MODEL_RESPONSE).pieces
        assert (piece.tokens_out, dict(piece.facts)["attempts"]) == (3, "2")
        assert ("provider", "two") in stage(request, S.MODEL_INPUT).pieces[0].facts

    def test_a_span_around_several_answered_calls_is_none_itself(self) -> None:
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 5, K.MODEL, tokens_in=30),
            span(3, 2, 0, 1, K.MODEL, tokens_in=10),
            span(4, 2, 1, 4, K.MODEL, tokens_in=20),
        )

        assert numbers(stage(request, S.MODEL_INPUT).pieces) == [3, 4]
        assert stage(request, S.MODEL_INPUT).tokens_in == 30

    def test_a_model_that_a_tool_asks_is_another_call(self) -> None:
        request = told(
            span(1, 0, 0, 9, K.MODEL, tokens_in=1),
            span(2, 1, 1, 8, K.TOOL),
            span(3, 2, 2, 7, K.MODEL, tokens_in=2),
        )

        assert stage(request, S.MODEL_INPUT).tokens_in == 3

    @pytest.mark.parametrize(
        ("second", "start", "count"),
        [
            ({"openinference.span.kind": "LLM"}, 1.001, 1),
            ({"gen_ai.system": "x"}, 1.001, 2),
            ({"openinference.span.kind": "LLM"}, 2.5, 2),
            ({"openinference.span.kind": "LLM", "gen_ai.response.id": "r1"}, 1.001, 1),
            ({"openinference.span.kind": "LLM", "gen_ai.response.id": "r2"}, 1.001, 2),
            ({"gen_ai.response.id": "r1"}, 1.001, 1),
        ],
    )
    def test_two_libraries_side_by_side_are_one_call_only_at_the_same_time_and_under_one_id(
        self, second: dict[str, str], start: float, count: int
    ) -> None:
        own = {"gen_ai.system": "x"} | ({"gen_ai.response.id": "r1"} if "gen_ai.response.id" in second else {})
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 1, 2, K.MODEL, attributes=own, tokens_in=5, tokens_out=6),
            span(3, 1, start, start + 0.998, K.MODEL, attributes=second, tokens_in=5, tokens_out=6),
        )

        assert len(stage(request, S.MODEL_INPUT).pieces) == count
        assert stage(request, S.MODEL_INPUT).tokens_in == 5 * count

    def test_a_tool_and_a_search_that_are_told_within_themselves_are_one(self) -> None:
        found = (Document(id="d"),)
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 2, K.TOOL, tool_name="t", arguments="{}"),
            span(3, 2, 0, 1, K.TOOL, tool_name="t", result="r"),
            span(4, 2, 1, 2, K.TOOL, tool_name="other", result="o"),
            span(5, 1, 3, 5, K.RETRIEVAL, documents=found),
            span(6, 5, 3, 4, K.RETRIEVAL, retrieval_source="wiki"),
            span(7, 5, 3, 4, K.RETRIEVAL, documents=(Document(id="e"),)),
        )

        tools = stage(request, S.TOOLS).pieces
        assert [(piece.arguments, piece.text) for piece in tools] == [("{}", "r"), ("", "o")]
        assert numbers(stage(request, S.RETRIEVAL).pieces) == [5, 7]


class TestTools:
    """Tools that ran, and those that were only asked for."""

    def test_a_call_that_no_span_ran_is_said_with_what_came_of_it(self) -> None:
        calls = tuple(ToolCall(id=f"c{number}", name=name, arguments="{}") for number, name in enumerate("abcb"))
        request = told(
            span(1, 0, 0, 9, K.REQUEST),
            span(2, 1, 0, 1, K.MODEL, messages_out=(answer("", calls=calls),)),
            span(3, 1, 1, 2, K.TOOL, tool_call="c0", tool_name="a", result="x"),
            span(4, 1, 2, 3, K.TOOL, tool_name="b", result="y"),
            span(5, 1, 4, 5, K.MODEL, messages_in=(Message(role="tool", text="z", answers="c2"),)),
        )

        found = stage(request, S.TOOLS)
        said = [(dict(piece.facts)["tool"], piece.text, piece.missing) for piece in found.pieces]
        assert said == [
            ("a", "x", ""),
            ("c", "z", "asked for by the model; no span ran it, its answer is what a later model call was given"),
            ("b", "", "asked for by the model; no span ran it"),
            ("b", "y", ""),
        ]
        assert found.missing == ""

    def test_where_no_span_ran_any_the_stage_is_missing_and_says_which(self) -> None:
        call = ToolCall(id="c", name="mail")
        request = told(span(1, 0, kind=K.REQUEST), span(2, 1, kind=K.MODEL, messages_out=(answer("", calls=(call,)),)))

        found = stage(request, S.TOOLS)
        assert found.missing == (
            "not recorded: no span of a tool; 1 call that models asked for ran unseen or not at all: mail"
        )
        assert len(found.pieces) == 1

    def test_where_models_answered_without_asking_for_one_that_is_said(self) -> None:
        request = told(span(1, 0, kind=K.REQUEST), span(2, 1, kind=K.MODEL, messages_out=(answer("yes"),)))

        assert stage(request, S.TOOLS).missing == "not recorded: no span of a tool, and no model asked for one"


class TestWhy:
    """Why something is not there."""

    def test_spans_without_content_say_that_it_is_not_captured(self) -> None:
        bare = [
            span(number, 1, kind=kind) for number, kind in ((2, K.MODEL), (3, K.MODEL), (4, K.TOOL), (5, K.RETRIEVAL))
        ]
        request = told(span(1, 0, 0, 9, K.REQUEST), *bare)

        assert [stage(request, kind).missing for kind in (S.MODEL_INPUT, S.TOOLS, S.RETRIEVAL)] == [
            "not recorded: 2 model calls, without content: content capture is off",
            "not recorded: 1 tool call, without content: content capture is off",
            "not recorded: 1 retrieval, without content: content capture is off",
        ]
        assert stage(request, S.INCOMING).missing.endswith("content capture is off")

    def test_a_call_that_failed_has_no_answer_for_that_reason(self) -> None:
        request = told(span(1, 0, kind=K.MODEL, messages_in=(user("a"),), failed=True, error="429"))

        assert stage(request, S.MODEL_RESPONSE).missing == "not recorded: 1 model call: the call failed"

    def test_what_the_backend_says_it_drops_comes_first(self) -> None:
        notes = ("documents of a retrieval are not recorded by this backend", "no more than 10,000 spans")
        request = told(span(1, 0, kind=K.REQUEST), notes=notes)

        assert stage(request, S.RETRIEVAL).missing == f"not recorded: {notes[0]}"
        assert stage(request, S.TOOLS).missing == "not recorded: no span of a tool"

    def test_spans_that_were_left_out_may_be_those(self) -> None:
        request = told(span(1, 0, kind=K.REQUEST), cut=40)

        assert (
            stage(request, S.RETRIEVAL).missing == "not recorded: no span of a retrieval; 40 spans more were left out"
        )

    def test_clocks_that_were_put_right_are_said(self) -> None:
        request = told(span(1, 0, 0, 9), span(2, 1, -30, -29, service="worker"))

        assert request.notes == ("the clock of worker is 34.000 s behind: put right",)


@pytest.mark.parametrize(
    ("start", "end", "kind", "moved"),
    [
        (-30.0, -29.0, K.OTHER, 34.0),
        (30.0, 31.0, K.REQUEST, -26.0),
        (30.0, 31.0, K.QUEUE, 0.0),
        (-0.0005, 1.0, K.OTHER, 0.0005),
        (5.0, 9.0005, K.REQUEST, -0.0005),
        (-3.0, 20.0, K.REQUEST, 3.0),
        (2.0, 3.0, K.REQUEST, 0.0),
    ],
)
def test_a_span_of_another_machine_is_moved_only_where_its_clock_must_be_wrong(
    start: float, end: float, kind: SpanKind, moved: float
) -> None:
    tree = tree_of([span(1, 0, 0, 9), span(2, 1, start, end, kind, service="other")])

    place = next(at for at, one in enumerate(tree.spans) if one.service == "other")
    assert tree.at(place) - BEGIN == pytest.approx(start + moved, abs=1e-6)
    assert ("other" in tree.skews) is (abs(moved) > 0.001)


def test_no_spans_are_seven_stages_too() -> None:
    request = told()

    assert [one.kind for one in request.stages] == list(StageKind)
    assert all(one.missing for one in request.stages)
