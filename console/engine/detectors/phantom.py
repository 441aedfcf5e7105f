"""Phantom spend: what the gateway books is not what the tokens cost. Of what was booked lately, not of the whole day:
a fault that begins at noon would hide behind a good morning, and one that is over would be told until midnight."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.health import PHANTOM_SPEND
from console.domain.readings import Spend
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.day_counter import DayCounter
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.stats.ewma import Ewma
from console.engine.detectors.stats.recent import Recent

WINDOW_S = 900.0
SHORT_S = 300.0
FEWEST_USD = 0.10
"""Booked or priced in the window; with less, cents are rounding."""
KEEPS = 0.9
GROSS = 3.0
"""Booked ÷ priced from which on someone is woken, at `GROSS_USD_PER_H` more an hour."""
GROSS_USD_PER_H = 5.0
HALF_LIFE_S = 86400.0
FORGIVEN_S = 3 * 86400.0
TAUGHT_S = 3600.0


class _Memory(msgspec.Struct, frozen=True, gc=False):
    usual: float
    taught_s: float


@dataclass(slots=True)
class _Case:
    usual: Ewma = field(default_factory=lambda: Ewma(HALF_LIFE_S))
    """Booked ÷ priced: a platform with a discount never has 1."""
    recent: Recent = field(default_factory=lambda: Recent(16, 2))
    counter: DayCounter = field(default_factory=lambda: DayCounter(2))
    taught_s: float = 0.0
    ill_at: float | None = None

    def remember(self) -> _Memory | None:
        return None if self.usual.value is None else _Memory(self.usual.value, self.taught_s)


class PhantomSpend:
    """Watches every sum of money for which both sides are known."""

    name = "phantom-spend"
    patience = Patience(fire_after_s=60.0, resolve_after_s=120.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Spend, _Case] = Rounds(Spend, _begin, _Memory)

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition for each sum that disagrees with its tokens."""
        return self._rounds.go(now, board, self._judge)

    def _judge(self, spend: Spend, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        grown = case.counter.grown(spend.usd_today, spend.priced_usd_today)
        if grown is None or not passed:
            case.recent.clear()
            return
        case.recent.add(now, *grown)
        booked, priced = case.recent.over(WINDOW_S, now)
        booked_now, priced_now = case.recent.over(SHORT_S, now)
        if max(booked, priced) < FEWEST_USD or not min(priced, priced_now):
            return
        usual = case.usual.value or 1.0
        times = booked / priced / usual
        lately = booked_now / priced_now / usual
        bar = PHANTOM_SPEND
        over, under = min(times, lately), max(times, lately)
        # Less than the price, from the first look on, is a discount.
        begins = over >= bar or (under <= 1.0 / bar and case.taught_s >= TAUGHT_S)
        case.ill_at = (case.ill_at or now) if begins else None
        if case.ill_at is None or now - case.ill_at > FORGIVEN_S:
            case.taught_s += passed
            case.usual.add(now, booked / priced)
        if not begins and not over >= KEEPS * bar:
            return
        per_h = (booked - usual * priced) * 3600.0 / WINDOW_S
        severity = Severity.TICKET if times > 1.0 else Severity.NOTICE
        if over >= GROSS and per_h >= GROSS_USD_PER_H:
            severity = Severity.PAGE
        instead = "" if 0.95 <= usual <= 1.05 else f" ({usual:.2f} times is usual)"
        words = (
            f"what was booked on {clean(spend.subject, 80)} in {words_of(WINDOW_S)} is {booked / priced:.1f}× "
            f"tokens × price{instead}: {per_h:+,.2f} USD an hour that no token explains"
        )
        yield Condition(self.name, spend.ref, severity, words, booked / priced, begins=begins, aspect=Aspect.COST)

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """Whose money has both sides."""
        cases = self._rounds.cases.values()
        blind = sum(not case.recent.minutes for case in cases)
        new = sum(0.0 < case.taught_s < TAUGHT_S for case in cases)
        unknown = []
        if blind:
            unknown.append(f"{blind} sums have no price beside what is booked, so nothing can disagree")
        if new:
            unknown.append(f"{new} sums: less than an hour was seen; booked = tokens × price is taken to be usual")
        return DetectorState(
            name=self.name,
            summary="money that is booked and that no token explains",
            watching=len(cases) - blind,
            learning=new,
            unknown=tuple(unknown),
        )


def _begin(spend: Spend, memory: _Memory | None) -> _Case:
    case = _Case()
    if memory is not None:
        case.usual.add(spend.observed_at, memory.usual)
        case.taught_s = memory.taught_s
    elif (today := spend.disagreement) is not None and today < 1.0:
        case.usual.add(spend.observed_at, today)  # a discount: the whole day shows it
    return case
