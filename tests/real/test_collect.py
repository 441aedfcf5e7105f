"""The collector as a process of its own, fed by the real OpenTelemetry SDK: what it acknowledges, it has."""

import gzip
import json
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from adapters.otel import Aliases, read
from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from adapters.otlp.bodies import unpack
from adapters.otlp.sorting import entries, mark_rows, service_rows
from adapters.spans.row import COLUMNS, RequestRow
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.lanes import lane_values
from console.domain.ports import AdapterContext
from console.domain.readings import Request, Service
from console.domain.spans import LaneFilter, RequestQuery
from console.engine.clock import SystemClock
from tests.contract.instrumented import SPANS_A_REQUEST, one_request, telling
from tests.real.stack.collector import Collector
from tests.real.stack.processes import Nursery
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body, message

KILLS = 3
SENDERS = 3


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def collector(nursery: Nursery) -> Iterator[Collector]:
    collector = Collector(nursery)
    yield collector
    collector.child.stop()


@pytest.fixture(scope="module")
def strict(nursery: Nursery) -> Iterator[Collector]:
    """One for all that is refused anyway."""
    collector = Collector(nursery, "--max-body", "1MB")
    yield collector
    collector.child.stop()


class Remembering(OTLPSpanExporter):
    """The SDK's own exporter; it remembers which spans were acknowledged."""

    def __init__(self, url: str, **more: Any) -> None:
        super().__init__(url, **more)
        self.acknowledged: set[tuple[bytes, bytes]] = set()
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        if result is SpanExportResult.SUCCESS:
            contexts = [span.get_span_context() for span in spans]
            self.acknowledged |= {(c.trace_id.to_bytes(16, "big"), c.span_id.to_bytes(8, "big")) for c in contexts if c}
        else:
            self.failed += len(spans)
        return result


def _fresh(*numbers: int) -> bytes:
    """A body whose spans began now."""
    return body(*(Sent(n, trace=n, start_ms=_since_begin_ms()) for n in numbers))


def _since_begin_ms() -> float:
    return (time.time_ns() - BEGIN_NS) / 1e6


def _sound(collector: Collector) -> None:
    """Every count in the file is the one that its rows have."""
    with collector.opened() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        wrong = connection.execute(
            "SELECT count(*) FROM requests r WHERE r.spans <> (SELECT count(*) FROM spans s WHERE s.request = r.id)"
        ).fetchone()
        assert wrong == (0,)
        kept, counted = connection.execute("SELECT (SELECT count(*) FROM spans), spans FROM totals").fetchone()
        assert kept == counted
        assert _found_by(connection) == _made_anew(connection)


def _found_by(connection: sqlite3.Connection) -> tuple[set[Any], set[Any]]:
    """Everything by which requests are found."""
    lanes = set(connection.execute("SELECT request, lane, value, start_us, measure FROM lanes"))
    return lanes, set(
        connection.execute("SELECT kind, at_ns, request, span, service, conversation, version FROM marks")
    )


def _made_anew(connection: sqlite3.Connection) -> tuple[set[Any], set[Any]]:
    """The same, from the spans themselves."""
    lanes: set[Any] = set()
    marks: set[Any] = set()
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM requests").fetchall()
    for row in (RequestRow(*each) for each in rows):
        bodies = connection.execute("SELECT start_ns, body FROM spans WHERE request = ?", (row.id,))
        spans = [(start_ns, read(unpack(body)[0], Aliases.of())) for start_ns, body in bodies]
        found = entries([span for _, span in spans], set())
        lanes |= {(row.id, lane, value, row.start_us, measure) for (lane, value), measure in found.items()}
        for mark in (*mark_rows(row, spans), *service_rows(row, spans).values()):
            kind, at_ns, request, span, _, _, service, conversation, *_, version = mark
            marks.add((kind, at_ns, request, span, service, conversation, version))
    return lanes, marks


def _everything(collector: Collector) -> bytes:
    """Every byte that the collector has written, its log too."""
    return b"".join(each.read_bytes() for each in collector.file.parent.glob(f"{collector.name}*"))


