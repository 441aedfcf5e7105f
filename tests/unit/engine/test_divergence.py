"""The watch over a trace store's marks, and the alerts that follow."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from console.domain.alerts import AlertState
from console.domain.board import Board
from console.domain.conversations import Divergence, DivergenceKind, Mark, MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.marks import wanted
from console.domain.readings import Service
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine import divergence
from console.engine.clock import ManualClock
from console.engine.detectors.divergence import EBB, FLOOD, Divergent
from console.engine.detectors.lifecycle import Lifecycle
from console.engine.divergence import OVERLAP_S, MarksWatch
from tests.unit.traces.marked import read, touch

WINDOW_S = 900.0
START = ManualClock().now()


class Store:
    """A trace store that keeps marks, or fails."""

    def __init__(self) -> None:
        self.marks_kept: list[Mark] = []
        self.asked: list[MarkQuery] = []
        self.failing: Exception | None = None
        self.hangs = False

    async def requests(self, query: Any) -> Any:
        raise AssertionError("no request is asked for")

    async def trace(self, trace_id: str) -> Any:
        raise AssertionError("no span tree is asked for")

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        self.asked.append(query)
        if self.failing is not None:
            raise self.failing
        if self.hangs:
            await asyncio.Event().wait()
        return tuple(sorted((m for m in self.marks_kept if wanted(m, query)), key=lambda mark: mark.at))[-query.limit :]


class House:
    """A watch on a store, its detector and the lifecycle of its alerts."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = Store()
        self.detector = Divergent()
        self.lifecycle = Lifecycle()
        self.said: list[str] = []
        self.alerts: dict[str, Any] = {}
        self.watch = MarksWatch(
            "calls", self.store, self.clock, self.detector.found, self.said.append, window_s=WINDOW_S, every_s=10.0
        )

    async def look(self) -> None:
        await self.watch.look()
        self.tick()

    def tick(self) -> None:
        now = self.clock.now()
        conditions = list(self.detector.tick(now, Board()))
        for alert in self.lifecycle.take(Divergent.name, Divergent.patience, conditions, now):
            self.alerts[alert.id] = alert

    async def spend(self, seconds: float) -> None:
        for _ in range(round(seconds / 10.0)):
            await self.clock.advance(10.0)
            await self.look()

    def firing(self) -> list[Any]:
        return [alert for alert in self.alerts.values() if alert.state is AlertState.FIRING]

    def split(self, talk: str = "c", ago: float = 5.0) -> None:
        at = self.clock.now() - ago
        self.store.marks_kept += [read(at, "api", "v2", talk=talk), read(at + 1, "worker", "v1", talk=talk)]


async def test_a_divergence_is_pending_then_fires_and_is_over_after_a_window_without_one() -> None:
    house = House()
    await house.look()
    assert house.alerts == {}
    house.split()
    await house.look()
    (alert,) = house.alerts.values()
    assert (alert.state, alert.rule, alert.ref) == (
        AlertState.PENDING,
        "divergence/snapshots",
        Ref("calls", Kind.CONVERSATION, "c"),
    )
    await house.spend(30)
    (alert,) = house.firing()
    assert alert.words.startswith("conversation c: worker answered from v1 of kb at ")
    await house.spend(WINDOW_S - 60)
    assert house.firing()
    await house.spend(90)
    assert not house.firing()
    assert {alert.state for alert in house.alerts.values()} == {AlertState.RESOLVED}


async def test_as_long_as_it_goes_on_it_fires() -> None:
    house = House()
    at = house.clock.now()
    house.store.marks_kept = [
        mark for n in range(60)
        for mark in (read(at + 60 * n, "api", "v2"), read(at + 60 * n + 5, "worker", "v1"))
    ]  # fmt: skip
    await house.spend(3000)
    (alert,) = house.firing()
    assert alert.since < at + 60
    await house.spend(3600 - 3000 + WINDOW_S + 60)
    assert not house.firing()


