"""The hand-written statistics say what scipy says."""

import random
import statistics

import pytest
from scipy import stats

from console.engine.detectors.stats.calibrate import interval
from console.engine.detectors.stats.distributions import chi_square_quantile
from console.engine.detectors.stats.proportions import clopper_pearson, wilson
from console.engine.detectors.stats.season import MAD_TO_SIGMA, absolute_deviation
from console.engine.detectors.stats.theil_sen import slope

RNG = random.Random(3)


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (3, 40), (17, 300), (300, 300), (1, 1)])
def test_wilson_bounds(hits: int, trials: int) -> None:
    expected = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    assert wilson(hits, trials, 1.959964) == pytest.approx((expected.low, expected.high), abs=1e-6)


@pytest.mark.parametrize(
    ("hits", "trials"), [(0, 20), (1, 3), (1, 1), (3, 40), (17, 300), (300, 300), (290, 14_914), (14_000, 15_000)]
)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_exact_bounds(hits: int, trials: int, confidence: float) -> None:
    expected = stats.binomtest(hits, trials).proportion_ci(confidence, method="exact")
    assert clopper_pearson(hits, trials, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_exact_bounds_of_counts_that_are_not_whole() -> None:
    expected = stats.beta.ppf(0.025, 2.5, 98.3), stats.beta.ppf(0.975, 3.5, 97.3)
    assert clopper_pearson(2.5, 99.8, 0.95) == pytest.approx(expected, abs=1e-9)
    assert clopper_pearson(0.0, 0.0, 0.95) == (0.0, 1.0)


@pytest.mark.parametrize("degrees", [1, 2, 5, 20, 60])
@pytest.mark.parametrize("part", [0.5, 0.95, 0.999])
def test_chi_square_quantiles(part: float, degrees: int) -> None:
    assert chi_square_quantile(part, degrees) == pytest.approx(stats.chi2.ppf(part, degrees), rel=1e-6)


def test_theil_sen_slope_is_not_moved_by_wild_points() -> None:
    points = [(float(x), 3.0 * x + RNG.gauss(0, 1)) for x in range(20)]
    points[4] = (4.0, 900.0)
    expected = stats.theilslopes([y for _, y in points], [x for x, _ in points])
    assert slope(points) == pytest.approx(expected.slope)
    assert slope([(1.0, 2.0), (1.0, 3.0)]) is None


def test_median_absolute_deviation() -> None:
    samples = [RNG.gauss(5, 2) for _ in range(101)]
    expected = stats.median_abs_deviation(samples)
    assert absolute_deviation(samples, statistics.median(samples)) == pytest.approx(expected)
    assert pytest.approx(1 / stats.norm.ppf(0.75), abs=1e-4) == MAD_TO_SIGMA


def test_false_alarm_interval_of_independent_noise_is_that_of_the_exact_chain() -> None:
    """Brook and Evans 1972: the CUSUM as a Markov chain of `cells` states, solved for its run length."""
    import numpy as np

    k, h, cells = 0.5, 5.0, 150
    width = h / (cells - 0.5)
    centres = np.arange(cells) * width
    upper = stats.norm.cdf(centres[None, :] + width / 2 - centres[:, None] + k)
    lower = stats.norm.cdf(centres[None, :] - width / 2 - centres[:, None] + k)
    moves = upper - lower
    moves[:, 0] = upper[:, 0]
    exact = float(np.linalg.solve(np.eye(cells) - moves, np.ones(cells))[0])
    assert interval(k, h) == pytest.approx(exact, rel=0.03)
