"""What is asked of a trace store beyond its own words: a request put together, a conversation, two requests compared.

Stores are read here, on the event loop; what is made of their answers is `console.traces`' work, in a thread, so that
a request of thousands of spans delays no poll.
"""

import asyncio

from msgspec.structs import replace

from console.domain.conversations import Conversation, ConversationQuery, Mark, MarkKind, MarkQuery
from console.domain.difference import CompareQuery, Comparison
from console.domain.errors import BackendError, ErrorKind, Refusal
from console.domain.ports import Clock, Traces
from console.domain.readings import Request
from console.domain.reconstruction import Reconstruction
from console.domain.spans import RequestQuery, Trace, TraceQuery
from console.domain.text import clean

REQUESTS_MOST = 1000
"""Requests of one conversation that are counted; the newest of them are shown."""
CANDIDATES_MOST = 100
"""Good requests among which one to compare with is looked for."""
LONG_SPANS = 500
"""A request with more goes out in two answers."""
KEPT_S = 5.0
"""How long the second answer is kept; it is asked for at once, or never."""
OTHERS_MOST = 50_000
"""Reads of snapshots and memory, of everybody, that a conversation is held against: the newest while it went on."""
AROUND_S = 60.0
"""Clocks of services differ: marks of a request are looked for from so long before it began."""


async def reconstructed(store: Traces, trace_id: str) -> Reconstruction:
    """One request, put together again.

    Raises:
        BackendError: as `Traces.trace`.
    """
    from console.traces.reconstruct import reconstruct

    return await asyncio.to_thread(reconstruct, await store.trace(trace_id))


class Openings:
    """Requests as they are sent to who looks at them: every word once, in the stages' pieces, and not with the spans.

    A long one goes out in two answers: what its stages are shown with, and then, when it is asked for, all of it, which
    is kept until then.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: tuple[TraceQuery, float, Reconstruction] | None = None
        """The last that went out briefly: how all of it is asked for, until when it is kept, and all of it."""

    async def shown(self, store: Traces, query: TraceQuery) -> Reconstruction:
        """One request.

        Raises:
            BackendError: as `Traces.trace`.
        """
        kept, self._kept = self._kept, None
        if kept is not None and kept[0] == query and self._clock.monotonic() < kept[1]:
            return kept[2]
        whole = await asyncio.to_thread(_wordless, await store.trace(query.trace_id))
        if not query.brief or len(whole.trace.spans) <= LONG_SPANS:
            return whole
        from console.traces.reconstruct import briefly

        self._kept = (replace(query, brief=False), self._clock.monotonic() + KEPT_S, whole)
        return briefly(whole)


def _wordless(trace: Trace) -> Reconstruction:
    """A request put together, without the spans' contents: what of them no piece has stands in their attributes."""
    from console.traces.reconstruct import reconstruct

    spans = tuple([replace(span, content=None) if span.content is not None else span for span in trace.spans])
    return replace(reconstruct(trace), trace=replace(trace, spans=spans))


async def compared(store: Traces, query: CompareQuery) -> Comparison:
    """Two requests, stage by stage; the first is the last good one like the second where none is named.

    Raises:
        BackendError: as `Traces.trace`.
        Refusal: there is no good one like it (404).
    """
    from console.traces.difference import compare
    from console.traces.likeness import why

    second = await reconstructed(store, query.trace_id)
    if query.against:
        return await asyncio.to_thread(compare, await reconstructed(store, query.against), second)
    looked_at = second.trace.request
    if looked_at is None:
        raise Refusal("its root has not arrived, so none is known to be like it; name one to compare with", code=404)
    chosen = await _last_good(store, query.source, looked_at)
    first = await reconstructed(store, chosen.trace_id)
    return await asyncio.to_thread(compare, first, second, why(chosen, looked_at))


async def _last_good(store: Traces, source: str, looked_at: Request) -> Request:
    from console.traces.likeness import last_good, searches

    for asked in searches(looked_at, source, CANDIDATES_MOST):
        chosen = last_good(looked_at, await store.requests(asked))
        if chosen is not None:
            return chosen
    raise Refusal(
        f"no good {clean(looked_at.name, 80)} of {clean(looked_at.service, 60) or 'this service'} is kept from "
        "before it, and none that is like it; choose one to compare with",
        code=404,
    )


async def conversation_of(store: Traces, query: ConversationQuery, window_s: float) -> Conversation:
    """The newest requests of one conversation, and where its services disagree.

    Raises:
        BackendError: it cannot be read; UNSUPPORTED when there is no such conversation.
    """
    from console.traces.conversation import conversation
    from console.traces.split import divergences, unjudged

    asked = RequestQuery(source=query.source, conversation=query.conversation, limit=REQUESTS_MOST)
    requests = await store.requests(asked)
    if not requests:
        raise BackendError(
            ErrorKind.UNSUPPORTED,
            f"no request of the conversation {clean(query.conversation, 60)} is kept",
            where=query.source,
            way_out="it is too old and gone, or its requests do not say which conversation they belong to",
        )
    notes = [f"there are more than {REQUESTS_MOST:,} requests"] if len(requests) >= REQUESTS_MOST else []
    shown = sorted(requests, key=lambda request: request.started_at)[-query.limit :]
    since = shown[0].started_at - AROUND_S
    try:
        own = await store.marks(MarkQuery(source=query.source, since=since, conversation=query.conversation))
        others = await _others(store, query.source, own, window_s)
    except BackendError as error:
        if error.kind is not ErrorKind.UNSUPPORTED:
            raise
        own, others = (), ()
        notes.append(f"disagreements cannot be seen: {error.failure.message}")
    if len(others) >= OTHERS_MOST:
        notes.append(f"of what others read meanwhile only the newest {OTHERS_MOST:,} are known here")
    found = await asyncio.to_thread(divergences, (*own, *others), window_s)
    return conversation(query, requests, own, found, (*notes, *unjudged(own)))


async def _others(store: Traces, source: str, own: tuple[Mark, ...], window_s: float) -> tuple[Mark, ...]:
    """What everybody did meanwhile: that a service moved on, or who wrote the memory, is seen elsewhere."""
    touched = [mark for mark in own if mark.kind in (MarkKind.RETRIEVAL, MarkKind.MEMORY) and mark.version]
    if len(touched) < 2:
        return ()
    times = [mark.at for mark in touched]
    return await store.marks(
        MarkQuery(
            source=source,
            since=min(times) - window_s,
            until=max(times) + AROUND_S,
            kinds=(MarkKind.RETRIEVAL, MarkKind.MEMORY),
            limit=OTHERS_MOST,
        )
    )
