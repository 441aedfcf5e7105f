"""Counts by chance have the mean and the spread that they should have, small and large."""

import random
from collections.abc import Callable
from statistics import fmean, pvariance

import pytest

from adapters.simulator.answers.draws import binomial, multinomial, poisson

TIMES = 4000


def _moments(draw: Callable[[random.Random], int]) -> tuple[float, float]:
    chance = random.Random(5)
    drawn = [draw(chance) for _ in range(TIMES)]
    return fmean(drawn), pvariance(drawn)


@pytest.mark.parametrize("mean", [0.004, 0.7, 9.0, 11.9, 12.0, 400.0])
def test_poisson_has_its_mean_and_its_variance(mean: float) -> None:
    found, variance = _moments(lambda chance: poisson(chance, mean))
    assert found == pytest.approx(mean, abs=4 * (mean / TIMES) ** 0.5)
    assert variance == pytest.approx(mean, rel=0.1, abs=0.005)


@pytest.mark.parametrize(("tries", "part"), [(1, 0.3), (20, 0.01), (50, 0.2), (300, 0.04), (300, 0.5), (40, 0.9)])
def test_binomial_has_its_mean_and_its_variance(tries: int, part: float) -> None:
    found, variance = _moments(lambda chance: binomial(chance, tries, part))
    expected = tries * part * (1 - part)
    assert found == pytest.approx(tries * part, abs=4 * (expected / TIMES) ** 0.5)
    assert variance == pytest.approx(expected, rel=0.12)


def test_nothing_and_everything() -> None:
    chance = random.Random(1)
    assert (poisson(chance, 0.0), binomial(chance, 0, 0.5), binomial(chance, 7, 0.0), binomial(chance, 7, 1.0)) == (
        0, 0, 0, 7,
    )  # fmt: skip


def test_a_multinomial_gives_each_kind_its_part_and_loses_none() -> None:
    chance, parts = random.Random(2), (0.6, 0.25, 0.1, 0.05)
    drawn = [multinomial(chance, 30, parts) for _ in range(1000)]
    assert {sum(counts) for counts in drawn} == {30}
    for place, part in enumerate(parts):
        assert fmean(counts[place] for counts in drawn) == pytest.approx(30 * part, rel=0.06)
