"""Trace stores that misbehave, over a real connection: a look ends in time, and says what is wrong and where."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from adapters.jaeger import SPEC as JAEGER
from adapters.jaeger import JaegerOptions
from adapters.langfuse import SPEC as LANGFUSE
from adapters.langfuse import LangfuseOptions
from adapters.phoenix import SPEC as PHOENIX
from adapters.phoenix import PhoenixOptions
from adapters.spans.adapter import TraceStoreAdapter
from adapters.tempo import SPEC as TEMPO
from adapters.tempo import TempoOptions
from console.domain.conversations import MarkQuery
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext, AdapterSpec
from console.domain.spans import RequestQuery
from console.engine.clock import SystemClock
from tests.unit.adapters.misbehaving import Misbehaving, misbehaving

Make = Callable[[str, float], TraceStoreAdapter]


def _made(spec: AdapterSpec, options: Any, timeout_s: float) -> TraceStoreAdapter:
    made = spec.create(AdapterContext("traces", SystemClock(), lambda reference: "sk-x", timeout_s, options))
    assert isinstance(made, TraceStoreAdapter)
    return made


def phoenix(url: str, timeout_s: float) -> TraceStoreAdapter:
    return _made(PHOENIX, PhoenixOptions(url=url, key="env:KEY"), timeout_s)


def langfuse(url: str, timeout_s: float) -> TraceStoreAdapter:
    return _made(LANGFUSE, LangfuseOptions(url=url, public_key="pk", secret_key="env:KEY"), timeout_s)


def jaeger(url: str, timeout_s: float) -> TraceStoreAdapter:
    return _made(JAEGER, JaegerOptions(url=url, token="env:KEY", services=["shop"]), timeout_s)


def tempo(url: str, timeout_s: float) -> TraceStoreAdapter:
    return _made(TEMPO, TempoOptions(url=url, token="env:KEY"), timeout_s)


STORES = pytest.mark.parametrize("make", [phoenix, langfuse, jaeger, tempo], ids=lambda make: make.__name__)
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
async def bad() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as server:
        yield server


async def _failures(adapter: TraceStoreAdapter) -> list[Failure]:
    """What a look, a list, a request and marks fail with; a check never raises."""
    questions: list[Callable[[], Any]] = [
        adapter.observe,
        lambda: adapter.requests(RequestQuery(source="traces")),
        lambda: adapter.trace(TRACE),
        lambda: adapter.marks(MarkQuery(source="traces", since=1.7e9)),
    ]
    found: list[Failure] = []
    for question in questions:
        with pytest.raises(BackendError) as caught:
            await question()
        found.append(caught.value.failure)
    rows = await adapter.check()
    assert any(row.ok is False for row in rows)
    assert all(row.words.isprintable() for row in rows)
    await adapter.close()
    return found


@STORES
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("hang", ErrorKind.TIMEOUT), ("trickle", ErrorKind.TIMEOUT), ("drop", ErrorKind.UNREACHABLE)],
)
async def test_it_hangs_or_drops(bad: Misbehaving, make: Make, mode: str, kind: ErrorKind) -> None:
    bad.mode = mode
    failures = await _failures(make(bad.url, 0.2))
    assert {failure.kind for failure in failures} == {kind}
    assert all(bad.url in failure.where for failure in failures)


@STORES
@pytest.mark.parametrize("mode", ["cut", "huge"])
async def test_its_answers_are_cut_or_endless(bad: Misbehaving, make: Make, mode: str) -> None:
    bad.mode = mode
    adapter = make(bad.url, 20.0)
    with pytest.raises(BackendError) as caught:
        await adapter.trace(TRACE)
    await adapter.close()
    assert caught.value.kind is ErrorKind.MALFORMED


@STORES
@pytest.mark.parametrize(
    ("status", "body", "content_type", "kind"),
    [
        (200, b"<html>\x1b]0;owned\x07<b>login</b></html>", "text/html", ErrorKind.MALFORMED),
        (200, b'{"data": [{"id": "a", "resul', "application/json", ErrorKind.MALFORMED),
        (200, b"[[[1]]]", "application/json", ErrorKind.MALFORMED),
        (200, b'"[bold]"', "application/json", ErrorKind.MALFORMED),
        (200, b"[" * 10_000_000, "application/json", ErrorKind.MALFORMED),
        (401, b'{"error": {"message": "sk-x is wrong"}}', "application/json", ErrorKind.UNAUTHORISED),
        (401, b"Invalid token sk-x", "text/plain", ErrorKind.UNAUTHORISED),
        (403, b"sk-x may not\x1b[2J", "text/plain", ErrorKind.FORBIDDEN),
        (429, b"{}", "application/json", ErrorKind.THROTTLED),
        (500, b"\x00" * 100, "text/plain", ErrorKind.FAILED),
    ],
)
async def test_its_answers_are_not_what_was_asked_for(
    bad: Misbehaving, make: Make, status: int, body: bytes, content_type: str, kind: ErrorKind
) -> None:
    bad.status, bad.body, bad.content_type = status, body, content_type
    failures = await _failures(make(bad.url, 10.0))
    assert {failure.kind for failure in failures} == {kind}
    for failure in failures:
        assert str(failure).isprintable()
        assert "sk-x" not in str(failure)


@STORES
@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [{"id": 5}], "traces": [{"traceID": []}], "result": {"resourceSpans": 7}, "trace": "x"}',
        b'{"data": [{"id": "a", "context": {"trace_id": null, "span_id": 1}, "metadata": [], "startTime": {}}], '
        b'"traces": [{"traceID": {}}], "result": {"resourceSpans": [3]}, "trace": {"resourceSpans": {}}}',
    ],
)
async def test_its_json_has_other_types_inside(bad: Misbehaving, make: Make, body: bytes) -> None:
    bad.body = body
    adapter = make(bad.url, 5.0)
    with pytest.raises(BackendError) as caught:
        await adapter.trace(TRACE)
    await adapter.close()
    assert caught.value.kind is ErrorKind.MALFORMED


@STORES
async def test_a_span_full_of_nonsense_is_left_out_and_the_rest_is_shown(bad: Misbehaving, make: Make) -> None:
    """Each store's own form of two spans, of which one has ids, times and attributes that are none."""
    bad.body = (
        b'{"data": ['
        # Phoenix
        b'{"id": "U3Bhbjox", "context": {"trace_id": "%(t)s", "span_id": "00f067aa0ba902b7"}, "name": "good", '
        b'"start_time": "2026-11-20T10:00:00Z", "end_time": "2026-11-20T10:00:01Z", "attributes": {"a": "\\u001b[2J"},'
        # Langfuse
        b'"traceId": "%(t)s", "startTime": "2026-11-20T10:00:00Z", "type": "SPAN"},'
        b'{"id": "U3Bhbjoy", "context": {"trace_id": "zz", "span_id": ""}, "name": "bad", "start_time": "yesterday", '
        b'"traceId": "zz", "startTime": "yesterday", "attributes": {"b": [[[[[[[[[[[[1]]]]]]]]]]]]}}],'
        # Jaeger and Tempo
        b'"result": %(o)s, "trace": %(o)s}'
    ) % {
        b"t": TRACE.encode(),
        b"o": b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "%s", "spanId": "00f067aa0ba902b7", '
        b'"name": "good", "startTimeUnixNano": "1795168800000000000", "endTimeUnixNano": "1795168801000000000"}, '
        b'{"traceId": "zz", "spanId": "", "name": "bad", "startTimeUnixNano": "yesterday"}]}]}]}' % TRACE.encode(),
    }
    if make is langfuse:  # its ids are OpenTelemetry's own
        bad.body = bad.body.replace(b"U3Bhbjox", b"00f067aa0ba902b7")
    adapter = make(bad.url, 5.0)
    found = await adapter.trace(TRACE)
    await adapter.close()
    assert [span.name for span in found.spans] == ["good"]
