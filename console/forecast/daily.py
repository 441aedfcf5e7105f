"""How a number usually moves in the next quarter of an hour at this time of the day, from the days before."""

from collections.abc import Callable, Sequence
from typing import Final

from console.domain.refs import Ref

SLOT_S: Final = 900.0
"""A slot of the past is as long as the horizon."""
PER_DAY: Final = 96
DAYS: Final = 8
LEAST_DAYS: Final = 2
"""Days of which this time has to be known before they say anything."""
MOST: Final = 1.4
"""No usual day moves a number by more than this factor in a quarter of an hour, up or down."""

Daily = Callable[[Ref, str], float]
"""An object's metric → the factor by which it usually grows (below 1: shrinks) in the next quarter of an hour."""


def no_days(_ref: Ref, _metric: str) -> float:
    """Where nothing is known of the days before."""
    return 1.0


def growth(values: Sequence[float | None]) -> float:
    """The factor, from `DAYS` days of means of `SLOT_S`, the slot of now last; 1 where too little is known.

    Each day before tells the mean of the three slots around the horizon against that of the three around now.
    """
    now, later = 0.0, 0.0
    days = 0
    for place in range(len(values) - 1 - PER_DAY, 0, -PER_DAY):
        around = values[place - 1 : place + 3]
        if len(around) == 4 and all(value is not None for value in around):
            before, this, following, last = (value or 0.0 for value in around)
            now += before + this + following
            later += this + following + last
            days += 1
    if days < LEAST_DAYS or now <= 0:
        return 1.0
    return min(MOST, max(1.0 / MOST, later / now))
