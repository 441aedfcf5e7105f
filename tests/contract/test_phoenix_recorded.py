"""What the adapter makes of a real Phoenix's answers: requests, services, trees, marks, and what it says of itself."""

import json
from typing import Any

import pytest

from console.domain.conversations import MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Observation, Request, Service
from console.domain.spans import RequestQuery, SpanKind
from tests.contract.record_phoenix import NOWHERE, QUERIES, REQUESTS
from tests.contract.recorded_phoenix import bench, recording
from tests.contract.trace_bench import TraceBench


def _requests(found: Observation) -> list[Request]:
    return [reading for reading in found.readings if isinstance(reading, Request)]


async def _tenth(on: TraceBench) -> Request:
    return _requests(await on.adapter.observe())[2]


def _unnamed(body: str) -> str:
    """The answer as it is where no application puts its service's name onto its spans."""
    found = json.loads(body)
    for row in found["data"]:
        row.get("attributes", {}).pop("service.name", None)
    return json.dumps(found)


async def test_requests_are_read_newest_first_with_everything_that_their_spans_say() -> None:
    found = _requests(await bench().adapter.observe())
    assert len(found) == REQUESTS
    assert [one.started_at for one in found] == sorted((one.started_at for one in found), reverse=True)
    twelfth = found[0]
    assert (twelfth.name, twelfth.service, twelfth.route, twelfth.status) == ("POST /chat", "shop-api", "chat", "ok")
    assert (twelfth.conversation, twelfth.model, twelfth.spans) == ("conv-4", "gpt-4o-mini", 6)
    assert (twelfth.tokens_in, twelfth.tokens_out, twelfth.ttft_s) == (1024, 128, 0.25)
    assert twelfth.started_at == pytest.approx(float(recording()["recorded_at"]), abs=30)


async def test_services_are_those_that_spans_name() -> None:
    found = await bench().adapter.observe()
    services = {one.ref.name: one for one in found.readings if isinstance(one, Service)}
    assert set(services) == {"shop-api", "search"}
    shop, search = services["shop-api"], services["search"]
    assert shop.traffic is not None
    assert shop.traffic.requests_per_min == pytest.approx(REQUESTS / 5, rel=0.01)
    assert search.traffic is not None
    assert search.traffic.requests_per_min == shop.traffic.requests_per_min  # though Phoenix drops what a server's are
    assert {one.name: one.per_min for one in shop.failures} == pytest.approx({"500": 1 / 5}, rel=0.01)
    assert shop.conversations == 5
    assert search.snapshots == ("2026-11-19", "2026-11-20")
    assert found.notes == ()


async def test_services_that_no_span_names_are_said_to_be_dropped() -> None:
    on = bench(_unnamed)
    found = await on.adapter.observe()
    assert {one.service for one in _requests(found)} == {""}
    assert [one for one in found.readings if isinstance(one, Service)] == []
    (note,) = found.notes
    assert "not recorded by this backend" in note
    assert "service.name" in note
    assert note in (await on.adapter.trace(_requests(found)[0].trace_id)).notes
    rows = {row.what: row for row in await on.adapter.check()}
    assert rows["services"].ok is None


async def test_services_of_which_some_requests_do_not_say_one_are_said_too() -> None:
    def half(body: str) -> str:
        found = json.loads(body)
        for row in found["data"]:
            if row.get("context", {}).get("trace_id", "f") < "8":
                row["attributes"].pop("service.name", None)
        return json.dumps(found)

    found = await bench(half).adapter.observe()
    assert {one.service for one in _requests(found)} == {"", "shop-api"}
    (note,) = found.notes
    assert note.startswith("of some requests: ")


@pytest.mark.parametrize(("query", "count"), QUERIES, ids=[str(number) for number in range(len(QUERIES))])
async def test_requests_are_found(query: dict[str, Any], count: int) -> None:
    found = await bench().adapter.requests(RequestQuery(source="traces", **query))
    assert len(found) == count
    assert [one.started_at for one in found] == sorted((one.started_at for one in found), reverse=True)


