"""How often data may be painted: as often as the line to the terminal and the console itself can carry.

Keys are answered at once; only what the engine sends is paced.
"""

from dataclasses import dataclass

SHORTEST_S = 1.0
"""The least time between two paints of data on a quick line: nobody reads faster, and keys keep the time between."""
LONGEST_S = 5.0
"""The most time that a slow line may be given between two paints of data."""
SHARE = 0.25
"""Part of the line's time that painting data may take; the rest is kept free for the answers to keys."""
URGENT = 0.25
"""Part of the console's own time that paints may take when news comes that somebody waits for, one upon the other."""
MAKING = 0.1
"""Part of the console's own time that making a paint may take: a key that comes meanwhile has to wait for it."""
_MEMORY = 0.3
"""Weight of the newest frame in the running mean."""


@dataclass(slots=True)
class Pace:
    """Running means of the time that a paint of data needs, on the line and here, and the interval that follows."""

    busy_s: float = 0.0
    """Seconds that the line was busy with a frame, running mean."""

    made_s: float = 0.0
    """Seconds that making a paint took the console itself, running mean."""

    def made(self, took_s: float) -> None:
        """Take in how long the screens needed to show the board once, in seconds."""
        self.made_s += _MEMORY * (took_s - self.made_s)

    def sent(self, busy_s: float) -> None:
        """Take in one frame.

        Args:
            busy_s: seconds between the first byte of a frame and the last one that the line took.
        """
        self.busy_s += _MEMORY * (busy_s - self.busy_s)

    @property
    def urgent_s(self) -> float:
        """Seconds to leave between two paints when an operator waits for the second."""
        return self.made_s / URGENT

    @property
    def interval_s(self) -> float:
        """Seconds to leave between two paints of data."""
        return min(LONGEST_S, max(SHORTEST_S, self.busy_s / SHARE, self.made_s / MAKING))
