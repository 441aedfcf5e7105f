"""What looks at a store brought lately, counted: whole minutes only, never twice, and bounded."""

from dataclasses import replace

import pytest

from adapters.otel import Arrival
from adapters.spans.answering import lately
from adapters.spans.answering.lately import KEPT_S, Lately
from console.domain.spans import SpanKind
from tests.unit.adapters.spans_told import AT, told


def arrival(trace: int, ends: float = AT - 1.0, *, number: int = 1, lasts: float | None = 1.0) -> Arrival:
    span = told(number, SpanKind.MODEL, ends=ends, lasts=lasts, attributes={"gen_ai.output.messages": '["x"]'})
    return Arrival(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_id=b"",
        start_ns=int(span.started_at * 1e9),
        end_ns=int(ends * 1e9) if lasts is not None else 0,
        entry=True,
        failure="",
        span=span,
    )


def counted(memory: Lately, since: float = AT - 3_600.0, until: float = AT) -> list[tuple[float, int]]:
    return [(row.at, row.calls) for row in memory.rows(since, until)]


def test_before_the_first_look_nothing_is_known() -> None:
    assert counted(Lately()) == []


def test_spans_that_come_again_count_once_and_those_that_have_not_ended_when_they_have() -> None:
    memory = Lately()
    memory.begin(0.0)
    memory.add([arrival(1), arrival(1), arrival(2, lasts=None)], AT)
    assert counted(memory) == [(AT, 1)]
    memory.add([arrival(1), arrival(2)], AT + 2.0)
    assert counted(memory) == [(AT, 2)]


def test_a_minute_of_which_the_beginning_is_not_known_is_not_told() -> None:
    memory = Lately()
    memory.begin(AT - 100.0)
    memory.add([arrival(1, AT - 90.0), arrival(2)], AT)
    assert counted(memory) == [(AT, 1)]
    memory.reach([arrival(3, AT - 100.0)], AT - 120.0, AT)
    assert counted(memory) == [(AT - 60.0, 2), (AT, 1)]


def test_what_is_too_old_goes_and_what_is_too_much_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "SPANS_MOST", 100)
    memory = Lately()
    memory.begin(0.0)
    memory.add([arrival(n, AT - 600.0 + n) for n in range(101)], AT)
    assert memory.full
    assert sum(calls for _, calls in counted(memory)) < 90
    assert memory.since_s > AT - 600.0
    memory.begin(0.0)
    memory.add([], AT + KEPT_S)
    assert (counted(memory), memory.full) == ([], False)


def test_words_are_read_when_they_come_and_not_kept() -> None:
    memory = Lately()
    memory.begin(0.0)
    memory.add([replace(arrival(1), span=arrival(1).span)], AT)
    (row,) = memory.rows(AT - 60.0, AT)
    assert row.shapes == {"text": 1}
