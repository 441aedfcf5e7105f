"""A mean that has moved: tokens a character, the score of the best document. It is held against itself alone."""

import math

from console.engine.detectors.adding import Cell
from console.engine.detectors.stats.cusum import Cusum
from console.engine.detectors.usual import Usual

ALARM = 18.0
SLACK = 1.0
"""Standard deviations that are taken off each minute."""
MOST = 1.5 * ALARM
QUIET = 6.0
"""A sum from which on what comes is not learnt as usual."""
LEARN = 0.02
"""The weight of a minute in the scatter."""
GUESS = 0.02
"""The scatter before it is known, as a part of the mean."""
LEAST_SCATTER = 0.002
LENT = 60.0
"""A tenant's calls are taken to be like all tenants' until it has had this many of its own."""
AS_COUNTS = 100.0
ENOUGH = 0.7
"""A fault begins when the mean has moved by this much of the step that is worth telling …"""
OVER = 0.4
"""… and is over when it is nearer than this much of it."""


class LevelCell(Cell):
    """Adds up by how many of its usual standard deviations each minute's mean is away from what was to be expected."""

    __slots__ = ("_cusum", "_down", "_scatter")

    alarm = ALARM
    suspect = QUIET

    def __init__(self, at: float, *, down: bool) -> None:
        """`down`: what gets less is looked for, not what gets more."""
        super().__init__(at)
        self._down = down
        self._cusum = Cusum(SLACK)
        self._scatter = 0.0
        """Variance of ln(mean ÷ expected), times the trials of the minute."""

    def reset(self) -> None:
        """A fault is over."""
        super().reset()
        self._cusum.reset()

    def _judge(self, at: float) -> None:
        if self.expected <= 0 or self.hits <= 0:
            return
        moved = math.log(self.hits / self.expected)
        if self._down:
            moved = -moved
        scatter = self._scatter or GUESS * GUESS * self.trials
        sigma = max(LEAST_SCATTER, math.sqrt(scatter / self.trials + self.doubt / (self.expected * self.expected)))
        self.sum = self._cusum.add(at, moved / sigma, MOST)
        if self.sum < self.suspect:
            clipped = min(4.0 * sigma, abs(moved))
            self._scatter = scatter + LEARN * (clipped * clipped * self.trials - scatter)


class LevelMeasure:
    """What is judged is a mean: hits ÷ trials is the figure itself."""

    def __init__(self, step: float, least: float, *, down: bool = False) -> None:
        """Judge one mean.

        Args:
            step: movement by less than this part of the mean is not worth telling.
            least: trials that are needed before anything can be called usual.
            down: what gets less is looked for, not what gets more.
        """
        self.least = least
        self._step = step
        self._down = down

    def cell(self, at: float) -> Cell:
        """Begin one value's calls."""
        return LevelCell(at, down=self._down)

    def usual(self, own: Usual, all_alike: Usual) -> tuple[float, float]:
        """The usual mean for calls of one tenant, and the variance of that figure."""
        mean = all_alike.hits / all_alike.trials
        trials = own.trials + LENT
        mean = (own.hits + LENT * mean) / trials
        return mean, mean * mean * GUESS * GUESS / trials

    def plain(self, hits: float, trials: float, expected: float, *, beside: bool) -> bool:
        """Whether the last minutes show it; `beside`: other calls are ill, and these share something with them."""
        return trials > 0 and self._moved(hits, expected) > (1.0 if beside else ENOUGH) * self._step

    def lasts(self, part: float, usual: float) -> bool:
        """Whether a fault goes on."""
        return self._moved(part, usual) > OVER * self._step

    def weighed(self, hits: float, trials: float, expected: float) -> tuple[float, float]:
        """(hits, expected hits) as counts that scatter as counts do: a call is taken to scatter by a tenth."""
        counts = AS_COUNTS * trials
        moved = self._moved(hits, expected)
        return counts * (1.0 + moved), counts

    def _moved(self, now: float, usual: float) -> float:
        if usual <= 0:
            return 0.0
        return (usual - now if self._down else now - usual) / usual
