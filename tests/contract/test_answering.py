"""What models answered, counted: the same of the same requests, whichever store they lie in."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from console.domain.answers import ANSWERS_STEP_S, Answers, AnswersQuery, Finish
from console.domain.ports import Answering
from console.engine.clock import ManualClock
from tests.contract import documented_stores as stores
from tests.contract import recorded_otlp, recorded_phoenix

CALLS, FAILED, REQUESTS = 24, 2, 12


@asynccontextmanager
async def otlp() -> AsyncIterator[tuple[Any, ManualClock]]:
    async with recorded_otlp.opened() as bench:
        yield bench.adapter, bench.clock


def over_http(make: Any) -> Any:
    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Any, ManualClock]]:
        bench = make()
        yield bench.adapter, bench.clock
        await bench.adapter.close()

    return opened


STORES = {
    "otlp": otlp,
    "phoenix": over_http(recorded_phoenix.bench),
    "jaeger": over_http(stores.jaeger),
    "tempo": over_http(stores.tempo),
    "langfuse": over_http(stores.langfuse),
}


def whole(clock: ManualClock) -> float:
    """The end of the minute that goes on."""
    return (math.floor(clock.now() / ANSWERS_STEP_S) + 1) * ANSWERS_STEP_S


def added(rows: tuple[Answers, ...]) -> dict[str, Any]:
    return {
        "calls": sum(row.calls for row in rows),
        "failed": sum(row.failed for row in rows),
        "stopped": sum(row.finish.get(Finish.STOP, 0) for row in rows),
        "errors": sum(row.finish.get(Finish.ERROR, 0) for row in rows),
        "tokens": sum(row.tokens_in for row in rows),
        "models": sorted({row.group.model for row in rows}),
    }


@pytest.mark.parametrize("store", STORES)
async def test_every_store_counts_the_same_calls(store: str) -> None:
    async with STORES[store]() as (adapter, clock):
        await adapter.observe()
        assert isinstance(adapter, Answering)
        until = whole(clock)
        rows = await adapter.answers(AnswersQuery(source="traces", since=until - 300.0, until=until))
        again = await adapter.answers(AnswersQuery(source="traces", since=until - 300.0, until=until))
        none = await adapter.answers(AnswersQuery(source="traces", since=until, until=until + 120.0))
    assert added(rows) == {
        "calls": CALLS,
        "failed": FAILED,
        "stopped": 0 if store == "langfuse" else CALLS - FAILED,  # it keeps no reason
        "errors": FAILED,
        "tokens": (CALLS - FAILED) * 512,
        "models": ["gpt-4o", "gpt-4o-mini"],
    }
    assert rows == again
    assert none == ()
    assert all(row.part == 1.0 and row.at % ANSWERS_STEP_S == 0 for row in rows)
    assert {row.requests for row in rows} == {REQUESTS}
    failing = {trace for row in rows for trace in row.examples}
    assert len(failing) == FAILED


@pytest.mark.parametrize("make", [stores.jaeger, stores.tempo, stores.langfuse])
async def test_the_past_is_read_once_where_no_look_has_seen_it(make: Any) -> None:
    bench = make()
    until = whole(bench.clock)
    query = AnswersQuery(source="traces", since=until - 300.0, until=until)
    rows = await bench.adapter.answers(query)
    asked = len(bench.transport.asked)
    again = await bench.adapter.answers(query)
    await bench.adapter.close()
    assert added(rows)["calls"] == CALLS
    assert rows == again
    assert asked == len(bench.transport.asked)
