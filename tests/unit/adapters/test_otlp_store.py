"""What the embedded trace store keeps: nothing twice, nothing for ever, and a row for each request that is right."""

import itertools
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.otel import Aliases, Arrival, Limits, from_protobuf, read
from adapters.otel.values import CUT
from adapters.otlp import listing, questions, retention, tree
from adapters.otlp.bodies import MOST, pack, unpack
from adapters.otlp.keeping import Keeper, Kept
from adapters.otlp.lock import CollectorLock, collector_runs
from adapters.otlp.retention import Retention, Upkeep, bytes_used
from adapters.otlp.schema import StoreTooNew, connect
from adapters.otlp.tree import trace
from adapters.spans.circles import without_circles
from adapters.spans.row import RequestRow, by_trace
from adapters.spans.tree import SHOWN_BYTES
from console.domain.errors import ConfigError
from console.domain.spans import RequestQuery, Span
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body

ALIASES = Aliases.of()
NOW_NS = BEGIN_NS + 10 * 10**9
NOW = NOW_NS / 1e9


def arrivals(*spans: Sent, **more: Any) -> list[Arrival]:
    return from_protobuf(body(*spans, **more), ALIASES, Limits()).arrivals


def whole(number: int, **more: Any) -> list[Sent]:
    """One request of three spans, in the order in which they end: retrieval, model call, root."""
    base = number * 100
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 10}
    return [
        Sent(
            base + 2, base + 1, number, "retrieve", start_ms=number + 1, attributes={"retrieval.snapshot.version": "7"}
        ),
        Sent(base + 3, base + 1, number, "chat", start_ms=number + 2, attributes=call),
        Sent(base + 1, 0, number, **{"name": "POST /chat", "kind": 2, "start_ms": number, "ms": 50.0, **more}),
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spans.sqlite"


@pytest.fixture
def keeper(path: Path) -> Iterator[Keeper]:
    connection = connect(path)
    yield Keeper(connection)
    connection.close()


def put(keeper: Keeper, *spans: Sent, now_ns: int = NOW_NS, **more: Any) -> Kept:
    return keeper.write(by_trace(arrivals(*spans, **more)), now_ns)


def row(keeper: Keeper, number: int = 1) -> RequestRow:
    found = questions.one_request(keeper.connection, number.to_bytes(16, "big"))
    assert found is not None
    return found


def listed(keeper: Keeper, **query: Any) -> list[int]:
    rows = listing.requests(keeper.connection, RequestQuery(source="s", **query))
    return [int.from_bytes(each.trace, "big") for each in rows]


def test_a_request_is_one_row_of_all_its_spans(keeper: Keeper) -> None:
    assert put(keeper, *whole(1, attributes={"session.id": "c"})).spans == 3
    found = row(keeper)
    assert (found.name, found.service, found.conversation, found.model) == ("POST /chat", "shop", "c", "m")
    assert (found.start_us, found.duration_us) == (BEGIN_NS // 1000 + 1000, 50_000)
    assert (found.rooted, found.failed, found.spans, found.tokens_in, found.snapshot) == (1, 0, 3, 10, "7")


def test_until_its_root_comes_a_request_is_what_its_spans_say(keeper: Keeper) -> None:
    first, second, root = whole(1)
    put(keeper, second, first)
    found = row(keeper)
    assert (found.rooted, found.name, found.duration_us) == (0, "retrieve", 11_000)
    put(keeper, root)
    assert (row(keeper).name, row(keeper).duration_us) == ("POST /chat", 50_000)


def test_a_retry_that_succeeded_is_no_failure_of_the_request_and_is_said(keeper: Keeper) -> None:
    put(
        keeper,
        Sent(2, 1, name="chat", start_ms=1, failed=True, message="429 quota", attributes={"gen_ai.request.model": "a"}),
        Sent(3, 1, name="chat", start_ms=20, attributes={"gen_ai.request.model": "b"}),
    )
    assert row(keeper).failed == 1
    put(keeper, Sent(1))
    found = row(keeper)
    assert (found.failed, found.error, found.model) == (0, "429 quota", "b")


def test_the_error_is_that_of_the_span_that_failed_first(keeper: Keeper) -> None:
    put(keeper, Sent(1, failed=True, message="sorry", start_ms=0), Sent(2, 1, failed=True, message="late", start_ms=9))
    put(keeper, Sent(3, 1, failed=True, message="the cause", start_ms=-3))
    assert (row(keeper).error, row(keeper).failed) == ("the cause", 1)


def test_an_agents_sum_and_a_call_inside_a_call_are_not_counted_twice(keeper: Keeper) -> None:
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2}
    call = {"gen_ai.operation.name": "chat", **usage}
    put(keeper, Sent(3, 2, attributes=call), Sent(2, 1, attributes=call), Sent(4, 1, attributes=call))
    put(keeper, Sent(1, attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 20}))
    assert (row(keeper).tokens_in, row(keeper).tokens_out, row(keeper).rolled_in) == (20, 4, 20)


