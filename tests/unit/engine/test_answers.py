"""Each minute of counted answers reaches each detector once: while a store fails, and across engines."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from console.config import Retention
from console.domain.analysis import DetectorState
from console.domain.answers import Answers, AnswersQuery, Group
from console.domain.board import Board
from console.domain.errors import BackendError, ErrorKind
from console.domain.wire import Change
from console.engine.answers import BACK_S, UNSUPPORTED_S, AnswersWatch
from console.engine.clock import ManualClock
from console.engine.detectors.base import Condition, Patience
from console.engine.journal import Journal
from console.engine.learning import KEEP_EVERY_S, Learning
from console.engine.store import Store
from console.engine.watch import Watch

MINUTE_S = 60.0


class TraceStore:
    """Has one row for every minute, and one that it should not have sent."""

    def __init__(self) -> None:
        self.failing: Exception | None = None
        self.asked: list[AnswersQuery] = []

    async def answers(self, query: AnswersQuery) -> tuple[Answers, ...]:
        self.asked.append(query)
        if self.failing is not None:
            raise self.failing
        first = int(query.since // MINUTE_S)
        last = int(query.until // MINUTE_S)
        return tuple(
            Answers(at=minute * MINUTE_S, group=Group(service="api"), calls=1) for minute in range(first, last + 2)
        )


class Counting:
    """A detector that remembers how many calls it heard of."""

    name = "counting"
    patience = Patience()

    def __init__(self) -> None:
        self.minutes: list[float] = []
        self.calls = 0
        self.fails = False

    def feed(self, change: Change) -> None:
        """It hears answers only."""

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        yield from ()

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        if self.fails:
            raise ValueError("no")
        self.minutes += [row.at for row in rows]
        self.calls += sum(row.calls for row in rows)

    def remember(self) -> bytes:
        return msgspec.json.encode(self.calls)

    def recall(self, state: bytes, now: float) -> None:
        self.calls = msgspec.json.decode(state, type=int)

    def state(self, now: float) -> DetectorState:
        return DetectorState(name=self.name, summary="counts", watching=self.calls)


class House:
    """A trace store, a watch with one detector, and what is between them."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.store = TraceStore()
        self.detector = Counting()
        self.watch = Watch((self.detector,), Store("test", clock), clock)
        self.said: list[str] = []
        self.answers = AnswersWatch("calls", self.store, clock, self.watch.hear, self.watch.heard_to, self.said.append)


async def test_each_minute_is_told_once_and_when_it_is_over() -> None:
    house = House(ManualClock(1_800_000_000.0))
    await house.answers.look()
    begin = house.detector.minutes[:]
    assert len(begin) == BACK_S / MINUTE_S
    assert begin[-1] == 1_800_000_000.0 - MINUTE_S, "spans of the last minute still come"
    for _ in range(20):
        await house.clock.advance(15.0)
        await house.answers.look()
    assert house.detector.minutes == [begin[0] + MINUTE_S * n for n in range(len(begin) + 5)]


async def test_others_have_their_turn_between_two_detectors_and_an_engine_that_ends_there_goes_on_there() -> None:
    clock, store, first, last = ManualClock(), TraceStore(), Counting(), Counting()
    last.name = "another"
    watch = Watch((first, last), Store("test", clock), clock)
    look = asyncio.create_task(AnswersWatch("calls", store, clock, watch.hearing, watch.heard_to, print).look())
    while not first.minutes:
        await asyncio.sleep(0)
    assert last.minutes == [], "a key that waited was served before the next detector"
    look.cancel()
    await AnswersWatch("calls", store, clock, watch.hearing, watch.heard_to, print).look()
    assert first.minutes == last.minutes
    assert len(set(first.minutes)) == len(first.minutes) == BACK_S / MINUTE_S


async def test_a_failing_store_is_said_once_and_nothing_is_lost() -> None:
    house = House(ManualClock())
    running = asyncio.create_task(house.answers.run())
    await house.clock.advance(60.0)
    house.store.failing = BackendError(ErrorKind.UNREACHABLE, "refused", way_out="start it")
    await house.clock.advance(300.0)
    house.store.failing = None
    await house.clock.advance(60.0)
    running.cancel()
    minutes = house.detector.minutes
    assert minutes == [minutes[0] + MINUTE_S * n for n in range(len(minutes))]
    assert minutes[-1] >= house.clock.now() - 2 * MINUTE_S
    assert ["cannot be asked" in words for words in house.said] == [True, False]


async def test_a_store_that_counts_nothing_is_asked_seldom_and_not_said() -> None:
    house = House(ManualClock())
    house.store.failing = BackendError(ErrorKind.UNSUPPORTED, "no counts", way_out="none")
    running = asyncio.create_task(house.answers.run())
    await house.clock.advance(UNSUPPORTED_S * 2 + 1.0)
    running.cancel()
    assert len(house.store.asked) == 3
    assert house.said == []


async def test_a_detector_that_fails_stops_nothing_and_hears_the_next_minute() -> None:
    house = House(ManualClock())
    house.detector.fails = True
    await house.answers.look()
    house.detector.fails = False
    await house.clock.advance(60.0)
    await house.answers.look()
    assert len(house.detector.minutes) == 1


@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
async def test_the_next_engine_goes_on_and_counts_nothing_twice(tmp_path: Path, killed: bool) -> None:
    clock = ManualClock()
    journal = Journal(tmp_path / "journal.sqlite", clock, Retention())
    await journal.open()
    house = House(clock)
    learning = Learning(house.watch, journal, clock)
    await learning.recall()
    await house.answers.look()
    await clock.advance(KEEP_EVERY_S)
    learning.tick()
    await clock.advance(120.0)
    await house.answers.look()
    if not killed:
        learning.keep()
    heard = house.detector.calls
    assert heard > 60

    after = House(clock)
    await Learning(after.watch, journal, clock).recall()
    await after.answers.look()
    assert after.detector.calls == heard
    await clock.advance(60.0)
    await after.answers.look()
    assert after.detector.calls == heard + 1
    (state,) = after.watch.states()
    assert state.watching == heard + 1
    await journal.close()


async def test_what_cannot_be_read_is_learnt_anew(tmp_path: Path) -> None:
    house = House(ManualClock())
    house.watch.recall({"counting": b'{"heard":{"calls":99999999999},"state":"no number"}'})
    await house.answers.look()
    assert house.detector.calls == BACK_S / MINUTE_S
