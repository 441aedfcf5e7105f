"""Which reads of retrieval snapshots are a disagreement, and which are not."""

import random

import pytest

from console.domain.conversations import Divergence, DivergenceKind, Mark
from console.traces.split import WINDOW_S, divergences, unjudged
from tests.unit.traces.marked import read


def firsts(*marks: Mark) -> list[str]:
    """The spans at which disagreements are told, whatever the order in which their marks came, and twice."""
    found = [one.first.span_id for one in divergences(marks)]
    shuffled = list(marks) * 2
    random.Random(1).shuffle(shuffled)
    assert [one.first.span_id for one in divergences(shuffled)] == found
    return found


def only(*marks: Mark) -> Divergence:
    (found,) = divergences(marks)
    return found


def test_two_services_of_one_conversation_on_different_snapshots() -> None:
    marks = (read(0, "api", "v2"), read(60, "worker", "v1"))
    found = only(*marks)
    assert (found.kind, found.conversation, found.about) == (DivergenceKind.SNAPSHOTS, "c", "kb")
    assert (found.first, found.against) == (marks[1], marks[0])
    assert (found.services, found.versions, found.last_at) == (("api", "worker"), ("v2", "v1"), 60)
    assert found.words.startswith("conversation c: worker answered from v1 of kb at ")
    assert ", api from v2 at " in found.words


@pytest.mark.parametrize(
    "marks",
    [
        (read(0, "api", "v1"), read(5, "worker", "v1")),
        (read(0, "api", "v1"), read(5, "api", "v2"), read(6, "api", "v1")),
        (read(0, "api", "v1"), read(5, "worker", "w1", source="orders")),
        (read(0, "api", "v1"), read(5, "worker", "v2", talk="d")),
        (read(0, "api", "v1"), read(WINDOW_S + 1, "worker", "v2")),
        (read(0, "api", "v1"), read(5, "worker", "")),
        (read(0, "api", "v1"), read(5, "", "v2")),
        (read(0, "api", "v1", talk=""), read(5, "worker", "v2", talk="")),
    ],
    ids=["same", "one service", "sources", "conversations", "long ago", "no version", "no service", "no conversation"],
)
def test_no_disagreement(marks: tuple[Mark, ...]) -> None:
    assert firsts(*marks) == []


def test_a_hand_over_of_the_index_is_none_wherever_the_service_was_seen_before() -> None:
    before = read(0, "worker", "v1", talk="elsewhere")
    assert firsts(before, read(10, "api", "v1"), read(20, "worker", "v2"), read(30, "api", "v2")) == []


def test_a_service_that_was_never_there_hands_nothing_over() -> None:
    late = read(20, "worker", "v2")
    assert firsts(read(10, "api", "v1"), late, read(30, "api", "v2")) == [late.span_id]


def test_who_reads_the_old_one_after_the_hand_over_is_the_first_that_differs() -> None:
    old = read(30, "api", "v1")
    marks = (read(0, "worker", "v1"), read(10, "api", "v1"), read(20, "worker", "v2"), old, read(40, "api", "v1"))
    assert firsts(*marks) == [old.span_id]
    assert only(*marks).last_at == 40


def test_a_service_that_was_left_behind_elsewhere_already_differs_at_once() -> None:
    """The worker had moved on before api read the old snapshot here."""
    late = read(30, "worker", "v2")
    marks = (read(0, "worker", "v1", talk="x"), read(10, "worker", "v2", talk="x"), read(20, "api", "v1"), late)
    assert firsts(*marks) == [late.span_id]


def test_a_service_that_is_seldom_asked_may_skip_a_snapshot() -> None:
    seldom = (read(0, "worker", "v1", talk="x"), read(10, "api", "v2"), read(20, "worker", "v3"))
    assert firsts(read(-5, "api", "v1"), *seldom, read(30, "api", "v3", talk="x")) == []
    assert firsts(read(-5, "api", "v1"), *seldom) == [seldom[-1].span_id]


