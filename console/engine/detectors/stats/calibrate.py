"""How high a CUSUM's threshold must be, so that the noise of this very series seldom reaches it.

A textbook threshold holds for samples that know nothing of each other. What a meter shows is like what it showed a
minute ago, and the sum then wanders further: with k = 0.5 and h = 5 a false alarm comes every 957 samples when
they are independent, and every 106 when neighbours correlate by 0.5.
"""

import math
from array import array
from collections import deque
from functools import lru_cache

FLOOR = 14.0
"""The textbook's threshold for k = 1: it is never lower, whatever the history says."""
CEILING = 120.0
"""Twenty-four minutes of what is as bad as can be: who needs more would never be told."""
INTERVAL = 600_000
"""Samples between two false alarms that are wanted of one series: a little more than a year of minutes."""
OVERSHOOT = 1.166
"""By how much a sum of independent normal samples goes beyond a threshold, twice in the mean (Siegmund 1985)."""
MARGIN = 1.3
"""A threshold is this much higher than the highest sum of a quiet past."""
QUIET = 0.5
"""Above this part of the threshold nothing is learnt of how neighbours correlate."""
DAYS = 14
LAG_MEMORY = 1440
"""Samples over which the correlation of neighbours is a mean: a day of minutes."""
FEWEST = 60
"""With fewer samples the correlation is taken to be `GUESS`."""
GUESS = 0.5
GUESSED = 10
"""What was seen is held beside so many samples of which `GUESS` is true: where nothing moved, a little creep would else
be all that is known."""


def interval(k: float, h: float, correlation: float = 0.0) -> float:
    """About how many samples pass between two false alarms of a CUSUM on unit normal noise (Siegmund 1985).

    Args:
        k: what is taken off each sample.
        h: the threshold.
        correlation: of neighbouring samples; further ones correlate by its powers. The sum then wanders as one of
            independent samples with a variance of (1 + correlation)/(1 - correlation) does.
    """
    wider = math.sqrt((1.0 + correlation) / (1.0 - correlation))
    slope, height = k / wider, h / wider + OVERSHOOT
    exponent = min(700.0, 2.0 * slope * height)
    return (math.exp(exponent) - exponent - 1.0) / (2.0 * slope * slope)


@lru_cache(maxsize=1024)
def _threshold(k: float, correlation: float, wanted: float) -> float:
    low, high = 0.0, 1.0
    while interval(k, high, correlation) < wanted:
        high *= 2.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if interval(k, middle, correlation) < wanted else (low, middle)
    return high


def threshold(k: float, correlation: float, wanted: float = INTERVAL) -> float:
    """The threshold at which false alarms are `wanted` samples apart, for noise that correlates as much."""
    return _threshold(k, round(min(0.95, max(0.0, correlation)), 2), wanted)


class Calibration:
    """Learns one series' threshold from its own quiet past: how neighbours correlate, and how high the sum went."""

    __slots__ = ("_before", "_count", "_day", "_peaks", "_pending", "_product", "_square", "_top", "k")

    def __init__(self, k: float = 1.0) -> None:
        self.k = k
        self._before: float | None = None
        self._count = 0
        self._product = 0.0
        self._square = 0.0
        self._day = 0
        self._peaks: deque[float] = deque(maxlen=DAYS)
        self._top = 0.0
        self._pending = (0, 0.0, 0.0)
        """Samples since the sum left 0, and the sums of their products and squares."""

    def add(self, at: float, z: float, sum_: float) -> None:
        """Learn from a sample (in standard deviations) and the CUSUM after it, of a time without an alarm.

        All of it is learnt when the sum is back at 0: while it grows nobody knows whether that is noise. A drift would
        teach that neighbours are alike, and so raise the very threshold that it is on its way to.
        """
        quiet = sum_ < QUIET * self.threshold
        z = min(4.0, max(-4.0, z))
        if self._before is not None and quiet:
            count, product, square = self._pending
            self._pending = count + 1, product + z * self._before, square + z * z
        if sum_ == 0.0:
            self._learn()
        self._before = z
        day = int(at // 86400.0)
        if day != self._day or not self._peaks:
            self._day = day
            self._peaks.append(0.0)
        self._top = max(self._top, sum_)
        if sum_ == 0.0:
            self._peaks[-1] = max(self._peaks[-1], self._top)
            self._top = 0.0

    def _learn(self) -> None:
        """Let the samples since the sum left 0 teach how neighbours correlate."""
        count, product, square = self._pending
        if not count:
            return
        self._pending = (0, 0.0, 0.0)
        self._count += count
        part = min(1.0, count / min(self._count, LAG_MEMORY))
        self._product += part * (product / count - self._product)
        self._square += part * (square / count - self._square)

    def gap(self) -> None:
        """The next sample is no neighbour of the last one; a sum that was growing was no noise."""
        self._before, self._top, self._pending = None, 0.0, (0, 0.0, 0.0)

    @property
    def correlation(self) -> float:
        """Of neighbouring samples, 0 to 0.95."""
        if self._count < FEWEST:
            return GUESS
        seen = min(self._count, LAG_MEMORY)
        found = (seen * self._product + GUESSED * GUESS) / (seen * self._square + GUESSED)
        return min(0.95, max(0.0, found))

    @property
    def threshold(self) -> float:
        """What the sum must reach before anyone is told."""
        history = threshold(self.k, self.correlation)
        return min(CEILING, max(FLOOR, history, MARGIN * max(self._peaks, default=0.0)))

    def remember(self) -> bytes:
        """What is known, as floats of four bytes: samples, mean product, mean square, then the highest sums by day."""
        return array("f", (self._count, self._product, self._square, *self._peaks)).tobytes()

    def recall(self, numbers: bytes) -> None:
        """Go on from what was remembered.

        Raises:
            ValueError: it has another shape.
        """
        count, product, square, *peaks = array("f", numbers)
        if not all(map(math.isfinite, (count, product, square, *peaks))):
            raise ValueError("what is remembered of noise are numbers")
        self._count, self._product, self._square = int(count), product, square
        self._peaks = deque(peaks, maxlen=DAYS)
