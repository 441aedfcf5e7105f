"""D3: money that goes faster than usual, and budgets that will not last.

More traffic costs more and is no fault, so a rate has to be several times its usual before it is told; what a single
request costs has not, because no traffic explains that.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Deployment, Spend, SpendScope
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.day_counter import DayCounter
from console.engine.detectors.latency import half_hour
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.stats.calibrate import Calibration
from console.engine.detectors.stats.cusum import Cusum
from console.engine.detectors.stats.ewma import Ewma
from console.engine.detectors.stats.recent import Recent
from console.engine.detectors.stats.season import Season, SeasonMemory, Usual

WINDOW_S = 600.0
SAMPLE_S = 60.0
FEWEST_CALLS = 50.0
"""What fewer requests cost says little: more are waited for, but for ten minutes at most."""
FAST = 5.0
"""Times the usual rate that no surge of traffic is expected to bring …"""
FAST_USD_PER_H = 2.0
"""… and at least so much more an hour."""
KEEPS = 0.7
UNUSUAL = 2.5
"""Times the usual rate at which a budget that will not last is worth a ticket; below that a notice."""
WARNED_S = 6 * 3600.0
WOKEN_S = 3600.0
RATE_HALF_LIFE_S = 1800.0
STEADY = 0.1
DEARER = math.log(1.2)
"""A request to a deployment that costs this much more is told …"""
STILL_DEARER = math.log(1.1)
EACH_STEADY = 0.04
FORGIVEN_S = 86400.0

Judged = Spend | Deployment


class _Memory(msgspec.Struct, frozen=True, gc=False, array_like=True):
    season: SeasonMemory
    noise: bytes


@dataclass(slots=True)
class _Case:
    """One sum of money, or one deployment's cost of a request."""

    season: Season
    counter: DayCounter = field(default_factory=lambda: DayCounter(1))
    recent: Recent = field(default_factory=lambda: Recent(12, 1))
    """Dollars of a sum."""
    usd: float = 0.0
    calls: float = 0.0
    """A deployment's dollars and answered requests since the last sample."""
    rate: Ewma = field(default_factory=lambda: Ewma(RATE_HALF_LIFE_S))
    cusum: Cusum = field(default_factory=Cusum)
    noise: Calibration = field(default_factory=Calibration)
    late: deque[float] = field(default_factory=lambda: deque(maxlen=5))
    sampled_at: float = -math.inf
    began_at: float | None = None
    usual: Usual | None = None
    firing: bool = False
    ill_at: float | None = None

    def remember(self) -> _Memory | None:
        return _Memory(self.season.remember(), self.noise.remember()) if self.season.closed else None

    def is_due(self, now: float) -> bool:
        """Whether a minute has passed since the sample before, with ten behind it."""
        if self.began_at is None or now - self.began_at < WINDOW_S or now - self.sampled_at < SAMPLE_S - 1.0:
            return False
        self.sampled_at = now
        return True

    def learn(self, now: float, value: float, ill: bool) -> None:
        """Learn a sample, but not of a time that is ill; what has lasted for a day is usual."""
        self.ill_at = (self.ill_at or now) if ill else None
        if self.ill_at is None or now - self.ill_at > FORGIVEN_S:
            self.season.add(now, value)


