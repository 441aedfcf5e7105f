"""`act reissue`: which recorded call is meant, and the new answer beside the old one."""

from console.cli.output import note, say
from console.cli.targets import store_of
from console.client import SocketClient
from console.domain.board import Board
from console.domain.difference import Change, Comparison, Difference
from console.domain.errors import Refusal
from console.domain.reissues import Reissued, ReissuedQuery
from console.domain.spans import Span, SpanKind, TraceQuery
from console.domain.text import clean
from console.domain.verbs import Reissue

_SHOWN = 2_000
"""Characters of an answer that are printed."""
_SIGNS = {Change.ONLY_FIRST: "-", Change.ONLY_SECOND: "+", Change.CHANGED: "~", Change.SAME: " "}


async def action_for(client: SocketClient, board: Board, recorded: str, source: str, **limits: float) -> Reissue:
    """The action that sends `recorded` again: `TRACE`, whose last model call is meant, or `TRACE/SPAN`.

    Raises:
        Refusal: nothing was named, or the request has no model call.
    """
    trace_id, _, span_id = recorded.partition("/")
    if not trace_id:
        raise Refusal("reissue takes a recorded call, as in `act reissue DEPLOYMENT TRACE` or TRACE/SPAN", code=400)
    store = store_of(board, source)
    if not span_id:
        trace = await client.trace(TraceQuery(source=store, trace_id=trace_id))
        calls = [span for span in trace.spans if span.kind is SpanKind.MODEL]
        if not calls:
            raise Refusal(f"request {clean(trace_id, 40)} has no model call", code=404)
        span_id = max(calls, key=lambda span: span.started_at).span_id
    return Reissue(
        source=store,
        trace_id=trace_id,
        span_id=span_id,
        max_usd=limits["max_usd"],
        max_tokens=int(limits["max_tokens"]),
    )


async def print_reissued(client: SocketClient, action_id: str) -> None:
    """The answer, and how it differs from the recorded one."""
    try:
        found = await client.reissued(ReissuedQuery(action_id=action_id))
    except Refusal as refusal:
        note(refusal.words)
        return
    for line in lines(found):
        say(line)


def lines(found: Reissued) -> list[str]:
    """All of it, as text that is fit to be shown."""
    return [
        "",
        f"answer of {clean(found.answered.facts.deployment or found.answered.name, 80)}:",
        *_answer(found.answered),
        "",
        "beside the recorded call:",
        *_differences(found.comparison),
    ]


def _answer(span: Span) -> list[str]:
    found: list[str] = []
    for message in span.content.messages_out if span.content else ():
        found += [f"  {clean(line, _SHOWN)}" for line in message.text[:_SHOWN].splitlines()]
        found += [
            f"  asks for the tool {clean(call.name, 80)}({clean(call.arguments, 300)}): not run"
            for call in message.calls
        ]
    return found or ["  (empty)"]


def _differences(comparison: Comparison) -> list[str]:
    found = [
        f"  {stage.kind}: {clean(one.what, 80)} {_said(one)}"
        for stage in comparison.stages
        for piece in stage.pieces
        for one in piece.differences
    ]
    return found or ["  nothing differs"]


def _said(one: Difference) -> str:
    """`a → b` where it is short, else the words that only one of them has."""
    if not one.runs:
        return f"{_SIGNS[one.change]} {clean(one.first, 100)} → {clean(one.second, 100)}"
    gone = " ".join(run.text for run in one.runs if run.change is Change.ONLY_FIRST)
    come = " ".join(run.text for run in one.runs if run.change is Change.ONLY_SECOND)
    return f"- {clean(gone, 300)} + {clean(come, 300)}"
