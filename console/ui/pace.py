"""How often data may be painted: as often as the line to the terminal carries, and never for its own sake.

Keys are answered at once; only what the engine sends is paced.
"""

from dataclasses import dataclass

SHORTEST_S = 1.0
"""The least time between two paints of data on a quick line: nobody reads faster, and keys keep the time between."""
LONGEST_S = 5.0
"""The most time that a slow line may be given between two paints of data."""
SHARE = 0.25
"""Part of the line's time that painting data may take; the rest is kept free for the answers to keys."""
_MEMORY = 0.3
"""Weight of the newest frame in the running mean."""


@dataclass(slots=True)
class Pace:
    """Running mean of the time that a frame of data needs on the line, and the interval that follows from it."""

    busy_s: float = 0.0
    """Seconds that the line was busy with a frame, running mean."""

    def sent(self, busy_s: float) -> None:
        """Take in one frame.

        Args:
            busy_s: seconds between the first byte of a frame and the last one that the line took.
        """
        self.busy_s += _MEMORY * (busy_s - self.busy_s)

    @property
    def interval_s(self) -> float:
        """Seconds to leave between two paints of data."""
        return min(LONGEST_S, max(SHORTEST_S, self.busy_s / SHARE))