async def test_each_conversation_and_kind_has_an_alert_of_its_own_and_a_request_where_none_is_known() -> None:
    house = House()
    at = house.clock.now() - 20
    house.split("one")
    house.split("two")
    house.store.marks_kept += [
        read(at, "api", "v1", talk="", trace="t" * 32, source="orders"),
        read(at, "worker", "v2", talk="", trace="t" * 32, source="orders"),
        touch(at, "update", "5", talk="one"),
        touch(at + 5, "read", "4", talk="one"),
    ]
    await house.spend(40)
    assert {(alert.rule, str(alert.ref)) for alert in house.firing()} == {
        ("divergence/snapshots", "calls:conversation/one"),
        ("divergence/snapshots", "calls:conversation/two"),
        ("divergence/snapshots", f"calls:request/{'t' * 32}"),
        ("divergence/lost-write", "calls:conversation/one"),
    }


async def test_a_flood_is_one_alert_with_a_count_until_it_ebbs() -> None:
    house = House()
    for number in range(1000):
        house.split(f"c{number}")
    await house.spend(40)
    (alert,) = house.firing()
    assert alert.value == 1000
    assert alert.words.startswith("1000 conversations disagree; conversation c")


def told(count: int) -> tuple[Divergence, ...]:
    marks = [(read(n, "api", "v1", talk=f"c{n}"), read(n + 0.5, "worker", "v2", talk=f"c{n}")) for n in range(count)]
    return tuple(
        Divergence(
            kind=DivergenceKind.SNAPSHOTS, conversation=other.conversation, about="kb", first=other, against=one,
            words="differ", last_at=other.at,
        )
        for one, other in marks
    )  # fmt: skip


def test_who_stands_for_a_flood_stays_and_few_have_their_own_again() -> None:
    detector = Divergent()

    def refs(divergences: tuple[Divergence, ...]) -> list[str]:
        detector.found("calls", divergences)
        return [condition.ref.name for condition in detector.tick(0.0, Board())]

    assert len(refs(told(FLOOD))) == FLOOD
    assert refs(told(FLOOD + 5)) == ["c0"]
    assert refs(told(FLOOD + 5)[3:]) == ["c3"]
    assert refs(told(EBB + 1)) == ["c3"]
    assert len(refs(told(EBB))) == EBB
    assert refs(()) == []


async def test_spans_that_come_late_and_marks_that_learn_their_conversation_are_taken() -> None:
    house = House()
    at = house.clock.now() - 100
    house.store.marks_kept = [read(at, "api", "v2", span="a"), read(at + 1, "worker", "v1", talk="", span="b")]
    await house.look()
    assert not house.alerts
    house.store.marks_kept[1] = read(at + 1, "worker", "v1", span="b", trace=house.store.marks_kept[1].trace_id)
    await house.spend(10)
    assert len(house.alerts) == 1


async def test_it_asks_for_what_is_new_with_an_overlap_and_for_two_windows_at_first() -> None:
    house = House()
    await house.look()
    await house.spend(20)
    assert [query.since - START for query in house.store.asked] == [
        -2 * WINDOW_S,
        -OVERLAP_S,
        10 - OVERLAP_S,
    ]
    assert {query.kinds for query in house.store.asked} == {(MarkKind.RETRIEVAL, MarkKind.MEMORY)}


async def test_only_the_newest_marks_are_held_and_old_ones_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergence, "MARKS_MOST", 50)
    house = House()
    at = house.clock.now()
    house.store.marks_kept = [read(at + n, "api", "v1") for n in range(200)]
    await house.spend(300)
    assert len(house.watch._marks) == 50
    assert house.said == [
        "calls: more than 50 reads of snapshots and memory in 30 min; disagreements are looked for among the newest"
    ]
    await house.spend(3 * WINDOW_S)
    assert len(house.watch._marks) == 0


