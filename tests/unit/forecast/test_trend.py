"""A level and a slope from what a number did lately, held against hand-made series."""

import random

import pytest

from console.forecast.trend import DAMPING_S, SLOT_S, Trend, trend


def test_without_a_past_a_number_stays_what_it_is() -> None:
    assert trend((), 7.0) == Trend(7.0)
    assert trend((None,) * 60, 7.0) == Trend(7.0)


def test_chance_is_averaged_out_and_has_no_slope() -> None:
    chance = random.Random(1)
    found = trend([100.0 + chance.gauss(0.0, 4.0) for _ in range(60)], 108.0)
    assert found.level == pytest.approx(100.0, abs=2.0)
    assert found.slope == 0.0


def test_a_step_is_believed_at_once_and_what_was_before_is_over() -> None:
    assert trend([100.0] * 40 + [160.0] * 16, 160.0).level == 160.0


def test_a_climb_goes_on_for_a_while_and_not_for_ever() -> None:
    climbing = [100.0] * 40 + [100.0 + 4.0 * step for step in range(1, 17)]
    found = trend(climbing, 164.0)
    assert found.slope == pytest.approx(4.0 / SLOT_S)
    assert found.after(60.0) == pytest.approx(found.level + found.slope * DAMPING_S * 0.2212, rel=0.001)
    assert found.after(86_400.0) == pytest.approx(found.level + found.slope * DAMPING_S)
    assert Trend(100.0, 10.0).after(900.0) == 150.0, "no slope takes a number further than half of it"


def test_nothing_falls_below_nought() -> None:
    assert Trend(1.0, -1.0).after(900.0) == 0.5
    assert Trend(0.0, -1.0).after(900.0) == 0.0