async def test_pages_follow_each_other() -> None:
    adapter, seen, before = bench().adapter, list[str](), None
    while page := await adapter.requests(RequestQuery(source="traces", limit=5, before=before)):
        seen += [one.trace_id for one in page]
        before = page[-1].started_at
    assert len(seen) == len(set(seen)) == REQUESTS


async def test_a_request_is_shown_as_the_tree_that_it_was_with_what_was_said() -> None:
    on = bench()
    found = await on.adapter.trace((await _tenth(on)).trace_id.upper())
    root = found.spans[0]
    assert (root.name, root.parent_id, root.service) == ("POST /chat", "", "shop-api")
    assert [span.kind for span in found.spans] == [
        SpanKind.REQUEST,
        SpanKind.OTHER,
        SpanKind.RETRIEVAL,
        SpanKind.MODEL,
        SpanKind.MODEL,
        SpanKind.TOOL,
    ]
    assert {span.parent_id for span in found.spans[1:]} == {root.span_id, found.spans[1].span_id}
    failed, answered = found.spans[3:5]
    assert (failed.failed, failed.error) == (True, "429 rate limit reached")
    assert [event.name for event in failed.events] == ["exception"]
    assert answered.facts.response_model or answered.facts.request_model == "gpt-4o-mini"
    assert answered.content is not None
    assert [message.text for message in answered.content.messages_out] == ["Rain."]
    assert (found.cut, found.notes) == (0, ())


async def test_who_read_which_snapshot_is_known_from_the_looks_alone() -> None:
    on = bench()
    await on.adapter.observe()
    asked = len(on.transport.asked)
    marks = await on.adapter.marks(MarkQuery(source="traces", since=0.0, kinds=(MarkKind.RETRIEVAL,)))
    assert len(marks) == REQUESTS
    assert {mark.service for mark in marks} == {"search"}
    assert {mark.conversation for mark in marks} == {f"conv-{number}" for number in range(5)}
    assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)
    assert len(on.transport.asked) == asked
    some = await on.adapter.marks(MarkQuery(source="traces", since=0.0, kinds=(MarkKind.RETRIEVAL,), limit=2))
    assert some == marks[-2:]


async def test_marks_of_one_conversation_are_read_also_where_no_look_has_seen_them() -> None:
    marks = await bench().adapter.marks(MarkQuery(source="traces", since=0.0, conversation="conv-2"))
    assert {mark.conversation for mark in marks} == {"conv-2"}
    assert sum(mark.kind is MarkKind.RETRIEVAL for mark in marks) == 3
    assert {mark.service for mark in marks if mark.kind is MarkKind.SERVICE} == {"shop-api", "search"}


async def test_a_second_look_asks_once_and_counts_nothing_twice() -> None:
    on = bench()
    first = await on.adapter.observe()
    second = await on.adapter.observe()
    assert second.readings == first.readings
    assert second.requests == 1


@pytest.mark.parametrize("trace_id", ["", "ab", "00" * 16, "f" * 32, "no hexadecimal", "\x1b[2J" * 8])
async def test_a_request_that_is_not_there_is_said(trace_id: str) -> None:
    with pytest.raises(BackendError) as caught:
        await bench().adapter.trace(trace_id)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert "\x1b" not in str(caught.value)


async def test_a_project_that_is_not_there_is_said_with_those_that_are() -> None:
    on = bench(project=NOWHERE)
    with pytest.raises(BackendError) as caught:
        await on.adapter.observe()
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert "Project with name nowhere not found" in caught.value.failure.message
    assert "project" in caught.value.failure.way_out
    rows = {row.what: row for row in await on.adapter.check()}
    assert (rows["reachable"].ok, rows["project"].ok) == (True, False)
    assert "default" in rows["project"].words


async def test_a_server_that_is_gone_is_an_error_and_back_it_goes_on() -> None:
    on = bench()
    await on.adapter.observe()
    on.transport.lost = True
    with pytest.raises(BackendError) as caught:
        await on.adapter.observe()
    assert caught.value.kind is ErrorKind.UNREACHABLE
    assert all(row.ok is False for row in await on.adapter.check())
    on.transport.lost = False
    assert len(_requests(await on.adapter.observe())) == REQUESTS
