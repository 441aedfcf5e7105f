"""Requests are told span by span, and what they tell fits what the world does."""

from typing import Any

import pytest

from adapters.simulator.traces.examples import SHOWN_MOST
from adapters.simulator.traces.samples import KEEP_S, KEPT, KEPT_MOST
from console.domain.conversations import DivergenceKind, Mark, MarkKind, MarkQuery
from console.domain.errors import BackendError
from console.domain.readings import Request, Service
from console.domain.spans import LaneFilter, LaneKind, RequestQuery, Span, SpanKind, Trace
from console.traces.split import divergences, unjudged
from tests.unit.simulator.test_incidents import CLEARED
from tests.unit.simulator.worlds import Yard

ALL = RequestQuery(source="traces", limit=10_000)
CLOSE_S = 1e-3
"""Times are unix seconds in floating point, durations are rounded to microseconds."""


async def _seen(yard: Yard, after: float = 0.0) -> tuple[dict[str, Service], list[Request]]:
    await yard.clock.advance(after)
    readings = (await yard.traces.observe()).readings
    return {one.ref.name: one for one in readings if isinstance(one, Service)}, [
        one for one in readings if isinstance(one, Request)
    ]


def _children(trace: Trace, parent: Span) -> list[Span]:
    return [span for span in trace.spans if span.parent_id == parent.span_id]


def _one(trace: Trace, kind: SpanKind) -> list[Span]:
    return [span for span in trace.spans if span.kind is kind]


async def test_every_kept_request_is_a_tree_whose_parts_lie_inside_their_parents() -> None:
    yard = Yard("outage-with-retries")
    await _seen(yard, 300)
    found = await yard.traces.requests(ALL)
    assert KEPT < len(found) <= KEPT_MOST + SHOWN_MOST  # the newest, and what shows something
    assert len({one.trace_id for one in found}) == len(found)
    for request in found[:KEPT]:
        trace = await yard.traces.trace(request.trace_id)
        assert trace.request == request
        assert len(trace.spans) == request.spans
        by_id = {span.span_id: span for span in trace.spans}
        assert len(by_id) == len(trace.spans)
        (root,) = [span for span in trace.spans if not span.parent_id]
        assert (root.kind, root.started_at, root.failed) == (SpanKind.REQUEST, request.started_at, request.failed)
        for span in trace.spans:
            assert span.duration_s is not None
            assert span.duration_s >= 0
            if span.parent_id:
                parent = by_id[span.parent_id]
                assert span.started_at >= parent.started_at - CLOSE_S
                assert span.started_at + span.duration_s <= parent.started_at + (parent.duration_s or 0) + CLOSE_S
        calls = [*_one(trace, SpanKind.MODEL), *_one(trace, SpanKind.EMBEDDING)]
        assert len(calls) == request.attempts
        assert request.failed or sum(not span.failed for span in calls) >= 1


async def test_a_job_waits_in_its_queue_before_a_worker_retrieves_calls_uses_a_tool_and_answers() -> None:
    yard = Yard()
    await _seen(yard, 120)
    asked = RequestQuery(source="traces", service="agent-worker")
    found = [one for one in await yard.traces.requests(asked) if one.attempts == 1]
    trace = await yard.traces.trace(found[0].trace_id)
    names = [span.name for span in trace.spans]
    assert names[0] == "process agent-runs"
    assert [span.kind for span in trace.spans if span.kind is not SpanKind.MEMORY] == [
        SpanKind.REQUEST, SpanKind.QUEUE, SpanKind.QUEUE, SpanKind.CHAIN, SpanKind.RETRIEVAL, SpanKind.CHAIN,
        SpanKind.MODEL, SpanKind.TOOL, SpanKind.OTHER,
    ]  # fmt: skip
    assert {span.service for span in trace.spans} == {"api", "agent-worker"}
    (model,) = _one(trace, SpanKind.MODEL)
    assert model.attributes["gen_ai.operation.name"] == "chat"
    assert model.attributes["gen_ai.provider.name"] == "anthropic"
    assert model.attributes["gen_ai.request.model"] == found[0].model
    assert model.attributes["gen_ai.usage.input_tokens"] == found[0].tokens_in
    assert model.attributes["gen_ai.usage.output_tokens"] == found[0].tokens_out
    assert model.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    (tool,) = _one(trace, SpanKind.TOOL)
    assert tool.attributes["gen_ai.tool.name"] in tool.name
    (retrieval,) = _one(trace, SpanKind.RETRIEVAL)
    assert retrieval.attributes["retrieval.snapshot.version"].startswith("kb-")
    assert trace.spans[0].attributes["gen_ai.conversation.id"] == found[0].conversation


