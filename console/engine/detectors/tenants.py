"""One key's failures against the others': a whole that looks well can hide a customer for whom nothing works."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Spend, SpendScope
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.day_counter import DayCounter
from console.engine.detectors.errors import BELIEVED
from console.engine.detectors.grown_part import GrownPart, PartMemory
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.stats.proportions import UsualPart, wilson
from console.engine.detectors.stats.recent import Recent

WINDOW_S = 600.0
MANY = 0.5
"""From this part on someone is woken."""
TIMES = 3.0
"""A key stands out when it surely fails this many times as often as the others may."""


@dataclass(slots=True)
class _Case:
    part: GrownPart
    counter: DayCounter = field(default_factory=lambda: DayCounter(2))

    def remember(self) -> PartMemory | None:
        return self.part.remember()


class FailingTenants:
    """Watches the keys of every gateway that counts their requests and failures."""

    name = "tenant-errors"
    patience = Patience(fire_after_s=30.0, resolve_after_s=120.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Spend, _Case] = Rounds(Spend, _begin, PartMemory)
        self._all: dict[str, Recent] = {}
        """Failures and requests of all keys of a source together."""

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition for each key that fails where the others do not."""
        return self._rounds.go(now, board, self._judge)

    def _judge(self, spend: Spend, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        if spend.scope is not SpendScope.KEY:
            return
        grown = case.counter.grown(spend.failed_today, spend.requests_today)
        if grown is None or not passed:
            return
        failed, asked = min(grown[0], grown[1]), grown[1]
        case.part.take(now, passed, failed, asked)
        together = self._all.setdefault(spend.ref.source, Recent(32, 2))
        together.add(now, failed, asked)
        part = case.part
        if not (part.grown or part.still):
            return
        others = self._others(spend.ref, part, now)
        if others is None or part.low <= TIMES * others[1]:
            return
        words = (
            f"{part.part:.1%} of {part.trials:,.0f} requests with the key {clean(spend.subject, 80)} failed in "
            f"{words_of(part.window_s)}, and {others[0]:.1%} of all others"
        )
        severity = Severity.PAGE if part.part >= MANY and part.grown else Severity.TICKET
        yield Condition(self.name, spend.ref, severity, words, part.part, begins=part.grown)

    def _others(self, ref: Ref, part: GrownPart, now: float) -> tuple[float, float] | None:
        """The part of the other keys' requests that failed, and its upper bound; None without others."""
        failed, asked = self._all[ref.source].over(part.window_s, now)
        mine_failed, mine = part.recent.over(part.window_s, now)
        failed, asked = max(0.0, failed - mine_failed), asked - mine
        if asked < 20.0:
            return None
        return failed / asked, wilson(failed, asked).high

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """How many keys tell their failures."""
        cases = self._rounds.cases.values()
        keys = sum(case.part.recent.minutes > 0 for case in cases)
        return DetectorState(
            name=self.name,
            summary="a key whose requests fail while those of the others do not",
            watching=keys,
            unknown=() if keys else ("no source tells how many requests of a key failed",),
        )


def _begin(_: Spend, memory: PartMemory | None) -> _Case:
    case = _Case(GrownPart(UsualPart(BELIEVED)))
    if memory is not None:
        case.part.usual.recall(memory.usual)
    return case
