"""A client that three libraries instrument at once: each call is three spans, and counts once."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from console.domain.answers import AnswersQuery
from console.domain.ports import AdapterContext
from console.domain.reconstruction import StageKind
from console.domain.spans import LaneKind, RequestQuery, SpanKind
from console.engine.clock import SystemClock
from console.traces.reconstruct import reconstruct
from tests.real.conftest import ready_or_skip
from tests.real.stack.agents import install_agents
from tests.real.stack.collector import Collector
from tests.real.stack.missing import Missing
from tests.real.stack.processes import Nursery
from tests.real.stack.upstreams import start_upstreams

CALLS = 5
"""Of `tests.real.agents.together`: two in turn, three at once; all ask the same."""


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


async def test_a_call_that_three_libraries_tell_of_counts_once_and_one_that_only_looks_like_it_does_too(
    nursery: Nursery,
) -> None:
    try:
        agents = install_agents()
    except Missing as reason:
        agents = ready_or_skip(reason)
    collector = Collector(nursery)
    upstream = start_upstreams(nursery).base("openai-a", "/v1")
    agents.run("together", nursery, upstream=upstream, spans=collector.url, conversation="c")

    options = OtlpOptions(file=str(collector.file))
    adapter = OtlpAdapter(AdapterContext("traces", SystemClock(), lambda reference: reference, 10.0, options))
    try:
        (request,) = await adapter.requests(RequestQuery(source="traces", conversation="c"))
        found = reconstruct(await adapter.trace(request.trace_id))
        now = time.time()
        counted = await adapter.answers(AnswersQuery(source="traces", since=now - 300.0, until=now + 60.0))
    finally:
        await adapter.close()

    assert sum(row.calls for row in counted) == CALLS
    assert Counter(span.kind for span in found.trace.spans)[SpanKind.MODEL] == 3 * CALLS
    stages = {stage.kind: stage for stage in found.stages}
    asked, answered = stages[StageKind.MODEL_INPUT], stages[StageKind.MODEL_RESPONSE]
    assert (len(asked.pieces), len(answered.pieces)) == (CALLS, CALLS)
    assert (asked.tokens_in, answered.tokens_out) == (20 * CALLS, 30 * CALLS)
    tokens = next(lane for lane in found.lanes if lane.kind is LaneKind.TOKENS)
    assert len(tokens.entries) == CALLS
    assert f"calls are counted once: {2 * CALLS} spans told again of one that another span tells of" in found.notes
