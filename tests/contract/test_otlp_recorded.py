"""What the trace store's adapter makes of a real SDK's spans: requests, services, trees, and what it says of itself."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, Request, Service
from console.domain.refs import Kind, Ref
from console.domain.spans import LaneFilter, LaneKind, RequestQuery, Span, SpanKind, Trace
from console.engine.clock import ManualClock
from tests.contract.recorded_otlp import opened, recorded_at

REQUESTS = 12


def _requests(found: Observation) -> list[Request]:
    return [reading for reading in found.readings if isinstance(reading, Request)]


def _services(found: Observation) -> dict[str, Service]:
    return {reading.ref.name: reading for reading in found.readings if isinstance(reading, Service)}


async def test_requests_are_read_newest_first_with_everything_that_their_spans_say() -> None:
    async with opened() as bench:
        found = _requests(await bench.adapter.observe())
    assert len(found) == REQUESTS
    assert [one.started_at for one in found] == sorted((one.started_at for one in found), reverse=True)
    twelfth = found[0]
    assert (twelfth.name, twelfth.service, twelfth.route, twelfth.status) == ("POST /chat", "shop-api", "chat", "ok")
    assert (twelfth.conversation, twelfth.model, twelfth.spans) == ("conv-4", "gpt-4o-mini", 6)
    assert (twelfth.tokens_in, twelfth.tokens_out, twelfth.ttft_s) == (1024, 128, 0.25)
    assert twelfth.ref == Ref("traces", Kind.REQUEST, twelfth.trace_id)
    assert 0 < (twelfth.duration_s or 0) < 1
    assert twelfth.started_at == pytest.approx(recorded_at(), abs=5)


async def test_a_throttled_call_that_another_model_answered_is_said_and_is_no_failure() -> None:
    async with opened() as bench:
        tenth = _requests(await bench.adapter.observe())[2]
    assert (tenth.failed, tenth.error, tenth.tokens_in) == (False, "429 rate limit reached", 512)


async def test_requests_are_found_by_what_their_spans_say() -> None:
    async with opened() as bench:
        for lane, value, count in (
            (LaneKind.RETRIEVAL, "@2026-11-19", 3),
            (LaneKind.TOKENS, "gpt-4o", 10),
            (LaneKind.DEPENDENCIES, "weather", REQUESTS),
            (LaneKind.MEMORY, "", 0),
        ):
            asked = RequestQuery(source="traces", lanes=(LaneFilter(lane=lane, value=value),))
            assert len(await bench.adapter.requests(asked)) == count
        assert len(await bench.adapter.requests(RequestQuery(source="traces", good=True, name="POST /chat"))) == 11


async def test_who_read_which_snapshot_is_told_with_the_whole_requests_conversation() -> None:
    async with opened() as bench:
        every = MarkQuery(source="traces", since=0.0, kinds=(MarkKind.RETRIEVAL,))
        marks = await bench.adapter.marks(every)
        talk = await bench.adapter.marks(MarkQuery(source="traces", since=0.0, conversation="conv-2"))
    assert len(marks) == REQUESTS
    assert {mark.service for mark in marks} == {"search"}  # which never says a conversation itself
    assert {mark.conversation for mark in marks} == {f"conv-{number}" for number in range(5)}
    assert sorted({mark.version for mark in marks}) == ["2026-11-19", "2026-11-20"]
    services = [mark.service for mark in talk if mark.kind is MarkKind.SERVICE]
    assert sorted(services) == ["search"] * 3 + ["shop-api"] * 3


async def test_the_sources_own_names_come_before_those_that_are_known() -> None:
    async with opened(aliases={"route": ["http.route"]}) as bench:
        newest = _requests(await bench.adapter.observe())[0]
        (root,) = (span for span in (await bench.adapter.trace(newest.trace_id)).spans if not span.parent_id)
    assert root.facts.route == "/chat"


async def test_services_are_read_with_their_flow() -> None:
    async with opened() as bench:
        found = _services(await bench.adapter.observe())
    assert set(found) == {"shop-api", "search"}
    shop, search = found["shop-api"], found["search"]
    assert shop.traffic is not None
    assert search.traffic is not None
    assert shop.latency is not None
    assert shop.traffic.requests_per_min == search.traffic.requests_per_min == pytest.approx(REQUESTS / 5)
    assert shop.traffic.errors_per_min == pytest.approx(1 / 5)
    assert {one.name: one.per_min for one in shop.failures} == pytest.approx({"500": 1 / 5})
    assert shop.traffic.tokens_out_per_min == pytest.approx((24 - 2) * 64 / 5)
    assert 0 < (shop.latency.p50_s or 0) <= (shop.latency.p95_s or 0)
    assert shop.latency.ttft_p50_s == 0.25
    assert shop.conversations == 5
    assert search.snapshots == ("2026-11-19", "2026-11-20")
    assert search.failures == ()


async def test_services_that_are_quiet_stay_with_nothing_flowing() -> None:
    async with opened() as bench:
        await bench.clock.advance(3600)
        found = await bench.adapter.observe()
    quiet = _services(found)["shop-api"]
    assert quiet.traffic is not None
    assert quiet.traffic.requests_per_min == 0
    assert quiet.latency is not None
    assert quiet.latency.p95_s is None
    assert "the newest span came 60 min ago" in found.notes


async def test_it_says_how_full_it_is() -> None:
    async with opened() as bench:
        assert (await bench.adapter.observe()).notes == ("72 spans are kept, 0 % of 1 GB; each for 7 d at most",)


async def test_only_so_many_requests_are_on_the_board() -> None:
    async with opened(requests=3) as bench:
        assert len(_requests(await bench.adapter.observe())) == 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 12),
        ({"limit": 5}, 5),
        ({"failed": True}, 1),
        ({"service": "shop-api"}, 12),
        ({"service": "search"}, 0),
        ({"conversation": "conv-2"}, 3),
        ({"conversation": "conv-2", "failed": True}, 1),
        ({"min_duration_s": 60.0}, 0),
    ],
)
async def test_requests_are_found(query: dict[str, Any], count: int) -> None:
    async with opened() as bench:
        assert len(await bench.adapter.requests(RequestQuery(source="traces", **query))) == count


async def test_pages_follow_each_other() -> None:
    seen: list[str] = []
    async with opened() as bench:
        before = None
        while page := await bench.adapter.requests(RequestQuery(source="traces", limit=5, before=before)):
            seen += [one.trace_id for one in page]
            before = page[-1].started_at
    assert len(seen) == len(set(seen)) == REQUESTS


async def _tenth() -> Trace:
    async with opened() as bench:
        request = _requests(await bench.adapter.observe())[2]
        return await bench.adapter.trace(request.trace_id.upper())


def _one(found: Trace, name: str, service: str) -> Span:
    (span,) = [span for span in found.spans if (span.name, span.service) == (name, service)]
    return span


async def test_a_request_is_shown_as_the_tree_that_it_was_across_services() -> None:
    found = await _tenth()
    root = _one(found, "POST /chat", "shop-api")
    asked = _one(found, "GET /documents", "shop-api")
    read = _one(found, "GET /documents", "search")
    assert [span.started_at for span in found.spans] == sorted(span.started_at for span in found.spans)
    assert found.spans[0] is root
    assert (root.parent_id, asked.parent_id, read.parent_id) == ("", root.span_id, asked.span_id)
    assert {span.parent_id for span in found.spans[1:]} == {root.span_id, asked.span_id}
    assert [span.kind for span in found.spans] == [
        SpanKind.REQUEST,
        SpanKind.OTHER,
        SpanKind.RETRIEVAL,
        SpanKind.MODEL,
        SpanKind.MODEL,
        SpanKind.TOOL,
    ]
    assert (found.cut, found.notes) == (0, ())
    assert found.request is not None
    assert found.request.spans == len(found.spans) == 6


async def test_a_failed_span_shows_what_was_recorded_with_it() -> None:
    failed = _one(await _tenth(), "chat gpt-4o", "shop-api")
    assert (failed.failed, failed.error) == (True, "429 rate limit reached")
    (event,) = failed.events
    assert event.name == "exception"
    assert event.attributes["exception.message"] == "rate limit reached"
    assert failed.attributes["service.version"] == "1.4.2"
    answered = _one(await _tenth(), "chat gpt-4o-mini", "shop-api")
    assert answered.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert "Rain." in answered.attributes["gen_ai.output.messages"]


@pytest.mark.parametrize("trace_id", ["", "ab", "00" * 16, "no hexadecimal", "\x1b[2J" * 8])
async def test_a_request_that_is_not_there_is_said(trace_id: str) -> None:
    async with opened() as bench:
        with pytest.raises(BackendError) as caught:
            await bench.adapter.trace(trace_id)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert "\x1b" not in str(caught.value)


async def test_without_a_collector_the_past_is_shown_and_nothing_is_said_of_now() -> None:
    async with opened() as bench:
        assert (await bench.adapter.observe()).problems == ()
        await bench.lose("collector")
        found = await bench.adapter.observe()
        rows = {row.what: row for row in await bench.adapter.check()}
        assert len(await bench.adapter.requests(RequestQuery(source="traces"))) == REQUESTS
    (replica,) = found.replicas
    assert (replica.name, replica.up, replica.failure) == ("collector", False, found.problems[0])
    assert "switchgear collect" in found.problems[0].way_out
    assert len(_requests(found)) == REQUESTS
    assert _services(found)["shop-api"].traffic is None
    assert (rows["collecting"].ok, rows["file"].ok, rows["spans"].ok) == (False, True, True)


async def test_an_empty_store_says_what_to_do() -> None:
    async with opened([]) as bench:
        found = await bench.adapter.observe()
        rows = {row.what: row for row in await bench.adapter.check()}
    assert found.readings == ()
    assert any("OTEL_EXPORTER_OTLP_ENDPOINT" in note for note in found.notes)
    assert rows["spans"].ok is None


def _adapter(path: Path) -> OtlpAdapter:
    context = AdapterContext("traces", ManualClock(), lambda reference: reference, 4.0, OtlpOptions(file=str(path)))
    return OtlpAdapter(context)


async def _says(path: Path) -> BackendError:
    adapter = _adapter(path)
    try:
        with pytest.raises(BackendError) as caught:
            await adapter.observe()
        assert (await adapter.check())[0].ok is False
        return caught.value
    finally:
        await adapter.close()


async def test_no_file_no_store_and_no_sqlite_are_told_apart_with_the_way_out(tmp_path: Path) -> None:
    missing = await _says(tmp_path / "none" / "spans.sqlite")
    assert missing.kind is ErrorKind.UNREACHABLE
    assert "switchgear collect" in missing.failure.way_out
    other = tmp_path / "other.sqlite"
    sqlite3.connect(other).execute("CREATE TABLE x (y)").connection.close()
    assert (await _says(other)).kind is ErrorKind.UNSUPPORTED
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no SQLite at all, but long enough to be looked at" * 100)
    assert (await _says(broken)).kind is ErrorKind.MALFORMED
    assert (await _says(tmp_path)).kind is ErrorKind.FAILED


async def test_another_file_in_its_place_is_read() -> None:
    async with opened() as bench, opened([]) as empty:
        assert len((await bench.adapter.observe()).readings) > 0
        empty._connection.close()  # everything is in the file itself then
        os.replace(empty.path, bench.path)
        for suffix in ("-wal", "-shm"):
            bench.path.with_name(bench.path.name + suffix).unlink()
        assert (await bench.adapter.observe()).readings == ()


async def test_the_adapter_never_writes() -> None:
    async with opened() as bench:
        bench._connection.close()  # what the collector leaves behind when it ends
        before = bench.path.read_bytes(), bench.path.stat().st_mtime_ns
        bench.path.chmod(0o400)
        await bench.adapter.observe()
        await bench.adapter.requests(RequestQuery(source="traces"))
        with pytest.raises(BackendError, match="readonly"):
            await bench.adapter._reader.ask(lambda connection: connection.execute("DELETE FROM spans"))
        assert (bench.path.read_bytes(), bench.path.stat().st_mtime_ns) == before
        assert stat.S_IMODE(bench.path.stat().st_mode) == 0o400


async def test_a_question_that_takes_too_long_is_broken_off() -> None:
    async with opened() as bench:
        bench.adapter._reader._timeout_s = 0.05
        forever = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
        with pytest.raises(BackendError) as caught:
            await bench.adapter._reader.ask(lambda connection: connection.execute(forever).fetchone())
        assert caught.value.kind is ErrorKind.TIMEOUT
        bench.adapter._reader._timeout_s = 4.0
        await bench.adapter.observe()
