"""What leaves the house in a bundle, and what does not."""

import msgspec
import pytest

from console.domain.bundles import Bundle, BundleQuery, Shown, decode, encode
from console.domain.conversations import Mark, MarkKind, MarkQuery
from console.domain.errors import BackendError, ConfigError, ErrorKind, Refusal
from console.domain.readings import Request
from console.domain.refs import Kind, Ref
from console.domain.spans import (
    TAKEN_OUT,
    Content,
    Document,
    Facts,
    Message,
    RequestQuery,
    Span,
    SpanEvent,
    SpanKind,
    ToolCall,
    Trace,
)
from console.server.exporting import export
from console.traces.bundling import GONE, fit_to_leave
from console.traces.recorded import recorded_call

SECRET = "sk-abcdefghijklmnopqrstuvwxyz"
WORDS = "the patient's name is Ada"
TRACE_ID = "ab" * 16


def _trace(trace_id: str = TRACE_ID, at: float = 1000.0) -> Trace:
    content = Content(
        input=WORDS,
        system=WORDS,
        messages_in=(Message(role="user", text=f"{WORDS} {SECRET}"),),
        messages_out=(Message(role="assistant", text=WORDS, calls=(ToolCall(name="look", arguments=WORDS),)),),
        documents=(Document(id="doc-1", score=0.5, text=WORDS, snapshot="v7"),),
        result=WORDS,
    )
    attributes = {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 12,
        "input.value": WORDS,
        "my.own.attribute": WORDS,
        "http.route": f"/{SECRET}",
        "app.prompt.name": "chat",
        "gen_ai.response.finish_reasons": ["stop"],
        "nested": {"deep": WORDS},
    }
    span = Span(
        span_id="cd" * 8,
        name="chat gpt-4o",
        kind=SpanKind.MODEL,
        service="web",
        started_at=at,
        duration_s=1.0,
        failed=True,
        error=WORDS,
        attributes=attributes,
        facts=Facts(request_model="gpt-4o", tokens_in=12),
        content=content,
        events=(SpanEvent(name="exception", at=at, attributes={"exception.type": "E", "exception.message": WORDS}),),
    )
    request = Request(
        ref=Ref("traces", Kind.REQUEST, trace_id), observed_at=at, started_at=at, name="chat", conversation="c1",
        error=WORDS, trace_id=trace_id, status="error", failed=True,
    )  # fmt: skip
    return Trace(trace_id=trace_id, request=request, spans=(span,))


def test_by_default_no_word_of_an_application_leaves() -> None:
    left = fit_to_leave(_trace(), Shown.STRUCTURE)
    written = msgspec.json.encode(left)
    assert WORDS.encode() not in written
    assert SECRET.encode() not in written
    (span,) = left.spans
    assert span.attributes == {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 12,
        "app.prompt.name": "chat",
        "gen_ai.response.finish_reasons": ["stop"],
        TAKEN_OUT: True,
    }
    assert span.facts == _trace().spans[0].facts
    assert span.content is not None
    assert span.content.documents == (Document(id="doc-1", score=0.5, text="‹25 characters›", snapshot="v7"),)
    assert span.content.messages_out[0].calls[0].name == "look"
    assert span.content.output == "", "what was never there is not counted"
    assert GONE in left.notes


def test_what_stands_for_words_that_were_taken_out_is_never_sent_to_a_provider() -> None:
    assert recorded_call(TRACE_ID, _trace().spans[0]) is not None
    assert recorded_call(TRACE_ID, fit_to_leave(_trace(), Shown.STRUCTURE).spans[0]) is None


def test_masked_keeps_the_words_and_no_credential() -> None:
    left = fit_to_leave(_trace(), Shown.MASKED)
    written = msgspec.json.encode(left)
    assert WORDS.encode() in written
    assert SECRET.encode() not in written


def test_raw_is_all_of_it() -> None:
    assert fit_to_leave(_trace(), Shown.RAW) == _trace()


def _bundle(**more: object) -> Bundle:
    known = {"exported_at": 5.0, "version": "1", "environment": "prod", "source": "traces", "shown": Shown.RAW}
    return Bundle(**{**known, "traces": (_trace(),), **more})  # type: ignore[arg-type]


def test_a_file_is_read_as_it_was_written_packed_or_plain() -> None:
    assert decode(encode(_bundle()), "f") == _bundle()
    assert decode(msgspec.json.encode(_bundle()), "f") == _bundle()
    assert encode(_bundle()) == encode(_bundle()), "the same requests are the same file"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no bundle"),
        (b"<html>", "no bundle"),
        (b"[" * 100_000, "no bundle"),
        (b'{"a": 1}', "no bundle"),
        (b'{"switchgear_bundle": 99, "version": "9.9"}', "update switchgear"),
        (b'{"switchgear_bundle": 1}', "broken bundle"),
        (encode(_bundle())[:-20], "cut"),
        (b"\x1f\x8b" + b"x" * 50, "cannot be unpacked"),
    ],
)
def test_a_file_that_is_none_is_said_with_the_way_out(data: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        decode(data, "f.json.gz")
    assert "f.json.gz" in str(caught.value)


class Store:
    """A trace store of some requests."""

    def __init__(self, *traces: Trace) -> None:
        self.traces = {trace.trace_id: trace for trace in traces}
        self.no_marks = False

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        found = [trace.request for trace in self.traces.values() if trace.request]
        return tuple(one for one in found if one.conversation == query.conversation)[: query.limit]

    async def trace(self, trace_id: str) -> Trace:
        return self.traces[trace_id]

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        if self.no_marks:
            raise BackendError(ErrorKind.UNSUPPORTED, "it keeps none")
        return tuple(
            Mark(trace_id=trace_id, span_id="cd" * 8, at=1000.0, kind=MarkKind.RETRIEVAL, version="v7")
            for trace_id in (*self.traces, "ff" * 16)
        )


async def test_a_conversation_leaves_with_its_marks_and_nobody_elses() -> None:
    store = Store(_trace(), _trace("ee" * 16))
    query = BundleQuery(source="traces", conversation="c1")
    found = await export(store, query, "prod", 7.0)
    assert {trace.trace_id for trace in found.traces} == {TRACE_ID, "ee" * 16}
    assert {mark.trace_id for mark in found.marks} == {TRACE_ID, "ee" * 16}
    assert (found.environment, found.exported_at, found.shown) == ("prod", 7.0, Shown.STRUCTURE)
    assert WORDS.encode() not in msgspec.json.encode(found)


async def test_a_store_without_marks_is_said_and_the_rest_leaves() -> None:
    store = Store(_trace())
    store.no_marks = True
    found = await export(store, BundleQuery(source="traces", trace_id=TRACE_ID), "prod", 7.0)
    assert (len(found.traces), found.marks) == (1, ())
    assert any("without marks" in note for note in found.notes)


@pytest.mark.parametrize("query", [BundleQuery(source="t"), BundleQuery(source="t", trace_id="a", conversation="b")])
async def test_one_request_or_one_conversation(query: BundleQuery) -> None:
    with pytest.raises(Refusal, match="name one of them"):
        await export(Store(_trace()), query, "prod", 7.0)


async def test_a_conversation_that_nobody_had_is_refused() -> None:
    with pytest.raises(Refusal, match="no request"):
        await export(Store(_trace()), BundleQuery(source="t", conversation="nobody's"), "prod", 7.0)
