"""A conversation is put together from rows and marks."""

from console.domain.conversations import ConversationQuery, Divergence, DivergenceKind, Mark, MarkKind, Turn
from console.domain.readings import Request
from console.domain.refs import Kind, Ref
from console.traces.conversation import ENTRIES_MOST, conversation
from tests.unit.traces.marked import read, touch

QUERY = ConversationQuery(source="calls", conversation="c", limit=3)


def request(trace: str, at: float, service: str = "web") -> Request:
    return Request(
        ref=Ref("calls", Kind.REQUEST, trace), observed_at=at, started_at=at, trace_id=trace, service=service,
        conversation="c",
    )  # fmt: skip


def mark(kind: MarkKind, at: float, service: str, *, key: str = "", version: str = "") -> Mark:
    return Mark(
        trace_id="t", span_id=f"{kind}{at}", at=at, service=service, conversation="c", kind=kind, key=key,
        version=version,
    )  # fmt: skip


def only_turn(*marks: Mark) -> Turn:
    (turn,) = conversation(QUERY, [request("t", 0.0)], marks, ()).turns
    return turn


def test_the_newest_requests_stand_oldest_first_and_the_others_are_counted() -> None:
    requests = [request(f"t{at}", at) for at in (4.0, 1.0, 3.0, 2.0, 5.0)]
    found = conversation(QUERY, requests, (), (), ("a note",))
    assert [turn.request.started_at for turn in found.turns] == [3.0, 4.0, 5.0]
    assert (found.cut, found.notes, found.divergences) == (2, ("a note",), ())
    assert (found.source, found.conversation) == ("calls", "c")


def test_a_turn_says_its_services_snapshots_prompts_and_memory_in_their_order() -> None:
    turn = only_turn(
        mark(MarkKind.SERVICE, 2.0, "worker"),
        mark(MarkKind.SERVICE, 1.0, "api"),
        mark(MarkKind.PROMPT, 3.0, "worker", key="ask", version="7"),
        mark(MarkKind.PROMPT, 4.0, "worker", key="ask", version="7"),
        mark(MarkKind.PROMPT, 5.0, "worker", key="sum"),
        touch(6.0, "update", "4", trace="t"),
        touch(5.5, "read", "3", trace="t"),
        touch(7.0, "delete", "", trace="t"),
        read(1.5, "api", "v1", trace="t"),
        read(1.6, "worker", "v1", trace="t"),
        read(1.7, "worker", "", trace="t"),
    )
    assert turn.services == ("api", "worker")
    assert turn.snapshots == ("kb@v1",)
    assert turn.prompts == ("ask@7", "sum")
    assert turn.memory == ("read k@3", "update k@4", "delete k")


def test_services_are_named_where_their_snapshots_differ_and_only_there() -> None:
    turn = only_turn(
        read(1.0, "api", "v1", trace="t"),
        read(2.0, "worker", "v2", trace="t"),
        read(3.0, "worker", "o1", trace="t", source="orders"),
        read(4.0, "worker", "o2", trace="t", source="orders"),
    )
    assert turn.snapshots == ("api: kb@v1", "worker: kb@v2", "orders@o1", "orders@o2")
    assert turn.services == ("api", "worker")


def test_without_marks_the_service_of_the_row_stands() -> None:
    assert only_turn().services == ("web",)


def test_too_many_entries_are_counted() -> None:
    turn = only_turn(*(read(float(at), "api", f"v{at}", trace="t") for at in range(100)))
    assert len(turn.snapshots) == ENTRIES_MOST
    assert turn.snapshots[-1] == f"and {100 - ENTRIES_MOST + 1} more"


def test_disagreements_of_others_are_left_out_and_the_first_span_of_each_turn_is_marked() -> None:
    def told(first: Mark, against: Mark) -> Divergence:
        return Divergence(
            kind=DivergenceKind.SNAPSHOTS, conversation=first.conversation, about="kb", first=first, against=against
        )

    one, other = read(2.0, "worker", "v2", trace="t"), read(3.0, "mail", "v3", trace="t")
    mine = (told(one, read(1.0, "api", "v1")), told(other, one))
    by_others = told(read(5.0, "a", "v1", talk="d"), read(4.0, "b", "v2", talk="d"))
    written_here = told(touch(6.0, "read", "1", talk="d"), touch(5.0, "update", "2"))
    found = conversation(QUERY, [request("t", 0.0)], (), (*mine, by_others, written_here))
    assert found.divergences == (*mine, written_here)
    assert found.turns[0].first_difference == one.span_id
