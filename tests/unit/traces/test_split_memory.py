"""Which touches of memory show a lost or a foreign write, and which do not."""

import random

import pytest

from console.domain.conversations import DivergenceKind, Mark
from console.traces.split import divergences, unjudged
from tests.unit.traces.marked import touch

LOST, FOREIGN = DivergenceKind.LOST_WRITE, DivergenceKind.FOREIGN_WRITE


def told(*marks: Mark) -> list[tuple[DivergenceKind, str]]:
    """What is told at which span, whatever the order in which marks came, and twice."""
    found = [(one.kind, one.first.span_id) for one in divergences(marks)]
    shuffled = list(marks) * 2
    random.Random(1).shuffle(shuffled)
    assert [(one.kind, one.first.span_id) for one in divergences(shuffled)] == found
    return found


@pytest.mark.parametrize("op", ["read", "search", "update"])
@pytest.mark.parametrize(("old", "new"), [("4", "5"), ("9", "10"), ("e-old", "e-new")])
def test_an_older_version_after_a_write_that_had_ended(op: str, old: str, new: str) -> None:
    late = touch(20, op, old, service="worker")
    marks = (touch(0, "read", old), touch(10, "update", new), late)
    assert told(*marks)[-1:] == [(LOST, late.span_id)]
    (found,) = [one for one in divergences(marks) if one.kind is LOST]
    assert (found.conversation, found.about, found.services) == ("c", "k", ("web", "worker"))
    assert found.against is marks[1]
    assert f"web wrote memory k@{new} at " in found.words


def test_a_lost_write_is_told_once_however_often_it_is_seen() -> None:
    late = touch(20, "read", "4")
    marks = (touch(0, "read", "4"), touch(10, "update", "5"), late, touch(30, "read", "4"), touch(40, "update", "5"))
    assert told(*marks) == [(LOST, late.span_id)]
    assert divergences(marks)[0].last_at == 40


def test_two_writes_of_one_version() -> None:
    second = touch(10.1, "update", "5", service="worker")
    marks = (touch(0, "read", "4"), touch(10, "update", "5"), second)
    assert told(*marks) == [(LOST, second.span_id)]
    assert "both wrote memory k@5: one of the writes is lost" in divergences(marks)[0].words


@pytest.mark.parametrize(
    "marks",
    [
        (touch(0, "create", "1"), touch(5, "read", "1"), touch(6, "update", "2"), touch(9, "read", "2")),
        (touch(0, "read", "4"), touch(10, "update", "5", lasts=20), touch(20, "read", "4")),
        (touch(0, "update", "5"), touch(10, "delete", ""), touch(20, "create", "1"), touch(30, "read", "1")),
        (touch(0, "update", "5"), touch(10, "update", ""), touch(20, "read", "")),
        (touch(0, "update", "5", key="a"), touch(10, "read", "4", key="b")),
        (touch(0, "update", "5", store="a"), touch(10, "read", "4", store="b")),
        (touch(0, "update", "5", key=""), touch(10, "read", "4", key="")),
        (touch(0, "update", "5", trace="t", lasts=2), touch(1, "upsert", "5", trace="t", service="store")),
        (touch(0, "update", "e1"), touch(5, "update", "e2"), touch(10, "read", "e2")),
    ],
    ids=["in order", "not ended", "deleted", "no version", "keys", "stores", "no key", "seen twice", "names"],
)
def test_no_lost_write(marks: tuple[Mark, ...]) -> None:
    assert told(*marks) == []


@pytest.mark.parametrize(("old", "new"), [("4", "5"), ("e-old", "e-new")])
@pytest.mark.parametrize(("op", "shown"), [("read", 0), ("update", 1)])
def test_another_conversation_wrote_in_between(old: str, new: str, op: str, shown: int) -> None:
    back = touch(20, op, new if not shown else ("6" if new == "5" else "e-newest"))
    marks = (touch(0, "read", old), touch(10, "update", new, talk="d", service="worker"), back)
    assert told(*marks) == [(FOREIGN, back.span_id)]
    (found,) = divergences(marks)
    assert found.against is marks[1]
    assert f"memory k@{new} was written at " in found.words
    assert " by worker for d, and web " in found.words


@pytest.mark.parametrize("name", ["{}", "v{}", "rev-{}", "0{}"])
def test_versions_are_counted_with_or_without_a_letter_before_them(name: str) -> None:
    older, jumped = touch(20, "read", name.format(8)), touch(20, "read", name.format(12))
    assert told(touch(0, "update", name.format(10)), older) == [(LOST, older.span_id)]
    assert told(touch(0, "update", name.format(10)), jumped) == [(FOREIGN, jumped.span_id)]


def test_a_version_that_no_span_wrote() -> None:
    back = touch(20, "read", "7")
    marks = (touch(0, "create", "4"), touch(5, "update", "5"), back)
    assert told(*marks) == [(FOREIGN, back.span_id)]
    assert divergences(marks)[0].words.endswith("web found 7: no recorded span wrote 6")
    on_top = touch(20, "update", "7")
    assert told(touch(0, "create", "4"), touch(5, "update", "5"), on_top) == [(FOREIGN, on_top.span_id)]


@pytest.mark.parametrize(
    "marks",
    [
        (touch(0, "update", "1"), touch(5, "update", "2", talk="d"), touch(9, "update", "3", talk="e")),
        (touch(0, "read", "1"), touch(5, "update", "2", talk="d"), touch(9, "read", "2", talk="e")),
        (touch(0, "read", "1"), touch(5, "update", "2", service="x"), touch(9, "read", "2")),
        (touch(0, "read", "1"), touch(5, "update", "2", talk=""), touch(9, "read", "2")),
        (touch(0, "read", "1", talk=""), touch(5, "update", "2", talk="d"), touch(9, "read", "2", talk="")),
        (touch(0, "read", "1700000000000"), touch(9, "read", "1700000090000")),
        (touch(9, "read", "2"), touch(9.1, "update", "2")),
    ],
    ids=["handed on", "read on", "own", "nobody's", "unknown", "times as versions", "read before it was sent"],
)
def test_no_foreign_write(marks: tuple[Mark, ...]) -> None:
    assert told(*marks) == []


def test_a_store_that_does_not_count_by_one_has_no_jumps() -> None:
    marks = [touch(at, "update", str(10 + 7 * at)) for at in range(12)]
    assert told(*marks) == []


def test_a_name_that_each_conversation_has_for_something_of_its_own() -> None:
    marks = []
    for begin, talk in ((0, "c"), (100, "d"), (110, "e")):
        marks += [touch(begin, "create", "1", talk=talk), touch(begin + 50, "update", "2", talk=talk)]
        marks += [touch(begin + 60, "read", "2", talk=talk)]
    assert told(*marks) == []


def test_without_versions_or_keys_it_is_said_that_nothing_is_judged() -> None:
    words = unjudged((touch(0, "update", ""), touch(1, "read", "3", key=""), touch(2, "delete", "")))
    assert [line.split(":")[0] for line in words] == [
        "1 touches of memory name no version",
        "1 touches of memory name no key",
    ]
