"""What is usual for a series at a time of the day, learnt online: a level for each half-hour, and one spread.

A half-hour is summed up by the median of its samples, and moves what is known of that half-hour by a part of the
difference, never by more than a few spreads: one bad day cannot teach what is usual. Memory does not grow with time.
"""

import math
from array import array
from statistics import median
from typing import NamedTuple

import msgspec

HALF_HOUR_S = 1800.0
SLOTS = 48
DAYS = 7
"""A half-hour's level is about the mean of this many days: the newest one moves it by a seventh."""
FEWEST = 5
"""A half-hour with fewer samples than this teaches nothing."""
FEWEST_COLD = 5
"""So many samples of the first half-hour are enough to say what was there so far."""
DAY_KNOWN = 44
"""With so many half-hours the day is known: the source may have been away for two hours."""
SPREADS = 3.0
"""A half-hour moves its level by at most this many spreads (each a day)."""
OPEN_MOST = 60
MAD_TO_SIGMA = 1.4826
"""Median absolute deviation × this is the standard deviation of what is normally distributed."""


class Usual(NamedTuple):
    """What is usual at one moment."""

    level: float
    spread: float
    """Standard deviation of single samples about the level, by the median absolute deviation."""
    whole_day: bool
    """False: the time of the day is not known yet, the level is that of all that was seen."""
    days: int
    """How many days this half-hour was seen."""


class SeasonMemory(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A season as it is kept over a restart."""

    levels: bytes
    """48 floats of four bytes, in the order of the half-hours from 00:00 UTC."""
    days: bytes
    """48 numbers of one byte."""
    spread: float
    closed: int


class Season:
    """Learns one series of samples that come about once a minute, in the order of time."""

    __slots__ = ("_days", "_known", "_least", "_levels", "_open", "_overall", "_slot", "closed", "mad")

    def __init__(self, least: float = 0.0) -> None:
        """`least`: the series is never believed to be steadier than with this spread."""
        self._least = least
        self._levels = array("f", bytes(4 * SLOTS))
        self._days = bytearray(SLOTS)
        self._open: list[float] = []
        self._slot = -1
        self._known = 0
        self._overall: float | None = None
        self.mad = 0.0
        """Running median absolute deviation of samples from what was usual then."""
        self.closed = 0
        """Half-hours that have taught something."""

    def add(self, at: float, value: float) -> None:
        """Learn a sample; leave out those of a time that was not usual."""
        slot = int(at // HALF_HOUR_S)
        if slot != self._slot:
            self._close()
            self._slot = slot
        if len(self._open) < OPEN_MOST:
            self._open.append(value)

    def forget_open(self) -> None:
        """Do not learn the half-hour under way: it was not usual after all. The first one stays: it is all there is."""
        if self.closed:
            self._open.clear()

    def usual(self, at: float) -> Usual | None:
        """What is usual at `at` (unix seconds), without the half-hour that is open; None while nobody can say."""
        spread = max(self._least, MAD_TO_SIGMA * self.mad)
        if self._known >= DAY_KNOWN and (level := self._between(at)) is not None:
            return Usual(level, spread, True, self._days[int(at // HALF_HOUR_S) % SLOTS])
        if self.closed:
            if self._overall is None:
                self._overall = median(self._known_levels())
            return Usual(self._overall, spread, False, 0)
        if len(self._open) >= FEWEST_COLD:
            level = median(self._open)
            return Usual(level, max(self._least, MAD_TO_SIGMA * absolute_deviation(self._open, level)), False, 0)
        return None

    def _between(self, at: float) -> float | None:
        """The level at a moment, on the straight line between the middles of two half-hours."""
        place = at / HALF_HOUR_S - 0.5
        first = math.floor(place)
        part, one, two = place - first, first % SLOTS, (first + 1) % SLOTS
        if not self._days[one]:
            return self._levels[two] if self._days[two] else None
        if not self._days[two]:
            return self._levels[one]
        return (1.0 - part) * self._levels[one] + part * self._levels[two]

    def _known_levels(self) -> list[float]:
        return [level for level, days in zip(self._levels, self._days, strict=True) if days]

    def _close(self) -> None:
        """Let the half-hour that has ended teach what it was like."""
        samples, index = self._open, self._slot % SLOTS
        if len(samples) >= FEWEST:
            middle, days = median(samples), self._days[index]
            self._widen(samples, middle)
            if not days:
                self._levels[index] = middle
                self._known += 1
            else:
                most = SPREADS * max(self._least, MAD_TO_SIGMA * self.mad)
                step = min(most, max(-most, middle - self._levels[index]))
                self._levels[index] += step / min(days + 1, DAYS)
            self._days[index] = min(255, days + 1)
            self.closed += 1
            self._overall = None
        samples.clear()

    def _widen(self, samples: list[float], middle: float) -> None:
        """Move the spread by how far the samples lay from what was usual; from each other while that is not known."""
        middle_at = (self._slot + 0.5) * HALF_HOUR_S
        about = self._between(middle_at) if self._known >= DAY_KNOWN else None
        mad = absolute_deviation(samples, middle if about is None else about)
        if self.closed:
            mad = min(mad, SPREADS * self.mad) if self.mad > 0 else mad
            self.mad += (mad - self.mad) / min(self.closed + 1, SLOTS)
        else:
            self.mad = mad

    def remember(self) -> SeasonMemory:
        """What is known, without the half-hour that is open."""
        return SeasonMemory(self._levels.tobytes(), bytes(self._days), self.mad, self.closed)

    @classmethod
    def recall(cls, memory: SeasonMemory, least: float = 0.0) -> "Season":
        """Go on from what was remembered; `least` as for a new one.

        Raises:
            ValueError: it has another shape.
        """
        season = cls(least)
        levels = array("f", memory.levels)
        numbers = (memory.spread, *levels)
        if len(levels) != SLOTS or len(memory.days) != SLOTS or not all(map(math.isfinite, numbers)):
            raise ValueError("a season that was remembered has 48 half-hours")
        season._levels, season._days = levels, bytearray(memory.days)
        season._known = sum(map(bool, memory.days))
        season.mad, season.closed = memory.spread, memory.closed if season._known else 0
        return season


def absolute_deviation(samples: list[float], about: float) -> float:
    """Median distance of the samples from `about`; at least one sample."""
    return median(abs(value - about) for value in samples)