async def test_retries_and_fallbacks_are_attempts_and_a_job_that_was_tried_again_shows_each_time() -> None:
    yard = Yard("outage-with-retries")
    await _seen(yard, CLEARED + 60)
    found = await yard.traces.requests(ALL)
    assert any((one.attempts or 0) >= 2 and not one.failed for one in found)
    dead = [one for one in found if one.service == "chat-worker" and one.failed]
    assert dead
    trace = await yard.traces.trace(dead[0].trace_id)
    works = [span for span in _one(trace, SpanKind.CHAIN) if span.name == "work on chat-jobs"]
    assert len(works) == 3
    assert all(span.failed for span in works)
    waits = [span for span in _one(trace, SpanKind.QUEUE) if span.name == "wait in chat-jobs"]
    assert [span.attributes["messaging.message.delivery_count"] for span in waits] == [1, 2, 3]
    assert dead[0].error
    embedded = next(one for one in found if one.route == "embed" and not one.failed)
    assert (embedded.ttft_s, embedded.tokens_out) == (None, None)  # there is no token to wait for
    assert embedded.tokens_in
    assert "app.deployment" in _one(trace, SpanKind.MODEL)[0].attributes


async def test_services_are_calm_on_a_calm_day_and_fail_with_their_route() -> None:
    yard = Yard("outage-with-retries")
    calm, _ = await _seen(yard, 1)
    assert {"api", "chat-worker", "indexer", "agent-worker", "evaluator"} == set(calm)
    assert all(one.traffic is not None and one.traffic.errors_per_min == 0 for one in calm.values())
    flows = sum(route.demand for route in yard.stage.world.routes.values()) * 60
    workers = sum(queue.expected_per_s() for queue in yard.broker.queues.values()) * 60
    assert calm["api"].traffic is not None
    assert calm["api"].traffic.requests_per_min == pytest.approx(flows - workers, rel=0.01)
    ill, _ = await _seen(yard, CLEARED + 60)
    assert ill["chat-worker"].traffic is not None
    assert (ill["chat-worker"].traffic.error_ratio or 0) > 0.1
    assert ill["chat-worker"].failures[0].name == "timeout"
    before, after = calm["chat-worker"].latency, ill["chat-worker"].latency
    assert before is not None
    assert after is not None
    assert (after.p50_s or 0) > 2 * (before.p50_s or 99)


async def test_services_answer_from_one_snapshot_which_changes_for_all_at_once() -> None:
    yard = Yard()
    versions = set()
    for _ in range(30):
        seen, _ = await _seen(yard, 120)
        newest = {one.snapshots[0] for one in seen.values() if one.snapshots}
        assert len(newest) <= 2  # whatever is a minute old may be from before
        versions |= newest
        assert (seen["chat-worker"].conversations or 0) > 3
    assert len(versions) >= 3


async def test_the_newest_are_on_the_board_and_the_others_are_found_page_by_page() -> None:
    yard = Yard("outage-with-retries")
    _, board = await _seen(yard, 400)
    assert len(board) == 100
    assert [one.started_at for one in board] == sorted((one.started_at for one in board), reverse=True)
    pages: list[Request] = []
    before: float | None = None
    while page := await yard.traces.requests(RequestQuery(source="traces", limit=60, before=before)):
        pages += page
        before = page[-1].started_at
    assert pages == list(await yard.traces.requests(ALL))
    assert pages[:100] == board


