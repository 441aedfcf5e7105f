"""What adds up minute by minute for all calls that share one value: a deployment, a provider, a tenant."""

import math

from console.engine.detectors.stats.proportions import BernoulliCusum, wilson
from console.engine.detectors.usual import Usual, doubt

LEAST_HITS = 5.0
"""Fewer than this many ill answers in the last minutes prove nothing."""
PLAIN = 0.7
"""A fault begins when its part has grown by this much of the growth that is looked for …"""
BESIDE = 5.0
"""Standard deviations that a second fault must show beside a first one."""
OVER = 0.4
"""… and is over when it is below this much of it."""
LENT = 200.0
"""A tenant's calls are taken to be like all tenants' until it has had this many of its own."""
MOST = 18.0
"""No sum of log likelihood ratios grows beyond this, so that it comes down soon when all is well again."""
HALF_LIFE_S = 300.0
"""The last minutes: what is five minutes old counts half."""
WILD_MOST = 10.0
SWING_S = 900.0
"""Swings are what lasts longer than this and is no fault: the usual part of an hour is not that of the next."""
SWINGS_KEPT = 100.0
"""Stretches of that length over which the swing is a mean: a day."""


def grown(usual: float, more: float) -> float:
    """The part that is looked for: twice the usual one, and `more` more at the least."""
    return min(0.9, max(2.0 * usual, usual + more))


class Swing:
    """How much the part itself goes up and down on quiet days, chance taken off."""

    __slots__ = ("_began", "_count", "_expected", "_hits", "_square", "_weight")

    def __init__(self) -> None:
        self._began = 0.0
        self._count = 0.0
        self._expected = self._hits = 0.0
        self._square = self._weight = 0.0

    def add(self, at: float, hits: float, expected: float) -> None:
        """Take in a minute. What is far too much counts no more than twice the usual: a fault is no swing."""
        if at - self._began >= SWING_S:
            self._end()
            self._began = at
        self._hits += hits
        self._expected += expected

    def _end(self) -> None:
        expected = self._expected
        if expected >= 1.0:
            self._count = min(SWINGS_KEPT, self._count + 1.0)
            part = 1.0 / self._count
            apart = min(expected, self._hits - expected)
            self._square += part * (apart * apart - expected - self._square)
            self._weight += part * (expected * expected - self._weight)
        self._hits = self._expected = 0.0

    @property
    def value(self) -> float:
        """As a part of the usual: 0.3 says that 30 % more is nothing special."""
        return math.sqrt(min(1.0, max(0.0, self._square / self._weight))) if self._weight > 0 else 0.0


class Lately:
    """Hits, trials and expected hits of the last minutes, the older ones counting less."""

    __slots__ = ("at", "expected", "hits", "trials")

    def __init__(self, at: float) -> None:
        self.at = at
        self.hits = self.trials = self.expected = 0.0

    def fade(self, at: float) -> None:
        """Let time pass."""
        if at > self.at:
            kept = 0.5 ** ((at - self.at) / HALF_LIFE_S)
            self.hits *= kept
            self.trials *= kept
            self.expected *= kept
            self.at = at

    def add(self, at: float, hits: float, trials: float, expected: float) -> None:
        """Take in one row."""
        if at != self.at:
            self.fade(at)
        self.hits += hits
        self.trials += trials
        self.expected += expected


class Cell:
    """All calls that have one value of one dimension: the open minute, and what has added up."""

    __slots__ = ("at", "doubt", "expected", "hits", "since", "sum", "trials")

    alarm = 11.0
    """The sum at which a fault begins."""
    suspect = 4.0
    """A sum from which on what comes is not learnt as usual."""

    def __init__(self, at: float) -> None:
        self.sum = 0.0
        self.since = at
        """Unix seconds at which the sum last left 0."""
        self.hits = self.trials = self.expected = self.doubt = 0.0

    def add(self, hits: float, trials: float, expected: float, variance: float) -> None:
        """Take in one group's minute; `variance` of the expected hits."""
        self.hits += hits
        self.trials += trials
        self.expected += expected
        self.doubt += variance

    def close(self, at: float) -> None:
        """End the minute that ended at `at`."""
        before = self.sum
        self._judge(at)
        if before == 0.0:
            self.since = at - 60.0
        self.hits = self.trials = self.expected = self.doubt = 0.0

    def reset(self) -> None:
        """A fault is over."""
        self.sum = 0.0

    def _judge(self, at: float) -> None:
        raise NotImplementedError


class PartCell(Cell):
    """Adds up how much better each minute fits a part that has grown than the usual one."""

    __slots__ = ("_cusum", "_more", "_swing", "_wild")

    def __init__(self, at: float, more: float) -> None:
        """`more`: the least growth that is worth telling."""
        super().__init__(at)
        self._more = more
        self._cusum = BernoulliCusum()
        self._wild = 1.2
        """By how much the minutes scatter more than chance alone would make them."""
        self._swing = Swing()

    def reset(self) -> None:
        """A fault is over."""
        super().reset()
        self._cusum.reset()

    def _judge(self, at: float) -> None:
        usual = min(0.45, max(1e-4, self.expected / self.trials))
        surely = min(0.45, usual * (1.0 + 2.0 * self._swing.value) + doubt(self.doubt, self.trials))
        self._cusum.ratio = grown(surely, self._more) / surely
        self.sum = self._cusum.add(self.hits / self._wild, self.trials / self._wild, surely, MOST)
        self._swing.add(at, self.hits, self.expected)
        if self.sum < self.suspect:
            scatter = (self.hits - self.expected) ** 2 / (self.expected * (1.0 - usual) + 0.25)
            self._wild += 0.02 * (min(25.0, scatter) - self._wild)
            self._wild = min(WILD_MOST, max(1.0, self._wild))


class PartMeasure:
    """What is judged is a part of the answers: refused ones, unparsed ones."""

    least = 300.0
    """Answers that are needed before anything can be called usual."""

    def __init__(self, more: float) -> None:
        """`more`: growth by less than this is not worth telling, 0 to 1."""
        self._more = more

    def cell(self, at: float) -> Cell:
        """Begin one value's calls."""
        return PartCell(at, self._more)

    def usual(self, own: Usual, all_alike: Usual) -> tuple[float, float]:
        """The usual part for calls of one tenant, and the variance of that figure."""
        lent = (all_alike.hits + 0.5) / (all_alike.trials + 1.0)
        trials = own.trials + LENT
        part = (own.hits + LENT * lent) / trials
        return part, part * (1.0 - part) / trials

    def plain(self, hits: float, trials: float, expected: float, *, beside: bool) -> bool:
        """Whether the last minutes alone show it too: enough ill answers, surely more than is usual.

        `beside`: other calls are ill, and these may only share something with them; then it has to be plainer.
        """
        if hits < LEAST_HITS or trials <= 0:
            return False
        usual = expected / trials
        bound, growth = (BESIDE, 1.0) if beside else (2.0, PLAIN)
        enough = usual + growth * (grown(usual, self._more) - usual)
        return wilson(hits, trials, bound).low > usual and hits / trials > enough

    def lasts(self, part: float, usual: float) -> bool:
        """Whether a fault goes on."""
        return part > usual + OVER * (grown(usual, self._more) - usual)

    def weighed(self, hits: float, trials: float, expected: float) -> tuple[float, float]:
        """(hits, expected hits): they are counts already."""
        return hits, expected
