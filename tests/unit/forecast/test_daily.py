"""The usual shape of a day, from the days before."""

import math

import pytest

from console.forecast.daily import DAYS, MOST, PER_DAY, growth


def wave(days: int, at: int) -> list[float | None]:
    """A day that swings between 50 and 150, up to slot `at` of the last one."""
    length = days * PER_DAY
    return [100.0 - 50.0 * math.cos(2.0 * math.pi * (at - length + 1 + n) / PER_DAY) for n in range(length)]


def test_a_morning_grows_and_an_evening_shrinks() -> None:
    assert growth(wave(DAYS, PER_DAY // 4)) == pytest.approx(1.0 + math.pi / PER_DAY, abs=0.002)
    assert growth(wave(DAYS, 3 * PER_DAY // 4)) == pytest.approx(1.0 - math.pi / PER_DAY, abs=0.002)


def test_one_day_before_says_nothing() -> None:
    assert growth(wave(2, PER_DAY // 4)) == 1.0
    assert growth((None,) * DAYS * PER_DAY) == 1.0
    assert growth(()) == 1.0


def test_no_day_moves_a_number_by_more_than_its_bound() -> None:
    jump = [1.0 if slot % PER_DAY < 50 else 1000.0 for slot in range(DAYS * PER_DAY)]
    assert growth(jump[: -PER_DAY + 50]) == MOST
