"""What is usual by the time of the day."""

import math
import random

import pytest

from console.engine.detectors.stats.season import HALF_HOUR_S, Season, SeasonMemory

DAY_S = 86400.0


def wave(at: float) -> float:
    return 1.0 + 0.5 * math.sin(2 * math.pi * at / DAY_S)


def learnt(days: float, noise: float = 0.05, step_s: float = 180.0) -> Season:
    rng, season = random.Random(1), Season()
    at = 0.0
    while at < days * DAY_S:
        season.add(at, wave(at) + rng.gauss(0, noise))
        at += step_s
    return season


def test_a_cold_start_knows_that_it_is_one() -> None:
    season = Season()
    assert season.usual(0.0) is None
    for minute in range(20):
        season.add(60.0 * minute, 2.0)
    first = season.usual(1200.0)
    assert first is not None
    assert (first.level, first.whole_day) == (2.0, False)


def test_after_a_day_it_knows_each_half_hour_between_the_middles_too() -> None:
    season = learnt(3)
    for at in (3 * DAY_S + hour * 3600.0 + 450.0 for hour in range(24)):
        usual = season.usual(at)
        assert usual is not None
        assert usual.whole_day
        assert usual.level == pytest.approx(wave(at), abs=0.05)
        assert usual.days >= 2
        assert usual.spread == pytest.approx(0.05, rel=0.4)


def test_one_bad_half_hour_hardly_moves_what_is_usual() -> None:
    season = learnt(4)
    before = season.usual(4 * DAY_S + 900.0)
    for minute in range(40):
        season.add(4 * DAY_S + 60.0 * minute, 50.0)
    after = season.usual(5 * DAY_S + 900.0)
    assert before is not None
    assert after is not None
    assert after.level - before.level < 3 * 0.08 / 4


def test_what_lasts_is_learnt_in_the_end() -> None:
    season = learnt(4)
    for day in range(4, 60):
        for minute in range(0, 30, 2):
            season.add(day * DAY_S + 60.0 * minute, 2.0)
    usual = season.usual(60 * DAY_S + 900.0)
    assert usual is not None
    assert usual.level == pytest.approx(2.0, abs=0.3)


def test_an_open_half_hour_can_be_forgotten() -> None:
    season = Season()
    for minute in range(50):
        season.add(60.0 * minute, 2.0)
    season.forget_open()
    season.add(2 * HALF_HOUR_S, 3.0)
    assert season.closed == 1


def test_the_first_half_hour_is_all_there_is() -> None:
    season = Season()
    for minute in range(20):
        season.add(60.0 * minute, 2.0)
    season.forget_open()
    usual = season.usual(2 * HALF_HOUR_S)
    assert usual is not None
    assert usual.level == 2.0


def test_it_is_the_same_after_a_restart() -> None:
    season = learnt(3)
    again = Season.recall(season.remember())
    at = 3 * DAY_S + 7000.0
    assert again.usual(at) == season.usual(at)


@pytest.mark.parametrize(
    "memory",
    [SeasonMemory(b"abc", bytes(48), 0.1, 3), SeasonMemory(b"\x00\x00\xc0\x7f" * 48, bytes(48), 0.1, 3)],
)
def test_a_memory_of_another_shape_is_refused(memory: SeasonMemory) -> None:
    with pytest.raises(ValueError):
        Season.recall(memory)
