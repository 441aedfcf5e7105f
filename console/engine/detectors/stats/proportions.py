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
