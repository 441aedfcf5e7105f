"""The slope of a series that a few wild values do not move: the median of the slopes of all pairs (Theil, Sen)."""

from collections.abc import Sequence
from itertools import combinations
from statistics import median


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """How much y grows with x, for (x, y) points; None when there are no two different x. The work is quadratic."""
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 != x1]
    return median(slopes) if slopes else None