class CostBurn:
    """Watches the spend of keys, teams, providers and the whole, and what a request to each deployment costs."""

    name = "cost-burn"
    patience = Patience(fire_after_s=60.0, resolve_after_s=300.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Judged, _Case] = Rounds((Spend, Deployment), _begin, _Memory)

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """At most one condition for each sum and each deployment."""
        return self._rounds.go(now, board, self._judge)

    def _judge(self, reading: Judged, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        if isinstance(reading, Deployment):
            yield from self._of_a_request(reading, case, now, passed)
        elif reading.scope is not SpendScope.MODEL:
            yield from self._of_a_sum(reading, case, now, passed)

    def _of_a_sum(self, spend: Spend, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        grown = case.counter.grown(spend.usd_today)
        if not passed:
            case.recent.clear()
            case.began_at = now
            return
        usd = grown[0] if grown is not None else (spend.usd_per_h or 0.0) * passed / 3600.0
        case.recent.add(now, usd)
        rate = case.recent.over(WINDOW_S, now)[0] * 3600.0 / WINDOW_S
        if case.is_due(now):
            case.rate.add(now, rate)
            case.usual = case.season.usual(now)
            usually = math.exp(case.usual.level) if case.usual else None
            bar = FAST if case.usual is None or case.usual.whole_day else 2.0 * FAST
            more = KEEPS if case.firing else 1.0
            case.firing = (
                usually is not None and rate >= more * bar * usually and rate - usually >= more * FAST_USD_PER_H
            )
            if rate > 0.0:
                case.learn(now, math.log(rate), case.firing)
        yield from self._told(spend, case, rate, now)

    def _told(self, spend: Spend, case: _Case, rate: float, now: float) -> Iterator[Condition]:
        usual = case.usual
        times = rate / math.exp(usual.level) if usual else 0.0
        name = clean(spend.subject, 80)
        if case.firing and usual is not None:
            when = f"its usual for {half_hour(now)}" if usual.whole_day else "what was usual so far"
            words = f"{name} spends {rate:,.2f} USD an hour, {times:.1f}× {when}"
            yield self._condition(spend, Severity.PAGE, words, times)
            return
        left_s = _lasts(spend, case.rate.value, now)
        if left_s is None:
            return
        severity = Severity.NOTICE
        if usual is not None and usual.whole_day and times >= UNUSUAL:
            severity = Severity.PAGE if left_s <= WOKEN_S else Severity.TICKET
        words = (
            f"the budget of {name} ends in {words_of(left_s)} at {case.rate.value or 0.0:,.2f} USD an hour; "
            f"{spend.budget_used_usd or 0.0:,.2f} of {spend.budget_usd or 0.0:,.2f} USD are used"
        )
        yield self._condition(spend, severity, words, left_s)

    def _of_a_request(self, reading: Deployment, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        traffic = reading.traffic
        if traffic is None or reading.usd_per_h is None:
            return
        if not passed:
            case.sampled_at, case.usd, case.calls = now, 0.0, 0.0
            return
        answered = max(0.0, traffic.requests_per_min - traffic.errors_per_min)
        case.usd += reading.usd_per_h * passed / 3600.0
        case.calls += answered * passed / 60.0
        if now - case.sampled_at >= SAMPLE_S - 1.0 and (case.calls >= FEWEST_CALLS or now - case.sampled_at > WINDOW_S):
            if case.usd > 0.0 and case.calls >= FEWEST_CALLS / 2.0:
                self._sample(case, now, math.log(case.usd / case.calls))
            case.sampled_at, case.usd, case.calls = now, 0.0, 0.0
        usual = case.usual
        if case.firing and usual is not None:
            times = math.exp(median(case.late))
            each = 1000.0 * times * math.exp(usual.level)
            name = clean(f"{reading.provider}/{reading.model}", 80)
            words = (
                f"a thousand requests to {name} cost {each:,.2f} USD, {times:.2f}× their usual; "
                f"the amount of traffic does not explain that"
            )
            yield self._condition(reading, Severity.TICKET, words, times)

    def _sample(self, case: _Case, now: float, value: float) -> None:
        case.usual = usual = case.season.usual(now)
        if usual is None:
            case.season.add(now, value)
            return
        off = value - usual.level
        z = off / usual.spread
        case.late.append(off)
        threshold = case.noise.threshold
        case.cusum.add(now, z, 1.5 * threshold)
        lately = median(case.late)
        if case.firing and lately < STILL_DEARER:
            case.firing = False
            case.cusum.reset()
        elif not case.firing and case.cusum.value >= threshold and lately >= DEARER:
            case.firing = True
            case.season.forget_open()
            case.noise.gap()
        if not case.firing:
            case.noise.add(now, z, case.cusum.value)
        case.learn(now, value, case.firing or case.cusum.value >= 0.5 * threshold)

    def _condition(self, reading: Judged, severity: Severity, words: str, value: float) -> Condition:
        return Condition(self.name, reading.ref, severity, words, value, aspect=Aspect.COST)

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """How many sums and deployments have a usual."""
        seen = [case.season.usual(now) for case in self._rounds.cases.values()]
        new, partly = sum(u is None for u in seen), sum(u is not None and not u.whole_day for u in seen)
        unknown = []
        if new:
            unknown.append(f"{new} sums and deployments: half an hour with money is needed to say what is usual")
        if partly:
            unknown.append(
                f"{partly} sums and deployments: less than a day was seen; {2 * FAST:.0f}× is told, not less"
            )
        return DetectorState(
            name=self.name,
            summary="money that goes faster than usual, and budgets that will not last",
            watching=len(seen) - new,
            learning=new,
            unknown=tuple(unknown),
        )


def _begin(reading: Judged, memory: _Memory | None) -> _Case:
    least = EACH_STEADY if isinstance(reading, Deployment) else STEADY
    if memory is None:
        return _Case(Season(least))
    case = _Case(Season.recall(memory.season, least))
    case.noise.recall(memory.noise)
    return case


def _lasts(spend: Spend, usd_per_h: float | None, now: float) -> float | None:
    """Seconds until the budget ends, when that is before its reset and soon."""
    if not spend.budget_usd or spend.budget_used_usd is None or not usd_per_h:
        return None
    left_s = 3600.0 * max(0.0, spend.budget_usd - spend.budget_used_usd) / usd_per_h
    resets_s = math.inf if spend.budget_resets_at is None else spend.budget_resets_at - now
    return left_s if left_s < min(resets_s, WARNED_S) else None