@pytest.mark.parametrize("rules", [True, False], ids=["redacted", "as it came"])
def test_what_is_redacted_is_in_no_file_of_a_collector_that_is_killed(nursery: Nursery, *, rules: bool) -> None:
    secrets = ("sk-live0123456789abcdefgh", "jane@example.org", "ORD-778899")
    file = nursery.folder / "redact.yaml"
    file.write_text("rules: [{name: order, pattern: 'ORD-[0-9]+'}, {name: user, attributes: ['user.*']}]\n")
    collector = Collector(nursery, *(("--redact", str(file), "--redact-defaults") if rules else ()))
    exporter = Remembering(collector.url)
    with telling(exporter, "shop") as tracer:
        for secret in secrets:
            with suppress(RuntimeError), tracer.start_as_current_span(f"look {secret} up") as span:
                span.set_attributes({"input.value": f"of {secret}.", "user.name": "Mary Poppins", "session.id": secret})
                span.add_event(f"found {secret}", {"said": [secret]})
                raise RuntimeError(f"no {secret} here")
    text = MessageToJson(message(Sent(9, start_ms=_since_begin_ms(), attributes={"mail": f"to {secrets[1]}"})))
    assert collector.send(text.encode(), "application/json").status == 200
    before = _everything(collector)
    collector.child.kill()
    with collector.opened() as connection:
        bodies = connection.execute("SELECT body FROM spans").fetchall()
        told = " ".join(str(unpack(body)[0]) for (body,) in bodies)
        told += str(connection.execute("SELECT * FROM requests").fetchall())
    assert len(bodies) == len(secrets) + 1
    for secret in (*secrets, "Mary Poppins"):
        assert (secret in told) is not rules
    for secret in secrets:
        assert (secret.encode() in before + _everything(collector)) is not rules
    assert ("of ‹redacted: api-key›." in told) is rules
    assert ("no ‹redacted: order› here" in told) is rules


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
async def test_what_an_sdk_sends_is_on_the_board(collector: Collector, compression: Compression) -> None:
    ours, theirs = (Remembering(collector.url, compression=compression) for _ in range(2))
    with telling(ours, "shop-api") as shop, telling(theirs, "search") as search:
        for number in range(1, 101):
            one_request(shop, search, number)
    assert collector.spans() == ours.acknowledged | theirs.acknowledged
    options = OtlpOptions(file=str(collector.file))
    adapter = OtlpAdapter(AdapterContext("traces", SystemClock(), lambda reference: reference, 4.0, options))
    try:
        found = await adapter.observe()
        requests = [reading for reading in found.readings if isinstance(reading, Request)]
        services = {reading.ref.name: reading for reading in found.readings if isinstance(reading, Service)}
        assert len(requests) == 100
        assert all(one.spans == SPANS_A_REQUEST and one.service == "shop-api" for one in requests)
        assert sum(one.failed for one in requests) == 100 // 7
        assert set(services) == {"shop-api", "search"}
        assert found.problems == ()
        whole = await adapter.trace(requests[0].trace_id)
        assert len(whole.spans) == SPANS_A_REQUEST
        for one in (value for span in whole.spans for value in lane_values(span)):
            asked = RequestQuery(source="traces", lanes=(LaneFilter(lane=one.lane, value=one.value),), limit=200)
            assert requests[0].trace_id in {found.trace_id for found in await adapter.requests(asked)}
        reads = await adapter.marks(MarkQuery(source="traces", since=0.0, kinds=(MarkKind.RETRIEVAL,)))
        assert len(reads) == 100
        assert {(mark.service, mark.version) for mark in reads} == {("search", "2026-11-19"), ("search", "2026-11-20")}
        assert all(mark.conversation.startswith("conv-") for mark in reads)
        collector.child.kill()
        assert [problem.way_out for problem in (await adapter.observe()).problems]
    finally:
        await adapter.close()


def test_killed_under_load_it_has_every_span_that_it_acknowledged(nursery: Nursery) -> None:
    collector = Collector(nursery)
    stop = threading.Event()
    exporters = [Remembering(collector.url) for _ in range(2 * SENDERS)]
    with ExitStack() as stack:
        tracers = [stack.enter_context(telling(exporter, f"s{n}")) for n, exporter in enumerate(exporters)]
        pairs = list(zip(tracers[::2], tracers[1::2], strict=True))
        threads = [threading.Thread(target=_load, args=(*pair, stop)) for pair in pairs]
        for thread in threads:
            thread.start()
        dice = random.Random(7)
        counts = []
        for _ in range(KILLS):
            _more(exporters, 500)
            time.sleep(dice.uniform(0.0, 1.0))
            collector.child.kill()
            counts.append(_acknowledged(exporters))
            collector.start()
        stop.set()
        for thread in threads:
            thread.join()
    acknowledged = set[tuple[bytes, bytes]]().union(*(one.acknowledged for one in exporters))
    assert counts == sorted(counts)
    assert counts[0] > 500  # there was load when it was killed first, and again later
    assert len(acknowledged) > counts[-1]
    assert acknowledged - collector.spans() == set()
    _sound(collector)
    collector.child.stop()


