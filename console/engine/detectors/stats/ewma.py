"""A mean that forgets: what lies one half-life back counts half."""


class Ewma:
    """Exponentially weighted over time, for samples that come irregularly."""

    __slots__ = ("_at", "_half_life_s", "_weight", "value")

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._at: float | None = None
        self._weight = 0.0
        self.value: float | None = None
        """The mean; None before the first sample."""

    def add(self, at: float, sample: float, weight: float = 1.0) -> float:
        """Take in a sample at `at` (unix seconds); returns the mean. `weight`: how much it counts, above 0."""
        if self.value is None or self._at is None:
            self._at, self._weight, self.value = at, weight, sample
            return sample
        self._weight = self._weight * 0.5 ** (max(0.0, at - self._at) / self._half_life_s) + weight
        self._at = at
        self.value += (sample - self.value) * weight / self._weight
        return self.value