@pytest.mark.parametrize(
    "query",
    [
        RequestQuery(source="traces", failed=True, limit=9),
        RequestQuery(source="traces", service="indexer", limit=9),
        RequestQuery(source="traces", min_duration_s=20.0, limit=9),
    ],
)
async def test_a_query_finds_all_that_fit_and_nothing_else(query: RequestQuery) -> None:
    yard = Yard("outage-with-retries")
    await _seen(yard, CLEARED + 60)
    every = await yard.traces.requests(ALL)
    fitting = [
        one for one in every
        if (one.failed or not query.failed)
        and (one.service == query.service or not query.service)
        and (one.duration_s or 0) >= (query.min_duration_s or 0)
    ]  # fmt: skip
    assert fitting
    assert list(await yard.traces.requests(query)) == fitting[:9]
    talk = next(one.conversation for one in every if one.conversation)
    of_talk = await yard.traces.requests(RequestQuery(source="traces", conversation=talk))
    assert {one.conversation for one in of_talk} == {talk}


async def test_a_request_that_is_not_kept_is_said_to_be_unknown() -> None:
    yard = Yard()
    with pytest.raises(BackendError, match="there is no request"):
        await yard.traces.trace("0" * 32)


async def test_a_request_never_changes_once_it_is_told() -> None:
    yard = Yard()
    _, first = await _seen(yard, 60)
    _, later = await _seen(yard, 10)
    again = {one.trace_id: one for one in later}
    both = [one for one in first if one.trace_id in again]
    assert len(both) > 50
    assert all(again[one.trace_id] == one for one in both)
    assert (await yard.traces.trace(both[0].trace_id)).spans == (await yard.traces.trace(both[0].trace_id)).spans


async def test_a_request_tells_its_facts_and_its_words() -> None:
    yard = Yard()
    await _seen(yard, 300)
    asked = RequestQuery(source="traces", service="agent-worker", good=True)
    found = [one for one in await yard.traces.requests(asked) if one.attempts == 1]
    trace = await yard.traces.trace(found[0].trace_id)
    root, (model,), (tool,) = trace.spans[0], _one(trace, SpanKind.MODEL), _one(trace, SpanKind.TOOL)
    (retrieval,) = _one(trace, SpanKind.RETRIEVAL)
    assert root.content is not None
    assert root.content.input
    assert root.content.output
    assert (model.facts.prompt_name, model.facts.prompt_version) == ("agents-answer", "7")
    assert model.facts.ttft_s
    assert model.facts.usd == found[0].usd
    assert model.content is not None
    assert model.content.system.startswith("You answer customers")
    assert root.content.input in model.content.messages_in[0].text
    (call,) = model.content.messages_out[0].calls
    assert (call.id, call.name) == (tool.facts.tool_call, tool.facts.tool_name)
    assert tool.content is not None
    assert tool.content.arguments
    assert tool.content.result
    assert (retrieval.facts.retrieval_source, retrieval.facts.snapshot) == ("knowledge-base", "kb-41")
    assert retrieval.content is not None
    assert (retrieval.content.query, len(retrieval.content.documents) >= 3) == (root.content.input, True)
    waits = [span.facts for span in _one(trace, SpanKind.QUEUE) if span.facts.queue_wait_s is not None]
    assert [one.queue for one in waits] == ["agent-runs"]
    (worker,) = {span.facts.worker for span in trace.spans if span.facts.worker}
    assert worker.startswith("agent-worker-")


async def _marks(yard: Yard, **query: Any) -> tuple[Mark, ...]:
    return await yard.traces.marks(MarkQuery(source="traces", since=0.0, **query))


async def test_a_conversation_remembers_what_was_answered_version_by_version() -> None:
    yard = Yard()
    await _seen(yard, 400)
    touches = [mark for mark in await _marks(yard) if mark.kind is MarkKind.MEMORY]
    assert {mark.op for mark in touches} == {"create", "update", "read"}
    assert all(mark.key == mark.conversation for mark in touches)
    for talk in {mark.conversation for mark in touches}:
        made = [mark for mark in touches if mark.conversation == talk and mark.op != "read"]
        versions = [int(mark.version) for mark in sorted(made, key=lambda mark: mark.ended_at or 0.0)]
        assert versions == list(range(versions[0], versions[0] + len(versions))), talk


