"""Where a number is going, from how it went lately: a level, and a slope that is believed for a while only."""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from console.domain.refs import Ref

SLOT_S: Final = 15.0
"""Seconds of one mean of the past."""

Past = Callable[[Ref, str, float], Sequence[float | None]]
"""An object's metric over the last so many seconds: the mean of every `SLOT_S`, the oldest first, None where nothing
was seen; empty where nothing is remembered."""

RECENT_S: Final = 240.0
"""What counts as lately."""
BEFORE_S: Final = 600.0
"""What lately is held against, in front of it."""
CHANGED: Final = 0.08
"""Lately differs from before by more than this part, and by more than chance would have it: then before is over."""
SURE: Final = 4.0
"""… so many times the standard error."""
DAMPING_S: Final = 240.0
"""A slope is believed for so long; what comes of it in the long run is `slope × DAMPING_S`."""
MOST: Final = 0.5
"""No slope takes a number further than this part of itself."""


class Trend(NamedTuple):
    """A number now and where it is going."""

    level: float
    """What it is now, without chance."""
    slope: float = 0.0
    """Change a second; 0 where none is sure."""

    def after(self, seconds: float) -> float:
        """Its expected value in so many seconds; never on the other side of nought."""
        moved = self.slope * DAMPING_S * -math.expm1(-seconds / DAMPING_S)
        most = MOST * abs(self.level)
        return self.level + min(most, max(-most, moved))


def trend(values: Sequence[float | None], now: float) -> Trend:
    """The trend of a series of `SLOT_S` means that ends now, `now` being the last value seen."""
    known = [value for value in values if value is not None]
    short, long = round(RECENT_S / SLOT_S), round(BEFORE_S / SLOT_S)
    recent, before = known[-short:], known[-short - long : -short]
    if len(recent) < short // 2:
        return Trend(now)
    if len(before) < short:
        return Trend(_mean(recent), _slope(recent) if len(recent) == short else 0.0)
    if _differ(recent, before):
        return Trend(_mean(recent[len(recent) // 2 :]), _slope(recent))
    return Trend(_mean(before + recent))


def _differ(recent: Sequence[float], before: Sequence[float]) -> bool:
    """Whether lately is something else than before, beyond chance; neighbours are alike, so chance counts double."""
    one, other = _mean(recent), _mean(before)
    apart = abs(one - other)
    error = math.sqrt(_variance(before) * (1.0 / len(recent) + 1.0 / len(before)))
    return apart > CHANGED * max(abs(one), abs(other)) and apart > SURE * error


def _slope(values: Sequence[float]) -> float:
    """Least squares, a second; 0 unless it is plain against what is left over."""
    count, middle, mean = len(values), (len(values) - 1) / 2.0, _mean(values)
    spread = sum((place - middle) ** 2 for place in range(count))
    slope = sum((place - middle) * (value - mean) for place, value in enumerate(values)) / spread
    left = sum((value - mean - slope * (place - middle)) ** 2 for place, value in enumerate(values))
    error = math.sqrt(left / max(1, count - 2) / spread)
    return slope / SLOT_S if abs(slope) > SURE * error else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    mean = _mean(values)
    return sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
