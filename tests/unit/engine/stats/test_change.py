"""Sums that find lasting changes, and the thresholds that a series' own history asks for."""

import random
from collections.abc import Iterator

import pytest

from console.engine.detectors.stats.calibrate import CEILING, FLOOR, Calibration, interval, threshold
from console.engine.detectors.stats.cusum import Cusum
from console.engine.detectors.stats.distributions import PSI_SHIFTED, psi
from console.engine.detectors.stats.ewma import Ewma
from console.engine.detectors.stats.proportions import BernoulliCusum, wilson
from console.engine.detectors.stats.recent import Recent


def noise(correlation: float, seed: int = 5) -> Iterator[float]:
    rng, value = random.Random(seed), 0.0
    new = (1 - correlation**2) ** 0.5
    while True:
        value = correlation * value + new * rng.gauss(0, 1)
        yield value


def between_alarms(k: float, h: float, correlation: float, alarms: int) -> float:
    """The mean number of samples to a false alarm, counted."""
    cusum, samples = Cusum(k), 0
    source = noise(correlation)
    for _ in range(alarms):
        cusum.reset()
        while cusum.add(0.0, next(source)) < h:
            samples += 1
    return samples / alarms


def test_the_textbook_threshold_is_too_low_for_what_correlates() -> None:
    assert between_alarms(0.5, 5.0, 0.0, 60) == pytest.approx(957, rel=0.3)
    assert between_alarms(0.5, 5.0, 0.5, 200) == pytest.approx(106, rel=0.2)


def test_the_interval_that_is_worked_out_is_not_too_long() -> None:
    assert 0.25 * 106 < interval(0.5, 5.0, 0.5) < 1.1 * 106


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_a_threshold_keeps_the_wanted_interval(correlation: float) -> None:
    h = threshold(1.0, correlation, wanted=1000)
    assert between_alarms(1.0, h, correlation, 12) > 1000


def test_a_series_is_given_the_threshold_that_its_own_noise_needs() -> None:
    steady, wandering = Calibration(), Calibration()
    for calibration, correlation in ((steady, 0.1), (wandering, 0.8)):
        source, cusum = noise(correlation), Cusum()
        for minute in range(2000):
            z = next(source)
            calibration.add(60.0 * minute, z, cusum.add(60.0 * minute, z))
    assert steady.threshold == FLOOR
    assert 2 * FLOOR < wandering.threshold < CEILING
    assert wandering.correlation == pytest.approx(0.8, abs=0.07)
    again = Calibration()
    again.recall(wandering.remember())
    assert again.threshold == pytest.approx(wandering.threshold, rel=1e-6)


def test_a_creep_does_not_raise_the_threshold_that_it_is_on_its_way_to() -> None:
    calibration, cusum = Calibration(), Cusum()
    for minute in range(120):
        calibration.add(60.0 * minute, 0.0, cusum.add(60.0 * minute, 0.0))
    before = calibration.threshold
    for minute in range(120, 150):
        z = 0.15 * (minute - 120)
        calibration.add(60.0 * minute, z, cusum.add(60.0 * minute, z))
    assert calibration.threshold < 1.3 * before
    assert cusum.value > 1.5 * calibration.threshold


def test_a_creep_is_found_and_its_beginning_is_known() -> None:
    cusum = Cusum()
    for minute in range(40):
        cusum.add(60.0 * minute, 0.0 if minute < 20 else 2.0)
    assert cusum.value == 20.0
    assert cusum.since == 1200.0
    cusum.add(0.0, 500.0)
    assert cusum.value == 25.0  # one wild sample proves nothing


def test_a_part_that_doubles_adds_up_and_one_that_stays_does_not() -> None:
    sum_ = BernoulliCusum()
    for _ in range(20):
        sum_.add(1, 100, 0.01)
    assert sum_.value < 2
    for _ in range(20):
        sum_.add(4, 100, 0.01)
    assert sum_.value > 20


def test_bounds_without_a_trial_say_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_shift_of_shapes_is_told_from_chance() -> None:
    rng = random.Random(2)

    def drawn(weights: dict[str, float], many: int) -> dict[str, float]:
        found = dict.fromkeys(weights, 0.0)
        for name in rng.choices(list(weights), list(weights.values()), k=many):
            found[name] += 1
        return found

    usual = {f"shape{n}": 1.0 / (n + 1) for n in range(10)}
    before = drawn(usual, 3000)
    # A hundred answers are too few: the index is large by chance.
    assert sum(drawn_shift.value >= PSI_SHIFTED for drawn_shift in (psi(before, drawn(usual, 60)) for _ in range(40)))
    assert sum(psi(before, drawn(usual, 60)).real for _ in range(60)) <= 2
    assert psi(before, drawn({**usual, "new": 0.8}, 400)).real
    assert not psi(before, {}).real


def test_a_mean_forgets_by_its_half_life() -> None:
    mean = Ewma(600.0)
    mean.add(0.0, 10.0)
    assert mean.add(600.0, 40.0) == pytest.approx((0.5 * 10 + 40) / 1.5)


def test_counts_of_the_last_minutes() -> None:
    recent = Recent(10, 2)
    for minute in range(30):
        recent.add(60.0 * minute, 2.0, 1.0)
    assert recent.over(300.0, 29 * 60.0) == [10.0, 5.0]
    assert recent.over(9000.0, 29 * 60.0) == [20.0, 10.0]
    assert recent.minutes == 10
    recent.clear()
    assert recent.over(300.0, 29 * 60.0) == [0.0, 0.0]
