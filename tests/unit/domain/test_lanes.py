"""Which lanes a span is in, with which value: what is stored, shown and filtered by."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.lanes import MOST, UNNAMED, LaneValue, lane_values
from console.domain.spans import Facts, LaneKind, Span, SpanKind


def _span(kind: SpanKind = SpanKind.OTHER, name: str = "work", **more: Any) -> Span:
    facts = Facts(**{key: more.pop(key) for key in tuple(more) if key in Facts.__struct_fields__})
    return Span(span_id="0" * 16, name=name, kind=kind, started_at=100.0, duration_s=0.5, facts=facts, **more)


@pytest.mark.parametrize(
    ("span", "lane", "value", "measure"),
    [
        (_span(prompt_name="chat", prompt_version="7"), LaneKind.PROMPTS, "chat@7", None),
        (_span(prompt_name="chat"), LaneKind.PROMPTS, "chat", None),
        (_span(prompt_version="7"), LaneKind.PROMPTS, "@7", None),
        (
            _span(SpanKind.RETRIEVAL, retrieval_source="wiki", snapshot="v41"),
            LaneKind.RETRIEVAL,
            "wiki@v41",
            None,
        ),
        (_span(snapshot="v41"), LaneKind.RETRIEVAL, "@v41", None),
        (_span(SpanKind.EMBEDDING, tokens_in=10, tokens_out=2), LaneKind.TOKENS, UNNAMED, 12.0),
        (_span(SpanKind.EMBEDDING, tokens_in=10), LaneKind.TOKENS, UNNAMED, 10.0),
        (_span(SpanKind.CHAIN, "plan"), LaneKind.PATH, "plan", None),
        (_span(worker="w-3"), LaneKind.WORKERS, "w-3", 0.5),
        (_span(SpanKind.QUEUE, queue="jobs", queue_wait_s=2.0), LaneKind.QUEUES, "jobs", 2.0),
        (_span(queue_wait_s=2.0), LaneKind.QUEUES, UNNAMED, 2.0),
        (_span(SpanKind.MODEL, provider="openai"), LaneKind.DEPENDENCIES, "openai", 0.5),
        (_span(SpanKind.MODEL, attributes={"server.address": "a.b"}), LaneKind.DEPENDENCIES, "a.b", 0.5),
        (_span(SpanKind.MODEL, request_model="m"), LaneKind.DEPENDENCIES, "m", 0.5),
        (_span(SpanKind.TOOL, "run", tool_name="weather"), LaneKind.DEPENDENCIES, "weather", 0.5),
        (_span(SpanKind.TOOL, "run"), LaneKind.DEPENDENCIES, "run", 0.5),
        (_span(SpanKind.RETRIEVAL, attributes={"db.system": "chroma"}), LaneKind.DEPENDENCIES, "chroma", 0.5),
        (_span(attributes={"url.full": "https://x.org:99/a?b"}), LaneKind.DEPENDENCIES, "x.org", 0.5),
        (_span(memory_op="upsert", memory_key="user:7", memory_version="3"), LaneKind.MEMORY, "upsert user:7@3", None),
        (_span(SpanKind.MEMORY, memory_op="search"), LaneKind.MEMORY, "search", None),
        (_span(memory_key="user:7"), LaneKind.MEMORY, "user:7", None),
    ],
)
def test_what_is_said_is_in_exactly_one_lane(span: Span, lane: LaneKind, value: str, measure: float | None) -> None:
    assert [(one.lane, one.value, one.measure) for one in lane_values(span)] == [(lane, value, measure)]


@pytest.mark.parametrize(
    "span",
    [
        _span(),
        _span(SpanKind.REQUEST, attributes={"server.address": "me.local"}),
        _span(SpanKind.CHAIN, "", attributes={"url.full": "https://x.org"}),
        _span(SpanKind.CHAIN, "", tokens_in=10, tokens_out=3),
        _span(SpanKind.QUEUE, attributes={"server.address": "broker"}),
        _span(attributes={"url.full": "http://[broken", "db.system": 7}),
    ],
)
def test_what_a_span_does_not_say_is_not_made_up(span: Span) -> None:
    assert lane_values(span) == []


def test_a_model_call_is_in_the_lanes_of_all_that_it_says() -> None:
    span = _span(
        SpanKind.MODEL, prompt_name="p", snapshot="s", request_model="m", provider="x", tokens_out=4, worker="w"
    )

    assert [one.lane for one in lane_values(span)] == [
        LaneKind.PROMPTS, LaneKind.RETRIEVAL, LaneKind.TOKENS, LaneKind.WORKERS, LaneKind.DEPENDENCIES,
    ]  # fmt: skip


def test_tokens_are_measured_by_the_model_that_answered() -> None:
    span = _span(SpanKind.MODEL, request_model="m", response_model="m-2", provider="x", tokens_in=10, tokens_out=2)

    assert lane_values(span)[0] == LaneValue(LaneKind.TOKENS, "m-2", 12.0, "10 in, 2 out")


def test_tokens_are_told_in_words_with_what_is_not_known() -> None:
    spans = (_span(SpanKind.MODEL, tokens_in=10, tokens_cached=4), _span(SpanKind.MODEL, tokens_in=1, tokens_out=2))

    assert [lane_values(span)[0].words for span in spans] == ["10 in, ? out, 4 cached", "1 in, 2 out"]


_text = st.text(max_size=MOST * 2)
_facts = st.builds(
    Facts,
    prompt_name=_text, prompt_version=_text, retrieval_source=_text, snapshot=_text, tool_name=_text,
    memory_op=_text, memory_key=_text, memory_version=_text, queue=_text, worker=_text, provider=_text,
    request_model=_text, tokens_in=st.none() | st.integers(0, 2**53), queue_wait_s=st.none() | st.floats(0, 1e9),
)  # fmt: skip
_values = st.none() | st.booleans() | st.integers() | _text | st.lists(_text, max_size=2)
_names = st.sampled_from(["url.full", "http.url", "server.address", "db.system", "db.system.name"])


@given(_facts, st.sampled_from(SpanKind), _text, st.dictionaries(_names, _values))
def test_values_are_short_never_empty_and_each_lane_comes_once(
    facts: Facts, kind: SpanKind, name: str, attributes: dict[str, Any]
) -> None:
    span = Span(span_id="0" * 16, name=name, kind=kind, started_at=1.0, facts=facts, attributes=attributes)

    found: list[LaneValue] = lane_values(span)

    assert all(0 < len(one.value) <= MOST for one in found)
    assert [one.lane for one in found] == [lane for lane in LaneKind if lane in {one.lane for one in found}]
