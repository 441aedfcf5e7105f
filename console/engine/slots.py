"""The equal slots of one history answer, filled from rows of any resolution."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from console.domain.refs import Ref
from console.domain.wire import History, HistoryQuery

MOST_POINTS = 2000
"""More points than this are never answered, whatever is asked for."""


@dataclass(slots=True)
class Slots:
    """`points` slots of `step_s` seconds from `start` (unix seconds); the last one holds the present moment."""

    start: float
    step_s: float
    points: int
    _means: dict[str, list[float | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, query: HistoryQuery, now: float) -> Self:
        """The slots of a query: on a fixed grid, so that a later answer shows the same slots moved on."""
        points = min(MOST_POINTS, max(1, query.points))
        step = max(1.0, query.window_s) / points
        return cls((math.floor(now / step) - points + 1) * step, step, points)

    @property
    def end(self) -> float:
        """Unix seconds at which the last slot ends."""
        return self.start + self.points * self.step_s

    def add(self, metric: str, rows: Iterable[tuple[float, float]], row_s: float) -> None:
        """Fill the slots that have no value yet with the means of `rows` (start, value), each `row_s` seconds long."""
        sums = [0.0] * self.points
        weights = [0.0] * self.points
        for at, value in rows:
            first = max(0, math.floor((at - self.start) / self.step_s))
            last = min(self.points - 1, math.ceil((at + row_s - self.start) / self.step_s) - 1)
            for slot in range(first, last + 1):
                from_s = self.start + slot * self.step_s
                weight = min(at + row_s, from_s + self.step_s) - max(at, from_s)
                sums[slot] += value * weight
                weights[slot] += weight
        means = self._means.setdefault(metric, [None] * self.points)
        for slot, weight in enumerate(weights):
            if means[slot] is None and weight > 0:
                means[slot] = sums[slot] / weight

    def fill(self, other: History) -> None:
        """Fill the slots that have no value yet from another answer to the same query."""
        for metric, values in other.series.items():
            means = self._means.setdefault(metric, [None] * self.points)
            for slot, value in enumerate(values[: self.points]):
                if means[slot] is None:
                    means[slot] = value

    def history(self, ref: Ref) -> History:
        """The answer."""
        filled = {metric: tuple(means) for metric, means in self._means.items() if any(m is not None for m in means)}
        return History(ref=ref, start=self.start, step_s=self.step_s, series=filled)
