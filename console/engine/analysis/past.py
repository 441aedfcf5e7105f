"""What was usual at this half-hour, from the engine's own history."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from console.domain.refs import Ref
from console.domain.wire import History, HistoryQuery

SLOT_S = 1800.0
PER_DAY = 48
DAYS = 8
LEAST_DAYS = 2
"""Days of which this half-hour has to be known before it counts as usual; until then the last 24 h do."""
LEAST_SLOTS = 4
"""Half-hours of the last 24 h that have to be known before they say anything."""
SAME_HALF_HOUR = "the same half-hour of the days before"
LAST_DAY = "the last 24 h"
ENOUGH_OF_SLOT_S = 300.0
"""The half-hour that has just begun says how it is now from so many seconds on; before, the one before it does."""

Asking = Callable[[HistoryQuery], Awaitable[History]]
"""`Engine.history`."""


class Before(NamedTuple):
    """One metric of one object."""

    now: float
    """The mean of this half-hour so far."""
    usual: float | None
    """None while too little is known."""


class Past(NamedTuple):
    """One object's metrics, now and usually."""

    metrics: dict[str, Before]
    usual_of: str
    """`SAME_HALF_HOUR`, `LAST_DAY`, or empty when nothing is known."""

    def now(self, metric: str) -> float | None:
        """The present value; None when it was not seen."""
        found = self.metrics.get(metric)
        return None if found is None else found.now

    def usual(self, metric: str) -> float | None:
        """The usual value; None while it is not known."""
        found = self.metrics.get(metric)
        return None if found is None else found.usual


async def past_of(ref: Ref, ask: Asking, now: float) -> Past:
    """Ask the history once and compare this half-hour with what it usually is."""
    history = await ask(HistoryQuery(ref=ref, window_s=DAYS * PER_DAY * SLOT_S, points=DAYS * PER_DAY))
    early = now - (history.start + (DAYS * PER_DAY - 1) * history.step_s) < ENOUGH_OF_SLOT_S
    found: dict[str, tuple[float, float | None, str]] = {}
    for metric, values in history.series.items():
        if (one := _compared(values[:-1] if early and values[-2:-1] != (None,) else values)) is not None:
            found[metric] = one
    words = {words for _, _, words in found.values() if words}
    usual_of = LAST_DAY if LAST_DAY in words else next(iter(words), "")
    return Past({metric: Before(now, usual) for metric, (now, usual, _) in found.items()}, usual_of)


def _compared(values: Sequence[float | None]) -> tuple[float, float | None, str] | None:
    """(now, usual, of what): the last value against those a whole number of days before it."""
    if not values or values[-1] is None:
        return None
    same = [value for value in values[-1 - PER_DAY :: -PER_DAY] if value is not None]
    if len(same) >= LEAST_DAYS:
        return values[-1], sum(same) / len(same), SAME_HALF_HOUR
    day = [value for value in values[-1 - PER_DAY : -1] if value is not None]
    if len(day) >= LEAST_SLOTS:
        return values[-1], sum(day) / len(day), LAST_DAY
    return values[-1], None, ""
