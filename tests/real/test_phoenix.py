"""The adapter on a real Phoenix, fed by the real OpenTelemetry SDK: its traps, one by one.

A slower job: SWITCHGEAR_TEST_PHOENIX=1 installs it (855 MB, 80 s) and starts two (13 s each). See docs/testing.md.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.trace import Tracer, set_span_in_context

from adapters.phoenix import SPEC, PhoenixOptions, backend
from adapters.spans.adapter import TraceStoreAdapter
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, Request, Service
from console.domain.spans import LaneFilter, LaneKind, RequestQuery
from console.engine.clock import SystemClock
from console.traces.split import divergences
from tests.contract.instrumented import SPANS_A_REQUEST, one_request, telling
from tests.real.conftest import ready_or_skip
from tests.real.stack.missing import Missing
from tests.real.stack.phoenix import OPT_IN, PhoenixServer, asked_for, start_guarded, start_phoenix
from tests.real.stack.processes import Nursery

pytestmark = pytest.mark.skipif(not asked_for(), reason=f"a slower job: {OPT_IN}=1 installs and starts a Phoenix")

SEEN_WITHIN_S = 30.0
"""Phoenix answers before it has written; it is waited for this long."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="module")
def started(nursery: Nursery) -> tuple[PhoenixServer, PhoenixServer] | Missing:
    """One that asks for no key and one that does; side by side, for each needs a quarter of a minute."""
    with ThreadPoolExecutor(2) as pool:
        both = pool.submit(start_phoenix, nursery), pool.submit(start_guarded, nursery)
    try:
        return both[0].result(), both[1].result()
    except Missing as reason:
        return reason


@pytest.fixture
def server(started: tuple[PhoenixServer, PhoenixServer] | Missing) -> PhoenixServer:
    return ready_or_skip(started)[0]


@pytest.fixture
def guarded(started: tuple[PhoenixServer, PhoenixServer] | Missing) -> PhoenixServer:
    return ready_or_skip(started)[1]


@asynccontextmanager
async def watching(server: PhoenixServer, key: str = "", **options: Any) -> AsyncIterator[TraceStoreAdapter]:
    """The adapter, as the plugin makes it."""
    given = {"url": server.url, **options, **({"key": "env:KEY"} if key else {})}
    context = AdapterContext("phoenix", SystemClock(), lambda _: key, 10.0, PhoenixOptions(**given))
    adapter = SPEC.create(context)
    assert isinstance(adapter, TraceStoreAdapter)
    try:
        yield adapter
    finally:
        await adapter.close()


def _tell(server: PhoenixServer, project: str, requests: int, *, named: bool = True) -> None:
    ours, theirs = (OTLPSpanExporter(server.traces) for _ in range(2))
    with (
        telling(ours, "shop-api", named=named, project=project) as shop,
        telling(theirs, "search", named=named, project=project) as search,
    ):
        for number in range(1, requests + 1):
            one_request(shop, search, number)
    _wait(lambda: server.spans(project) == requests * SPANS_A_REQUEST)


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + SEEN_WITHIN_S
    while not until():
        assert time.monotonic() < end, "Phoenix does not show what it was sent"
        time.sleep(0.2)


def _requests(found: Observation) -> list[Request]:
    return [reading for reading in found.readings if isinstance(reading, Request)]


async def test_what_an_sdk_sends_is_on_the_board_and_can_be_asked_for(server: PhoenixServer) -> None:
    _tell(server, "board", 100)
    async with watching(server, project="board") as adapter:
        found = await adapter.observe()
        requests = _requests(found)
        assert len(requests) == 100
        assert all(one.spans == SPANS_A_REQUEST and one.service == "shop-api" for one in requests)
        assert sum(one.failed for one in requests) == 100 // 7
        services = {one.ref.name: one for one in found.readings if isinstance(one, Service)}
        assert set(services) == {"shop-api", "search"}
        assert (found.problems, found.notes) == ((), ())
        assert found.replicas[0].version == server.ask("/arize_phoenix_version").text
        for query, count in (
            (RequestQuery(source="phoenix", failed=True), 14),
            (RequestQuery(source="phoenix", good=True, limit=50), 50),
            (RequestQuery(source="phoenix", conversation="conv-7"), 3),
            (RequestQuery(source="phoenix", service="search"), 0),
            (RequestQuery(source="phoenix", before=requests[89].started_at), 10),
            (RequestQuery(source="phoenix", lanes=(LaneFilter(lane=LaneKind.RETRIEVAL, value="@2026-11-19"),)), 25),
            (RequestQuery(source="phoenix", lanes=(LaneFilter(lane=LaneKind.PATH, value="plan"),)), 0),
        ):
            assert len(await adapter.requests(query)) == count, query
        trace = await adapter.trace(requests[0].trace_id)
        asked = server.ask("/v1/projects/board/spans", trace_id=requests[0].trace_id).json()["data"]
        assert {span.span_id for span in trace.spans} == {row["context"]["span_id"] for row in asked}
        assert any(span.content and span.content.messages_out for span in trace.spans)
        marks = await adapter.marks(MarkQuery(source="phoenix", since=0.0, kinds=(MarkKind.RETRIEVAL,)))
        assert sum(mark.version == "2026-11-19" for mark in marks) == 25


