"""What the adapters make of Jaeger, Tempo and Langfuse as those are documented; no server of theirs was asked."""

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.langfuse.observations import Observation as Told
from adapters.tempo import backend as tempo_backend
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.readings import Observation, Request, Service
from console.domain.spans import LaneFilter, LaneKind, RequestQuery, SpanKind
from tests.contract.documented import Documented, DocumentedJaeger, DocumentedLangfuse, DocumentedTempo, sent
from tests.contract.documented_stores import Make, jaeger, langfuse, tempo

REQUESTS = 12
STORES = pytest.mark.parametrize("make", [jaeger, tempo, langfuse], ids=["jaeger", "tempo", "langfuse"])
NEWS = pytest.mark.parametrize(
    ("make", "store"), [(jaeger, DocumentedJaeger), (tempo, DocumentedTempo), (langfuse, DocumentedLangfuse)]
)


def _requests(found: Observation) -> list[Request]:
    return [reading for reading in found.readings if isinstance(reading, Request)]


@STORES
async def test_requests_and_services_are_those_that_the_sdk_told_of(make: Make) -> None:
    found = await make().adapter.observe()
    requests = _requests(found)
    assert len(requests) == REQUESTS
    twelfth = requests[0]
    assert (twelfth.name, twelfth.service, twelfth.route, twelfth.status) == ("POST /chat", "shop-api", "chat", "ok")
    assert (twelfth.conversation, twelfth.model, twelfth.spans) == ("conv-4", "gpt-4o-mini", 6)
    assert (twelfth.tokens_in, twelfth.tokens_out) == (1024, 128)
    assert twelfth.ttft_s == pytest.approx(0.25, abs=1e-3)
    services = {one.ref.name: one for one in found.readings if isinstance(one, Service)}
    assert set(services) == {"shop-api", "search"}
    for service in services.values():
        assert service.traffic is not None
        assert service.traffic.requests_per_min == pytest.approx(REQUESTS / 5, rel=0.01)
    assert services["search"].snapshots == ("2026-11-19", "2026-11-20")
    assert (found.problems, found.notes) == ((), ())


@STORES
async def test_a_request_is_shown_as_the_tree_that_it_was(make: Make) -> None:
    on = make()
    found = await on.adapter.trace(_requests(await on.adapter.observe())[2].trace_id)
    root = found.spans[0]
    assert (root.name, root.parent_id, root.service) == ("POST /chat", "", "shop-api")
    kinds = [span.kind for span in found.spans]
    assert kinds[0] is SpanKind.REQUEST
    assert kinds[2:] == [SpanKind.RETRIEVAL, SpanKind.MODEL, SpanKind.MODEL, SpanKind.TOOL]
    failed, answered = found.spans[3:5]
    assert (failed.failed, failed.error) == (True, "429 rate limit reached")
    assert answered.content is not None
    assert "Rain." in str(answered.content)
    assert found.notes == ()


@STORES
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 12),
        ({"limit": 5}, 5),
        ({"failed": True}, 1),
        ({"good": True}, 11),
        ({"name": "POST /chat"}, 12),
        ({"name": 'POST "/nothing"'}, 0),
        ({"service": "shop-api"}, 12),
        ({"service": "search"}, 0),
        ({"conversation": "conv-2"}, 3),
        ({"min_duration_s": 60.0}, 0),
        ({"lanes": (LaneFilter(lane=LaneKind.TOKENS, value="gpt-4o", at_least=500.0),)}, 10),
        ({"lanes": (LaneFilter(lane=LaneKind.PATH, value="POST /chat"),)}, 0),
    ],
)
async def test_requests_are_found(make: Make, query: dict[str, Any], count: int) -> None:
    found = await make().adapter.requests(RequestQuery(source="traces", **query))
    assert len(found) == count
    assert [one.started_at for one in found] == sorted((one.started_at for one in found), reverse=True)


@STORES
async def test_pages_follow_each_other(make: Make) -> None:
    adapter, seen, before = make().adapter, list[str](), None
    while page := await adapter.requests(RequestQuery(source="traces", limit=5, before=before)):
        seen += [one.trace_id for one in page]
        before = page[-1].started_at
    assert len(seen) == len(set(seen)) == REQUESTS


@STORES
async def test_marks_come_from_the_looks_and_from_before_them(make: Make) -> None:
    on = make()
    asked = MarkQuery(source="traces", since=0.0, kinds=(MarkKind.RETRIEVAL,))
    unseen = await on.adapter.marks(replaced(asked, since=on.clock.now() - 600.0))
    asked_first = len(on.transport.asked)
    assert await on.adapter.marks(replaced(asked, since=on.clock.now() - 600.0)) == unseen
    assert len(on.transport.asked) == asked_first  # it is remembered
    await on.adapter.observe()
    seen = await on.adapter.marks(replaced(asked, since=on.clock.now() - 600.0))
    assert len(seen) == REQUESTS
    assert unseen == seen
    assert {mark.service for mark in seen} == {"search"}
    assert {mark.conversation for mark in seen} == {f"conv-{number}" for number in range(5)}


