"""Which marks a span leaves: the one place that says which knowledge it answered from, whatever store it lies in."""

from console.domain.conversations import Mark, MarkKind, MarkQuery
from console.domain.spans import Span, SpanKind


def marks_of(span: Span, trace_id: str, conversation: str) -> list[Mark]:
    """The marks of one span, without the one of its service; empty for most.

    Args:
        span: with its facts; where those say no snapshot, the one that all its documents name counts.
        trace_id: of its request.
        conversation: of its whole request, for a span seldom says it itself.
    """
    facts = span.facts
    found: list[Mark] = []
    version = facts.snapshot or _of_documents(span)
    if version or (span.kind is SpanKind.RETRIEVAL and facts.retrieval_source):
        found.append(_mark(span, trace_id, conversation, MarkKind.RETRIEVAL, facts.retrieval_source, version=version))
    if facts.memory_op or facts.memory_key:
        found.append(
            _mark(
                span, trace_id, conversation, MarkKind.MEMORY, facts.memory_store,
                key=facts.memory_key, op=facts.memory_op, version=facts.memory_version,
            )
        )  # fmt: skip
    if facts.prompt_name:
        found.append(
            _mark(
                span, trace_id, conversation, MarkKind.PROMPT, "", key=facts.prompt_name, version=facts.prompt_version
            )
        )
    return found


def service_marks(spans: tuple[Span, ...], trace_id: str, conversation: str) -> list[Mark]:
    """One mark for each service that took part in a request, at its first span."""
    first: dict[str, Span] = {}
    for span in spans:
        known = first.get(span.service)
        if span.service and (known is None or span.started_at < known.started_at):
            first[span.service] = span
    return [_mark(span, trace_id, conversation, MarkKind.SERVICE, "") for span in first.values()]


def wanted(mark: Mark, query: MarkQuery) -> bool:
    """Whether a mark is one that a query asks for, apart from its source and its limit."""
    return (
        mark.at >= query.since
        and (query.until is None or mark.at < query.until)
        and (not query.kinds or mark.kind in query.kinds)
        and (not query.conversation or mark.conversation == query.conversation)
    )


def _mark(
    span: Span, trace_id: str, conversation: str, kind: MarkKind, source: str,
    *, key: str = "", op: str = "", version: str = "",
) -> Mark:  # fmt: skip
    ends = kind is MarkKind.MEMORY and span.duration_s is not None
    return Mark(
        trace_id=trace_id,
        span_id=span.span_id,
        at=span.started_at,
        ended_at=span.started_at + (span.duration_s or 0.0) if ends else None,
        service=span.service,
        conversation=conversation,
        kind=kind,
        source=source,
        key=key,
        op=op,
        version=version,
    )


def _of_documents(span: Span) -> str:
    """The snapshot that a span's documents came from; empty unless they all name the same one."""
    documents = span.content.documents if span.content else ()
    versions = {document.snapshot for document in documents}
    return versions.pop() if len(versions) == 1 else ""
