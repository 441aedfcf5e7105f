"""What happened lately, as counts: sums of some columns over the last minutes, exact to a step."""

from collections import deque

STEP_S = 60.0


class Recent:
    """Some counts by minute, for a window of bounded length."""

    __slots__ = ("_bins", "_width")

    def __init__(self, minutes: int, width: int) -> None:
        """Keeps `minutes` minutes of `width` columns."""
        self._width = width
        self._bins: deque[tuple[int, list[float]]] = deque(maxlen=minutes)

    def add(self, at: float, *counts: float) -> None:
        """Count what happened just before `at` (unix seconds)."""
        step = int(at // STEP_S)
        if not self._bins or self._bins[-1][0] != step:
            self._bins.append((step, [0.0] * self._width))
        sums = self._bins[-1][1]
        for column, count in enumerate(counts):
            sums[column] += count

    def over(self, window_s: float, now: float) -> list[float]:
        """The sums of the last `window_s` seconds, the minute that is open included."""
        first = (now - window_s) // STEP_S
        total = [0.0] * self._width
        for step, counts in reversed(self._bins):
            if step <= first:
                break
            for column, count in enumerate(counts):
                total[column] += count
        return total

    @property
    def minutes(self) -> int:
        """How many minutes are kept now."""
        return len(self._bins)

    def clear(self) -> None:
        """Forget everything."""
        self._bins.clear()
