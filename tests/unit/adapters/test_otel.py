"""OpenTelemetry's spans become the domain's, however they are written and whatever is in them."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from adapters.otel import Aliases, Arrival, Limits, MalformedOtlp, Normalised, from_json, from_protobuf
from adapters.otel.values import CUT
from console.domain.spans import Span, SpanKind
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body, message

ALIASES, LIMITS = Aliases.of(), Limits()


def _protobuf(*spans: Sent, **resource: Any) -> list[Arrival]:
    return from_protobuf(body(*spans, **resource), ALIASES, LIMITS).arrivals


def _json(document: Any, limits: Limits = LIMITS) -> Normalised:
    return from_json(document, ALIASES, limits)


def _one_span(**fields: Any) -> dict[str, Any]:
    span = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "x", "startTimeUnixNano": BEGIN_NS, **fields}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


RICH = (
    Sent(1, name="POST /chat", kind=2, ms=900, attributes={"http.response.status_code": 500, "session.id": "c-1"}),
    Sent(
        2,
        parent=1,
        start_ms=5,
        ms=800.5,
        name="chat",
        kind=3,
        failed=True,
        message="too slow",
        attributes={
            "gen_ai.operation.name": "chat",
            "list": ["a", 1, 2.5, True],
            "map": {"a": {"b": 1}},
            "bytes": b"\x00\xff",
            "half": 0.5,
        },
        events=(("exception", {"exception.type": "httpx.ReadTimeout", "exception.message": "no answer"}),),
    ),
)


def _hexadecimal(document: dict[str, Any]) -> dict[str, Any]:
    """The same document with ids as OTLP/JSON writes them."""
    for group in document["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span, sent in zip(scope["spans"], RICH, strict=True):
                span["traceId"], span["spanId"] = sent.trace_id.hex(), sent.span_id.hex().upper()
                if sent.parent:
                    span["parentSpanId"] = RICH[0].span_id.hex()
    return document


def _numbers(document: dict[str, Any]) -> dict[str, Any]:
    """The same with numbers instead of their digits."""
    return json.loads(json.dumps(document), object_hook=_numeric)  # type: ignore[no-any-return]


def _numeric(pairs: dict[str, Any]) -> dict[str, Any]:
    return {k: int(v) if k.endswith("UnixNano") or k == "intValue" else v for k, v in pairs.items()}


FORMS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "base64 ids, names of enums, digits": MessageToDict,
    "hexadecimal ids": lambda m: _hexadecimal(MessageToDict(m)),
    "numbers": lambda m: _numbers(MessageToDict(m)),
    "enums by number": lambda m: MessageToDict(m, use_integers_for_enums=True),
    "snake_case": lambda m: MessageToDict(m, preserving_proto_field_name=True),
    "an older store's name for it": lambda m: {"batches": MessageToDict(m)["resourceSpans"]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_of_writing_gives_the_same_spans(form: str) -> None:
    sent = message(*RICH, **{"service.version": "1.2"})
    document = json.loads(json.dumps(FORMS[form](sent)))
    found = _json(document)
    assert found.rejected == 0
    assert found.arrivals == from_protobuf(sent.SerializeToString(), ALIASES, LIMITS).arrivals
    assert len(found.arrivals) == 2


def test_a_span_is_read_whole() -> None:
    root, child = _protobuf(*RICH, **{"service.version": "1.2"})
    assert (root.trace_id, root.span_id, root.parent_id) == (RICH[0].trace_id, RICH[0].span_id, b"")
    assert (root.start_ns, root.end_ns) == (BEGIN_NS, BEGIN_NS + 900_000_000)
    assert (root.span.kind, root.entry, root.span.facts.conversation) == (SpanKind.REQUEST, True, "c-1")
    assert child.span == Span(
        span_id=RICH[1].span_id.hex(),
        parent_id=RICH[0].span_id.hex(),
        name="chat",
        kind=SpanKind.MODEL,
        service="shop",
        started_at=(BEGIN_NS + 5_000_000) / 1e9,
        duration_s=0.8005,
        failed=True,
        error="too slow",
        attributes={
            "service.version": "1.2",
            "gen_ai.operation.name": "chat",
            "list": ["a", 1, 2.5, True],
            "map": {"a": {"b": 1}},
            "bytes": "AP8=",
            "half": 0.5,
        },
        events=child.span.events,
    )
    assert [event.name for event in child.span.events] == ["exception"]
    assert (child.entry, child.failure) == (False, "ReadTimeout")


@pytest.mark.parametrize(
    ("sent", "error", "failure"),
    [
        (Sent(1, failed=True, message="quota", attributes={"http.response.status_code": 429}), "quota", "429"),
        (Sent(1, failed=True, attributes={"error.type": "timeout"}), "timeout", "timeout"),
        (Sent(1, failed=True, attributes={"http.response.status_code": 200}), "failed", "error"),
        (Sent(1, failed=True, events=(("exception", {"exception.type": "a.B"}),)), "a.B", "B"),
        (Sent(1, failed=True, message="\x1b[2Jgone"), "�[2Jgone", "error"),
        (Sent(1, attributes={"error.type": "timeout"}), "", ""),
    ],
)
def test_how_a_span_failed(sent: Sent, error: str, failure: str) -> None:
    (found,) = _protobuf(sent)
    assert (found.span.error, found.failure) == (error, failure)


def test_the_configs_own_names_come_first() -> None:
    aliases = Aliases.of({"conversation": ["chat.id"], "usd": ["bill{eur}"]})
    sent = body(Sent(1, attributes={"session.id": "s", "chat.id": "c", "bill": '{"eur": 2}'}))
    (found,) = from_protobuf(sent, aliases, LIMITS).arrivals
    assert (found.span.facts.conversation, found.span.facts.usd) == ("c", 2.0)


def test_an_alias_for_what_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no span has colour; there are conversation, prompt_name"):
        Aliases.of({"colour": ["x"]})


@pytest.mark.parametrize(
    ("attributes", "kind", "expected"),
    [
        ({"gen_ai.operation.name": "execute_tool"}, 1, SpanKind.TOOL),
        ({"gen_ai.operation.name": "search_memory"}, 1, SpanKind.MEMORY),
        ({"openinference.span.kind": "RETRIEVER"}, 1, SpanKind.RETRIEVAL),
        ({"langfuse.observation.type": "generation"}, 1, SpanKind.MODEL),
        ({"traceloop.span.kind": "workflow"}, 1, SpanKind.CHAIN),
        ({"llm.request.type": "embedding"}, 1, SpanKind.EMBEDDING),
        ({"messaging.system": "rabbitmq"}, 5, SpanKind.QUEUE),
        ({}, 4, SpanKind.QUEUE),
        ({}, 2, SpanKind.REQUEST),
        ({"gen_ai.operation.name": "dance"}, 1, SpanKind.OTHER),
    ],
)
def test_what_a_span_is_about(attributes: dict[str, Any], kind: int, expected: SpanKind) -> None:
    _, found = _protobuf(Sent(1), Sent(2, parent=1, kind=kind, attributes=attributes))
    assert found.span.kind is expected


def test_a_service_without_a_name_gets_the_one_of_the_rules() -> None:
    (found,) = _protobuf(Sent(1), service="")
    assert found.span.service == "unknown_service"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"traceId": "0" * 32}, "trace id"),
        ({"traceId": "ab"}, "trace id"),
        ({"traceId": "xyz" * 11}, "an id is neither"),
        ({"spanId": "0" * 16}, "span id"),
        ({"spanId": ["a"]}, "id"),
        ({"parentSpanId": "AAAA"}, "parent's id"),
        ({"startTimeUnixNano": 0}, "before the year 2000"),
        ({"startTimeUnixNano": "yesterday"}, "no number of nanoseconds"),
        ({"startTimeUnixNano": 2**64 - 1}, "after 2100"),
        ({"startTimeUnixNano": {"low": 1}}, "no number of nanoseconds"),
        ({"endTimeUnixNano": 2**63}, "ends after"),
        ({"endTimeUnixNano": -5}, "ends after"),
    ],
)
def test_a_span_that_cannot_be_kept_is_left_out_alone(fields: dict[str, Any], why: str) -> None:
    document = _one_span(**fields)
    document["resourceSpans"].append(_one_span()["resourceSpans"][0])
    found = _json(document)
    assert (len(found.arrivals), found.rejected) == (1, 1)
    assert why in found.why


def test_wrong_ids_in_protobuf_are_left_out_too() -> None:
    sent = message(Sent(1), Sent(2))
    sent.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    found = from_protobuf(sent.SerializeToString(), ALIASES, LIMITS)
    assert (len(found.arrivals), found.rejected) == (1, 1)


def test_an_end_before_the_start_is_no_time_at_all() -> None:
    (found,) = _protobuf(Sent(1, ms=-5))
    assert found.span.duration_s == 0.0


def test_a_span_that_has_not_ended_has_no_duration() -> None:
    (found,) = _protobuf(Sent(1, ms=None))
    assert (found.end_ns, found.span.duration_s) == (0, None)


@pytest.mark.parametrize("encode", [False, True])
def test_what_is_too_long_is_cut_and_named(*, encode: bool) -> None:
    limits = Limits(text=100, attributes=3, events=1, depth=2, items=4, name=20)
    sent = message(
        Sent(
            1,
            name="n" * 50,
            attributes={"big": "x" * 101, "deep": {"a": {"b": {"c": 1}}}, "wide": list(range(9)), "fourth": 1},
            events=(("one", {}), ("two", {})),
        )
    )
    found = _json(MessageToDict(sent), limits) if encode else from_protobuf(sent.SerializeToString(), ALIASES, limits)
    span = found.arrivals[0].span
    assert span.name == "n" * 20
    assert span.attributes["big"] == "x" * 100
    assert span.attributes["deep"] == {"a": {"b": "…"}}
    assert span.attributes["wide"] == [0, 1, 2, 3]
    assert "fourth" not in span.attributes
    assert "big" in span.attributes[CUT]
    assert len(span.attributes[CUT]) == 2
    assert [event.name for event in span.events] == ["one"]


def test_numbers_that_are_none_and_text_that_is_no_unicode_survive_the_wire() -> None:
    values = [
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "big", "value": {"intValue": str(10**30)}},
        {"key": "lone", "value": {"stringValue": "\ud800x"}},
        {"key": "\udfff", "value": {"stringValue": "a\x00\x1b[31m"}},
    ]
    (found,) = _json(_one_span(name="\ud800", attributes=values)).arrivals
    again = msgspec.json.decode(msgspec.json.encode(found.span), type=Span)
    assert again == found.span
    assert found.span.attributes == {"nan": "NaN", "big": hex(10**30), "lone": "?x", "?": "a\x00\x1b[31m"}


def test_values_within_values_end_somewhere() -> None:
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(250):
        value = {"arrayValue": {"values": [value]}}
    (found,) = _json(_one_span(attributes=[{"key": "deep", "value": value}])).arrivals
    assert str(found.span.attributes["deep"]).count("[") == LIMITS.depth


def test_infinity_in_protobuf_survives_the_wire() -> None:
    (found,) = _protobuf(Sent(1, attributes={"a": float("-inf"), "b": [float("nan")]}))
    assert found.span.attributes == {"a": "-Infinity", "b": ["NaN"]}


@pytest.mark.parametrize("document", [[], "x", {"spans": []}, {"resourceSpans": 5}, {"resourceSpans": [1]}])
def test_what_is_no_otlp_is_malformed(document: Any) -> None:
    with pytest.raises(MalformedOtlp):
        _json(document)


def test_an_empty_object_is_no_spans() -> None:
    assert _json({}).arrivals == []


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reading_of_protobuf(data: bytes) -> None:
    try:
        found = from_protobuf(data, ALIASES, LIMITS)
    except MalformedOtlp:
        return
    assert not found.arrivals or found.arrivals[0].span.span_id


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "kind", "status", "events")


@given(st.dictionaries(st.sampled_from((*FIELDS, "attributes", "name")), ANY_JSON))
def test_no_json_breaks_the_reading(fields: dict[str, Any]) -> None:
    try:
        found = _json(_one_span(**fields))
    except MalformedOtlp:
        return
    for one in found.arrivals:
        assert msgspec.json.decode(msgspec.json.encode(one.span), type=Span) == one.span