def test_more_tokens_than_there_are_do_not_stop_the_writing(keeper: Keeper) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 2**53}
    for _ in range(2):
        put(keeper, *(Sent(number, 1, attributes=call) for number in range(2, 1500)))
    assert row(keeper).tokens_in == 2**53


ROOTED = whole(1, attributes={"session.id": "c"}, failed=True)
LATE = [Sent(104, 101, 1, "late", start_ms=-1, ms=900, failed=True, message="first")]


@settings(max_examples=60, deadline=None)
@given(st.permutations([*ROOTED, *LATE]), st.integers(1, 4))
def test_the_row_does_not_depend_on_how_spans_arrive(order: list[Sent], at_once: int) -> None:
    found = RequestRow(1, b"t", 0)
    spans = arrivals(*order)
    for begin in range(0, len(spans), at_once):
        found.add(spans[begin : begin + at_once], NOW_NS)
    expected = RequestRow(1, b"t", 0)
    expected.add(arrivals(*ROOTED, *LATE), NOW_NS)
    assert found == expected


def test_what_is_sent_again_is_kept_once(keeper: Keeper) -> None:
    put(keeper, *whole(1))
    before = row(keeper)
    assert put(keeper, *whole(1), *whole(1)[:1]).spans == 0
    assert put(keeper, *whole(1), *whole(2)).spans == 3
    assert row(keeper) == before
    totals = questions.totals(keeper.connection)
    assert (totals.requests, totals.spans) == (2, 6)


def test_another_collector_on_the_same_file_goes_on_where_the_first_ended(path: Path) -> None:
    for number in (1, 2):
        connection = connect(path)
        kept = put(Keeper(connection), *whole(1), *whole(number))
        connection.close()
        assert kept.spans == 3
    connection = connect(path)
    assert questions.totals(connection).requests == 2
    connection.close()


def test_a_request_without_end_stops_at_its_limit_and_says_so(path: Path) -> None:
    connection = connect(path)
    keeper = Keeper(connection, spans_most=5)
    assert put(keeper, *(Sent(number) for number in range(1, 4))) == Kept(3, 0)
    assert put(keeper, *(Sent(number) for number in range(1, 9))) == Kept(2, 3)
    assert put(keeper, *whole(2)) == Kept(3, 0)
    assert (row(keeper).spans, row(keeper).cut) == (5, 3)
    assert questions.totals(connection).rejected == 3
    connection.close()


