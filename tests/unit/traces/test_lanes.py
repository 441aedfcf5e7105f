"""The eight lanes of a request: what each has, once, and under the value that it is filtered by."""

from collections.abc import Sequence

from hypothesis import given, settings

from console.domain.lanes import lane_values
from console.domain.reconstruction import StageKind
from console.domain.spans import LaneFilter, LaneKind, Span, SpanKind, Trace
from console.traces.reconstruct import reconstruct
from tests.unit.traces.spans import TRACE, lane, span, told
from tests.unit.traces.test_critical import any_spans

K, L = SpanKind, LaneKind


def test_every_lane_has_what_spans_say_by_time() -> None:
    request = told(
        span(1, 0, 0, 9, K.REQUEST, worker="w-1"),
        span(2, 1, 1, 2, K.QUEUE, queue="jobs", queue_wait_s=3.5, attempt=2),
        span(3, 1, 2, 9, K.CHAIN, "agent"),
        span(5, 3, 5, 7, K.MODEL, response_model="m", provider="x", tokens_in=10, tokens_out=2, prompt_name="p"),
        span(4, 3, 3, 4, K.RETRIEVAL, retrieval_source="wiki", snapshot="v1"),
        span(6, 3, 7, 8, K.TOOL, tool_name="mail"),
        span(7, 3, 8, 9, K.MEMORY, memory_op="upsert", memory_key="k", memory_version="4", failed=True),
    )

    assert [one.kind for one in request.lanes] == list(LaneKind)
    assert {one.kind: [(entry.value, entry.measure) for entry in one.entries] for one in request.lanes} == {
        L.PROMPTS: [("p", None)],
        L.RETRIEVAL: [("wiki@v1", None)],
        L.TOKENS: [("m", 12.0)],
        L.PATH: [("agent", None)],
        L.WORKERS: [("w-1", 9.0)],
        L.QUEUES: [("jobs", 3.5)],
        L.DEPENDENCIES: [("x", 2.0), ("mail", 1.0)],
        L.MEMORY: [("upsert k@4", None)],
    }
    assert all(one.missing == "" for one in request.lanes)
    assert lane(request, L.QUEUES).entries[0].words == "attempt 2"
    assert lane(request, L.MEMORY).entries[0].failed
    assert lane(request, L.MEMORY).filter(lane(request, L.MEMORY).entries[0]) == LaneFilter(
        lane=L.MEMORY, value="upsert k@4"
    )


def test_what_lies_within_something_that_says_the_same_is_told_once_but_every_step_counts() -> None:
    request = told(
        span(1, 0, 0, 9, K.REQUEST, worker="w", prompt_name="p"),
        span(2, 1, 0, 9, K.CHAIN, "plan", worker="w", prompt_name="p"),
        span(3, 2, 1, 8, K.CHAIN, "plan", worker="v", prompt_name="p"),
        span(4, 3, 2, 7, K.CHAIN, "plan", worker="w", prompt_name="q"),
        span(5, 1, 9, 9.5, K.CHAIN, "plan", worker="w"),
    )

    assert [entry.value for entry in lane(request, L.WORKERS).entries] == ["w", "v"]
    assert [entry.value for entry in lane(request, L.PROMPTS).entries] == ["p", "q"]
    assert len(lane(request, L.PATH).entries) == 4


def test_tokens_of_a_call_that_is_told_twice_count_once_and_what_it_really_called_is_there() -> None:
    request = told(
        span(1, 0, 0, 9, K.REQUEST),
        span(2, 1, 0, 5, K.MODEL, request_model="chat", tokens_in=10, provider="gateway"),
        span(3, 2, 0, 1, K.MODEL, request_model="m-1", provider="azure", failed=True),
        span(4, 2, 1, 5, K.MODEL, request_model="m-2", tokens_in=10, provider="openai"),
    )

    assert [(entry.value, entry.measure) for entry in lane(request, L.TOKENS).entries] == [("chat", 10.0)]
    assert [entry.value for entry in lane(request, L.DEPENDENCIES).entries] == ["gateway", "azure", "openai"]


def test_tokens_that_only_the_inner_span_says_are_there() -> None:
    request = told(
        span(1, 0, 0, 9, K.MODEL, request_model="m"), span(2, 1, 0, 9, K.MODEL, request_model="m", tokens_in=3)
    )

    assert [(entry.value, entry.measure) for entry in lane(request, L.TOKENS).entries] == [("m", 3.0)]


def test_an_empty_lane_says_why_in_the_backends_own_words_where_it_has_some() -> None:
    request = told(span(1, 0, kind=K.REQUEST), notes=("worker names are dropped by this backend",), cut=3)

    assert lane(request, L.WORKERS).missing == "not recorded: worker names are dropped by this backend"
    assert lane(request, L.MEMORY).missing == (
        "not recorded: no span of a memory operation; 3 spans more were left out"
    )


def test_a_note_about_a_snapshot_is_about_the_lane_and_one_about_documents_about_the_stage() -> None:
    notes = ("snapshots are not recorded here", "documents are not recorded here")
    request = told(span(1, 0, kind=K.REQUEST), notes=notes)

    stages = {one.kind: one.missing for one in request.stages}
    assert stages[StageKind.RETRIEVAL] == f"not recorded: {notes[1]}"
    assert lane(request, L.RETRIEVAL).missing == f"not recorded: {notes[0]}"


@given(any_spans())
@settings(max_examples=80, deadline=None)
def test_whatever_the_spans_there_are_seven_stages_and_eight_lanes_and_every_value_can_be_filtered_by(
    spans: Sequence[Span],
) -> None:
    request = reconstruct(Trace(trace_id=TRACE, spans=tuple(spans)))

    assert [one.kind for one in request.stages] == list(StageKind)
    assert [one.kind for one in request.lanes] == list(LaneKind)
    stored = {(value.lane, value.value) for one in spans for value in lane_values(one)}
    shown = {(one.kind, entry.value) for one in request.lanes for entry in one.entries}
    assert {pair for pair in stored if pair[0] is not L.TOKENS} == {pair for pair in shown if pair[0] is not L.TOKENS}
    assert {pair for pair in shown if pair[0] is L.TOKENS} <= stored
    assert all(bool(one.missing) != bool(one.entries) for one in request.lanes)