@STORES
async def test_marks_of_a_time_long_ago_are_read_without_all_that_came_since(make: Make) -> None:
    on = make()
    begin = min(one.start_ns for one in sent()) / 1e9
    await on.clock.advance(7_200.0)
    await on.adapter.observe()
    asked = MarkQuery(source="traces", since=begin - 1.0, until=begin + 60.0, kinds=(MarkKind.RETRIEVAL,))
    assert len(await on.adapter.marks(asked)) == REQUESTS
    count = len(on.transport.asked)
    assert len(await on.adapter.marks(asked)) == REQUESTS
    assert len(on.transport.asked) > count  # it lies apart from what is remembered


def replaced(query: MarkQuery, since: float) -> MarkQuery:
    return MarkQuery(source=query.source, since=since, kinds=query.kinds)


@NEWS
async def test_what_comes_between_two_looks_is_new_and_what_was_there_is_not_counted_twice(
    make: Make, store: type[Documented]
) -> None:
    held = store()
    newest = max(held.spans, key=lambda one: one.start_ns).trace_id
    late = [one for one in held.spans if one.trace_id == newest]
    held.spans = [one for one in held.spans if one.trace_id != newest]
    on = make(held)
    assert len(_requests(await on.adapter.observe())) == REQUESTS - 1
    held.spans += late
    await on.settle()
    second = _requests(await on.adapter.observe())
    assert len(second) == REQUESTS
    assert {one.spans for one in second} == {6}


@NEWS
async def test_a_root_that_comes_late_is_fetched(make: Make, store: type[Documented]) -> None:
    held = store()
    root = max((one for one in held.spans if not one.parent_id), key=lambda one: one.start_ns)
    held.spans.remove(root)
    on = make(held)
    first = {one.trace_id: one for one in _requests(await on.adapter.observe())}
    assert first[root.trace_id].status == ""
    held.spans.append(root)
    await on.clock.advance(1_200.0)
    second = {one.trace_id: one for one in _requests(await on.adapter.observe())}
    assert second[root.trace_id].status == "ok"


@STORES
@pytest.mark.parametrize("trace_id", ["", "00" * 16, "f" * 32, "no hexadecimal", "\x1b[2J" * 8])
async def test_a_request_that_is_not_there_is_said(make: Make, trace_id: str) -> None:
    with pytest.raises(BackendError) as caught:
        await make().adapter.trace(trace_id)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert "\x1b" not in str(caught.value)


@NEWS
async def test_an_empty_store_is_no_error(make: Make, store: type[Documented]) -> None:
    held = store()
    held.spans = []
    on = make(held)
    found = await on.adapter.observe()
    assert found.readings == ()
    assert all(row.ok is not False for row in await on.adapter.check())
    assert await on.adapter.requests(RequestQuery(source="traces")) == ()


async def test_jaeger_may_stream_its_answer_one_request_a_line() -> None:
    held = DocumentedJaeger()
    held.chunks = True
    assert len(_requests(await jaeger(held).adapter.observe())) == REQUESTS


async def test_jaeger_is_asked_by_the_names_that_old_and_new_versions_know() -> None:
    held = DocumentedJaeger()
    await jaeger(held).adapter.observe()
    asked = next(params for path, params in held.asked if path == "/api/v3/traces")
    for new, old in (
        ("serviceName", "service_name"),
        ("startTimeMin", "start_time_min"),
        ("searchDepth", "search_depth"),
    ):
        assert asked[f"query.{new}"] == asked[f"query.{old}"]


async def test_jaeger_looks_only_at_the_services_that_were_named() -> None:
    held = DocumentedJaeger()
    await jaeger(held, services=["search"]).adapter.observe()
    assert {params.get("query.serviceName") for _, params in held.asked} == {"search"}


async def test_one_answer_that_cannot_be_read_hides_no_other() -> None:
    class Half(DocumentedJaeger):
        def answer(self, path: str, asked: httpx.QueryParams) -> tuple[int, str]:
            if asked.get("query.serviceName") == "search":
                return 200, '{"result": {"resourceSpans": ['
            return super().answer(path, asked)

    on = jaeger(Half())
    found = await on.adapter.observe()
    assert len(_requests(found)) == REQUESTS
    assert [problem.kind for problem in found.problems] == [ErrorKind.MALFORMED]
    assert len(await on.adapter.requests(RequestQuery(source="traces", limit=3))) == 3
    assert len((await on.adapter.observe()).problems) == 2  # what a search could not read is said too


async def test_tempo_reads_only_so_many_requests_at_one_look_and_the_others_at_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempo_backend, "READS", 5)
    on = tempo()
    seen: list[int] = []
    for _ in range(4):
        seen.append(len(_requests(await on.adapter.observe())))
        await on.clock.advance(100.0)
    assert seen == [5, 10, 12, 12]


