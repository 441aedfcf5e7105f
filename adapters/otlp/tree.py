"""One request from its bodies: spans by start, bounded, and never in a circle. Pure."""

from collections.abc import Iterable

import msgspec

from adapters.otel import Aliases, read
from adapters.otlp.bodies import unpack
from adapters.spans.row import RequestRow
from adapters.spans.tree import SHOWN_BYTES, bared, told
from console.domain.spans import Span, Trace

READ_BYTES = 64 * 2**20
"""Of a request's spans, unpacked; those beyond it are left out."""


def trace(source: str, row: RequestRow, bodies: Iterable[bytes], aliases: Aliases, now: float) -> Trace:
    """A request with its spans, as they are kept: bodies in the order of their start."""
    spans: list[Span] = []
    room, bare, broken = SHOWN_BYTES, 0, 0
    for body in bodies:
        try:
            span, size = unpack(body)
        except ValueError:
            broken += 1
            continue
        room -= size
        if SHOWN_BYTES - room > READ_BYTES:
            break
        if room >= 0:
            spans.append(read(span, aliases))
            continue
        facts = aliases.facts(span.attributes, span.started_at, span.kind)
        spans.append(bared(msgspec.structs.replace(span, facts=facts)))
        bare += 1
    cut = row.spans + row.cut - len(spans) - broken
    notes = (f"left out, because they are broken in the store: {broken}",) if broken else ()
    return told(source, row, spans, now, bare=bare, cut=max(0, cut), notes=notes)
