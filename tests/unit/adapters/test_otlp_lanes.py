"""By what requests are found besides their own row: lanes and marks, however spans arrive, also in an older file."""

import itertools
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.otel import Aliases, Arrival, Limits, from_protobuf
from adapters.otlp import catching_up, listing, marking
from adapters.otlp.catching_up import CatchingUp
from adapters.otlp.keeping import Keeper
from adapters.otlp.retention import Retention, Upkeep
from adapters.otlp.schema import connect
from adapters.otlp.sorting import LANES, MARKS, VALUES_MOST
from adapters.spans.row import by_trace
from console.domain.conversations import Mark, MarkKind, MarkQuery
from console.domain.lanes import lane_values
from console.domain.marks import marks_of, service_marks
from console.domain.spans import LaneFilter, LaneKind, RequestQuery
from tests.unit.adapters.first_shape import chat, first_shape
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body

ALIASES = Aliases.of()
NOW_NS = BEGIN_NS + 3600 * 10**9
EVERYTHING = MarkQuery(source="s", since=0.0)


def arrivals(*spans: Sent, service: str = "shop") -> list[Arrival]:
    return from_protobuf(body(*spans, service=service), ALIASES, Limits()).arrivals


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spans.sqlite"


@pytest.fixture
def keeper(path: Path) -> Iterator[Keeper]:
    connection = connect(path)
    yield Keeper(connection)
    connection.close()


def put(keeper: Keeper, *spans: Sent, service: str = "shop") -> None:
    keeper.write(by_trace(arrivals(*spans, service=service)), NOW_NS)


def listed(connection: sqlite3.Connection, *lanes: LaneFilter, **query: Any) -> list[int]:
    rows = listing.requests(connection, RequestQuery(source="s", lanes=lanes, **query))
    return [int.from_bytes(each.trace, "big") for each in rows]


def rows_of(connection: sqlite3.Connection) -> tuple[list[Any], list[Any]]:
    lanes = connection.execute("SELECT * FROM lanes ORDER BY request, lane, value").fetchall()
    return lanes, connection.execute("SELECT * FROM marks ORDER BY kind, at_ns, request, span").fetchall()


ANSWERS = {
    LaneKind.PROMPTS: "answer@3",
    LaneKind.RETRIEVAL: "docs@7",
    LaneKind.TOKENS: "m",
    LaneKind.PATH: "plan",
    LaneKind.WORKERS: "w1",
    LaneKind.QUEUES: "chats",
    LaneKind.DEPENDENCIES: "weather",
    LaneKind.MEMORY: "upsert tone@1",
}


@pytest.mark.parametrize("lane", LaneKind)
def test_every_lane_is_a_filter(keeper: Keeper, lane: LaneKind) -> None:
    put(keeper, *chat(1), Sent(900, trace=9))
    put(keeper, *chat(2, version="8"))
    assert 1 in listed(keeper.connection, LaneFilter(lane=lane, value=ANSWERS[lane]))
    assert listed(keeper.connection, LaneFilter(lane=lane)) == [2, 1]
    assert listed(keeper.connection, LaneFilter(lane=lane, value=f"{ANSWERS[lane]}!")) == []


def test_lanes_are_filtered_by_their_measure(keeper: Keeper) -> None:
    for number, tokens in ((1, 100), (2, 5_000), (3, 900)):
        put(keeper, *chat(number, tokens=tokens, wait_ms=tokens))
    many = LaneFilter(lane=LaneKind.TOKENS, value="m", at_least=900.0)
    assert listed(keeper.connection, many) == [3, 2]
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.TOKENS, at_least=901.0)) == [2]
    slow = LaneFilter(lane=LaneKind.QUEUES, at_least=0.9)
    assert listed(keeper.connection, slow, many) == [3, 2]
    assert listed(keeper.connection, slow, LaneFilter(lane=LaneKind.MEMORY, value="upsert tone@2")) == [2]
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.PROMPTS, at_least=0.0)) == []  # it has no measure


def test_lanes_go_with_every_other_wish(keeper: Keeper) -> None:
    put(keeper, *chat(1, failed=True, attributes={"session.id": "c"}), *chat(2, name="POST /other"))
    put(keeper, *chat(3), *chat(4, ms=900.0), service="b")
    retrieval = LaneFilter(lane=LaneKind.RETRIEVAL, value="docs@7")
    assert listed(keeper.connection, retrieval) == [4, 3, 2, 1]
    assert listed(keeper.connection, retrieval, limit=2) == [4, 3]
    assert listed(keeper.connection, retrieval, before=BEGIN_NS / 1e9 + 3.0) == [2, 1]
    assert listed(keeper.connection, retrieval, failed=True) == [1]
    assert listed(keeper.connection, retrieval, good=True) == [4, 3, 2]
    assert listed(keeper.connection, retrieval, service="b") == [4, 3]
    assert listed(keeper.connection, retrieval, name="POST /other") == [2]
    assert listed(keeper.connection, retrieval, name="POST /chat", service="b", min_duration_s=0.5) == [4]
    assert listed(keeper.connection, retrieval, conversation="c") == [1]
    assert listed(keeper.connection, name="POST /chat") == [4, 3, 1]
    assert listed(keeper.connection, good=True, service="shop") == [2]


