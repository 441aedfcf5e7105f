"""What one span says of retrieval snapshots and memory: the moments that divergences are found from. Pure."""

from console.domain.conversations import Mark, MarkKind
from console.domain.spans import Span, SpanKind


def mark_of(trace_id: str, span: Span, conversation: str = "") -> Mark | None:
    """The mark of a span whose facts are filled; None where it neither searched an index nor touched memory.

    `conversation` is that of the whole request, where it is known; else the span's own.
    """
    facts = span.facts
    if facts.memory_op or facts.memory_key:
        kind, source, version = MarkKind.MEMORY, facts.retrieval_source, facts.memory_version
    elif facts.snapshot or (span.kind is SpanKind.RETRIEVAL and facts.retrieval_source):
        kind, source, version = MarkKind.RETRIEVAL, facts.retrieval_source, facts.snapshot
    else:
        return None
    return Mark(
        trace_id=trace_id,
        span_id=span.span_id,
        at=span.started_at,
        ended_at=None if span.duration_s is None else span.started_at + span.duration_s,
        service=span.service,
        conversation=conversation or facts.conversation,
        kind=kind,
        source=source,
        key=facts.memory_key,
        op=facts.memory_op,
        version=version,
    )
