"""How fast something long goes, lately, and how long it still takes."""

from collections import deque
from dataclasses import dataclass, field

from console.domain.actions import Progress
from console.domain.ports import Clock

_RATE_S = 5.0


@dataclass(slots=True)
class Pace:
    """Turns counts into progress, with the rate of the last seconds."""

    clock: Clock
    points: deque[tuple[float, int]] = field(default_factory=deque)
    """(monotonic seconds, count), the oldest first."""

    def progress(self, done: int, total: int, words: str = "") -> Progress:
        """Take in a count, and say where it stands."""
        now = self.clock.monotonic()
        self.points.append((now, done))
        while len(self.points) > 2 and now - self.points[1][0] >= _RATE_S:
            self.points.popleft()
        (then, before), span = self.points[0], now - self.points[0][0]
        rate = (done - before) / span if span > 0.5 and done > before and then <= now else None
        left = (total - done) / rate if rate else None
        return Progress(done=done, total=total, per_s=rate, left_s=left, words=words)
