"""Between the network and the disk: everyone is answered truly, and trouble with the file passes."""

import asyncio
import gzip
import json
import random
import sqlite3
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from adapters.otel import Aliases, Limits, MalformedOtlp, Normalised, TooLarge
from adapters.otlp import intake as intake_module
from adapters.otlp import keeping, listing, schema
from adapters.otlp.bodies import pack
from adapters.otlp.collect import settings_of
from adapters.otlp.http_forms import (
    Body,
    Form,
    Packing,
    accepted,
    form_of,
    normalise,
    packing_of,
    refused,
)
from adapters.otlp.intake import Bounds, Intake, Unavailable
from adapters.otlp.retention import Retention
from console.domain.errors import ConfigError
from console.domain.spans import LaneFilter, LaneKind, RequestQuery, SpanKind
from tests.unit.adapters.first_shape import chat, first_shape
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body, message

FOREVER = Retention(1e9, 2**40)
NOW = BEGIN_NS / 1e9 + 1


def sent(*numbers: int) -> Body:
    return Body(Form.PROTOBUF, Packing.NONE, body(*(Sent(number, trace=number) for number in numbers)))


@asynccontextmanager
async def collecting(path: Path, now: Callable[[], float] = lambda: NOW, **more: Any) -> AsyncIterator[Intake]:
    intake = Intake(path, FOREVER, now, **more)
    intake.start()
    try:
        yield intake
    finally:
        intake.close()
        await asyncio.to_thread(intake.join)


def kept(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])
    finally:
        connection.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def test_an_answer_means_that_it_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    async with collecting(path) as intake:
        found = await intake.keep(sent(1, 2))
        assert kept(path) == 2
    assert isinstance(found, Normalised)
    assert not path.with_name("s.sqlite-wal").exists()  # folded into the file at the end


async def test_a_bad_body_among_good_ones_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    broken = Body(Form.PROTOBUF, Packing.NONE, b"\xff\xff\xff")
    async with collecting(path) as intake:
        answers = await asyncio.gather(
            intake.keep(sent(1)), intake.keep(broken), intake.keep(sent(2)), return_exceptions=True
        )
    assert [type(one) for one in answers] == [Normalised, MalformedOtlp, Normalised]
    assert kept(path) == 2


async def test_what_waits_at_the_end_is_written_and_what_comes_later_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    async with collecting(path) as intake:
        waiting = [asyncio.create_task(intake.keep(sent(number))) for number in range(1, 30)]
        await asyncio.sleep(0)
        intake.close()
        with pytest.raises(Unavailable, match="ending"):
            await intake.keep(sent(99))
        await asyncio.gather(*waiting)
    assert kept(path) == 29


async def test_a_file_that_another_holds_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_S", 0.01)
    path = tmp_path / "s.sqlite"
    async with collecting(path) as intake:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="locked"):
            await intake.keep(sent(1))
        holder.execute("ROLLBACK")
        holder.close()
        await intake.keep(sent(1))
    assert kept(path) == 1


async def test_a_file_of_the_first_shape_is_brought_forward_while_it_collects(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    first_shape(path, chat(7))
    async with collecting(path) as intake:
        await intake.keep(sent(1))

        async def forward() -> bool:
            with closing(sqlite3.connect(path)) as connection:
                return bool(connection.execute("SELECT unsorted = 0 FROM totals").fetchone()[0])

        await until(forward)
        with closing(sqlite3.connect(path)) as connection:
            query = RequestQuery(source="s", lanes=(LaneFilter(lane=LaneKind.PROMPTS, value="answer@3"),))
            assert [int.from_bytes(row.trace, "big") for row in listing.requests(connection, query)] == [7]


async def test_a_file_that_was_taken_away_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, times = tmp_path / "s.sqlite", iter(range(10**6))
    monkeypatch.setattr(intake_module, "UPKEEP_EVERY_S", 0.01)
    async with collecting(path, lambda: NOW + next(times)) as intake:
        await intake.keep(sent(1))
        for each in tmp_path.iterdir():
            each.unlink()

        async def there() -> bool:
            await intake.keep(sent(2))
            return path.exists()

        await until(there)
    assert kept(path) == 1


async def test_a_fault_of_ours_is_said_and_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.sqlite"
    async with collecting(path) as intake:
        with monkeypatch.context() as patch:
            patch.setattr(intake_module, "by_trace", lambda arrivals: 1 / 0)
            with pytest.raises(MalformedOtlp, match="its log has the details"):
                await intake.keep(sent(1))
        await intake.keep(sent(1))
    assert kept(path) == 1


async def test_a_body_that_no_file_can_keep_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.sqlite"
    monkeypatch.setattr(keeping, "pack", lambda span: pack(span) if span.name != "poison" else 1 / 0)
    poison = Body(Form.PROTOBUF, Packing.NONE, body(Sent(9, name="poison")))
    async with collecting(path) as intake:
        answers = await asyncio.gather(
            intake.keep(sent(1)), intake.keep(poison), intake.keep(sent(2)), return_exceptions=True
        )
    assert [type(one) for one in answers] == [Normalised, MalformedOtlp, Normalised]
    assert kept(path) == 2


async def test_a_full_disk_asks_for_patience_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    async with collecting(path) as intake:
        await intake.keep(sent(1))
        assert intake._keeper is not None
        disk = intake._keeper.connection
        disk.execute("PRAGMA max_page_count = 1")  # SQLite makes it as many as the file has
        large = Body(Form.PROTOBUF, Packing.NONE, body(Sent(2, attributes={"a": random.Random(1).randbytes(60_000)})))
        with pytest.raises(Unavailable, match="full"):
            await intake.keep(large)
        disk.execute("PRAGMA max_page_count = 100000")
        await intake.keep(large)
    assert kept(path) == 2


async def test_many_spans_are_written_in_several_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.sqlite"
    monkeypatch.setattr(intake_module, "SPANS_AT_ONCE", 10)
    async with collecting(path) as intake:
        await asyncio.gather(*(intake.keep(sent(*range(first, first + 7))) for first in range(1, 70, 7)))
    assert kept(path) == 70


async def test_the_queue_is_bounded_by_bytes(tmp_path: Path) -> None:
    async with collecting(tmp_path / "s.sqlite", bounds=Bounds(queue=100)) as intake:
        assert intake.reserve(60)
        assert not intake.reserve(41)
        assert intake.reserve(40)
        intake.release(60)
        assert intake.reserve(60)


PLAIN = body(*(Sent(number) for number in range(1, 50)))


@pytest.mark.parametrize(
    ("packing", "data"),
    [
        (Packing.NONE, PLAIN),
        (Packing.GZIP, gzip.compress(PLAIN)),
        (Packing.DEFLATE, zlib.compress(PLAIN)),
    ],
    ids=["plain", "gzip", "deflate"],
)
def test_bodies_are_unpacked(packing: Packing, data: bytes) -> None:
    found = normalise(Body(Form.PROTOBUF, packing, data), Aliases.of(), Limits(), 10**6)
    assert len(found.arrivals) == 49


@pytest.mark.parametrize(
    "data",
    [b"no gzip", gzip.compress(PLAIN)[:-9], b"", gzip.compress(PLAIN)[:30]],
    ids=["foreign", "without its end", "empty", "cut"],
)
def test_what_is_no_gzip_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedOtlp, match="gzip"):
        normalise(Body(Form.PROTOBUF, Packing.GZIP, data), Aliases.of(), Limits(), 10**6)


