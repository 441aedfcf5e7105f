"""Agents under four instrumentations that applications really use, seen through a real collector: what each of them
recorded of a request is there, and what it did not is said to be missing, and why.
"""

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from adapters.phoenix import SPEC, PhoenixOptions
from adapters.spans.adapter import TraceStoreAdapter
from adapters.spans.answering.shapes import PROSE, of_calls
from console.domain.answers import AnswersQuery, Finish
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.ports import AdapterContext
from console.domain.reconstruction import Lane, Reconstruction, Stage, StageKind
from console.domain.spans import LaneFilter, LaneKind, RequestQuery, SpanKind, ToolCall
from console.engine.clock import SystemClock
from console.traces.reconstruct import reconstruct
from tests.real.agents import errand
from tests.real.conftest import ready_or_skip
from tests.real.stack.agents import SILENT, TELLING, Agents, install_agents
from tests.real.stack.collector import Collector
from tests.real.stack.missing import Missing
from tests.real.stack.phoenix import OPT_IN, PhoenixServer, asked_for, start_phoenix
from tests.real.stack.processes import Nursery
from tests.real.stack.upstreams import start_upstreams

ANSWER = "a short answer"
NO_QUEUE = "not recorded: no span names a queue or says how long it waited"
NO_PROMPT = "not recorded: no span names a prompt or its version"
SEEN_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one instrumentation records of the errand, beside what all of them do."""

    prompts: list[str]
    """Of the lane; empty where it names none."""
    retrieval: str
    texts: tuple[object, object] = (errand.DOCUMENTS[0]["text"], errand.DOCUMENTS[1]["text"])
    """Of the two documents."""
    call_id: bool = True
    """Whether a tool's span says which call it answers."""
    provider: str = "openai"
    """What a model call is called among the dependencies."""
    silent: dict[StageKind, str] = field(default_factory=dict)
    """How its stages are missing without capture, where it is not like the others."""
    silent_retrieval: str = "wardrobe@2026-11-20"


CONTEXT_STAYS = {StageKind.CONTEXT: ""}
"""OpenInference and Traceloop send a prompt's template and its variables even when they are told to hide content."""
EXPECTED = {
    "openinference": Recorded(
        prompts=["@7"],
        retrieval="@2026-11-20",
        silent={**CONTEXT_STAYS, StageKind.RETRIEVAL: ""},
        silent_retrieval="",
    ),
    "genai": Recorded(
        prompts=[],
        retrieval="wardrobe@2026-11-20",
        texts=("", ""),
        silent={StageKind.CONTEXT: "not recorded: no span has a prompt's template, variables or instructions"},
    ),
    "traceloop": Recorded(prompts=["@7", "@7"], retrieval="wardrobe@2026-11-20", call_id=False, silent=CONTEXT_STAYS),
}
EXPECTED["langfuse"] = Recorded(
    prompts=["coat-advice@7", "coat-advice@7"],
    retrieval="wardrobe@2026-11-20",
    call_id=False,
    provider=errand.MODEL,
)
CONVENTIONS = tuple(EXPECTED)
SWITCHED = ("openinference", "genai", "traceloop")
"""Those whose environment says whether they record what is said."""
SILENT_STAGES = {
    StageKind.INCOMING: "not recorded: the request's own span has no input",
    StageKind.RETRIEVAL: "not recorded: 1 retrieval, without content: content capture is off",
    StageKind.MODEL_INPUT: "not recorded: 2 model calls, without content: content capture is off",
    StageKind.MODEL_RESPONSE: "not recorded: 2 model calls, without content: content capture is off",
    StageKind.TOOLS: "not recorded: 1 tool call, without content: content capture is off",
    StageKind.RESULT: "not recorded: the request's own span has no output",
}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="module")
def installed() -> Agents | Missing:
    try:
        return install_agents()
    except Missing as reason:
        return reason


@pytest.fixture(scope="module")
def upstream(nursery: Nursery) -> str:
    upstreams = start_upstreams(nursery)
    upstreams.tell("openai-a", tokens_cached=5)
    return upstreams.base("openai-a", "/v1")


@pytest.fixture(scope="module")
def collector(nursery: Nursery) -> Collector:
    return Collector(nursery)


@pytest.fixture(scope="module")
def ran(installed: Agents | Missing, nursery: Nursery, upstream: str, collector: Collector) -> Collector:
    """The collector, once every agent has run its errand twice: telling what was said, and silent."""
    agents = ready_or_skip(installed)
    runs = [(one, TELLING, "telling") for one in CONVENTIONS] + [(one, SILENT, "silent") for one in SWITCHED]
    for convention, capture, word in runs:
        agents.run(
            convention,
            nursery,
            upstream=upstream,
            spans=collector.url,
            conversation=f"{convention}-{word}",
            capture=capture,
        )
    return collector


@asynccontextmanager
async def _reading(collector: Collector) -> AsyncIterator[OtlpAdapter]:
    options = OtlpOptions(file=str(collector.file))
    adapter = OtlpAdapter(AdapterContext("traces", SystemClock(), lambda reference: reference, 10.0, options))
    try:
        yield adapter
    finally:
        await adapter.close()


