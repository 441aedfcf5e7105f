"""A request of 5,000 spans put together, and two of them compared, in processor time: the polls go on beside it."""

import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.results import Result, at_most, beside, middle
from console.domain.spans import Content, Document, Facts, Message, Span, SpanKind, ToolCall, Trace
from console.traces.difference import compare
from console.traces.reconstruct import reconstruct

SPANS = 5_000
ROUNDS = 7
BEGIN = 1_795_000_000.0
HISTORY = 10
"""Messages that each model call is sent."""


def measure() -> Iterator[Result]:
    """An agent that goes round 1,000 times: looks up, asks a model, runs a tool."""
    first, second = agent(0), agent(1)
    yield beside("spans of the request", len(first.spans), "spans")
    yield at_most("put a request of 5,000 spans together", 1000 * _cpu(lambda: reconstruct(first)), "ms CPU", 100)
    mine, others = reconstruct(first), reconstruct(second)
    yield at_most("compare two requests of 5,000 spans", 1000 * _cpu(lambda: compare(mine, others)), "ms CPU", 250)
    path = sum(one.own_s for one in mine.critical)
    yield at_most("critical path, off the request's time", abs(path - SPANS), "s", 0.001)


def _cpu(work: Callable[[], object]) -> float:
    """Seconds of processor time, in the middle of some rounds; what lies about from others is not collected in them."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        gc.collect()
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return middle(taken)


def agent(seed: int) -> Trace:
    """The request; another seed finds other documents and asks for other things."""
    spans = [_span(1, 0, 0.0, SPANS, SpanKind.REQUEST, "POST /agent"), _span(2, 1, 0.0, SPANS, SpanKind.CHAIN, "agent")]
    while len(spans) < SPANS:
        spans += _round(len(spans) + 1, seed)
    return Trace(trace_id=f"{seed + 1:032x}", spans=tuple(spans[:SPANS]))


def _round(number: int, seed: int) -> list[Span]:
    at, call = float(number), f"call-{number}"
    found = tuple(Document(id=f"doc-{(number * 7 + place + seed) % 40}", score=1 / (place + 1)) for place in range(5))
    said = tuple(
        Message(role="user", text=f"message {place} of {seed}: " + "some words " * 12) for place in range(HISTORY)
    )
    asked = ToolCall(id=call, name="search", arguments=f'{{"q": {(number + seed) % 9}}}')
    return [
        _span(number, 2, at, 5, SpanKind.CHAIN, "step"),
        _span(
            number + 1, number, at, 1, SpanKind.RETRIEVAL, "look up",
            facts=Facts(retrieval_source="wiki", snapshot="v1"), content=Content(query="words", documents=found),
        ),
        _span(
            number + 2, number, at + 1, 2, SpanKind.MODEL, "chat m",
            facts=Facts(provider="openai", request_model="m", tokens_in=900, tokens_out=number % 90),
            content=Content(messages_in=said, messages_out=(Message(role="assistant", calls=(asked,)),)),
        ),
        _span(number + 3, number + 2, at + 1, 1.9, SpanKind.OTHER, "POST", attributes={"server.address": "api.m"}),
        _span(
            number + 4, number, at + 3, 1, SpanKind.TOOL, "search",
            facts=Facts(tool_name="search", tool_call=call), content=Content(arguments=asked.arguments, result="found"),
        ),
    ]  # fmt: skip


def _span(number: int, parent: int, at: float, lasts: float, kind: SpanKind, name: str, **more: Any) -> Span:
    return Span(
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=name,
        kind=kind,
        service="agent",
        started_at=BEGIN + at,
        duration_s=lasts,
        **more,
    )
