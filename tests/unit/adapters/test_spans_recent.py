"""What is remembered of a trace store's latest looks: bounded, counted once, right whatever comes in which order."""

from typing import Any

import pytest

from adapters.otel import Aliases, Arrival, Limits, from_json
from adapters.spans import recent
from adapters.spans.readings import request
from adapters.spans.recent import Recent, folded
from adapters.spans.together import together
from console.domain.asked import asked_for
from console.domain.conversations import MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.spans import LaneFilter, LaneKind, RequestQuery

NOW = 1_795_400_000.0


def span(number: int, own: int, parent: int = 0, service: str = "", began_s: float = 0.0, **said: Any) -> Arrival:
    """Span `own` of request `number`, `began_s` seconds after NOW, of one second."""
    begin = int((NOW + began_s) * 1e9)
    body = {
        "traceId": f"{number:032x}",
        "spanId": f"{own:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": f"step {own}",
        "startTimeUnixNano": begin,
        "endTimeUnixNano": begin + 10**9,
        "attributes": said,
    }
    group = {"resource": {"attributes": {"service.name": service}}, "scopeSpans": [{"spans": [body]}]}
    return from_json({"resourceSpans": [group]}, Aliases.of(), Limits()).arrivals[0]


def _remembered(*arrivals: Arrival, kinds: bool = True) -> Recent:
    found = Recent(kinds=kinds)
    found.begin(0.0)
    for one in arrivals:
        found.add([one], NOW)
    return found


def test_a_span_that_comes_again_counts_once() -> None:
    call: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 10}
    spans = (span(1, 1, service="shop"), span(1, 2, 1, "shop", **call))
    found = _remembered(*spans, *spans)
    (row,) = found.newest(10)
    assert (row.spans, row.tokens_in) == (2, 10)
    assert len(found.window(NOW - 10, NOW + 10).entries) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_without_kinds_a_service_is_asked_where_its_parent_is_another_s(order: tuple[int, ...]) -> None:
    spans = (span(1, 1, service="shop"), span(1, 2, 1, "search"), span(1, 3, 2, "search"))
    found = _remembered(*(spans[number] for number in order), kinds=False)
    assert sorted(entry[0] for entry in found.window(NOW - 10, NOW + 10).entries) == ["search", "shop"]
    assert len(_remembered(*spans, kinds=True).window(NOW - 10, NOW + 10).entries) == 1


def test_what_does_not_say_its_service_is_no_service() -> None:
    found = _remembered(span(1, 1, service="shop"))
    found.newest(1)[0].service = ""
    assert found.services() == []
    assert found.nameless() == 1
    assert found.window(NOW - 10, NOW + 10).requests == []


def test_a_window_begins_where_everything_is_known() -> None:
    found = Recent(kinds=True)
    found.begin(NOW - 5.0)
    found.add([span(1, 1, service="shop")], NOW)
    assert found.window(NOW - 300.0, NOW).since_s == NOW - 5.0


def test_the_oldest_go_when_there_are_too_many_and_what_is_known_begins_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "REQUESTS_MOST", 20)
    found = _remembered(*(span(number, 1, service="shop", began_s=float(number)) for number in range(1, 31)))
    assert len(found) <= 20
    assert found.newest(1)[0].trace == bytes.fromhex(f"{30:032x}")
    oldest = found.newest(100)[-1]
    assert found.since_s <= oldest.start_us / 1e6 + 1.0
    assert found.since_s > NOW
    assert found.full


def test_too_many_spans_of_few_requests_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "SPANS_MOST", 100)
    found = _remembered(
        *(span(number, own, 1 if own > 1 else 0, "shop") for number in range(1, 6) for own in range(1, 31))
    )
    assert len(found) == 3


def test_what_a_store_had_before_is_remembered_too() -> None:
    found = Recent(kinds=True)
    found.begin(NOW)
    found.reach([span(1, 1, service="shop", began_s=-100.0)], NOW - 200.0, NOW)
    assert (len(found), found.since_s, found.full) == (1, NOW - 200.0, False)


def test_beginning_anew_forgets_what_was_known() -> None:
    found = _remembered(span(1, 1, service="shop"))
    found.begin(NOW)
    assert (len(found), found.newest(10), found.since_s) == (0, [], NOW)


def test_a_request_without_its_root_is_read_again_now_and_then_and_not_for_ever() -> None:
    found = _remembered(span(1, 2, 1, "shop"), span(2, 1, service="shop"))
    assert found.rootless(NOW) == [f"{1:032x}"]
    assert found.rootless(NOW + 1.0) == []
    assert found.rootless(NOW + recent.AGAIN_S) == [f"{1:032x}"]
    assert found.rootless(NOW + recent.AGAIN_FOR_S + 60.0) == []
    found.add([span(1, 1, service="shop")], NOW)
    assert found.rootless(NOW + 2 * recent.AGAIN_S) == []


def test_marks_have_the_conversation_that_only_the_root_says() -> None:
    said: dict[str, Any] = {"retrieval.snapshot.version": "v2", "gen_ai.operation.name": "retrieval"}
    session: dict[str, Any] = {"session.id": "c-1"}
    read = span(1, 2, 1, "search", **said)
    root = span(1, 1, service="shop", **session)
    found = _remembered(read, root)
    query = MarkQuery(source="s", since=0.0, conversation="c-1")
    marks = found.marks(query)
    assert {(mark.kind, mark.service) for mark in marks} == {
        (MarkKind.RETRIEVAL, "search"),
        (MarkKind.SERVICE, "search"),
        (MarkKind.SERVICE, "shop"),
    }
    assert {mark.conversation for mark in marks} == {"c-1"}
    assert found.marks(MarkQuery(source="s", since=NOW + 100.0)) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"before": NOW}, False),
        ({"before": NOW + 0.001}, True),
        ({"failed": True}, False),
        ({"good": True}, True),
        ({"name": "step 1"}, True),
        ({"name": "step"}, False),
        ({"service": "shop"}, True),
        ({"conversation": "c-1"}, True),
        ({"conversation": "c-2"}, False),
        ({"min_duration_s": 1.0}, True),
        ({"min_duration_s": 1.001}, False),
        ({"lanes": (LaneFilter(lane=LaneKind.TOKENS, value="m", at_least=10.0),)}, True),
        ({"lanes": (LaneFilter(lane=LaneKind.TOKENS, value="m", at_least=11.0),)}, False),
        ({"lanes": (LaneFilter(lane=LaneKind.TOKENS), LaneFilter(lane=LaneKind.MEMORY))}, False),
    ],
)
def test_only_requests_are_found_in_which_everything_holds(query: dict[str, Any], found: bool) -> None:
    call: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 10,
    }
    session: dict[str, Any] = {"session.id": "c-1"}
    arrivals = [span(1, 1, service="shop", **session), span(1, 2, 1, "shop", **call)]
    row = folded(arrivals[0].trace_id, arrivals, NOW)
    asked = RequestQuery(source="s", **query)
    assert asked_for(request("s", row, NOW), [one.span for one in arrivals], asked) is found


async def test_of_several_questions_some_may_fail_and_not_all() -> None:
    async def good(number: int) -> int:
        return number

    async def bad() -> int:
        raise BackendError(ErrorKind.MALFORMED, "broken")

    assert await together([good(1), bad(), good(2)]) == ([1, 2], (BackendError(ErrorKind.MALFORMED, "broken").failure,))
    assert await together([]) == ([], ())
    with pytest.raises(BackendError, match="broken"):
        await together([bad(), bad()])
