"""One request from its spans: by start, bounded, and never in a circle. Pure."""

from collections.abc import Sequence

import msgspec

from adapters.otel import Aliases, Arrival, read
from adapters.spans.circles import without_circles
from adapters.spans.readings import request
from adapters.spans.recent import folded
from adapters.spans.row import RequestRow
from console.domain.errors import BackendError, ErrorKind
from console.domain.spans import Span, Trace

SHOWN_BYTES = 8 * 2**20
"""Of attributes and events, as they are kept or as JSON; spans beyond it are shown without, with their facts."""


def shown(
    source: str, arrivals: Sequence[Arrival], now: float, aliases: Aliases, *, cut: bool, notes: Sequence[str]
) -> Trace:
    """A request whose spans are these, with their content."""
    row = folded(arrivals[0].trace_id, arrivals, now)
    ordered = sorted(arrivals, key=lambda one: (one.start_ns, one.span_id))
    spans, bare = _bounded([one.span for one in ordered], aliases)
    more = (f"it has more spans than the {len(spans)} that are shown",) if cut else ()
    return told(source, row, spans, now, bare=bare, notes=(*notes, *more))


def told(
    source: str, row: RequestRow, spans: Sequence[Span], now: float,
    *, bare: int, cut: int = 0, notes: Sequence[str] = (),
) -> Trace:  # fmt: skip
    """The trace of a request and what has to be said with it.

    Args:
        source: the source's name.
        row: the request, with the spans that are left out too.
        spans: those that are shown, by start. Spans whose parent has not arrived keep its id and stand where they
            began.
        now: unix seconds.
        bare: how many of them, the last ones, are without attributes and content for want of room.
        cut: how many are left out.
        notes: what is to be said before everything else.
    """
    said = list(notes)
    if bare:
        said.append(f"more than {SHOWN_BYTES >> 20} MB: without attributes and content are shown the last {bare}")
    if not row.rooted:
        said.append("its root has not arrived; what is shown of the request is what its spans say so far")
    ahead_s = row.first_ns / 1e9 - row.start_us / 1e6
    if ahead_s > 1.0:
        said.append(f"the clock of {row.service or 'the application'} is about {ahead_s:.0f} s ahead")
    opened, circles = without_circles(spans)
    if circles:
        said.append(f"spans name each other as parents; so many circles are opened: {circles}")
    return Trace(
        trace_id=row.trace.hex(),
        request=request(source, row, now) if row.rooted else None,
        spans=tuple(opened),
        cut=cut,
        notes=tuple(said),
    )


def no_such(trace_id: str, where: str) -> BackendError:
    """The error for a request that a store does not have."""
    return BackendError(
        ErrorKind.UNSUPPORTED,
        f"there is no request {trace_id} here",
        where=where,
        way_out="it is too old and gone, or its spans have not arrived; a trace id has 32 hexadecimal digits",
    )


def bared(span: Span) -> Span:
    """A span for which there is no room: its facts stay."""
    return msgspec.structs.replace(span, attributes={}, events=())


def _bounded(spans: Sequence[Span], aliases: Aliases) -> tuple[list[Span], int]:
    """The spans with their content, as long as there is room, and how many are bare for want of it."""
    found: list[Span] = []
    room, bare = SHOWN_BYTES, 0
    for span in spans:
        room -= len(msgspec.json.encode(span))
        if room >= 0:
            found.append(read(span, aliases))
        else:
            found.append(bared(span))
            bare += 1
    return found, bare
