"""One request from its bodies: spans by start, bounded, and never in a circle. Pure."""

from collections.abc import Sequence

import msgspec

from adapters.otel import Aliases, read
from adapters.otlp.bodies import unpack
from adapters.spans.circles import without_circles
from adapters.spans.readings import request
from adapters.spans.row import RequestRow
from console.domain.spans import Span, Trace

SHOWN_BYTES = 8 * 2**20
"""Of attributes and events, as they are kept, unpacked; spans beyond it are shown without theirs, with their facts."""


def trace(source: str, row: RequestRow, bodies: Sequence[bytes], aliases: Aliases, now: float) -> Trace:
    """A request with its spans; those whose parent has not arrived keep its id and stand where they began."""
    spans: list[Span] = []
    notes: list[str] = []
    room, bare, broken = SHOWN_BYTES, 0, 0
    for body in bodies:
        try:
            span, size = unpack(body)
        except ValueError:
            broken += 1
            continue
        room -= size
        if room >= 0:
            spans.append(read(span, aliases))
            continue
        facts = aliases.facts(span.attributes, span.started_at, span.kind)
        spans.append(msgspec.structs.replace(span, facts=facts, attributes={}, events=()))
        bare += 1
    cut = row.spans + row.cut - len(spans) - broken
    if bare:
        notes.append(f"more than {SHOWN_BYTES >> 20} MB: without attributes and content are shown the last {bare}")
    if broken:
        notes.append(f"left out, because they are broken in the store: {broken}")
    if not row.rooted:
        notes.append("its root has not arrived; what is shown of the request is what its spans say so far")
    ahead_s = row.first_ns / 1e9 - row.start_us / 1e6
    if ahead_s > 1.0:
        notes.append(f"the clock of {row.service} is about {ahead_s:.0f} s ahead")
    spans, circles = without_circles(spans)
    if circles:
        notes.append(f"spans name each other as parents; so many circles are opened: {circles}")
    return Trace(
        trace_id=row.trace.hex(),
        request=request(source, row, now) if row.rooted else None,
        spans=tuple(spans),
        cut=max(0, cut),
        notes=tuple(notes),
    )