def test_a_request_without_its_root_or_its_end_is_not_called_good(keeper: Keeper) -> None:
    put(keeper, *chat(1)[:-1], Sent(1, trace=2, ms=None), Sent(2, trace=3))
    assert listed(keeper.connection, good=True) == [3]


ONE = [
    *chat(1, attributes={"session.id": "c"}),
    Sent(108, 101, 1, "more", start_ms=500, attributes=chat(1)[1].attributes),
]
THEIRS = [Sent(201, 101, 1, "search", kind=2, start_ms=1_001.5, attributes={"retrieval.snapshot.version": "8"})]


def told(marks: Sequence[Mark]) -> list[str]:
    """Marks in words, their ends as exact as a microsecond."""
    ends = [None if mark.ended_at is None else round(mark.ended_at, 6) for mark in marks]
    return sorted(str(msgspec.structs.replace(mark, ended_at=end)) for mark, end in zip(marks, ends, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.permutations([*arrivals(*ONE), *arrivals(*THEIRS, service="search")]), st.integers(1, 5))
def test_what_a_request_is_found_by_does_not_depend_on_how_its_spans_arrive(order: list[Arrival], at_once: int) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(connect(Path(folder) / "s.sqlite")) as connection:
        keeper = Keeper(connection)
        for begin in range(0, len(order), at_once):
            keeper.write(by_trace(order[begin : begin + at_once]), NOW_NS)
        spans = tuple(one.span for one in order)
        for lane, value in {(one.lane, one.value) for span in spans for one in lane_values(span)}:
            assert listed(connection, LaneFilter(lane=lane, value=value), limit=5) == [1]
        starts = {start for (start,) in connection.execute("SELECT start_us FROM lanes")}
        assert starts == {listing.requests(connection, RequestQuery(source="s"))[0].start_us}
        most = connection.execute(
            "SELECT max(measure) FROM lanes WHERE lane = ? AND value = ''", (LANES[LaneKind.TOKENS],)
        )
        assert most.fetchone() == (100.0,)
        trace = order[0].trace_id.hex()
        expected = [mark for span in spans for mark in marks_of(span, trace, "c")] + service_marks(spans, trace, "c")
        assert told(marking.marks(connection, EVERYTHING)) == told(expected)
        assert told(marking.marks(connection, MarkQuery(source="s", since=0.0, conversation="c"))) == told(expected)


def test_marks_are_of_a_while_and_of_a_kind_oldest_first_and_the_newest_of_many(keeper: Keeper) -> None:
    for number in range(1, 8):
        put(keeper, *chat(number, attributes={"session.id": f"c{number % 2}"}))

    def versions(**query: Any) -> list[str]:
        found = marking.marks(keeper.connection, MarkQuery(source="s", **{"since": 0.0, **query}))
        assert [mark.at for mark in found] == sorted(mark.at for mark in found)
        return [mark.version for mark in found]

    begin, memory = BEGIN_NS / 1e9, (MarkKind.MEMORY,)
    assert versions(kinds=memory) == ["1", "2", "3", "4", "5", "6", "7"]
    assert versions(kinds=memory, limit=2) == ["6", "7"]
    assert versions(kinds=memory, conversation="c0") == ["2", "4", "6"]
    assert versions(kinds=memory, conversation="c0", limit=1) == ["6"]
    assert versions(kinds=memory, since=begin + 3.0, until=begin + 5.004) == ["3", "4"]
    assert versions(kinds=(MarkKind.MEMORY, MarkKind.PROMPT), since=begin + 7.0) == ["3", "7"]
    assert len(versions()) == 7 * 4
    assert versions(limit=3, since=begin + 7.0) == ["7", "3", "7"]
    assert versions(since=-1e300, until=1e300, limit=-1) == []
    (own,) = marking.marks(keeper.connection, MarkQuery(source="s", since=begin, kinds=memory, limit=1))
    assert versions(since=own.at, kinds=memory) == ["7"]


def test_a_request_that_makes_values_up_is_found_by_a_bounded_number_of_them(keeper: Keeper) -> None:
    steps = [
        Sent(n, 1, name=f"step {n}", start_ms=n, attributes={"openinference.span.kind": "CHAIN"})
        for n in range(2, 3_000)
    ]
    for begin in range(0, len(steps), 40):
        put(keeper, *steps[begin : begin + 40])
    put(keeper, *chat(7))
    counted = keeper.connection.execute("SELECT count(*) FROM lanes WHERE request = 1").fetchone()
    assert counted == (VALUES_MOST + 1,)
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.PATH)) == [7, 1]
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.PATH, value="step 20")) == [1]
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.PATH, value="step 2000")) == []
    again = Sent(9_999, 1, name="step 20", ms=5.0, attributes={"openinference.span.kind": "CHAIN"})
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}
    put(keeper, again, Sent(10_000, 1, attributes=call))
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.TOKENS, value="m")) == [7, 1]


