"""Counts by chance, at the cost of a few random numbers however large they are.

Small counts are exact; from `MANY` on they are a rounded normal deviate, whose mean and spread are the same.
"""

import math
import random
from collections.abc import Sequence
from typing import Final

MANY: Final = 12.0
"""Means from here on are drawn as normal deviates: skewness is below 0.3 there."""


def poisson(chance: random.Random, mean: float) -> int:
    """How often something happens that happens `mean` times on the average."""
    if mean <= 0.0:
        return 0
    if mean >= MANY:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    left, count = chance.random(), 0
    part = math.exp(-mean)
    while left > part and count < 100:
        left -= part
        count += 1
        part *= mean / count
    return count


def binomial(chance: random.Random, tries: int, part: float) -> int:
    """How many of `tries` come off when each does so with the chance `part`."""
    if tries <= 0 or part <= 0.0:
        return 0
    if part >= 1.0:
        return tries
    if part > 0.5:
        return tries - binomial(chance, tries, 1.0 - part)
    mean = tries * part
    if mean >= MANY:
        return min(tries, max(0, round(chance.gauss(mean, math.sqrt(mean * (1.0 - part))))))
    left, count = chance.random(), 0
    odds = part / (1.0 - part)
    here = (1.0 - part) ** tries
    while left > here and count < tries:
        left -= here
        count += 1
        here *= odds * (tries - count + 1) / count
    return count


def multinomial(chance: random.Random, tries: int, parts: Sequence[float]) -> list[int]:
    """`tries` things sorted into kinds; the parts add up to 1, and the last kind takes what is left."""
    counts = [0] * len(parts)
    rest = 1.0
    last = len(parts) - 1
    for place, part in enumerate(parts):
        if tries <= 0:
            break
        count = tries if place == last else binomial(chance, tries, min(1.0, part / rest) if rest > 0.0 else 0.0)
        counts[place] = count
        tries -= count
        rest -= part
    return counts