@pytest.mark.parametrize(
    "error",
    [
        BackendError(ErrorKind.UNREACHABLE, "gone", where="http://store"),
        RuntimeError("a fault of the adapter's"),
    ],
)
async def test_a_failure_is_said_once_stops_nothing_and_what_was_found_stands(error: Exception) -> None:
    house = House()
    house.split()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.watch.run())
        await settled(house, lambda: len(house.store.asked) > 0, 0.0)
        await settled(house, lambda: len(house.store.asked) > 3)
        house.tick()
        house.store.failing = error
        await settled(house, lambda: len(house.store.asked) > 200)
        house.tick()
        assert len(house.firing()) == 1
        assert len(house.said) == 1
        assert house.said[0].startswith("calls: which knowledge services answer from cannot be asked (")
        house.store.failing = None
        await settled(house, lambda: len(house.said) > 1)
        assert house.said[1] == "calls: which knowledge services answer from is seen again"
        running.cancel()


async def test_a_store_that_keeps_no_marks_is_left_alone_and_nothing_is_said() -> None:
    house = House()
    house.store.failing = BackendError(ErrorKind.UNSUPPORTED, "no marks here")
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.watch.run())
        for _ in range(60):
            await house.clock.advance(10.0)
        assert house.said == []
        assert len(house.store.asked) == 2
        running.cancel()


async def test_a_store_that_never_answers_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergence, "TIMEOUT_S", 0.01)
    house = House()
    house.store.hangs = True
    with pytest.raises(TimeoutError):
        await house.watch.look()


async def settled(house: House, true: Callable[[], bool], step: float = 10.0) -> None:
    """Let time pass until something is so; judging is done in a thread."""
    for _ in range(1000):
        if true():
            return
        await house.clock.advance(step)
        await asyncio.sleep(0.002)
    raise AssertionError("it never became so")


def declared(at: float, words: str) -> Change:
    reading = Service(ref=Ref("calls", Kind.SERVICE, "worker"), observed_at=at, rollout=words)
    return Change(seq=1, at=at, readings=(reading,))


async def test_services_that_differ_during_a_declared_rollout_are_nothing_and_one_left_behind_is_told() -> None:
    house = House()
    house.detector.feed(declared(house.clock.now(), "docs v1 → v2"))
    await house.clock.advance(60.0)
    house.split()
    await house.look()
    await house.spend(60)
    assert house.alerts == {}
    house.detector.feed(declared(house.clock.now(), ""))
    await house.spend(60)
    assert house.alerts == {}, "what was served before the end is still explained"
    await house.spend(300)
    house.split("d")
    await house.look()
    await house.spend(30)
    (alert,) = house.firing()
    assert alert.ref.name == "d"


async def test_what_was_read_from_the_old_during_a_rollout_is_not_held_against_what_came_after_it() -> None:
    house = House()
    house.detector.feed(declared(house.clock.now(), "kb v1 → v2"))
    await house.clock.advance(60.0)
    house.split("x")  # one service has moved, the other has not
    now = house.clock.now()
    house.store.marks_kept += [read(now, "worker", "v1", talk="c")]
    house.detector.feed(declared(now, ""))
    await house.look()
    await house.spend(400)
    now = house.clock.now()
    house.store.marks_kept += [read(now - 5.0, "api", "v3", talk="c")]
    await house.look()
    await house.spend(60)
    assert house.firing() == []
    house.store.marks_kept += [read(house.clock.now() - 5.0, "worker", "v1", talk="c")]
    await house.look()
    await house.spend(60)
    (alert,) = house.firing()
    assert alert.ref.name == "c", "it goes on reading what nobody else has"


async def test_a_rollout_of_something_else_explains_nothing() -> None:
    house = House()
    house.detector.feed(declared(house.clock.now(), "another index 3 → 4"))
    await house.clock.advance(60.0)
    house.split()
    await house.look()
    await house.spend(30)
    assert len(house.firing()) == 1
