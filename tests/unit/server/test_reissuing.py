"""A call sent again through the door, on the simulated platform: its answer beside the recorded one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.domain.actions import Intent, Outcome, Stage
from console.domain.difference import Difference
from console.domain.errors import Refusal
from console.domain.refs import Kind, Ref
from console.domain.reissues import ReissuedQuery
from console.domain.spans import RequestQuery, Span, SpanKind, TraceQuery
from console.domain.verbs import Reissue
from console.domain.wire import Confirm
from console.engine.clock import ManualClock
from console.server.door import Desk
from tests.unit.server.engines import OWNER, engine

WORLD = {"scenario": "calm", "world": "shop", "seed": 3}
SOURCES: dict[str, Any] = {
    name: {"adapter": "simulator", "interval": 1.0, "timeout": 0.9, "options": {**WORLD, "part": part}}
    for name, part in (("gateway", "gateway"), ("traces", "traces"))
}
TARGET = Ref("gateway", Kind.DEPLOYMENT, "chat-claude")


async def _recorded(desk: Desk) -> tuple[str, Span]:
    """A request's model call whose prompt is known."""
    for request in await desk.requests(RequestQuery(source="traces", limit=100)):
        trace = await desk.trace(TraceQuery(source="traces", trace_id=request.trace_id))
        for span in trace.spans:
            if span.kind is SpanKind.MODEL and span.facts.prompt_name and not span.failed:
                return trace.trace_id, span
    raise AssertionError("nothing was recorded")


async def _sent(desk: Desk, clock: ManualClock, action: Reissue) -> str:
    proposal = await desk.propose(Intent(target=TARGET, action=action, reason="is it the model?"))
    assert proposal.verdict.allowed, proposal.verdict.refusals
    receipt = await desk.confirm(Confirm(proposal_id=proposal.id))
    while (receipt := await desk.receipt(receipt.id)).stage is not Stage.DONE:
        await asyncio.sleep(0.005)  # the audit log has a thread of its own
        await clock.advance(0.1)
    assert receipt.outcome is Outcome.VERIFIED, receipt
    return receipt.id


async def test_only_what_the_model_did_differs(tmp_path: Path) -> None:
    async with engine(tmp_path, access="operate", sources=SOURCES) as (door, _, clock):
        await clock.advance(60.0)
        desk = door.for_peer(OWNER)
        trace_id, span = await _recorded(desk)
        action = Reissue(source="traces", trace_id=trace_id, span_id=span.span_id, max_usd=1.0)
        found = await desk.reissued(ReissuedQuery(action_id=await _sent(desk, clock, action)))
        assert found.answered.facts.deployment == TARGET.name
        changed: list[Difference] = [
            one for stage in found.comparison.stages for piece in stage.pieces for one in piece.differences
        ]
        assert any(one.what == "model" for one in changed)
        assert not any("prompt" in one.what for one in changed), "the same prompt was sent"


async def test_what_sent_no_call_has_no_answer(tmp_path: Path) -> None:
    async with engine(tmp_path, access="operate", sources=SOURCES) as (door, _, clock):
        await clock.advance(5.0)
        with pytest.raises(Refusal):
            await door.for_peer(OWNER).reissued(ReissuedQuery(action_id="nobody's"))
