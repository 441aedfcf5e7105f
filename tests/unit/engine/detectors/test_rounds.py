"""Going round many objects: everybody's turn, nobody twice, and nothing that grows with time."""

from collections import Counter
from collections.abc import Iterator

from console.config import Environment
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import Deployment, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Judging, Learner
from console.engine.detectors.catalogue import detectors
from console.engine.detectors.rounds import GONE_KEPT, Rounds
from tests.unit.engine.detectors.parts import BEGIN, HOUR_S, deployment


class Counted:
    """A case that counts its visits and remembers them."""

    def __init__(self, visits: int = 0) -> None:
        self.visits = visits

    def remember(self) -> int | None:
        return self.visits or None


class Walk:
    """Rounds over deployments, on a board of their own."""

    def __init__(self) -> None:
        self.rounds: Rounds[Deployment, Counted] = Rounds(Deployment, lambda _, kept: Counted(kept or 0), int)
        self.board = Board()
        self.seen: Counter[str] = Counter()
        self.passed: list[float] = []

    def put(self, at: float, names: list[str], gone: tuple[str, ...] = ()) -> None:
        removed = tuple(Ref("gateway", Kind.DEPLOYMENT, name) for name in gone)
        change = Change(seq=0, at=at, readings=tuple(deployment(at, name) for name in names), removed=removed)
        self.board.apply(change)
        self.rounds.feed(change)

    def go(self, now: float) -> list[Condition]:
        return list(self.rounds.go(now, self.board, self._judge))

    def _judge(self, reading: Deployment, case: Counted, _: float, passed: float) -> Iterator[Condition]:
        case.visits += 1
        self.seen[reading.ref.name] += 1
        self.passed.append(passed)
        return iter(())


def test_each_has_its_turn_every_fifteen_seconds_and_a_tick_is_a_slice() -> None:
    walk = Walk()
    walk.put(BEGIN, [f"d{number}" for number in range(300)])
    walk.go(BEGIN)
    walk.seen.clear()
    for second in range(1, 16):
        before = sum(walk.seen.values())
        walk.go(BEGIN + second)
        assert sum(walk.seen.values()) - before == 20
    assert set(walk.seen.values()) == {1}
    assert len(walk.seen) == 300


def test_a_late_tick_sees_everybody_once_and_time_that_was_not_seen_is_none() -> None:
    walk = Walk()
    walk.put(BEGIN, ["a", "b"])
    for at in (0.0, 60.0, 600.0):
        walk.passed.clear()
        walk.go(BEGIN + at)
        assert walk.passed == [60.0 if at == 60.0 else 0.0] * 2


def test_nothing_is_judged_while_its_source_is_stale() -> None:
    walk = Walk()
    walk.put(BEGIN, ["a"])
    source = Source(
        ref=Ref("gateway", Kind.SOURCE, "gateway"),
        observed_at=BEGIN,
        adapter="scripted",
        freshness=Freshness.STALE,
        interval_s=5.0,
    )
    walk.board.apply(Change(seq=0, at=BEGIN, readings=(source,)))
    walk.go(BEGIN)
    assert not walk.seen


def test_what_was_gone_for_a_moment_is_known_again_and_the_rest_is_forgotten() -> None:
    walk = Walk()
    walk.put(BEGIN, ["a"])
    walk.go(BEGIN)
    walk.put(BEGIN, [], gone=("a",))
    walk.put(BEGIN, ["a"])
    assert next(iter(walk.rounds.cases.values())).visits == 1
    for number in range(5 * GONE_KEPT):
        walk.put(BEGIN, [f"n{number}"], gone=(f"n{number - 1}",))
    assert len(walk.rounds.cases) == 2
    assert len(walk.rounds._gone) == GONE_KEPT


def test_what_was_remembered_waits_an_hour_for_its_object() -> None:
    walk, again = Walk(), Walk()
    walk.put(BEGIN, ["a", "b"])
    walk.go(BEGIN)
    again.rounds.recall(walk.rounds.remember(), BEGIN + 60.0)
    again.put(BEGIN + 60.0, ["a"])
    assert [case.visits for case in again.rounds.cases.values()] == [1]
    assert b'"gateway:deployment/b":1' in again.rounds.remember()
    again.go(BEGIN + 2 * HOUR_S)
    assert b'"gateway:deployment/b"' not in again.rounds.remember()
    old = Walk()
    old.rounds.recall(walk.rounds.remember(), BEGIN + 15 * 86400.0)
    old.put(BEGIN, ["a"])
    assert [case.visits for case in old.rounds.cases.values()] == [0]


def test_every_detector_says_what_it_watches_and_every_memory_can_be_read_again() -> None:
    found = detectors(Environment(sources={}))
    assert len({detector.name for detector in found}) == len(found)
    board = Board()
    change = Change(seq=0, at=BEGIN, readings=(deployment(BEGIN),))
    board.apply(change)
    for detector in found:
        detector.feed(change)
        list(detector.tick(BEGIN, board))
        told: object = detector
        if isinstance(told, Learner):
            told.recall(told.remember(), BEGIN)
            told.recall(b"\x00 no JSON", BEGIN)
        assert isinstance(told, Judging)
        assert told.state(BEGIN).name == detector.name
