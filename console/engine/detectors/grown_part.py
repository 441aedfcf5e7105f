"""A part of a flow that has grown over its own usual: failures, requests that are turned away.

Rates are counted as what happened since the look before. It is a condition when the part of the last minutes is
surely (lower bound of Wilson) more than twice the usual part and one in a hundred, and still is so in the last two.
"""

from dataclasses import dataclass, field

import msgspec

from console.engine.detectors.stats.proportions import UsualPart, wilson
from console.engine.detectors.stats.recent import Recent

WINDOW_S = 300.0
LONG_S = 1800.0
"""What is too rare for five minutes is looked for in half an hour."""
NOW_S = 120.0
GROWN = 2.0
MORE = 0.01
FEWEST = 5.0
"""Fewer hits than this are chance."""
FORGIVEN_S = 86400.0
"""What has lasted for a day is usual."""


class PartMemory(msgspec.Struct, frozen=True, gc=False):
    """The usual part as it is kept over a restart."""

    usual: tuple[float, float, float]


@dataclass(slots=True)
class GrownPart:
    """One object's part."""

    usual: UsualPart
    recent: Recent = field(default_factory=lambda: Recent(32, 2))
    part: float = 0.0
    """Of the window that shows it."""
    window_s: float = WINDOW_S
    trials: float = 0.0
    """How many there were in that window."""
    low: float = 0.0
    """It is surely at least this."""
    grown: bool = False
    still: bool = False
    """It is not enough to begin, and too much to end."""
    grown_at: float | None = None

    def take(self, now: float, passed: float, hits: float, trials: float) -> None:
        """Count what happened in the last `passed` seconds, and judge."""
        self.recent.add(now, hits, trials)
        bar = GROWN * self.usual.part + MORE
        lately_hits, lately = self.recent.over(NOW_S, now)
        lately_part = lately_hits / lately if lately else 0.0
        self.grown = self.still = False
        for window_s in (WINDOW_S, LONG_S):
            hits_then, trials_then = self.recent.over(window_s, now)
            self.low = wilson(hits_then, trials_then).low
            self.part = hits_then / trials_then if trials_then else 0.0
            self.window_s, self.trials = window_s, trials_then
            if hits_then >= FEWEST and self.low > bar and lately_part > bar:
                self.grown = True
                break
            if window_s == WINDOW_S:
                self.still = self.part > bar and hits_then > 1.0
        if not self.grown:
            self.window_s = WINDOW_S
        self._learn(now, passed, hits, trials)

    def _learn(self, now: float, passed: float, hits: float, trials: float) -> None:
        if not self.grown:
            self.grown_at = None
        elif self.grown_at is None:
            self.grown_at = now
        if not (self.grown or self.still) or (self.grown_at is not None and now - self.grown_at > FORGIVEN_S):
            self.usual.add(passed, hits, trials)

    def remember(self) -> PartMemory | None:
        """See `rounds.Case`."""
        return PartMemory(self.usual.remember()) if self.usual.seen_s else None