async def test_spans_that_come_late_are_seen_though_they_began_long_ago(server: PhoenixServer) -> None:
    now_ns = time.time_ns()

    def span(tracer: Tracer, name: str, began_s: float, parent: Any = None) -> Any:
        context = set_span_in_context(parent) if parent else None
        return tracer.start_span(name, context=context, start_time=now_ns - int(began_s * 1e9))

    async with watching(server, project="late") as adapter:
        with telling(OTLPSpanExporter(server.traces), "slow", named=True, project="late") as tracer:
            root = span(tracer, "a long job", 900.0)
            span(tracer, "its first step", 890.0, root).end(now_ns - int(880e9))
            for number in range(50):
                span(tracer, f"request {number}", 1.0).end(now_ns)
            _wait(lambda: server.spans("late") == 51)
            first = {one.name: one for one in _requests(await adapter.observe())}
            assert set(first) == {"its first step", *(f"request {number}" for number in range(50))}
            assert first["its first step"].status == ""  # its root has not come
            root.end(now_ns)
        _wait(lambda: server.spans("late") == 52)
        second = {one.name: one for one in _requests(await adapter.observe())}
        assert len(second) == 51
        long = second["a long job"]
        assert long.spans == 2
        assert long.duration_s == pytest.approx(900.0, abs=0.001)
        assert len((await adapter.trace(long.trace_id)).spans) == 2


async def test_a_conversation_is_found_under_every_name_and_also_when_its_id_is_a_number(server: PhoenixServer) -> None:
    names = ("gen_ai.conversation.id", "session.id", "langfuse.session.id", "my.chat")
    with telling(OTLPSpanExporter(server.traces), "chat", project="names") as tracer:
        for name in names:
            tracer.start_span("as text", attributes={name: "42"}).end()
            tracer.start_span("as a number", attributes={name: 42}).end()
            tracer.start_span("another", attributes={name: "43"}).end()
    _wait(lambda: server.spans("names") == 12)
    async with watching(server, project="names", aliases={"conversation": ["my.chat"]}) as adapter:
        found = await adapter.requests(RequestQuery(source="phoenix", conversation="42"))
        assert sorted(one.name for one in found) == ["as a number"] * 4 + ["as text"] * 4