@pytest.mark.parametrize("form", Form)
def test_a_body_of_too_many_spans_is_too_large(form: Form) -> None:
    request = message(*(Sent(number) for number in range(1, 12)))
    data = request.SerializeToString() if form is Form.PROTOBUF else MessageToJson(request).encode()
    assert len(normalise(Body(form, Packing.NONE, data), Aliases.of(), Limits(spans=11), 10**6).arrivals) == 11
    with pytest.raises(TooLarge):
        normalise(Body(form, Packing.NONE, data), Aliases.of(), Limits(spans=10), 10**6)


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 50_000
    with pytest.raises(TooLarge):
        normalise(Body(Form.PROTOBUF, Packing.GZIP, bomb), Aliases.of(), Limits(), 10**6)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"resourceSpans": 1}', b'{"a": 1}', b'"\\ud800"', b"null"]
)
def test_what_is_no_otlp_json_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedOtlp):
        normalise(Body(Form.JSON, Packing.NONE, data), Aliases.of(), Limits(), 10**6)


def test_json_is_read() -> None:
    data = MessageToJson(message(Sent(1), Sent(2, 1))).encode()
    assert len(normalise(Body(Form.JSON, Packing.NONE, data), Aliases.of(), Limits(), 10**6).arrivals) == 2


def test_content_types_are_read_as_http_writes_them() -> None:
    assert form_of("application/JSON; charset=utf-8") is Form.JSON
    assert form_of("application/x-protobuf") is Form.PROTOBUF
    assert form_of("text/plain") is None
    assert form_of("") is None
    assert packing_of("") is Packing.NONE
    assert packing_of("GZIP") is Packing.GZIP
    assert packing_of("br") is None


@pytest.mark.parametrize("rejected", [0, 1, 127, 128, 100_000])
def test_the_answer_is_the_one_of_the_protocol(rejected: int) -> None:
    read = ExportTraceServiceResponse.FromString(accepted(Form.PROTOBUF, rejected, "ü" * 100 if rejected else ""))
    assert read.partial_success.rejected_spans == rejected
    assert read.partial_success.error_message == ("ü" * 100 if rejected else "")
    told = json.loads(accepted(Form.JSON, rejected, "why"))
    assert int(told.get("partialSuccess", {}).get("rejectedSpans", 0)) == rejected


def test_a_refusal_is_a_status_of_the_protocol() -> None:
    assert refused(Form.PROTOBUF, 3, "no") == b"\x08\x03\x12\x02no"
    assert json.loads(refused(Form.JSON, 3, "no")) == {"code": 3, "message": "no"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "0.0.0.0:4318"], "bearer token"),
        (["--listen", "otel.example:4318"], "bearer token"),
        (["--listen", "[::]:4318"], "bearer token"),
        (["--listen", "4318"], "HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "HOST:PORT"),
        (["--token", "s3cret"], "a secret is not written here"),
        (["--keep", "soon"], "soon"),
        (["--max-size", "much"], "64MB"),
        (["--max-size", "0"], "64MB"),
        (["--alias", "conversation"], "FIELD=ATTRIBUTE"),
        (["--alias", "colour=x"], "no span has colour"),
    ],
)
def test_a_command_line_that_cannot_be_is_refused(arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(arguments)
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_command_line_is_read() -> None:
    found = settings_of(
        ["--listen", "[::1]:0", "--keep", "12h", "--max-size", "1GB", "--max-body", "2MB", "--alias", "route=x"]
    )
    assert (found.host, found.port, found.token) == ("::1", 0, "")
    assert found.retention == Retention(43_200.0, 2**30)
    assert (found.bounds.body, found.bounds.unpacked, found.bounds.queue) == (2**21, 2**23, 2**26)
    assert found.aliases.facts({"x": "r", "app.route": "other"}, 0.0, SpanKind.OTHER).route == "r"
    assert settings_of(["--listen", "0.0.0.0:4318", "--token", "env:TOKEN"]).token == "env:TOKEN"