def test_who_stays_at_the_old_one_elsewhere_did_not_hand_over() -> None:
    late = read(20, "worker", "v2")
    marks = (read(0, "worker", "v1", talk="x"), read(10, "api", "v1"), late)
    assert firsts(*marks) == []
    assert firsts(*marks, read(25, "api", "v1", talk="x")) == [late.span_id]
    assert firsts(*marks, read(25, "api", "v2", talk="x"), read(30, "api", "v1", talk="y")) == []


def test_a_roll_back_by_all_is_a_hand_over_too() -> None:
    marks = [read(0, "api", "v1"), read(1, "worker", "v1"), read(10, "api", "v2"), read(11, "worker", "v2")]
    marks += [read(20, "api", "v1"), read(21, "worker", "v1")]
    assert firsts(*marks) == []


def test_who_alone_goes_back_to_a_snapshot_from_before_differs() -> None:
    """Both names are known to all; nothing follows."""
    stale = read(30, "worker", "v1")
    before = (read(0, "api", "v1", talk="x"), read(1, "worker", "v1", talk="x"))
    after = (read(10, "api", "v2", talk="y"), read(11, "worker", "v2", talk="y"))
    assert firsts(*before, *after, read(25, "api", "v2"), stale) == [stale.span_id]
    assert firsts(*before, *after, read(25, "api", "v2"), stale, read(40, "api", "v1", talk="y")) == []
    torn = (read(40, "api", "v1", talk="y"), read(41, "mail", "v2", talk="y"))
    assert stale.span_id in firsts(*before, *after, read(25, "api", "v2"), stale, *torn)


def test_one_request_always_disagrees_even_at_a_hand_over() -> None:
    second = read(10, "worker", "v2", trace="t")
    assert firsts(read(0, "worker", "v1"), read(9, "api", "v1", trace="t"), second) == [second.span_id]
    alone = read(10, "worker", "v2", trace="u", talk="")
    assert firsts(read(9, "api", "v1", trace="u", talk=""), alone) == [alone.span_id]
    assert only(read(9, "api", "v1", trace="u", talk=""), alone).words.endswith("in one request")


def test_the_same_moment_in_two_requests_is_in_no_order() -> None:
    marks = (read(0, "worker", "v1"), read(10, "worker", "v2"), read(10, "api", "v1"), read(20, "api", "v2"))
    assert firsts(*marks) == []
    apart = (read(10, "worker", "v2", span="b"), read(10, "api", "v1", span="a"))
    assert firsts(*apart) == ["b"]


def test_a_third_snapshot_is_told_where_it_comes_in_and_more_of_the_same_is_not() -> None:
    second, third = read(10, "b", "v2"), read(30, "c", "v3")
    marks = (read(0, "a", "v1"), second, read(20, "d", "v2"), third, read(40, "a", "v1"), read(50, "b", "v2"))
    assert firsts(*marks) == [second.span_id, third.span_id]
    one, other = divergences(marks)
    assert (one.services, one.versions, one.last_at) == (("a", "b", "d"), ("v1", "v2"), 50)
    assert other.versions == ("v2", "v3", "v1")


def test_after_all_agreed_a_new_disagreement_is_told_again() -> None:
    first, again = read(10, "b", "v2"), read(40, "a", "v1")
    agreed = (read(20, "a", "v2"), read(30, "b", "v2"))
    assert firsts(read(0, "a", "v1"), first, *agreed, again) == [first.span_id, again.span_id]


def test_what_cannot_be_judged_is_said() -> None:
    assert unjudged((read(0, "api", "v1"),)) == ()
    words = unjudged((read(0, "api", ""), read(1, "", "v1"), read(2, "", "")))
    assert [line.split(":")[0] for line in words] == [
        "2 retrievals name no snapshot",
        "2 retrievals name no service",
    ]


def test_names_from_outside_are_safe_and_short() -> None:
    words = only(read(0, "api", "v1", talk="c" * 500), read(5, "\x1b[2Jworker", "v2\n", talk="c" * 500)).words
    assert "\x1b" not in words
    assert len(words) < 400
    assert "\n" not in words