async def test_services_that_answer_from_different_snapshots_are_found_where_spans_name_them(
    server: PhoenixServer,
) -> None:
    def read(tracer: Tracer, conversation: str, snapshot: str) -> None:
        said = {"session.id": conversation, "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "wiki"}
        tracer.start_span("search", attributes={**said, "retrieval.snapshot.version": snapshot}).end()

    ours, theirs = (OTLPSpanExporter(server.traces) for _ in range(2))
    with (
        telling(ours, "chat", named=True, project="split") as chat,
        telling(theirs, "mail", named=True, project="split") as mail,
    ):
        for tracer, snapshot in ((chat, "v1"), (mail, "v2"), (chat, "v1")):
            read(tracer, "split", snapshot)
        for tracer in (chat, mail, chat):
            read(tracer, "whole", "v3")
    _wait(lambda: server.spans("split") == 6)
    async with watching(server, project="split") as adapter:
        marks = await adapter.marks(MarkQuery(source="phoenix", since=time.time() - 600.0))
        (found,) = divergences(marks, 900.0)
        assert (found.conversation, found.about, set(found.services)) == ("split", "wiki", {"chat", "mail"})
        assert set(found.versions) == {"v1", "v2"}


async def test_without_the_service_on_its_spans_it_says_that_phoenix_drops_it(server: PhoenixServer) -> None:
    _tell(server, "nameless", 2, named=False)
    async with watching(server, project="nameless") as adapter:
        found = await adapter.observe()
        assert {type(reading) for reading in found.readings} == {Request}
        assert {one.service for one in _requests(found)} == {""}
        assert ["not recorded by this backend" in note for note in found.notes] == [True]


async def test_a_long_request_is_read_over_many_pages_though_the_last_has_no_cursor(server: PhoenixServer) -> None:
    count = 1_000 + 100
    with (
        telling(OTLPSpanExporter(server.traces), "batch", project="long") as tracer,
        tracer.start_as_current_span("a batch"),
    ):
        for number in range(count - 1):
            tracer.start_span(f"item {number}").end()
            if number % 500 == 0:
                time.sleep(0.1)
    async with watching(server, project="long") as adapter:
        seen: list[Request] = []
        for _ in range(100):
            seen = _requests(await adapter.observe())
            if seen and seen[0].spans == count:
                break
            time.sleep(0.3)
        assert [one.spans for one in seen] == [count]
        trace = await adapter.trace(seen[0].trace_id)
        assert len({span.name for span in trace.spans}) == len(trace.spans) == count
        assert trace.notes == (adapter.backend.drops,)


async def test_spans_full_of_text_come_in_smaller_pages(server: PhoenixServer) -> None:
    count, text = 200, "a long document " * 4_000
    with (
        telling(OTLPSpanExporter(server.traces), "reader", batch=20, project="texts") as tracer,
        tracer.start_as_current_span("a request"),
    ):
        for number in range(count - 1):
            tracer.start_span(f"document {number}", attributes={"input.value": text}).end()
            time.sleep(0.01)
    _wait(lambda: server.spans("texts") == count)
    async with watching(server, project="texts") as adapter:
        (request,) = _requests(await adapter.observe())
        assert request.spans == count
        trace = await adapter.trace(request.trace_id)
        assert len(trace.spans) == count
        assert any("without attributes" in note for note in trace.notes)  # 12 MB of them


async def test_requests_are_whole_also_where_many_of_them_do_not_fit_into_one_answer(
    server: PhoenixServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell(server, "halves", 8)
    monkeypatch.setattr(backend, "GROUP_PAGES", 1)
    async with watching(server, project="halves") as adapter:
        assert isinstance(adapter.backend, backend.Phoenix)
        adapter.backend._api.size.most = SPANS_A_REQUEST
        assert [one.spans for one in _requests(await adapter.observe())] == [SPANS_A_REQUEST] * 8


async def test_more_than_one_look_follows_begins_anew(server: PhoenixServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching(server, project="flood", requests=5) as adapter:
        _tell(server, "flood", 10)
        assert len(_requests(await adapter.observe())) == 5
        monkeypatch.setattr(backend, "LOOK_PAGES", 0)
        found = await adapter.observe()
        assert len(_requests(found)) == 5
        assert found.requests > 1


async def test_a_project_that_is_emptied_is_noticed(server: PhoenixServer) -> None:
    _tell(server, "emptied", 3)
    async with watching(server, project="emptied") as adapter:
        assert len(_requests(await adapter.observe())) == 3
        httpx.delete(
            f"{server.url}/v1/projects/emptied/traces",
            params={"start_time": "2000-01-01T00:00:00Z", "end_time": "2100-01-01T00:00:00Z"},
        ).raise_for_status()
        found = await adapter.observe()
        assert _requests(found) == []
        assert any("no span has arrived" in note for note in found.notes)
        _tell(server, "emptied", 2)
        assert len(_requests(await adapter.observe())) == 2


async def test_a_page_for_people_with_200_is_no_phoenix(server: PhoenixServer) -> None:
    assert httpx.get(f"{server.url}/nothing/v1/projects").headers["content-type"].startswith("text/html")
    async with watching(server, url=f"{server.url}/nothing") as adapter:
        with pytest.raises(BackendError) as caught:
            await adapter.observe()
        assert caught.value.kind is ErrorKind.MALFORMED
        assert "html" in caught.value.failure.message
        assert [row.ok for row in await adapter.check()] == [False, False, False]


async def test_a_project_that_is_not_there_is_said_in_phoenix_own_words(server: PhoenixServer) -> None:
    async with watching(server, project="nowhere") as adapter:
        with pytest.raises(BackendError, match="Project with name nowhere not found"):
            await adapter.observe()
        rows = {row.what: row for row in await adapter.check()}
        assert rows["project"].ok is False
        assert "default" in rows["project"].words


@pytest.mark.parametrize("key", ["", "not the key"])
async def test_without_the_right_key_nothing_is_shown(guarded: PhoenixServer, key: str) -> None:
    async with watching(guarded, key) as adapter:
        with pytest.raises(BackendError) as caught:
            await adapter.observe()
        assert caught.value.kind is ErrorKind.UNAUTHORISED
        assert "option `key`" in caught.value.failure.way_out
        assert "not the key" not in str(caught.value)
        rows = {row.what: row for row in await adapter.check()}
        assert (rows["reachable"].ok, rows["project"].ok) == (True, False)


async def test_with_its_key_a_guarded_phoenix_is_read(guarded: PhoenixServer) -> None:
    async with watching(guarded, guarded.key) as adapter:
        assert _requests(await adapter.observe()) == []
        assert {row.ok for row in await adapter.check()} == {True, None}


async def test_killed_and_back_on_its_data_it_goes_on(server: PhoenixServer) -> None:
    _tell(server, "killed", 3)
    async with watching(server, project="killed") as adapter:
        before = _requests(await adapter.observe())
        server.kill()
        with pytest.raises(BackendError) as caught:
            await adapter.observe()
        assert caught.value.kind is ErrorKind.UNREACHABLE
        server.start()
        again = _requests(await adapter.observe())
        assert [(one.trace_id, one.spans) for one in again] == [(one.trace_id, one.spans) for one in before]
