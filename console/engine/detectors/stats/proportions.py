"""Parts of a whole: how sure one can be of them, and whether they have grown."""

import math
from typing import NamedTuple

Z_999 = 3.2905
"""Normal quantile of 0.9995: bounds that hold in 99.9 % of cases."""


class Bounds(NamedTuple):
    """Between these two the true part lies."""

    low: float
    high: float


def wilson(hits: float, trials: float, z: float = Z_999) -> Bounds:
    """Wilson's interval for the part of `trials` that are `hits`; (0, 1) without a trial. `z`: normal quantile."""
    if trials <= 0:
        return Bounds(0.0, 1.0)
    part = min(1.0, max(0.0, hits / trials))
    square = z * z / trials
    middle = (part + 0.5 * square) / (1.0 + square)
    half = z * math.sqrt((part * (1.0 - part) + 0.25 * z * z / trials) / trials) / (1.0 + square)
    return Bounds(max(0.0, middle - half), min(1.0, middle + half))


def clopper_pearson(hits: float, trials: float, confidence: float) -> Bounds:
    """The exact interval for the part of `trials` that are `hits`; (0, 1) without a trial.

    Wilson's is shorter, and with one or two hits its lower bound is too high: one failure of three calls would surely
    be more than 3 %. Counts that were added up from rates need not be whole.

    Args:
        hits: how many of them were what is counted.
        trials: how many there were.
        confidence: the part of all cases in which the truth lies between the bounds, at the least.
    """
    if trials <= 0:
        return Bounds(0.0, 1.0)
    hits, beyond = min(trials, max(0.0, hits)), 0.5 * (1.0 - confidence)
    low = _beta_quantile(beyond, hits, trials - hits + 1.0) if hits > 0 else 0.0
    high = 1.0 - _beta_quantile(beyond, trials - hits, hits + 1.0) if hits < trials else 1.0
    return Bounds(low, high)


def _beta_quantile(part: float, a: float, b: float) -> float:
    """The value under which `part` of a beta distribution lies."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _beta_part(middle, a, b) < part else (low, middle)
    return 0.5 * (low + high)


def _beta_part(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction on the side where that is quick."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_part(1.0 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)) / a
    return front / _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)), from its front (modified Lentz)."""
    value = numerator = 1.0
    denominator = 0.0
    for step in range(1, 1000):
        half, odd = divmod(step, 2)
        if odd:
            d = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            d = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        denominator = 1.0 / (1.0 + d * denominator)
        numerator = 1.0 + d / numerator
        change = numerator * denominator
        value *= change
        if abs(change - 1.0) < 1e-10:
            break
    return value


class BernoulliCusum:
    """Adds up how much better each batch fits a part that is `ratio` times the usual one than the usual one itself."""

    __slots__ = ("ratio", "value")

    def __init__(self, ratio: float = 2.0) -> None:
        self.ratio = ratio
        self.value = 0.0
        """Log likelihood ratio; an alarm at ln(1/α) and more."""

    def add(self, hits: float, trials: float, usual: float, most: float = math.inf) -> float:
        """Take in a batch, and return the sum.

        Args:
            hits: how many of the batch were what is counted.
            trials: how many there were.
            usual: the usual part, between 0 and 1.
            most: the sum never grows beyond this.
        """
        usual = min(0.999 / self.ratio, max(1e-6, usual))
        grown = usual * self.ratio
        gain = hits * math.log(grown / usual) + (trials - hits) * math.log((1.0 - grown) / (1.0 - usual))
        self.value = min(most, max(0.0, self.value + gain))
        return self.value

    def reset(self) -> None:
        """Begin anew."""
        self.value = 0.0


class UsualPart:
    """The usual part of a whole: counts that forget, begun with what is believed before anything was seen."""

    __slots__ = ("_half_life_s", "_hits", "_trials", "seen_s")

    def __init__(self, believed: float, weight: float = 200.0, half_life_s: float = 43200.0) -> None:
        """`believed`: the part that is taken to be usual at first, as if it had been seen in `weight` trials."""
        self._half_life_s = half_life_s
        self._hits, self._trials = believed * weight, weight
        self.seen_s = 0.0
        """Seconds that have taught something."""

    def add(self, seconds: float, hits: float, trials: float) -> None:
        """Learn what happened in some seconds, of a time that was as usual."""
        keep = 0.5 ** (seconds / self._half_life_s)
        self._hits = self._hits * keep + hits
        self._trials = max(1.0, self._trials * keep + trials)
        self.seen_s += seconds

    @property
    def part(self) -> float:
        """Between 0 and 1."""
        return min(1.0, self._hits / self._trials)

    def remember(self) -> tuple[float, float, float]:
        """What is known, as numbers."""
        return (self._hits, self._trials, self.seen_s)

    def recall(self, numbers: tuple[float, float, float]) -> None:
        """Go on from what was remembered."""
        self._hits, self._trials, self.seen_s = numbers
        self._trials = max(1.0, self._trials)
