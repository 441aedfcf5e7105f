"""A change that is small and lasts, found by adding up (Page 1954): S = max(0, S + z - k)."""

CLIP = 6.0
"""No sample counts for more than this many standard deviations: one that is wild proves nothing."""


class Cusum:
    """One-sided: it sees what grows."""

    __slots__ = ("clip", "k", "since", "value")

    def __init__(self, k: float = 1.0, clip: float = CLIP) -> None:
        """`k`: what is taken off each sample, half the change that is worth finding, in standard deviations."""
        self.k = k
        self.clip = clip
        self.value = 0.0
        self.since: float | None = None
        """When the sum last left 0: the best guess at when the change began."""

    def add(self, at: float, z: float, most: float = float("inf")) -> float:
        """Take in a sample, and return the sum.

        Args:
            at: unix seconds.
            z: the sample's distance from what is usual, in standard deviations.
            most: the sum never grows beyond this, so that it comes down soon when all is well again.
        """
        clipped = min(self.clip, max(-self.clip, z))
        self.value = min(most, max(0.0, self.value + clipped - self.k))
        if self.value == 0.0:
            self.since = None
        elif self.since is None:
            self.since = at
        return self.value

    def reset(self) -> None:
        """Begin anew."""
        self.value, self.since = 0.0, None
