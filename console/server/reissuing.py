"""The answer of a model call that was sent again, held against the recorded one."""

import asyncio

import msgspec

from console.domain.errors import Refusal
from console.domain.ports import Reissues, Traces
from console.domain.readings import Request
from console.domain.refs import Kind, Ref
from console.domain.reissues import Reissued
from console.domain.spans import Content, Span, Trace
from console.domain.verbs import Reissue


async def reissued(action_id: str, target: Ref, action: Reissue, gateway: Reissues, store: Traces) -> Reissued:
    """What came back, and how it differs from what was recorded.

    Raises:
        Refusal: no answer is known (any more), or the recording has gone.
        BackendError: as `Traces.trace`.
    """
    answered = gateway.answer(target, action)
    if answered is None:
        raise Refusal("no answer to this call is known here: the engine keeps the last few, in memory", code=404)
    trace = await store.trace(action.trace_id)
    recorded = next((span for span in trace.spans if span.span_id == action.span_id), None)
    if recorded is None:
        raise Refusal("what was recorded of this call is gone from the trace store", code=404)
    return await asyncio.to_thread(_held_against, action_id, target, recorded, _asked_alike(answered, recorded))


def _asked_alike(answered: Span, recorded: Span) -> Span:
    """The new call with what was sent, which is what was recorded, prompt and words: only the answers may differ."""
    was = recorded.facts
    facts = msgspec.structs.replace(answered.facts, prompt_name=was.prompt_name, prompt_version=was.prompt_version)
    asked, answer = recorded.content or Content(), answered.content or Content()
    content = msgspec.structs.replace(asked, messages_out=answer.messages_out, output="")
    return msgspec.structs.replace(answered, content=content, facts=facts, name=recorded.name)


def _held_against(action_id: str, target: Ref, recorded: Span, answered: Span) -> Reissued:
    from console.traces.difference import compare
    from console.traces.reconstruct import reconstruct

    pair = (("recorded", recorded), ("sent again", answered))
    first, second = (reconstruct(_alone(name, target, span)) for name, span in pair)
    comparison = compare(first, second, f"the recorded call, sent once more to {target.name}")
    # One call has no retrieval, no memory and no tools of its own: that they are missing tells nothing.
    own = tuple(stage for stage in comparison.stages if stage.pieces)
    comparison = msgspec.structs.replace(comparison, stages=own)
    return Reissued(action_id=action_id, recorded=recorded, answered=answered, comparison=comparison)


def _alone(name: str, target: Ref, span: Span) -> Trace:
    """One call as a request of its own."""
    facts = span.facts
    request = Request(
        ref=Ref(target.source, Kind.REQUEST, span.span_id),
        observed_at=span.started_at,
        started_at=span.started_at,
        name=f"{span.name} ({name})",
        service=span.service,
        deployment=facts.deployment,
        model=facts.model,
        status="error" if span.failed else "ok",
        failed=span.failed,
        duration_s=span.duration_s,
        tokens_in=facts.tokens_in,
        tokens_out=facts.tokens_out,
        usd=facts.usd,
    )
    return Trace(trace_id=span.span_id, request=request, spans=(msgspec.structs.replace(span, parent_id=""),))
