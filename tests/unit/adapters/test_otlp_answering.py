"""A minute of answers from the embedded store: everything, or a part that is drawn by chance and said."""

from pathlib import Path

import pytest

from adapters.otel import Aliases, Limits, from_protobuf
from adapters.otlp import OtlpOptions, answering
from adapters.otlp.adapter import OtlpAdapter
from adapters.otlp.answering import minute
from adapters.otlp.keeping import Keeper
from adapters.otlp.schema import connect
from adapters.spans.row import by_trace
from console.domain.answers import AnswersQuery
from console.domain.ports import AdapterContext
from console.engine.clock import ManualClock
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body

ALIASES = Aliases.of()
BEGIN = BEGIN_NS / 1e9
AT = (BEGIN // 60 + 1) * 60
"""The end of the minute in which everything begins that is sent at 0 ms."""
CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 10}


def kept(path: Path, *spans: Sent) -> Keeper:
    keeper = Keeper(connect(path))
    keeper.write(by_trace(from_protobuf(body(*spans), ALIASES, Limits()).arrivals), BEGIN_NS + 10**9)
    return keeper


def request(number: int, calls: int = 2, *, start_ms: float = 0.0, ms: float = 100.0) -> list[Sent]:
    """A request and its model calls, one after the other."""
    base = 10_000 * number
    each = ms / calls
    inner = [
        Sent(base + n + 1, base, number, "chat", start_ms=start_ms + n * each, ms=each, attributes=CALL)
        for n in range(calls)
    ]
    return [*inner, Sent(base, 0, number, "POST /chat", kind=2, start_ms=start_ms, ms=ms)]


def test_all_of_a_minute_is_counted_where_it_can_be_read(tmp_path: Path) -> None:
    keeper = kept(tmp_path / "s", *(span for number in range(1, 6) for span in request(number)))
    found = minute(keeper.connection, AT, ALIASES)
    assert found.part == 1.0
    assert [(row.calls, row.requests, row.tokens_in, row.part) for row in found.rows] == [(10, 5, 100, 1.0)]
    assert minute(keeper.connection, AT + 60.0, ALIASES).rows == ()
    keeper.connection.close()


def test_where_more_came_than_is_read_whole_requests_are_drawn_and_no_count_is_scaled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "SPANS_MOST", 60)
    keeper = kept(tmp_path / "s", *(span for number in range(1, 101) for span in request(number)))
    found = minute(keeper.connection, AT, ALIASES)
    (row,) = found.rows
    assert found.part == row.part == 0.2
    assert (row.requests, row.calls, row.calls_most) == (20, 40, 2)
    assert minute(keeper.connection, AT, ALIASES) == found
    keeper.connection.close()


def test_a_request_counts_in_each_minute_that_it_goes_on_in(tmp_path: Path) -> None:
    keeper = kept(tmp_path / "s", *request(1, calls=30, ms=30 * 10_000.0))  # a call every ten seconds
    running = [span for span in request(2, calls=30, ms=30 * 10_000.0) if span.parent]
    keeper.write(by_trace(from_protobuf(body(*running), ALIASES, Limits()).arrivals), BEGIN_NS + 400 * 10**9)
    counts = [sum(row.calls for row in minute(keeper.connection, AT + 60.0 * n, ALIASES).rows) for n in range(6)]
    assert sum(counts) == 60
    assert counts[1:5] == [12, 12, 12, 12]
    keeper.connection.close()


def test_of_a_very_long_request_what_is_of_the_minute_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "SPANS_OF_ONE", 20)
    keeper = kept(tmp_path / "s", *request(1, calls=60, ms=600_000.0))
    counts = [sum(row.calls for row in minute(keeper.connection, AT + 60.0 * n, ALIASES).rows) for n in range(1, 10)]
    assert counts == [6] * 9
    keeper.connection.close()


def test_a_body_that_is_broken_in_the_file_hides_no_other(tmp_path: Path) -> None:
    keeper = kept(tmp_path / "s", *request(1, calls=3))
    keeper.connection.execute("UPDATE spans SET body = x'00' WHERE span = ?", ((10_001).to_bytes(8, "big"),))
    assert [row.calls for row in minute(keeper.connection, AT, ALIASES).rows] == [2]
    keeper.connection.close()


async def test_the_source_says_that_it_counts_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "SPANS_MOST", 60)
    keeper = kept(tmp_path / "s", *(span for number in range(1, 101) for span in request(number)))
    clock = ManualClock(AT + 20.0)
    adapter = OtlpAdapter(
        AdapterContext("traces", clock, lambda name: name, 4.0, OtlpOptions(file=str(tmp_path / "s")))
    )
    said = "more comes than is read: answers are counted in 20 % of the requests, by chance"
    try:
        assert said not in (await adapter.observe()).notes
        rows = await adapter.answers(AnswersQuery(source="traces", since=AT - 120.0, until=AT))
        assert [row.at for row in rows] == [AT]
        assert said in (await adapter.observe()).notes
    finally:
        await adapter.close()
        keeper.connection.close()
