"""Which index a service searches and which memory it uses, from marks."""

from console.domain.conversations import Mark, MarkKind
from console.engine.knowledge import NO_KNOWLEDGE, knowledge_of


def _mark(service: str, source: str, kind: MarkKind = MarkKind.RETRIEVAL) -> Mark:
    return Mark(trace_id="t", span_id="s", at=1.0, service=service, kind=kind, source=source)


def test_each_service_has_the_one_that_it_touched_most() -> None:
    marks = [_mark("api", "docs"), _mark("api", "tickets"), _mark("api", "docs"), _mark("bot", "tickets")]
    marks += [_mark("bot", "summaries", MarkKind.MEMORY), _mark("bot", "", MarkKind.MEMORY)]
    marks += [_mark("api", "greeting", MarkKind.PROMPT)]
    assert knowledge_of(marks) == ({"api": "docs", "bot": "tickets"}, {"bot": "summaries"})


def test_without_marks_nothing_is_known() -> None:
    assert knowledge_of(()) == NO_KNOWLEDGE