def test_what_goes_takes_its_lanes_and_marks_along(keeper: Keeper) -> None:
    put(keeper, *chat(1), *chat(2))
    upkeep = Upkeep(keeper.connection, Retention(0.5, 2**40))
    while upto := upkeep.step(NOW_NS / 1e9 + 9):
        keeper.forget(upto)
    assert rows_of(keeper.connection) == ([], [])
    put(keeper, *chat(3))
    assert listed(keeper.connection, LaneFilter(lane=LaneKind.TOKENS)) == [3]


@pytest.mark.parametrize(
    "query",
    [
        {"failed": failed, "good": not failed, "service": service, "name": name, "lanes": lanes}
        for failed, service, name, lanes in itertools.product(
            (False, True),
            ("", "shop"),
            ("", "POST /chat"),
            (
                (),
                (LaneFilter(lane=LaneKind.TOKENS, value="m", at_least=3.0),),
                (LaneFilter(lane=LaneKind.TOKENS), LaneFilter(lane=LaneKind.PATH)),
            ),
        )
    ],
)
def test_no_list_sorts_or_scans_the_whole_table(keeper: Keeper, query: dict[str, Any]) -> None:
    put(keeper, *chat(1))
    assert "TEMP B-TREE" not in _plan(
        keeper.connection, lambda: listed(keeper.connection, *query.pop("lanes"), **query)
    )


@pytest.mark.parametrize("query", [{}, {"conversation": "c"}, {"kinds": (MarkKind.MEMORY,)}])
def test_marks_are_read_in_their_own_order(keeper: Keeper, query: dict[str, Any]) -> None:
    asked = MarkQuery(source="s", since=1.0, **query)
    plan = _plan(keeper.connection, lambda: marking.marks(keeper.connection, asked))
    assert "TEMP B-TREE" not in plan
    assert "SEARCH m USING" in plan


def _plan(connection: sqlite3.Connection, ask: Callable[[], object]) -> str:
    said: list[str] = []
    connection.set_trace_callback(said.append)
    ask()
    connection.set_trace_callback(None)
    lists = [each for each in said if "ORDER BY" in each]
    assert lists
    plans = [row[3] for each in lists for row in connection.execute(f"EXPLAIN QUERY PLAN {each}")]
    # "r" are the few requests of the page, or of the conversation, that an index has listed before.
    assert not [
        one for one in plans if one.startswith("SCAN") and "USING INDEX requests_" not in one and one != "SCAN r"
    ]
    return " ".join(plans)


def test_a_file_of_the_first_shape_is_brought_forward_in_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "REQUESTS_AT_ONCE", 2)
    old = [span for number in range(1, 6) for span in chat(number)]
    first_shape(path, old)
    with closing(connect(path)) as connection:
        keeper = Keeper(connection)
        assert listed(connection, good=True) == [5, 4, 3, 2, 1]
        late = Sent(
            199, 101, 1, "late", attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "late"}
        )
        put(keeper, *chat(6), late)
        tokens = LaneFilter(lane=LaneKind.TOKENS)
        assert listed(connection, tokens) == [6]
        behind = CatchingUp(connection, ALIASES)
        assert behind.step()
        assert listed(connection, tokens) == [6, 5, 4]
    with closing(connect(path)) as connection:  # the collector was killed, and started again
        behind = CatchingUp(connection, ALIASES)
        steps = sum(1 for _ in iter(behind.step, False))
        assert steps == 2
        assert listed(connection, tokens) == [6, 5, 4, 3, 2, 1]
        assert not CatchingUp(connection, ALIASES).step()
        found = rows_of(connection)
    with closing(connect(path.with_name("new.sqlite"))) as connection:
        keeper = Keeper(connection)
        put(keeper, *old)
        put(keeper, *chat(6), late)
        assert rows_of(connection) == found


def test_a_broken_body_does_not_end_the_bringing_forward(path: Path) -> None:
    first_shape(path, chat(1))
    with closing(connect(path)) as connection:
        connection.execute("UPDATE spans SET body = x'0100' WHERE span = ?", ((102).to_bytes(8, "big"),))
        behind = CatchingUp(connection, ALIASES)
        while behind.step():
            pass
        assert listed(connection, LaneFilter(lane=LaneKind.TOKENS)) == [1]
        assert listed(connection, LaneFilter(lane=LaneKind.RETRIEVAL)) == []


def test_every_lane_and_mark_has_a_number_of_its_own() -> None:
    assert set(LANES) == set(LaneKind)
    assert set(MARKS) == set(MarkKind)
    assert len(set(LANES.values())) == len(LANES)
    assert len(set(MARKS.values())) == len(MARKS)
