"""Whether two tables of counts come from the same distribution: the population stability index."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

PSI_SHIFTED = 0.1
"""From this index on one speaks of a shift, provided that it is more than chance."""


class Shift(NamedTuple):
    """How far two samples are apart, and how far chance alone would bring them."""

    value: float
    by_chance: float
    """What is exceeded in one of a thousand cases when nothing has changed."""

    @property
    def real(self) -> bool:
        """Whether it is more than chance."""
        return self.value > self.by_chance


def psi(usual: Mapping[str, float], now: Mapping[str, float]) -> Shift:
    """The population stability index of two tables of counts by name.

    With no change it follows (1/n + 1/m) × chi-square of one degree less than there are names. Each name counts half
    a case more than it was seen, so that one that is new does not make the index infinite.
    """
    names = usual.keys() | now.keys()
    total_usual, total_now = sum(usual.values()), sum(now.values())
    if len(names) < 2 or total_usual <= 0 or total_now <= 0:
        return Shift(0.0, math.inf)
    more = 0.5 * len(names)
    index = 0.0
    for name in names:
        expected = (usual.get(name, 0.0) + 0.5) / (total_usual + more)
        found = (now.get(name, 0.0) + 0.5) / (total_now + more)
        index += (found - expected) * math.log(found / expected)
    return Shift(index, chi_square_quantile(0.999, len(names) - 1) * (1.0 / total_usual + 1.0 / total_now))


@lru_cache(maxsize=256)
def chi_square_quantile(part: float, degrees: int) -> float:
    """The value under which `part` (0 to 1) of a chi-square distribution lies; `degrees` of freedom, at least 1."""
    low, high = 0.0, float(degrees) + 10.0
    while _gamma_part(0.5 * degrees, 0.5 * high) < part:
        high *= 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _gamma_part(0.5 * degrees, 0.5 * middle) < part else (low, middle)
    return 0.5 * (low + high)


def _gamma_part(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function, by its series."""
    if x <= 0.0:
        return 0.0
    term = total = 1.0 / shape
    step = shape
    while term > 1e-15 * total:
        step += 1.0
        term *= x / step
        total += term
    return min(1.0, total * math.exp(shape * math.log(x) - x - math.lgamma(shape)))