@pytest.mark.parametrize("scenario", ["calm", "outage-with-retries"])
async def test_services_that_follow_the_index_never_disagree(scenario: str) -> None:
    """Over a new version of the index, and with jobs that are tried again."""
    yard = Yard(scenario)
    marks: dict[tuple[str, str, MarkKind], Mark] = {}
    for _ in range(14):
        await _seen(yard, 100)
        marks |= {(mark.trace_id, mark.span_id, mark.kind): mark for mark in await _marks(yard)}
    assert len({mark.version for mark in marks.values() if mark.kind is MarkKind.RETRIEVAL}) == 2
    assert divergences(marks.values()) == ()
    assert unjudged(marks.values()) == ()


async def test_a_service_that_is_left_behind_answers_conversations_from_the_old_index_and_nothing_else_shows() -> None:
    yard = Yard("split-snapshots")
    seen, requests = await _seen(yard, 200)
    found = divergences(await _marks(yard))
    assert len(found) > 10
    assert {one.kind for one in found} == {DivergenceKind.SNAPSHOTS}
    assert all("chat-worker" in one.services for one in found)
    assert {version for one in found for version in one.versions} == {"kb-41", "kb-42"}
    assert (seen["chat-worker"].snapshots, seen["api"].snapshots) == (("kb-41",), ("kb-42",))
    assert sum(one.failed for one in requests) < 5
    assert all(one.traffic is None or not one.traffic.errors_per_min for one in seen.values())


@pytest.mark.parametrize(
    ("lane", "value", "at_least", "service"),
    [
        (LaneKind.QUEUES, "agent-runs", 0.0, "agent-worker"),
        (LaneKind.PROMPTS, "summarise-answer@7", None, ""),
        (LaneKind.RETRIEVAL, "knowledge-base@kb-41", None, ""),
        (LaneKind.TOKENS, "", 5000.0, ""),
        (LaneKind.WORKERS, "", None, ""),
        (LaneKind.MEMORY, "", None, ""),
        (LaneKind.PATH, "work on chat-jobs", None, "chat-worker"),
        (LaneKind.DEPENDENCIES, "openai", None, ""),
    ],
)
async def test_requests_are_found_by_their_lanes(
    lane: LaneKind, value: str, at_least: float | None, service: str
) -> None:
    yard = Yard()
    await _seen(yard, 120)
    wanted = LaneFilter(lane=lane, value=value, at_least=at_least)
    found = await yard.traces.requests(RequestQuery(source="traces", limit=10_000, lanes=(wanted,)))
    assert 0 < len(found) < len(await yard.traces.requests(ALL))
    assert {one.service for one in found} == {service} or not service
    other = LaneFilter(lane=lane, value="nobody's")
    assert await yard.traces.requests(RequestQuery(source="traces", lanes=(wanted, other))) == ()


async def test_marks_of_knowledge_are_the_same_asked_alone_and_among_all() -> None:
    yard = Yard()
    await _seen(yard, 60.0)
    kinds = (MarkKind.RETRIEVAL, MarkKind.MEMORY)
    alone = await _marks(yard, kinds=kinds)
    assert {mark.kind for mark in alone} == set(kinds)
    assert alone == tuple(mark for mark in await _marks(yard) if mark.kind in kinds)


async def test_what_is_a_few_minutes_old_is_still_told_however_much_there_is() -> None:
    yard = Yard("batch-job", tick_s=5.0, speed=1.0, quiet_s=30)
    marks: dict[tuple[str, str], Mark] = {}
    for _ in range(4):
        await yard.clock.advance(KEEP_S - 60.0)
        told = await _marks(yard, kinds=(MarkKind.MEMORY, MarkKind.RETRIEVAL))
        marks |= {(mark.trace_id, mark.span_id): mark for mark in told}
    assert len({mark.trace_id for mark in marks.values()}) > KEPT
    assert divergences(marks.values()) == ()