def _acknowledged(exporters: Sequence[Remembering]) -> int:
    return sum(len(one.acknowledged) for one in exporters)


def _more(exporters: Sequence[Remembering], spans: int) -> None:
    """Wait until so many more have been acknowledged: there is load, however slow the machine."""
    wanted, until = _acknowledged(exporters) + spans, time.monotonic() + 60.0
    while _acknowledged(exporters) <= wanted and time.monotonic() < until:
        time.sleep(0.05)


def _load(shop: Any, search: Any, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        one_request(shop, search, number)
        if number % 50 == 0:
            time.sleep(0.02)


def test_told_to_end_it_writes_what_waits_and_folds_its_file(nursery: Nursery) -> None:
    collector = Collector(nursery)
    acknowledged: list[int] = []

    def send(first: int) -> None:
        for number in range(first, first + 10_000):
            try:
                if collector.send(_fresh(number)).status == 200:
                    acknowledged.append(number)
            except OSError:
                return

    threads = [threading.Thread(target=send, args=(first,)) for first in (1, 100_001, 200_001)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 100:
        time.sleep(0.01)
    assert collector.end() == 0
    for thread in threads:
        thread.join()
    assert not collector.file.with_name(f"{collector.file.name}-wal").exists()
    there = {int.from_bytes(span, "big") for _, span in collector.spans()}
    assert set(acknowledged) - there == set()
    _sound(collector)


def test_json_is_taken_and_answered_in_json(collector: Collector) -> None:
    text = MessageToJson(message(Sent(1, start_ms=_since_begin_ms()), Sent(2, 1, start_ms=_since_begin_ms())))
    answer = collector.send(text.encode(), "application/json")
    assert (answer.status, json.loads(answer.body)) == (200, {})
    packed = collector.send(gzip.compress(text.encode()), "application/json; charset=utf-8", Content_Encoding="gzip")
    assert packed.status == 200
    assert len(collector.spans()) == 2


def test_spans_that_cannot_be_kept_are_counted_in_the_answer(collector: Collector) -> None:
    document = json.loads(MessageToJson(message(Sent(1), Sent(2))))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = "00" * 16
    answer = collector.send(json.dumps(document).encode(), "application/json")
    assert answer.status == 200
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"
    assert len(collector.spans()) == 1


@pytest.mark.parametrize(
    ("sent", "content_type", "headers", "status"),
    [
        (b"\xff\xff\xff", "application/x-protobuf", {}, 400),
        (b"no gzip", "application/x-protobuf", {"Content_Encoding": "gzip"}, 400),
        (b"{", "application/json", {}, 400),
        (b'{"resourceSpans": 7}', "application/json", {}, 400),
        (b"x", "text/plain", {}, 415),
        (b"x", "application/x-protobuf", {"Content_Encoding": "br"}, 415),
        (b"x" * 1_100_000, "application/x-protobuf", {}, 413),
        (gzip.compress(b"\0" * 30_000_000), "application/x-protobuf", {"Content_Encoding": "gzip"}, 413),
    ],
    ids=("protobuf", "no gzip", "json", "no otlp", "text", "brotli", "long", "bomb"),
)
def test_what_it_cannot_take_is_refused_in_the_form_of_the_question(
    strict: Collector, sent: bytes, content_type: str, headers: dict[str, str], status: int
) -> None:
    answer = strict.send(sent, content_type, **headers)
    assert answer.status == status
    if "json" in answer.headers["Content-Type"]:
        assert json.loads(answer.body)["message"]
    else:
        assert answer.headers["Content-Type"] == "application/x-protobuf"
        assert answer.body.startswith(b"\x08\x03\x12")  # google.rpc.Status: code 3, message
    assert strict.send(_fresh(1)).status == 200
    assert len(strict.spans()) == 1


def test_senders_that_break_off_or_send_rubbish_do_no_harm(nursery: Nursery) -> None:
    collector = Collector(nursery, "--queue", "64KB")
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    for rubbish in (
        head + b"Content-Length: 60000\r\n\r\nhalf",
        head + b"Transfer-Encoding: chunked\r\n\r\nffff\r\nhalf",
        head + b"Transfer-Encoding: chunked\r\n\r\nno number\r\n",
        head + b"Authorization: Bearer \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01 TLS, by mistake",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"x" * 100_000,
    ):
        for _ in range(3):  # what is held for one that broke off is given back, or the queue would be full
            with socket.create_connection(("127.0.0.1", collector.port)) as rude:
                rude.sendall(rubbish)
    sent = _fresh(*range(1, 600))
    assert len(sent) > 30_000
    deadline = time.monotonic() + 20
    while collector.send(sent).status != 200:
        assert time.monotonic() < deadline
    assert len(collector.spans()) == 599
    assert "Traceback" not in collector.child.log_tail(10_000)
    collector.child.stop()


def test_an_sdk_does_not_send_a_corrupt_body_again(collector: Collector) -> None:
    exporter = OTLPSpanExporter(collector.url)
    answer = exporter._client.export(b"\xff\xff\xff")
    assert not answer.success
    assert answer.status_code == 400


def test_full_it_asks_for_patience_and_an_sdk_has_it(nursery: Nursery) -> None:
    collector = Collector(nursery, "--queue", "64KB")
    assert collector.send(_fresh(1)).status == 200
    sent = _fresh(*range(10, 200))
    with collector.opened() as holder:
        holder.execute("BEGIN IMMEDIATE")  # the disk is slow for a while
        answers: list[int] = []
        waiting = [threading.Thread(target=lambda: answers.append(collector.send(sent).status)) for _ in range(12)]
        for thread in waiting:
            thread.start()
        fit = 65_536 // len(sent)
        while len(answers) < 12 - fit:
            time.sleep(0.01)
        assert set(answers) == {503}
        refused = collector.send(sent)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert refused.body.startswith(b"\x08\x08\x12")  # google.rpc.Status: code 8, resource exhausted
        exporter = Remembering(collector.url)
        patient = threading.Thread(target=_one_traced, args=(exporter,))
        patient.start()
        holder.execute("ROLLBACK")
    for thread in (*waiting, patient):
        thread.join()
    assert 0 < fit < 12
    assert (answers.count(200), answers.count(503)) == (fit, 12 - fit)
    assert exporter.failed == 0
    assert collector.spans() >= exporter.acknowledged
    assert len(exporter.acknowledged) == 1
    collector.child.stop()


def _one_traced(exporter: OTLPSpanExporter) -> None:
    with telling(exporter, "patient") as tracer, tracer.start_as_current_span("one"):
        pass


def test_a_token_keeps_others_out(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = nursery.folder / "token"
    secret.write_text("open-sesame\n")
    secret.chmod(0o600)
    collector = Collector(nursery, "--token", f"file:{secret}")
    assert collector.send(_fresh(1)).status == 401
    for wrong in ("Bearer wrong", "Bearer", "Bearer \xff", "open-sesame", "Basic open-sesame"):
        assert collector.send(_fresh(1), Authorization=wrong).status == 401
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20open-sesame")
    exporter = Remembering(collector.url)
    _one_traced(exporter)
    assert collector.spans() == exporter.acknowledged
    assert "open-sesame" not in collector.child.log_tail(1000)
    collector.child.stop()


def test_a_second_collector_and_a_taken_port_are_said(nursery: Nursery, collector: Collector) -> None:
    def said(*changes: str) -> tuple[int, str]:
        done = subprocess.run([*collector.command(), *changes], capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stderr

    code, words = said("--listen", "127.0.0.1:0")
    assert code == 78
    assert "another collector writes to" in words
    code, words = said("--file", str(nursery.folder / "other.sqlite"))
    assert code == 1
    assert "address already in use" in words
    code, words = said("--listen", "0.0.0.0:0")
    assert code == 78
    assert "bearer token" in words


def test_a_small_store_stays_small_under_load(nursery: Nursery) -> None:
    collector = Collector(nursery, "--max-size", "2MB")
    for first in range(1, 30_001, 500):
        assert collector.send(_fresh(*range(first, first + 500))).status == 200
    deadline = time.monotonic() + 30
    while (used := _used(collector)) > 2 * 2**20 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert used <= 2 * 2**20
    left = {int.from_bytes(span, "big") for _, span in collector.spans()}
    assert max(left) == 30_000
    assert 1_000 < len(left) < 29_000
    _sound(collector)
    collector.child.stop()


def _used(collector: Collector) -> int:
    with collector.opened() as connection:
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return int((pages - free) * size)


def test_a_signal_before_anything_came_ends_it_in_order(collector: Collector) -> None:
    collector.child.signal(signal.SIGINT)
    assert collector.child.process.wait(20) == 0
