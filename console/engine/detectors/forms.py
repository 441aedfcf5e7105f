"""Which forms the answers of calls that are alike have, and whether they still have them in the same mixture."""

from collections import Counter

from console.engine.detectors.stats.distributions import PSI_SHIFTED, Shift, psi
from console.engine.detectors.usual import FIRST, KEPT, ROUND_S

RARE = 0.004
"""What is rarer than this part of the answers is not a form that one knows."""
FORMS_MOST = 40
"""Forms that are counted of one kind of calls; the rarest go first."""
WINDOW = 300.0
"""Answers that are held against the usual mixture: with fewer of them chance alone shifts it."""
CLEARER = 1.5
"""A shift counts when it is greater by this factor than the greatest of quiet days, …"""
IN_A_ROW = 2
"""… in so many windows in a row."""


class Forms:
    """One kind of calls: the usual counts, those that are not usual yet, and the open window."""

    __slots__ = ("_counts", "_held", "_new", "_peak", "odd", "round", "shift", "total", "window")

    def __init__(self, at: float) -> None:
        self._counts: dict[str, float] = {}
        self._held: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self.round = int(at // ROUND_S)
        self._peak = 0.0
        self.total = 0.0
        self.window: Counter[str] = Counter()
        self.odd = 0
        """Windows in a row whose mixture was not the usual one."""
        self.shift = Shift(0.0, 0.0)
        """Of the last window."""

    @property
    def counts(self) -> dict[str, float]:
        """How many answers usually have which form."""
        return dict(self._counts)

    @classmethod
    def of(cls, counts: dict[str, float], round_: int) -> "Forms":
        """Go on from what was remembered."""
        one = cls(0.0)
        one._counts, one.total, one.round = dict(counts), sum(counts.values()), round_
        return one

    def strange(self, shapes: dict[str, int]) -> float:
        """How many of these answers have a form that is not known."""
        line = RARE * self.total
        return float(sum(count for form, count in shapes.items() if self._counts.get(form, 0.0) < line))

    def learn(self, at: float, shapes: dict[str, int]) -> None:
        """Take in a minute; the first ones count at once, later ones after a while."""
        now = int(at // ROUND_S)
        if now > self.round:
            self._turn(now)
        if self.total < FIRST:
            for form, count in shapes.items():
                self._counts[form] = self._counts.get(form, 0.0) + count
            self.total += sum(shapes.values())
        else:
            self._new.update(shapes)

    def forget_new(self) -> None:
        """Leave out what came lately: it turned out to be ill."""
        self._new.clear()
        self._held.clear()

    def adopt(self) -> None:
        """Take what came lately for the usual: it stays, and nobody is harmed."""
        lately = self._new + self._held
        if sum(lately.values()) >= WINDOW:
            self._counts, self.total = {form: float(n) for form, n in lately.items()}, float(sum(lately.values()))
            self.forget_new()
            self.odd = 0

    def _turn(self, now: int) -> None:
        kept = KEPT ** min(now - self.round, 1000) if self.total > 4 * FIRST else 1.0
        self.round = now
        counts = {form: count * kept for form, count in self._counts.items()}
        for form, count in self._held.items():
            counts[form] = counts.get(form, 0.0) + count
        self._counts = dict(sorted(counts.items(), key=lambda item: -item[1])[:FORMS_MOST])
        self.total = sum(counts.values())
        self._held, self._new = self._new, Counter()

    def compare(self, shapes: dict[str, int]) -> None:
        """Take a minute into the window, and hold it against the usual mixture when it is full."""
        self.window.update(shapes)
        if sum(self.window.values()) < WINDOW:
            return
        self.shift = psi(self._counts, self.window)
        self.window = Counter()
        value = self.shift.value
        if self.shift.real and value >= PSI_SHIFTED and value > CLEARER * self._peak:
            self.odd += 1
            return
        self.odd = 0
        self._peak = max(value, 0.995 * self._peak)
