"""What knowing the days before is worth: calm days, and every quarter of an hour what nothing being done brings."""

import asyncio
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from console.domain.forecasts import HORIZON_S, Foreseen, Quantity
from console.domain.readings import Route
from console.domain.refs import Kind, Ref
from console.engine.history import Memory
from console.forecast.daily import PER_DAY, SLOT_S, Daily, growth, no_days
from console.forecast.quantities import relative_error, seen
from evaluation.foretold import Stage
from evaluation.stand import MONDAY

DAYS: Final = 3
"""Days that are known when the day begins that is measured."""
ROUTE: Final = Ref("gateway", Kind.ROUTE, "chat")


class Day(NamedTuple):
    """One forecast of spending in calm times, made in two ways, and what came."""

    now: float
    knowing: float
    """With the hour of the day, as it was on the days before."""
    without: float
    actual: float

    def errors(self) -> Iterator[tuple[str, float]]:
        """The relative error of each way, and of `as it is now`."""
        for name in ("knowing", "without", "now"):
            yield name, relative_error(Quantity.USD_PER_H, getattr(self, name), self.actual)


class Means:
    """Means of a quarter of an hour of everything, from means of half a minute, as the journal has them."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Ref, str], list[list[float]]] = {}

    def take(self, at: float, rows: Collection[tuple[Ref, str, float]]) -> None:
        """Half a minute has passed."""
        slot = round((at - MONDAY) // SLOT_S)
        for ref, metric, mean in rows:
            slots = self._sums.setdefault((ref, metric), [])
            while len(slots) <= slot:
                slots.append([])
            slots[slot].append(mean)

    def growth(self, ref: Ref, metric: str) -> float:
        """The factor of the next quarter of an hour."""
        slots = self._sums.get((ref, metric), [])
        return growth([sum(values) / len(values) if values else None for values in slots])


def measured(seed: int, shape: Path | None) -> list[Day]:
    """One calm platform: some days pass, and the next is forecast, quarter of an hour by quarter."""
    return asyncio.run(_measured(seed, shape))


async def _measured(seed: int, shape: Path | None) -> list[Day]:
    stage, means = Stage(seed, shape), Means()
    stage.remember(Memory(MONDAY, on_means=means.take))
    await stage.run(DAYS * PER_DAY * SLOT_S)
    found: list[Day] = []
    for _ in range(PER_DAY):
        knowing, without = (_spending(stage, daily) for daily in (means.growth, no_days))
        await stage.run(HORIZON_S)
        actual = seen(stage.store.board, Quantity.USD_PER_H, knowing.ref)
        if knowing.now is not None and knowing.then is not None and without.then is not None and actual is not None:
            found.append(Day(knowing.now, knowing.then, without.then, actual))
    return found


def _spending(stage: Stage, daily: Daily) -> Foreseen:
    assert isinstance(stage.store.board.readings.get(ROUTE), Route)  # noqa: S101  every platform has it
    course = stage.outlook(ROUTE, daily).nothing()
    return next(one for one in course.foreseen if one.quantity is Quantity.USD_PER_H)
