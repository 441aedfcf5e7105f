"""Gathers what goes into a bundle, and takes out of it what may not leave."""

from console import __version__
from console.domain.bundles import Bundle, BundleQuery
from console.domain.conversations import Mark, MarkQuery
from console.domain.errors import BackendError, Refusal
from console.domain.ports import Traces
from console.domain.spans import RequestQuery, Trace
from console.traces.bundling import fit_to_leave

MOST_REQUESTS = 200
"""Of a conversation, the newest."""
MOST_SPANS = 50_000
"""In one file."""


async def export(store: Traces, query: BundleQuery, environment: str, now: float) -> Bundle:
    """One request or one conversation, fit to leave.

    Raises:
        Refusal: neither or both were asked for, or there is nothing of it.
        BackendError: what the reads met.
    """
    if bool(query.trace_id) == bool(query.conversation):
        raise Refusal("a bundle is of one request or of one conversation: name one of them", code=400)
    notes: list[str] = []
    traces = await _traces(store, query, notes)
    return Bundle(
        exported_at=now,
        version=__version__,
        environment=environment,
        source=query.source,
        shown=query.shown,
        conversation=query.conversation,
        traces=tuple(fit_to_leave(trace, query.shown) for trace in traces),
        marks=await _marks(store, query, traces, notes),
        notes=tuple(notes),
    )


async def _traces(store: Traces, query: BundleQuery, notes: list[str]) -> list[Trace]:
    if query.trace_id:
        return [await store.trace(query.trace_id)]
    asked = RequestQuery(source=query.source, conversation=query.conversation, limit=MOST_REQUESTS)
    listed = await store.requests(asked)
    if not listed:
        raise Refusal("there is no request of that conversation", code=404)
    if len(listed) == MOST_REQUESTS:
        notes.append(f"of this conversation the newest {MOST_REQUESTS} requests are in the file")
    found: list[Trace] = []
    room = MOST_SPANS
    for request in listed:
        trace = await store.trace(request.trace_id)
        room -= len(trace.spans)
        if room < 0 and found:
            notes.append(f"of {len(listed)} requests the newest {len(found)} are in the file: they have many spans")
            break
        found.append(trace)
    return found


async def _marks(store: Traces, query: BundleQuery, traces: list[Trace], notes: list[str]) -> tuple[Mark, ...]:
    """Of these requests and, where snapshots differ, of whoever else read them meanwhile is nothing in the file."""
    starts = [span.started_at for trace in traces for span in trace.spans]
    if not starts:
        return ()
    wanted = {trace.trace_id for trace in traces}
    asked = MarkQuery(
        source=query.source, since=min(starts) - 1.0, until=max(starts) + 1.0, conversation=query.conversation
    )
    try:
        found = await store.marks(asked)
    except BackendError as error:
        notes.append(f"without marks of snapshots and memory: {error.failure.message}")
        return ()
    return tuple(mark for mark in found if mark.trace_id in wanted)
