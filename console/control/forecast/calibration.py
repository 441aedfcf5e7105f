"""How good forecasts were: the last errors of each kind of action and quantity, and what they say of the next one."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from console.domain.forecasts import Calibration, Course, Forecast, Foreseen, Quantity
from console.domain.verbs import Verb
from console.forecast.quantities import GRAIN, relative_error

KEPT: Final = 200
"""Errors of one kind of action and quantity that are kept, the newest."""
ENOUGH: Final = 10
"""So many are wanted before a band is given."""
BAND: Final = (0.05, 0.95)
"""Nine of ten lie between."""


class Miss(NamedTuple):
    """One forecast that was compared."""

    verb: Verb | None
    quantity: Quantity
    expected: float
    actual: float

    @property
    def error(self) -> float:
        """The relative error, 0 is exact."""
        return relative_error(self.quantity, self.expected, self.actual)

    @property
    def stretch(self) -> float:
        """(actual − expected) ÷ the larger of the expected and the grain: what a band is made of."""
        return (self.actual - self.expected) / max(abs(self.expected), GRAIN[self.quantity])


class Misses:
    """The last errors, in memory."""

    def __init__(self) -> None:
        self._of: dict[tuple[Verb | None, Quantity], deque[Miss]] = {}

    def add(self, miss: Miss) -> None:
        """One more; the oldest of its kind goes."""
        self._of.setdefault((miss.verb, miss.quantity), deque(maxlen=KEPT)).append(miss)

    def rows(self) -> tuple[Calibration, ...]:
        """One row a kind of action and quantity, doing nothing last."""
        return tuple(sorted(self._rows(), key=lambda row: (row.verb is None, str(row.verb), str(row.quantity))))

    def _rows(self) -> Iterator[Calibration]:
        for (verb, quantity), misses in self._of.items():
            errors = sorted(miss.error for miss in misses)
            yield Calibration(
                verb=verb,
                quantity=quantity,
                count=len(errors),
                median_error=_part(errors, 0.5),
                p90_error=_part(errors, 0.9),
            )

    def said(self, forecast: Forecast) -> Forecast:
        """The forecast with its bands, and in words how good such forecasts were."""
        verb = forecast.courses[0].verb
        return msgspec.structs.replace(
            forecast, courses=tuple(self._banded(course) for course in forecast.courses), words=self.words(verb)
        )

    def words(self, verb: Verb | None) -> str:
        """`of 12 trips the median was 6 % off for backlog, 3 % for $/h`."""
        kinds = [row for row in self.rows() if row.verb is verb]
        what = f"forecasts of {verb}" if verb else "forecasts of doing nothing"
        if not kinds:
            return f"none of the {what} has been compared yet"
        said = ", ".join(f"{row.median_error:.0%} for {NAMES[row.quantity]}" for row in kinds)
        return f"of {max(row.count for row in kinds)} {what} the median was off by {said}"

    def _banded(self, course: Course) -> Course:
        rows = tuple(self._row(course.verb, item) for item in course.foreseen)
        return msgspec.structs.replace(course, foreseen=rows)

    def _row(self, verb: Verb | None, item: Foreseen) -> Foreseen:
        misses = self._of.get((verb, item.quantity), ())
        if item.then is None or len(misses) < ENOUGH:
            return item
        stretches = sorted(miss.stretch for miss in misses)
        size, most = max(abs(item.then), GRAIN[item.quantity]), _MOST.get(item.quantity)
        low, high = (max(0.0, item.then + size * _part(stretches, part)) for part in BAND)
        return msgspec.structs.replace(item, low=low, high=high if most is None else min(most, high))


NAMES: Final = {
    Quantity.BACKLOG: "backlog", Quantity.ERRORS: "errors", Quantity.USD_PER_H: "$/h", Quantity.HEADROOM: "headroom",
}  # fmt: skip
"""How a quantity is called in a line."""
_MOST: Final = {Quantity.ERRORS: 1.0, Quantity.HEADROOM: 1.0}


def _part(values: list[float], part: float) -> float:
    """A quantile of sorted values."""
    return values[min(len(values) - 1, int(part * len(values)))]