def test_a_batch_that_cannot_be_written_leaves_nothing_behind(keeper: Keeper) -> None:
    put(keeper, *whole(1))
    keeper.connection.execute("CREATE TRIGGER no BEFORE UPDATE ON totals BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(sqlite3.Error):
        put(keeper, Sent(104, 101), *whole(2))
    keeper.connection.execute("DROP TRIGGER no")
    assert (row(keeper).spans, listed(keeper)) == (3, [1])
    put(keeper, *whole(3), Sent(104, 101))
    assert (row(keeper).spans, listed(keeper)) == (4, [3, 1])
    assert questions.totals(keeper.connection).spans == 7


def test_only_its_owner_may_read_the_file(keeper: Keeper, path: Path) -> None:
    put(keeper, *whole(1))
    for each in (path, path.with_name(f"{path.name}-wal")):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_a_file_of_a_newer_program_is_refused(path: Path) -> None:
    connection = connect(path)
    connection.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('spans', 'm999_more')")
    connection.close()
    with pytest.raises(StoreTooNew, match="m999_more"):
        connect(path)


def test_lists_are_newest_first_and_page_without_gap_or_repeat(keeper: Keeper) -> None:
    for number in range(1, 8):
        put(keeper, *whole(number))
    assert listed(keeper, limit=3) == [7, 6, 5]
    before = listing.requests(keeper.connection, RequestQuery(source="s", limit=3))[-1].start_us / 1e6
    assert listed(keeper, before=before) == [4, 3, 2, 1]


def test_lists_are_narrowed_in_every_way(keeper: Keeper) -> None:
    put(keeper, *whole(1), *whole(2, failed=True), service="a")
    put(keeper, *whole(3, ms=900.0, attributes={"session.id": "c"}), *whole(4, failed=True, ms=900.0), service="b")
    assert listed(keeper, failed=True) == [4, 2]
    assert listed(keeper, service="a") == [2, 1]
    assert listed(keeper, service="b", failed=True) == [4]
    assert listed(keeper, conversation="c") == [3]
    assert listed(keeper, conversation="c", failed=True) == []
    assert listed(keeper, min_duration_s=0.5) == [4, 3]
    assert listed(keeper, service="b", min_duration_s=0.5, failed=True) == [4]
    assert listed(keeper, service="nobody") == []
    assert listed(keeper, limit=-1) == []
    assert listed(keeper, before=-1e300, min_duration_s=1e300) == []


@pytest.mark.parametrize(
    "query",
    [
        dict(zip(("failed", "service", "conversation", "min_duration_s"), chosen, strict=True))
        for chosen in itertools.product((False, True), ("", "shop"), ("", "c"), (None, 0.1))
    ],
)
def test_no_list_sorts_or_scans_the_whole_table(keeper: Keeper, query: dict[str, Any]) -> None:
    said: list[str] = []
    keeper.connection.set_trace_callback(said.append)
    listed(keeper, **query)
    keeper.connection.set_trace_callback(None)
    (statement,) = (each for each in said if "FROM requests" in each and "ORDER BY" in each)
    plan = " ".join(str(each[3]) for each in keeper.connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
    assert "USING INDEX" in plan
    assert "TEMP B-TREE" not in plan


def test_services_are_all_that_ever_took_a_request(keeper: Keeper) -> None:
    for number, name in enumerate("bcaab", 1):
        put(keeper, *whole(number), service=name)
    assert questions.services(keeper.connection, 10) == ["a", "b", "c"]
    assert questions.services(keeper.connection, 2) == ["a", "b"]


def test_a_window_holds_what_services_were_asked(keeper: Keeper) -> None:
    put(keeper, *whole(1, attributes={"session.id": "c", "app.ttft_ms": 20}))
    put(keeper, Sent(107, 101, 1, "vector search", kind=2, start_ms=3, failed=True), service="search")
    put(keeper, *whole(2, start_ms=-60_000.0))
    found = questions.window(keeper.connection, BEGIN_NS / 1e9 - 5, NOW)
    assert sorted(found.entries) == [("search", 10_000, "error"), ("shop", 50_000, "")]
    assert found.requests == [("shop", "c", 10, None, 0.02)]
    assert found.snapshots == [("shop", "7")]
    assert found.since_s == pytest.approx(BEGIN_NS / 1e9 - 5)


def test_a_window_with_more_than_is_read_begins_later(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    put(keeper, *(Sent(number, 0, number, start_ms=number * 100) for number in range(1, 9)))
    monkeypatch.setattr(questions, "ENTRIES_MOST", 3)
    found = questions.window(keeper.connection, BEGIN_NS / 1e9 - 5, NOW)
    assert len(found.entries) == 3
    assert found.since_s == pytest.approx(BEGIN_NS / 1e9 + 0.6)


def test_a_clock_from_the_future_does_not_stay_at_the_top(keeper: Keeper) -> None:
    put(keeper, *whole(1, start_ms=86_400_000.0))
    put(keeper, *whole(2), now_ns=NOW_NS + 10**9)
    put(keeper, *whole(3, start_ms=11_500.0), now_ns=NOW_NS + 2 * 10**9)
    assert listed(keeper) == [3, 1, 2]


@pytest.mark.parametrize(("keep_s", "left"), [(1e9, 4), (25.0, 3), (5.0, 1), (0.5, 0)])
def test_what_is_too_old_goes_the_oldest_first(keeper: Keeper, keep_s: float, left: int) -> None:
    for number in range(1, 5):
        put(keeper, *whole(number), now_ns=NOW_NS + number * 10 * 10**9)
    upkeep = Upkeep(keeper.connection, Retention(keep_s, 2**40))
    while upto := upkeep.step(NOW + 42):
        keeper.forget(upto)
    assert listed(keeper) == [4, 3, 2, 1][:left]
    totals = questions.totals(keeper.connection)
    assert (totals.requests, totals.spans) == (left, 3 * left)
    assert keeper.connection.execute("SELECT count(*) FROM spans").fetchone() == (3 * left,)
    put(keeper, *whole(9), now_ns=NOW_NS + 50 * 10**9)
    assert listed(keeper)[0] == 9


def test_a_full_file_is_emptied_from_its_old_end_and_grows_no_more(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "REQUESTS_AT_ONCE", 10)
    most, dice = 300_000, random.Random(1)
    upkeep = Upkeep(keeper.connection, Retention(1e9, most))
    sizes = []
    for number in range(1, 301):
        put(keeper, *whole(number, attributes={"input.value": f"{dice.getrandbits(12_000):x}"}))
        while upto := upkeep.step(NOW):
            keeper.forget(upto)
        sizes.append(keeper.connection.execute("PRAGMA page_count").fetchone()[0] * 4096)
    assert bytes_used(keeper.connection) <= most
    assert max(sizes) <= 1.1 * most
    left = listed(keeper, limit=1000)
    assert left[0] == 300
    assert 20 < len(left) < 250
    assert left == sorted(left, reverse=True)


def test_a_body_comes_back_as_it_was() -> None:
    for one in arrivals(*whole(1), Sent(5, attributes={"a": [1, {"b": None}]}, events=(("e", {"x": 1.5}),))):
        again, _ = unpack(pack(one.span))
        assert read(again, ALIASES) == read(one.span, ALIASES)


def test_a_body_that_is_too_large_loses_its_longest_texts_and_says_which() -> None:
    long = {f"doc.{number}": f"{number}" * 60_000 for number in range(10)}
    (one,) = arrivals(Sent(1, attributes={"small": "s", **long}))
    again, _ = unpack(pack(one.span))
    assert len(msgspec.msgpack.encode(again)) <= MOST
    assert again.attributes["small"] == "s"
    assert "doc.3" in again.attributes[CUT]
    assert again.attributes["doc.3"] == "3" * len(again.attributes["doc.3"])


def test_a_body_of_nothing_but_small_things_without_end_is_kept_without_them() -> None:
    span = Span(span_id="0" * 16, name="x", started_at=1.0, attributes={f"k{n}": n for n in range(60_000)})
    again, _ = unpack(pack(span))
    assert len(msgspec.msgpack.encode(again)) <= MOST
    assert again.attributes[CUT] == ["everything"]


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reading_of_a_body(data: bytes) -> None:
    for broken in (data, b"\x01" + data):
        with pytest.raises(ValueError, match="body of a span"):
            unpack(broken)


def _spans(*pairs: tuple[str, str]) -> list[Span]:
    return [Span(span_id=own, parent_id=parent, name=own, started_at=1.0) for own, parent in pairs]


@pytest.mark.parametrize(
    ("pairs", "roots", "circles"),
    [
        ((("a", ""), ("b", "a"), ("c", "b")), {"a"}, 0),
        ((("a", "a"),), {"a"}, 1),
        ((("a", "b"), ("b", "a")), {"a"}, 1),
        ((("x", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("r", ""), ("d", "d")), {"a", "r", "d"}, 2),
        ((("b", "gone"), ("c", "b")), set(), 0),
    ],
)
def test_circles_of_parents_are_opened_once(pairs: Any, roots: set[str], circles: int) -> None:
    spans, found = without_circles(_spans(*pairs))
    assert {span.span_id for span in spans if not span.parent_id} == roots
    assert found == circles
    parents = {span.span_id: span.parent_id for span in spans}
    for span in spans:
        here, steps = span.span_id, 0
        while here in parents:
            here, steps = parents[here], steps + 1
            assert steps <= len(spans)


def test_a_long_chain_is_walked_once() -> None:
    spans = _spans(*((str(number), str(number + 1)) for number in range(50_000)))
    assert without_circles(spans)[1] == 0


def test_a_trace_is_by_start_and_says_what_it_leaves_out(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "SPANS_MOST", 3)
    put(keeper, Sent(4, 99, start_ms=3), Sent(2, 1, start_ms=1), Sent(5, 1, start_ms=4), Sent(3, 1, start_ms=2))
    keeper.connection.execute("UPDATE spans SET body = x'0100' WHERE span = ?", ((3).to_bytes(8, "big"),))
    found = row(keeper)
    seen = trace("s", found, questions.spans(keeper.connection, found.id), ALIASES, NOW)
    assert [int(span.span_id, 16) for span in seen.spans] == [2, 4]
    assert int(seen.spans[1].parent_id, 16) == 99
    assert (seen.request, seen.cut) == (None, 1)
    assert any("broken in the store: 1" in note for note in seen.notes)
    assert any("its root has not arrived" in note for note in seen.notes)


def test_a_trace_with_more_text_than_can_be_shown_keeps_its_spans(keeper: Keeper) -> None:
    many = SHOWN_BYTES // 60_000 + 5
    put(keeper, *(Sent(n, int(n > 1), attributes={"input.value": "x" * 60_000}, start_ms=n) for n in range(1, many)))
    found = row(keeper)
    seen = trace("s", found, questions.spans(keeper.connection, found.id), ALIASES, NOW)
    assert len(seen.spans) == many - 1
    assert seen.spans[0].attributes
    assert not seen.spans[-1].attributes
    assert any("without attributes" in note for note in seen.notes)


def test_a_trace_of_an_agent_that_did_not_stop_is_whole_with_facts_and_content(keeper: Keeper) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.system_instructions": "be brief"}
    steps = [Sent(n, int(n > 1), attributes=call, start_ms=-n) for n in range(1, 6_001)]
    for begin in range(0, len(steps), 1_000):
        put(keeper, *steps[begin : begin + 1_000])
    found = row(keeper)
    seen = trace("s", found, questions.spans(keeper.connection, found.id), ALIASES, NOW)
    assert [int(span.span_id, 16) for span in seen.spans] == list(range(6_000, 0, -1))
    assert {span.facts.request_model for span in seen.spans} == {"m"}
    assert {span.content.system for span in seen.spans if span.content} == {"be brief"}
    assert (seen.cut, seen.notes) == (0, ())


def test_no_more_of_a_trace_is_unpacked_than_fits_into_memory(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "READ_BYTES", 1_000_000)
    put(keeper, *(Sent(n, int(n > 1), attributes={"a": "x" * 60_000}, start_ms=n) for n in range(1, 41)))
    found = row(keeper)
    bodies = questions.spans(keeper.connection, found.id)
    seen = trace("s", found, bodies, ALIASES, NOW)
    assert len(seen.spans) == 16
    assert seen.cut == 24
    assert len(list(bodies)) == 40 - 17  # the others were not even read


def test_one_collector_a_file(path: Path) -> None:
    assert not collector_runs(path)
    with CollectorLock(path):
        assert collector_runs(path)
        with pytest.raises(ConfigError, match="another collector"), CollectorLock(path):
            pass
    assert not collector_runs(path)
    with CollectorLock(path):
        pass


def test_the_engine_does_not_import_what_only_the_collector_needs() -> None:
    heavy = ("google.protobuf", "opentelemetry", "aiohttp", "sqlite_utils")
    look = f"import adapters.otlp.adapter, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