async def _whole(adapter: OtlpAdapter | TraceStoreAdapter, conversation: str) -> Reconstruction:
    (request,) = await adapter.requests(RequestQuery(source="traces", conversation=conversation))
    return reconstruct(await adapter.trace(request.trace_id))


def _stages(found: Reconstruction) -> dict[StageKind, Stage]:
    return {stage.kind: stage for stage in found.stages}


def _lanes(found: Reconstruction) -> dict[LaneKind, Lane]:
    return {lane.kind: lane for lane in found.lanes}


def _values(lane: Lane) -> list[str]:
    return [entry.value for entry in lane.entries]


def _holds_the_errand(found: Reconstruction, expected: Recorded) -> None:
    """Every stage of the errand, word by word."""
    stages = _stages(found)
    assert {stage.kind: stage.missing for stage in found.stages} == dict.fromkeys(StageKind, "")
    assert errand.QUESTION in _said(stages[StageKind.INCOMING])
    assert errand.TEMPLATE.format(**errand.variables()) in _said(stages[StageKind.CONTEXT])
    (searched,) = stages[StageKind.RETRIEVAL].pieces
    assert searched.text == errand.QUESTION
    assert [(one.id, one.score, one.text) for one in searched.documents] == [
        ("d-1", 0.75, expected.texts[0]),
        ("d-2", 0.5, expected.texts[1]),
    ]
    first, second = stages[StageKind.MODEL_INPUT].pieces
    assert [message.role for message in first.messages] == ["system", "user"]
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "tool"]
    asked, answered = stages[StageKind.MODEL_RESPONSE].pieces
    (call,) = asked.messages[0].calls
    assert (call.name, json.loads(call.arguments)) == (errand.TOOL, {"city": "Oslo"})
    assert (second.messages[2].calls[0].id, second.messages[3].answers) == (call.id, call.id)
    assert [message.text for message in answered.messages] == [ANSWER]
    (tool,) = stages[StageKind.TOOLS].pieces
    assert (json.loads(tool.arguments), tool.text.strip('"')) == ({"city": "Oslo"}, "4 degrees in Oslo")
    assert (("call id", call.id) in tool.facts) is expected.call_id
    assert ANSWER in _said(stages[StageKind.RESULT])
    assert (stages[StageKind.MODEL_INPUT].tokens_in, stages[StageKind.MODEL_RESPONSE].tokens_out) == (40, 60)
    assert found.replayable == ""
    calls = [span for span in found.trace.spans if span.kind is SpanKind.MODEL]
    assert [errand.TOOL in span.content.tools for span in calls if span.content] == [True, True]


def _said(stage: Stage) -> str:
    return "\n".join(text for piece in stage.pieces for text in (piece.text, *(one.text for one in piece.messages)))


def _has_the_lanes(found: Reconstruction, expected: Recorded, retrieval: str) -> None:
    lanes = _lanes(found)
    assert _values(lanes[LaneKind.PROMPTS]) == expected.prompts
    assert lanes[LaneKind.PROMPTS].missing == ("" if expected.prompts else NO_PROMPT)
    assert _values(lanes[LaneKind.RETRIEVAL]) == ([retrieval] if retrieval else [])
    assert [(entry.value, entry.measure, entry.words) for entry in lanes[LaneKind.TOKENS].entries] == [
        (errand.MODEL, 50.0, "20 in, 30 out, 5 cached")
    ] * 2
    assert len(lanes[LaneKind.PATH].entries) == 1
    assert _values(lanes[LaneKind.DEPENDENCIES]) == [expected.provider, errand.TOOL, expected.provider]
    assert _values(lanes[LaneKind.MEMORY]) == [f"upsert {errand.MEMORY_KEY}@{errand.MEMORY_VERSION}"]
    assert (lanes[LaneKind.QUEUES].entries, lanes[LaneKind.QUEUES].missing) == ((), NO_QUEUE)


@pytest.mark.parametrize("convention", CONVENTIONS)
async def test_every_stage_and_lane_that_was_recorded_comes_out(ran: Collector, convention: str) -> None:
    expected = EXPECTED[convention]
    async with _reading(ran) as adapter:
        found = await _whole(adapter, f"{convention}-telling")
    _holds_the_errand(found, expected)
    _has_the_lanes(found, expected, expected.retrieval)
    (worker,) = _lanes(found)[LaneKind.WORKERS].entries
    assert len(worker.value) == 36
    request = found.trace.request
    assert request is not None
    assert (request.service, request.tokens_in, request.tokens_out) == (f"{convention}-agent", 40, 60)


@pytest.mark.parametrize("convention", SWITCHED)
async def test_without_capture_each_stage_says_that_it_is_not_recorded(ran: Collector, convention: str) -> None:
    expected = EXPECTED[convention]
    async with _reading(ran) as adapter:
        found = await _whole(adapter, f"{convention}-silent")
    assert {stage.kind: stage.missing for stage in found.stages} == {**SILENT_STAGES, **expected.silent}
    _has_the_lanes(found, expected, expected.silent_retrieval)
    assert found.replayable == "content not recorded: 2 model calls without messages"


