"""Which marks a span leaves."""

from console.domain.conversations import Mark, MarkKind, MarkQuery
from console.domain.marks import marks_of, service_marks, wanted
from console.domain.spans import Content, Document, Facts, Span, SpanKind

TRACE = "ab" * 16
NO_FACTS = Facts()


def span(
    kind: SpanKind = SpanKind.OTHER,
    facts: Facts = NO_FACTS,
    content: Content | None = None,
    *,
    span_id: str = "01",
    at: float = 10.0,
    service: str = "web",
) -> Span:
    return Span(
        span_id=span_id, name="x", kind=kind, service=service, started_at=at, duration_s=0.5, facts=facts,
        content=content,
    )  # fmt: skip


def test_an_ordinary_span_leaves_none() -> None:
    assert marks_of(span(SpanKind.MODEL, Facts(request_model="gpt", tokens_in=3)), TRACE, "c") == []
    assert marks_of(span(SpanKind.RETRIEVAL), TRACE, "c") == []


def test_a_retrieval_leaves_its_snapshot_whether_or_not_it_is_known() -> None:
    known = marks_of(span(SpanKind.RETRIEVAL, Facts(retrieval_source="kb", snapshot="v7")), TRACE, "c")
    assert known == [
        Mark(
            trace_id=TRACE, span_id="01", at=10.0, service="web", conversation="c",
            kind=MarkKind.RETRIEVAL, source="kb", version="v7",
        )
    ]  # fmt: skip
    (unknown,) = marks_of(span(SpanKind.RETRIEVAL, Facts(retrieval_source="kb")), TRACE, "c")
    assert (unknown.source, unknown.version) == ("kb", "")


def test_documents_say_the_snapshot_only_where_they_agree() -> None:
    def of(*snapshots: str) -> list[str]:
        documents = tuple(Document(id=str(at), snapshot=snapshot) for at, snapshot in enumerate(snapshots))
        facts = Facts(retrieval_source="kb")
        found = marks_of(span(SpanKind.RETRIEVAL, facts, Content(documents=documents)), TRACE, "")
        return [mark.version for mark in found]

    assert of("v7", "v7") == ["v7"]
    assert of("v7", "v8") == [""]
    assert of("v7", "") == [""]


def test_one_span_may_touch_memory_and_use_a_prompt() -> None:
    facts = Facts(
        memory_op="update", memory_key="taste", memory_version="4", memory_store="user", prompt_name="ask",
        prompt_version="12",
    )  # fmt: skip
    found = marks_of(span(facts=facts), TRACE, "c")
    assert [(one.kind, one.source, one.op, one.key, one.version) for one in found] == [
        (MarkKind.MEMORY, "user", "update", "taste", "4"),
        (MarkKind.PROMPT, "", "", "ask", "12"),
    ]
    assert [one.ended_at for one in found] == [10.5, None]


def test_each_service_leaves_one_mark_at_its_first_span() -> None:
    spans = (span(span_id="02", at=12.0), span(at=11.0), span(span_id="03", service="worker"), span(service=""))
    found = {mark.service: mark.span_id for mark in service_marks(spans, TRACE, "c")}
    assert found == {"web": "01", "worker": "03"}


def test_a_query_takes_its_kinds_conversation_and_time() -> None:
    (mark,) = marks_of(span(SpanKind.RETRIEVAL, Facts(snapshot="v7")), TRACE, "c")
    assert wanted(mark, MarkQuery(source="s", since=10.0, until=10.1, conversation="c", kinds=(MarkKind.RETRIEVAL,)))
    for other in (
        MarkQuery(source="s", since=10.1),
        MarkQuery(source="s", since=0.0, until=10.0),
        MarkQuery(source="s", since=0.0, conversation="d"),
        MarkQuery(source="s", since=0.0, kinds=(MarkKind.MEMORY,)),
    ):
        assert not wanted(mark, other)
