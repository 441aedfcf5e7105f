"""The last hour in memory: values that stand, slots that close, gaps that stay gaps."""

import math
import random
from collections.abc import Collection, Sequence

import pytest

from console.domain.freshness import Freshness
from console.domain.readings import Source
from console.domain.refs import Kind, Ref
from console.domain.wire import HistoryQuery
from console.engine.clock import ManualClock
from console.engine.history import SLOT_S, SLOTS, Memory, _Track
from console.engine.store import Store
from tests.unit.engine.parts import deployment, observation, ref

START = 1_800_000_000.0  # on a slot's edge


def source(at: float, interval_s: float = 5.0) -> Source:
    return Source(
        ref=Ref("gateway", Kind.SOURCE, "gateway"),
        observed_at=at,
        adapter="scripted",
        freshness=Freshness.FRESH,
        interval_s=interval_s,
        stale_after_s=3 * interval_s,
    )


class Past:
    """A memory behind a store, with time set by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.store = Store("test", self.clock)
        self.closed: list[tuple[float, Collection[tuple[Ref, str, float]]]] = []
        self.memory = Memory(START, lambda start, rows: self.closed.append((start, rows)))
        self.store.listen(self.memory.feed)

    def look(
        self, at: float, p50: float | None, *, interval_s: float = 5.0, names: Sequence[str] = ("openai-a",)
    ) -> None:
        self.clock._now = START + at
        readings = [deployment(START + at, name=name, p50=p50) for name in names]
        self.store.observe(source(START + at, interval_s), observation(START + at, *readings))

    def p50(
        self, now: float, *, window_s: float = 3600.0, points: int = 120, name: str = "openai-a"
    ) -> list[float | None]:
        self.clock._now = START + now
        query = HistoryQuery(ref=ref(name), window_s=window_s, points=points)
        return list(self.memory.answer(query, START + now).series.get("p50_s", ()))


def test_the_grid_ends_with_the_present_slot() -> None:
    past = Past()
    past.look(1.0, 0.5)
    answer = past.memory.answer(HistoryQuery(ref=ref()), START + 10.0)
    assert answer.step_s == 30.0
    assert answer.start == START - 119 * 30.0
    assert len(answer.series["p50_s"]) == 120


def test_unchanged_looks_keep_a_value_standing() -> None:
    past = Past()
    for at in range(0, 300, 5):
        past.look(float(at), 0.5)
    assert past.p50(299.0)[-10:] == [0.5] * 10


def test_a_slot_is_the_mean_over_time_not_over_changes() -> None:
    past = Past()
    for at in (0.0, 10.0):
        past.look(at, 1.0)
    for at in (20.0, 22.0, 24.0, 29.0):
        past.look(at, 4.0)
    past.look(31.0, 4.0)
    assert past.p50(32.0)[-2] == pytest.approx((20 * 1.0 + 10 * 4.0) / 30, rel=1e-6)


def test_time_without_a_look_is_a_gap() -> None:
    past = Past()
    past.look(0.0, 1.0)
    past.look(29.0, 1.0)
    past.look(125.0, 2.0)
    values = past.p50(126.0)[-5:]
    assert values == [1.0, None, None, None, 2.0]


def test_an_interval_longer_than_a_slot_makes_no_gaps() -> None:
    past = Past()
    for at in range(0, 600, 60):
        past.look(float(at), 1.0, interval_s=60.0)
    assert None not in past.p50(590.0)[-19:]


def test_a_metric_that_is_no_longer_reported_ends() -> None:
    past = Past()
    past.look(0.0, 1.0)
    past.look(30.0, None)
    past.look(60.0, None)
    past.look(90.0, None)
    values = past.p50(91.0)[-4:]
    assert values[0] == 1.0
    assert values[2:] == [None, None]


def test_an_object_that_left_is_forgotten() -> None:
    past = Past()
    past.look(0.0, 1.0, names=("openai-a", "openai-b"))
    past.look(5.0, 1.0, names=("openai-a",))
    assert past.p50(6.0, name="openai-b") == []
    assert past.p50(6.0)[-1] == 1.0


def test_more_than_an_hour_is_not_kept() -> None:
    past = Past()
    for at in range(0, 3 * 3600, 15):
        past.look(float(at), float(at // 3600))
    values = past.p50(3 * 3600 - 1.0)
    assert set(values) == {2.0}
    assert past.memory.reaches_back_to == START + 3 * 3600 - SLOTS * SLOT_S


def test_an_old_slot_never_shows_through_a_long_gap() -> None:
    past = Past()
    for at in range(0, 3600, 15):
        past.look(float(at), 1.0)
    past.look(3600.0 + 3000.0, 2.0)
    values = past.p50(3600.0 + 3001.0)
    assert values.count(1.0) == 19
    assert values[-1] == 2.0
    assert values.count(None) == 100


def test_other_windows_are_cut_from_the_same_slots() -> None:
    past = Past()
    for at in range(0, 600, 5):
        past.look(float(at), 1.0 if at < 300 else 3.0)
    assert past.p50(599.0, window_s=600.0, points=2) == [1.0, 3.0]
    assert past.p50(599.0, window_s=600.0, points=60) == [1.0] * 30 + [3.0] * 30


def test_closed_slots_are_handed_on_once_with_unchanged_values_too() -> None:
    past = Past()
    for at in range(0, 125, 5):
        past.look(float(at), 0.5)
    assert [start for start, _ in past.closed] == [START + slot * 30.0 for slot in range(4)]
    for _, rows in past.closed:
        assert (ref(), "p50_s", 0.5) in rows
        assert all(math.isfinite(value) for _, _, value in rows)


def test_what_is_handed_on_is_the_mean_of_half_a_minute() -> None:
    past = Past()
    for at in range(0, 35, 5):
        past.look(float(at), 1.0 if at < 20 else 4.0)
    (_, rows) = past.closed[0]
    assert {metric: value for _, metric, value in rows}["p50_s"] == pytest.approx(2.0)


def test_nothing_is_handed_on_for_a_source_that_was_not_seen() -> None:
    past = Past()
    past.look(0.0, 0.5)
    past.memory.roll(START + 300.0)
    assert len(past.closed) == 1


def test_absurd_questions_have_bounded_answers() -> None:
    past = Past()
    past.look(0.0, 0.5)
    assert len(past.p50(1.0, points=10**9)) <= 2000
    assert past.p50(1.0, points=0) == [0.5]
    assert past.p50(1.0, window_s=-5.0, points=3)[-1] == 0.5


@pytest.mark.parametrize("seed", range(20))
def test_a_number_that_never_changes_takes_no_ring_and_is_remembered_all_the_same(seed: int) -> None:
    chance = random.Random(seed)
    track, first = _Track(chance.randrange(1000)), 0
    first = track._since
    plain: dict[int, float] = {}
    steady = chance.random()  # how seldom it changes
    for slot in range(first, first + chance.randrange(1, 3 * SLOTS)):
        if chance.random() > steady or slot == first:
            track.last = chance.choice([0.0, 1.5, 7e9, math.nan])
        track.stand(SLOT_S)
        seen = chance.random() < 0.5 + steady / 2
        plain[slot] = track.last if seen else math.nan
        track.close(slot, seen=seen)
        for back in range(max(first, slot - SLOTS + 1), slot + 1):
            assert track.at(back) == pytest.approx(plain[back], nan_ok=True), (slot, back)


def test_a_standing_number_is_light() -> None:
    track = _Track(5)
    track.last = 3.0
    for slot in range(5, 500):
        track.stand(0.1)
        track.stand(14.9)
        track.close(slot, seen=True)
    assert track._ring is None
    assert track.at(499) == 3.0
