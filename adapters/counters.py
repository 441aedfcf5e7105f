"""Counters that only grow, turned into what happened lately: deltas, sums over a window, quantiles of a histogram."""

import math
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deltas(Generic[K]):
    """What was added to each counter of one process since its last page."""

    def __init__(self) -> None:
        self._last: dict[K, float] | None = None

    def feed(self, values: Iterable[tuple[K, float]]) -> dict[K, float]:
        """Take in one page of (counter, value); returns only the counters that grew, and by how much.

        The first page is the mark from which is counted and gives nothing. A counter that went back began at
        zero, and so did one that was not there before: their whole value is new. NaN is passed over.
        """
        last, now = self._last, {key: value for key, value in values if value == value}
        self._last = now
        if last is None:
            return {}
        grown: dict[K, float] = {}
        for key, value in now.items():
            before = last.get(key, 0.0)
            delta = value if value < before else value - before
            if delta > 0:
                grown[key] = delta
        return grown


class RollingSums(Generic[K]):
    """Sums of what happened in the last `window_s` seconds. Memory: the changed keys of the pages in the window."""

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self._pages: deque[tuple[float, dict[K, float]]] = deque()
        self._sums: dict[K, float] = {}
        self._uses: dict[K, int] = {}
        self._from: float | None = None

    def begin(self, at: float) -> None:
        """Counting begins at `at`; only the first call counts."""
        if self._from is None:
            self._from = at

    def add(self, at: float, grown: Mapping[K, float]) -> None:
        """Count what grew in the time up to `at`, and let go what is older than the window."""
        self.begin(at)
        page = dict(grown)
        self._pages.append((at, page))
        for key, value in page.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
            self._uses[key] = self._uses.get(key, 0) + 1
        while self._pages and self._pages[0][0] <= at - self.window_s:
            then, old = self._pages.popleft()
            self._from = then
            self._drop(old)

    def _drop(self, page: dict[K, float]) -> None:
        for key, value in page.items():
            self._uses[key] -= 1
            if self._uses[key]:
                self._sums[key] -= value
            else:  # exactly zero again: no float dust stays behind
                del self._uses[key], self._sums[key]

    @property
    def sums(self) -> Mapping[K, float]:
        """Sum by key; a key that did not grow is not in it."""
        return self._sums

    def span_s(self, at: float) -> float:
        """How many seconds the sums really cover at `at`; 0 before the second page."""
        return 0.0 if self._from is None else max(0.0, at - self._from)


def quantile(q: float, buckets: Iterable[tuple[float, float]]) -> float | None:
    """The `q` quantile of a histogram, as PromQL's histogram_quantile reads it, or None when nothing was counted.

    Args:
        q: 0 to 1.
        buckets: (upper edge, count of observations at or below it) in any order; `+Inf` is needed.
    """
    edges = sorted(buckets)
    if not edges or not math.isinf(edges[-1][0]) or edges[-1][1] <= 0:
        return None
    rank = q * edges[-1][1]
    low, below = 0.0, 0.0
    for edge, count in edges:
        if count >= rank and count > below:
            if math.isinf(edge):
                return low
            return low + (edge - low) * (rank - below) / (count - below)
        low, below = edge, max(below, count)
    return low