@pytest.mark.parametrize(
    ("lane", "value", "conventions"),
    [
        (LaneKind.MEMORY, "upsert user-1/coat@3", CONVENTIONS),
        (LaneKind.RETRIEVAL, "wardrobe@2026-11-20", ("genai", "traceloop", "langfuse")),
        (LaneKind.PROMPTS, "@7", ("openinference", "traceloop")),
        (LaneKind.TOKENS, errand.MODEL, CONVENTIONS),
    ],
)
async def test_the_store_finds_by_a_lane_what_the_reconstruction_shows_in_it(
    ran: Collector, lane: LaneKind, value: str, conventions: tuple[str, ...]
) -> None:
    query = RequestQuery(source="traces", lanes=(LaneFilter(lane=lane, value=value),))
    async with _reading(ran) as adapter:
        found = await adapter.requests(query)
    assert {request.service for request in found} == {f"{convention}-agent" for convention in conventions}


async def test_every_agent_leaves_its_marks(ran: Collector) -> None:
    async with _reading(ran) as adapter:
        marks = await adapter.marks(MarkQuery(source="traces", since=time.time() - 600, kinds=(MarkKind.MEMORY,)))
    assert {(mark.service, mark.source, mark.op, mark.key, mark.version) for mark in marks} == {
        (f"{convention}-agent", errand.STORE, "upsert", errand.MEMORY_KEY, "3") for convention in CONVENTIONS
    }
    assert {mark.conversation.rpartition("-")[2] for mark in marks} == {"telling", "silent"}


@pytest.mark.parametrize("convention", CONVENTIONS)
async def test_what_its_model_answered_is_counted_alike(ran: Collector, convention: str) -> None:
    """Two calls, one of a tool and one in words; where capture was off a second time, of which no word is known."""
    now = time.time()
    async with _reading(ran) as adapter:
        found = await adapter.answers(AnswersQuery(source="traces", since=now - 900.0, until=now + 60.0))
    rows = [row for row in found if row.group.service == f"{convention}-agent"]
    times = 2 if convention in SWITCHED else 1
    finish = sum((Counter(row.finish) for row in rows), Counter[Finish]())
    assert (sum(row.calls for row in rows), {row.group.model for row in rows}) == (2 * times, {errand.MODEL})
    assert (sum(row.tokens_in for row in rows), sum(row.tokens_out for row in rows)) == (40 * times, 60 * times)
    assert finish == ({} if convention == "langfuse" else {Finish.TOOL_CALLS: times, Finish.STOP: times})
    called = of_calls([ToolCall(name=errand.TOOL, arguments='{"city": "Bern"}')], "").shape
    assert sum((Counter(row.shapes) for row in rows), Counter[str]()) == {called: 1, PROSE: 1}
    assert (sum(row.structured for row in rows), sum(row.unparsed for row in rows)) == (1, 0)
    assert 0.75 in {row.top_score_p50 for row in rows}


@pytest.fixture(scope="module")
def phoenix(nursery: Nursery) -> PhoenixServer | Missing:
    try:
        return start_phoenix(nursery)
    except Missing as reason:
        return reason


@pytest.mark.skipif(not asked_for(), reason=f"a slower job: {OPT_IN}=1 installs and starts a Phoenix")
@pytest.mark.parametrize("convention", CONVENTIONS)
async def test_the_same_comes_out_of_phoenix(
    installed: Agents | Missing, nursery: Nursery, upstream: str, phoenix: PhoenixServer | Missing, convention: str
) -> None:
    agents, server = ready_or_skip(installed), ready_or_skip(phoenix)
    conversation = f"{convention}-phoenix"
    agents.run(convention, nursery, upstream=upstream, spans=server.traces, conversation=conversation)
    options: Any = PhoenixOptions(url=server.url)
    adapter = SPEC.create(AdapterContext("traces", SystemClock(), lambda _: "", 10.0, options))
    assert isinstance(adapter, TraceStoreAdapter)
    try:
        found = await _settled(adapter, conversation)
    finally:
        await adapter.close()
    _holds_the_errand(found, EXPECTED[convention])
    _has_the_lanes(found, EXPECTED[convention], EXPECTED[convention].retrieval)
    assert _lanes(found)[LaneKind.WORKERS].missing.startswith("not recorded: ")


async def _settled(adapter: TraceStoreAdapter, conversation: str) -> Reconstruction:
    """Phoenix answers before it has written."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    query = RequestQuery(source="traces", conversation=conversation)
    while True:
        for request in await adapter.requests(query):
            trace = await adapter.trace(request.trace_id)
            if len(trace.spans) == 6:
                return reconstruct(trace)
        assert time.monotonic() < deadline, "the spans did not arrive"
        time.sleep(0.2)