async def test_tempo_is_asked_for_what_it_can_find_itself() -> None:
    held = DocumentedTempo()
    query = RequestQuery(
        source="traces", failed=True, name='a "b"', service="shop-api", conversation="c-1", min_duration_s=0.5,
        lanes=(LaneFilter(lane=LaneKind.PATH, value="plan"),),
    )  # fmt: skip
    await tempo(held, aliases={"conversation": ["my chat"]}).adapter.requests(query)
    asked = held.asked[0][1]["q"]
    assert asked.startswith('{ status = error } && { rootName = "a \\"b\\"" } && { rootServiceName = "shop-api" } && ')
    assert "{ traceDuration >= 499999us }" in asked
    assert '."my chat" = "c-1" || .gen_ai.conversation.id = "c-1"' in asked
    assert asked.endswith('{ name = "plan" }')


async def test_tempo_reads_a_young_request_twice_and_then_no_more() -> None:
    held = DocumentedTempo()
    on = tempo(held)
    for looks, reads in ((1, REQUESTS), (2, REQUESTS), (10, 2 * REQUESTS), (12, 2 * REQUESTS)):
        while sum(path == "/api/search" for path, _ in held.asked) < looks:
            await on.adapter.observe()
            await on.clock.advance(5.0)
        assert sum(path.startswith("/api/v2/traces/") for path, _ in held.asked) == reads


async def test_tempo_s_tenant_is_said() -> None:
    held = DocumentedTempo()
    seen: list[httpx.Headers] = []
    before = held.handle_async_request

    async def noting(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return await before(request)

    held.handle_async_request = noting  # type: ignore[method-assign]
    await tempo(held, tenant="team-a").adapter.observe()
    assert {headers["x-scope-orgid"] for headers in seen} == {"team-a"}


async def test_langfuse_says_prompts_costs_and_what_has_no_service() -> None:
    class Nameless(DocumentedLangfuse):
        def observation(self, one: Any) -> dict[str, Any]:
            return super().observation(one) | {"metadata": None}

    on = langfuse(Nameless())
    found = await on.adapter.observe()
    (note,) = found.notes
    assert "not recorded by this backend" in note
    request = _requests(found)[0]
    assert request.service == ""
    assert request.usd == pytest.approx(0.002)
    trace = await on.adapter.trace(request.trace_id)
    model = next(span for span in trace.spans if span.kind is SpanKind.MODEL)
    assert (model.facts.prompt_name, model.facts.prompt_version) == ("greeting", "7")
    assert note in trace.notes


async def test_langfuse_ids_that_are_not_opentelemetry_s_are_said() -> None:
    class Older(DocumentedLangfuse):
        def observation(self, one: Any) -> dict[str, Any]:
            return super().observation(one) | {"id": "an-id-of-an-older-sdk"}

    found = await langfuse(Older()).adapter.observe()
    assert found.readings == ()
    assert any("72 observations have ids" in note for note in found.notes)


async def test_a_secret_key_goes_out_as_basic_and_never_into_words() -> None:
    held = DocumentedLangfuse()

    async def refusing(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Basic cGstbGYtMTpyZWNvcmRlZA=="
        return httpx.Response(401, json={"message": f"Invalid: {request.headers['authorization']}"})

    held.handle_async_request = refusing  # type: ignore[method-assign]
    with pytest.raises(BackendError) as caught:
        await langfuse(held).adapter.observe()
    assert caught.value.kind is ErrorKind.UNAUTHORISED
    assert "cGst" not in str(caught.value)


def test_what_the_stores_hold_is_what_the_sdk_sent() -> None:
    assert len(sent()) == 6 * REQUESTS
    assert len({one.trace_id for one in sent()}) == REQUESTS


CONTRACT = json.loads((Path(__file__).parent / "recordings" / "langfuse-4.35.0" / "contract.json").read_text())
"""What Langfuse's own packages promise; `record_langfuse` takes it from them."""


async def test_langfuse_is_asked_only_for_what_its_contract_takes() -> None:
    held = DocumentedLangfuse()
    adapter = langfuse(held).adapter
    await adapter.observe()
    for query in (
        RequestQuery(source="traces", failed=True, name="POST /chat", before=2e9),
        RequestQuery(source="traces", conversation="conv-1"),
        RequestQuery(source="traces", lanes=(LaneFilter(lane=LaneKind.PATH, value="plan"),)),
    ):
        await adapter.requests(query)
    await adapter.marks(MarkQuery(source="traces", since=0.0, until=1.9e9))
    await adapter.check()
    assert {path for path, _ in held.asked} == set(CONTRACT["asked"])
    for path, asked in held.asked:
        promised = CONTRACT["asked"][path]
        for name, value in asked.items():
            assert name in promised, name
            assert value in promised[name].get("enum", [value])
            assert promised[name]["kind"] != "boolean" or value in ("true", "false")
            assert promised[name]["kind"] != "number" or 1 <= int(value) <= 1_000


def test_langfuse_s_observations_have_the_fields_of_its_contract() -> None:
    promised = CONTRACT["told"]
    read = {one.encode_name for one in msgspec.structs.fields(Told)}
    assert read <= set(promised)
    for one in sent():
        told = DocumentedLangfuse().observation(one)
        assert set(told) == set(promised)
        assert all(told[name] is not None for name, always in promised.items() if always)
