"""Sums that only grow, and what they grew by over the last window and since midnight."""

from collections import deque
from typing import Final

WINDOW_S: Final = 30.0
"""Rates are means over this long."""

MARK_S: Final = 5.0
"""The sums are remembered this often, which bounds the memory."""

DAY_S: Final = 86400.0


class Sums:
    """Some sums of one object, by index, and their past."""

    __slots__ = ("_marks", "_midnight", "now")

    def __init__(self, width: int) -> None:
        self.now = [0.0] * width
        """The sums since the world began; add to them in place."""
        self._marks: deque[tuple[float, tuple[float, ...]]] = deque(maxlen=int(WINDOW_S / MARK_S) + 1)
        self._midnight = tuple(self.now)

    def mark(self, at: float) -> None:
        """Remember the sums at `at`; call it every `MARK_S` seconds."""
        self._marks.append((at, tuple(self.now)))

    def midnight(self) -> None:
        """Begin a new day."""
        self._midnight = tuple(self.now)

    def credit(self, index: int, amount: float) -> None:
        """Count what had happened today before the world began."""
        day = list(self._midnight)
        day[index] -= amount
        self._midnight = tuple(day)

    def today(self, index: int) -> float:
        """What one sum grew by since 00:00 UTC."""
        return self.now[index] - self._midnight[index]

    def per_s(self, at: float) -> list[float]:
        """What each sum grew by per second over the window that ends at `at`; zeros while there is no past."""
        if not self._marks or at <= self._marks[0][0]:
            return [0.0] * len(self.now)
        start, then = self._marks[0]
        span = at - start
        return [(value - was) / span for value, was in zip(self.now, then, strict=True)]
