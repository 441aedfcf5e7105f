"""One request from its spans: by start, bounded, and never in a circle. Pure."""

from collections.abc import Sequence

import msgspec

from adapters.otel import Aliases, Arrival, read
from adapters.spans.circles import without_circles
from adapters.spans.readings import request
from adapters.spans.recent import folded
from console.domain.errors import BackendError, ErrorKind
from console.domain.spans import Span, Trace

SHOWN_BYTES = 8 * 2**20
"""Of attributes, events and content, as JSON; spans beyond it are shown without theirs."""


def shown(
    source: str, arrivals: Sequence[Arrival], now: float, aliases: Aliases, *, cut: bool, notes: Sequence[str]
) -> Trace:
    """A request with its spans; those whose parent has not arrived keep its id and stand where they began."""
    row = folded(arrivals[0].trace_id, arrivals, now)
    ordered = sorted(arrivals, key=lambda one: (one.start_ns, one.span_id))
    spans, bare = _bounded([one.span for one in ordered], aliases)
    spans, circles = without_circles(spans)
    told = list(notes)
    if cut:
        told.append(f"it has more spans than the {len(spans)} that are shown")
    if bare:
        told.append(f"more than {SHOWN_BYTES >> 20} MB: without attributes are shown the last {bare}")
    if not row.rooted:
        told.append("its root has not arrived; what is shown of the request is what its spans say so far")
    if circles:
        told.append(f"spans name each other as parents; so many circles are opened: {circles}")
    return Trace(
        trace_id=row.trace.hex(),
        request=request(source, row, now) if row.rooted else None,
        spans=tuple(spans),
        notes=tuple(told),
    )


def no_such(trace_id: str, where: str) -> BackendError:
    """The error for a request that a store does not have."""
    return BackendError(
        ErrorKind.UNSUPPORTED,
        f"there is no request {trace_id} here",
        where=where,
        way_out="it is too old and gone, or its spans have not arrived; a trace id has 32 hexadecimal digits",
    )


def _bounded(spans: Sequence[Span], aliases: Aliases) -> tuple[list[Span], int]:
    """The spans with their content, as long as there is room, and how many are bare for want of it."""
    found: list[Span] = []
    room, bare = SHOWN_BYTES, 0
    for span in spans:
        whole = read(span, aliases)
        room -= len(msgspec.json.encode(whole))
        if room < 0:
            whole = msgspec.structs.replace(span, attributes={}, events=())
            bare += 1
        found.append(whole)
    return found, bare
