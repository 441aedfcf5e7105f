"""What the detectors are measured against: thresholds, a burn rate, a moving average, and chance.

Each learns from the same warm-up, then gives every minute one score; whoever compares sets its threshold so that all
call as often for nothing. A rival watches every number that the detectors could see as well.
"""

import math
import random
from array import array
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Protocol

from evaluation.alarms import Scores
from evaluation.vitals import Vital

HIGH = 0.99
"""The part of the warm-up's minutes below a rival's usual height."""
DECAY = 0.1
"""Weight of the newest minute in the moving average."""
LONG, SHORT = 60, 5
"""Minutes of the two windows of a burn rate."""
LEAST_BURN = 0.002
"""No budget of errors is smaller than this part."""


class Rival(Protocol):
    """Learns, then scores."""

    name: str

    def learn(self, vital: Vital) -> None:
        """One number of one minute of the warm-up."""
        ...

    def settle(self) -> None:
        """The warm-up is over."""
        ...

    def score(self, vital: Vital) -> float:
        """How alarming this number is now."""
        ...


class StaticThresholds:
    """A threshold for every number, set by what it was in the first days."""

    name = "static thresholds"

    def __init__(self) -> None:
        self._seen: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self._high: dict[str, float] = {}

    def learn(self, vital: Vital) -> None:
        """See `Rival.learn`."""
        self._seen[vital.what].append(vital.value)

    def settle(self) -> None:
        """See `Rival.settle`."""
        self._high = {what: sorted(seen)[int(HIGH * (len(seen) - 1))] for what, seen in self._seen.items()}
        self._seen.clear()

    def score(self, vital: Vital) -> float:
        """How many times its usual height it has."""
        return vital.value / max(self._high.get(vital.what, vital.floor), vital.floor)


class MovingAverage:
    """An exponentially weighted moving average, in standard deviations from what it was in the first days."""

    name = "EWMA"

    def __init__(self) -> None:
        self._now: dict[str, float] = {}
        self._sums: dict[str, list[float]] = {}

    def learn(self, vital: Vital) -> None:
        """See `Rival.learn`."""
        value = self._move(vital)
        sums = self._sums.setdefault(vital.what, [0.0, 0.0, 0.0])
        sums[0] += 1
        sums[1] += value
        sums[2] += value * value

    def _move(self, vital: Vital) -> float:
        before = self._now.get(vital.what, vital.value)
        value = self._now[vital.what] = before + DECAY * (vital.value - before)
        return value

    def settle(self) -> None:
        """See `Rival.settle`."""

    def score(self, vital: Vital) -> float:
        """Standard deviations above the mean; no number is believed to be steadier than a tenth of its floor."""
        value = self._move(vital)
        count, total, squares = self._sums.get(vital.what, (0.0, 0.0, 0.0))
        if not count:
            return 0.0
        mean = total / count
        spread = math.sqrt(max(0.0, squares / count - mean * mean))
        return (value - mean) / max(spread, 0.1 * vital.floor)


class Burn:
    """How much faster than usual what is bad adds up, over an hour and over five minutes: the lesser of the two.

    For a part, what is bad is counted; for any other number a minute is bad when it is above its usual height.
    """

    name = "1 h/5 min burn"

    def __init__(self) -> None:
        self._heights = StaticThresholds()
        self._usual: dict[str, list[float]] = {}
        self._past: dict[str, deque[tuple[float, float]]] = defaultdict(lambda: deque(maxlen=LONG))

    def learn(self, vital: Vital) -> None:
        """See `Rival.learn`."""
        if not vital.of:
            self._heights.learn(vital)
            return
        sums = self._usual.setdefault(vital.what, [0.0, 0.0])
        sums[0] += vital.value * vital.of
        sums[1] += vital.of

    def settle(self) -> None:
        """See `Rival.settle`."""
        self._heights.settle()

    def score(self, vital: Vital) -> float:
        """The lesser of both burns."""
        past = self._past[vital.what]
        if vital.of:
            bad, all_ = self._usual.get(vital.what, (0.0, 0.0))
            budget = max(LEAST_BURN, bad / all_ if all_ else 0.0)
            past.append((vital.value * vital.of, vital.of))
        else:
            budget = 1.0 - HIGH
            past.append((float(self._heights.score(vital) > 1.0), 1.0))
        newest = [*past][-SHORT:]
        return min(_part(past), _part(newest)) / budget


def _part(minutes: "deque[tuple[float, float]] | list[tuple[float, float]]") -> float:
    of = sum(count for _, count in minutes)
    return sum(bad for bad, _ in minutes) / of if of else 0.0


class Chance:
    """Alarms at random about anybody: what is right by luck."""

    name = "random"

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311  no secret

    def learn(self, vital: Vital) -> None:
        """There is nothing to learn."""

    def settle(self) -> None:
        """There is nothing to settle."""

    def score(self, vital: Vital) -> float:
        """Anything."""
        return self._chance.random()


class Field:
    """All rivals, on the same numbers."""

    def __init__(self, seed: int) -> None:
        self._rivals: tuple[Rival, ...] = (StaticThresholds(), Burn(), MovingAverage(), Chance(seed))
        self._kept = {rival.name: Scores(rival.name, array("d"), array("d"), []) for rival in self._rivals}
        self._learning = True

    def settle(self) -> None:
        """The warm-up is over."""
        self._learning = False
        for rival in self._rivals:
            rival.settle()

    def see(self, now: float, vitals: list[Vital]) -> None:
        """One minute."""
        for rival in self._rivals:
            if self._learning:
                for vital in vitals:
                    rival.learn(vital)
            elif vitals:
                self._keep(rival.name, now, *_highest(rival.score, vitals))

    def _keep(self, name: str, now: float, score: float, what: str) -> None:
        kept = self._kept[name]
        kept.at.append(now)  # type: ignore[attr-defined] # made above, as an array
        kept.score.append(score)  # type: ignore[attr-defined]
        kept.what.append(what)  # type: ignore[attr-defined]

    def scores(self, since: float) -> list[Scores]:
        """Everything scored at `since` (unix seconds) or later."""
        found = []
        for kept in self._kept.values():
            first = next((index for index, at in enumerate(kept.at) if at >= since), len(kept.at))
            found.append(Scores(kept.method, kept.at[first:], kept.score[first:], kept.what[first:]))
        return found


def _highest(score: Callable[[Vital], float], vitals: list[Vital]) -> tuple[float, str]:
    return max((score(vital), vital.what) for vital in vitals)
