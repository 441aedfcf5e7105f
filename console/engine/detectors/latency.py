"""D1: answers that come slowly: time to first token and seconds per token against what is usual at this half-hour.

Once a minute (later where little is asked: when enough calls are behind a number) the logarithm of each median is
held against its season, and a CUSUM adds up what is too slow. The season stands still while the sum is high, so that
a creep does not teach it. What is not counted: what more traffic than usual explains, and, before a day has been
seen, what the time of the day may explain.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from time import gmtime, strftime

import msgspec

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Deployment, Latency, Provider, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.siblings import Siblings, siblings
from console.engine.detectors.stats.calibrate import Calibration
from console.engine.detectors.stats.cusum import Cusum
from console.engine.detectors.stats.season import SLOTS, Season, SeasonMemory, Usual
from console.engine.detectors.stats.theil_sen import slope

SAMPLE_S = 60.0
LONGEST_SAMPLE_S = 600.0
CALLS = 20.0
"""A median of fewer calls than this says little: it is waited for more, but for ten minutes at most."""
FEWEST_CALLS = 5.0
STEADY = 0.05
"""No series is believed to be steadier than this, in logarithms (5 %)."""
BUSY_STEADY = 0.1
"""The same for traffic."""
SLOW = math.log(1.2)
"""An alert begins when it has lately been at least this much slower than usual …"""
STILL_SLOW = math.log(1.1)
"""… and lasts while it is this much slower."""
VERY_SLOW = math.log(2.0)
"""From here on someone is woken."""
LATELY = 5
REMEMBERED = 60
SUSPICIOUS = 1 / 3
"""From this part of the threshold on nothing is learnt."""
FORGIVEN_S = 86400.0
"""What has lasted for a day is usual."""
BUSIER = math.log(1.3)
"""More traffic than usual from here on explains slower answers …"""
ELASTICITY = 0.5
"""… by this part of it, in logarithms …"""
EXPLAINED = math.log(1.15)
"""… and never more than 15 %: a Monday after a quiet week-end must not hide anything."""
DAYTIME = math.log(1.3)
"""What the time of the day may explain while no whole day has been seen."""
FIRST_MINUTES = math.log(1.5)
"""What may be chance in the first half-hour."""
RISING = 0.003
"""Growth a minute that is worth a word."""

_NAMES = {"ttft": "time to first token", "token": "time for each token", "p50": "response time"}

Judged = Deployment | Provider | Route


class _SeriesMemory(msgspec.Struct, frozen=True, gc=False, array_like=True):
    season: SeasonMemory
    noise: bytes


class _Memory(msgspec.Struct, frozen=True, gc=False, array_like=True):
    series: dict[str, _SeriesMemory]
    calls: SeasonMemory


@dataclass(slots=True)
class _Series:
    """The logarithms of one median of one object."""

    season: Season = field(default_factory=lambda: Season(STEADY))
    cusum: Cusum = field(default_factory=Cusum)
    noise: Calibration = field(default_factory=Calibration)
    sum: float = 0.0
    count: int = 0
    late: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """(minutes, how much slower than usual) of the last samples."""
    value: float = 0.0
    """The last sample."""
    usual: Usual | None = None
    firing: bool = False
    frozen_at: float | None = None

    @property
    def lately(self) -> float:
        """How much slower than usual, in logarithms."""
        return median(one for _, one in list(self.late)[-LATELY:]) if self.late else 0.0

    def take(self, at: float, busier: float) -> None:
        """Close a sample and judge it; `busier`: logarithm of the traffic against its usual."""
        self.value, self.sum, self.count = self.sum / self.count, 0.0, 0
        self.usual = usual = self.season.usual(at)
        if usual is None:
            self.season.add(at, self.value)
            return
        off = self.value - usual.level - (min(EXPLAINED, ELASTICITY * busier) if busier > BUSIER else 0.0)
        if not usual.whole_day:
            slack = DAYTIME * max(0.0, 1.0 - self.season.closed / SLOTS) if self.season.closed else FIRST_MINUTES
            off = math.copysign(max(0.0, abs(off) - slack), off)
        z = off / usual.spread
        self.late.append((at / 60.0, off))
        threshold = self.noise.threshold
        self.cusum.add(at, z, 1.5 * threshold)
        self._decide(threshold)
        if not self.firing:
            self.noise.add(at, z, self.cusum.value)
        self._learn(at, self.cusum.value >= SUSPICIOUS * threshold)

    def _decide(self, threshold: float) -> None:
        lately = self.lately
        if self.firing and lately < STILL_SLOW and len(self.late) >= LATELY:
            self.firing = False
            self.cusum.reset()
        elif not self.firing and self.cusum.value >= threshold and lately >= SLOW:
            self.firing = True
            self.season.forget_open()
            self.noise.gap()

    def _learn(self, at: float, suspicious: bool) -> None:
        if not suspicious:
            self.frozen_at = None
        elif self.frozen_at is None:
            self.frozen_at = at
        if not suspicious or (self.frozen_at is not None and at - self.frozen_at > FORGIVEN_S):
            self.season.add(at, self.value)

    def rise(self) -> float:
        """By which part it grows a minute, since the change began; 0 when that is too short to say."""
        since = (self.cusum.since or 0.0) / 60.0
        points = [point for point in self.late if point[0] >= since]
        found = slope(points[:: 1 + len(points) // 30]) if len(points) >= 2 * LATELY else None
        return math.expm1(found) if found is not None else 0.0


class _Case:
    """One object's medians."""

    __slots__ = ("began_at", "busy_sum", "calls", "count", "said", "season", "series")

    def __init__(self, memory: _Memory | None) -> None:
        self.series: dict[str, _Series] = {}
        self.season = Season(BUSY_STEADY)
        """Of the logarithm of the requests a minute."""
        self.began_at: float | None = None
        self.calls = 0.0
        self.busy_sum, self.count = 0.0, 0
        if memory is not None:
            self.season = Season.recall(memory.calls, BUSY_STEADY)
            for metric, kept in memory.series.items():
                series = self.series[metric] = _Series(Season.recall(kept.season, STEADY))
                series.noise.recall(kept.noise)

    def remember(self) -> _Memory | None:
        """See `rounds.Case`."""
        series = {name: _SeriesMemory(s.season.remember(), s.noise.remember()) for name, s in self.series.items()}
        return _Memory(series, self.season.remember()) if series else None

    @property
    def is_ill(self) -> bool | None:
        """Whether an alert begins here; None while nothing can be said."""
        if all(series.usual is None for series in self.series.values()):
            return None
        return any(series.firing for series in self.series.values())

    def hear(self, reading: Judged, now: float, passed: float) -> bool:
        """Take in what a reading says now; returns whether a sample was judged."""
        latency, traffic = reading.latency, reading.traffic
        if latency is None:
            return False
        if self.began_at is None or not passed:
            self._begin(now)
        rate = None if traffic is None else traffic.requests_per_min
        self.calls += CALLS if rate is None else rate * passed / 60.0
        if rate:
            self.busy_sum += math.log(rate)
            self.count += 1
        for metric, value in _medians(latency):
            if value is not None and value > 0.0 and rate != 0.0:
                series = self.series.get(metric) or self.series.setdefault(metric, _Series())
                series.sum += math.log(value)
                series.count += 1
        return self._close(now)

    def _begin(self, now: float) -> None:
        self.began_at, self.calls, self.busy_sum, self.count = now, 0.0, 0.0, 0
        for series in self.series.values():
            series.sum, series.count = 0.0, 0
            series.noise.gap()

    def _close(self, now: float) -> bool:
        lasted = now - (self.began_at or now)
        if lasted < SAMPLE_S - 1.0 or (self.calls < CALLS and lasted < LONGEST_SAMPLE_S):
            return False
        enough = self.calls >= FEWEST_CALLS
        busy = 0.0
        if self.count:
            level = self.busy_sum / self.count
            usual = self.season.usual(now)
            busy = level - usual.level if usual is not None and usual.whole_day else 0.0
            self.season.add(now, level)
        for series in self.series.values():
            if enough and series.count:
                series.take(now, busy)
        self.began_at, self.calls, self.busy_sum, self.count = now, 0.0, 0.0, 0
        return enough


def _medians(latency: Latency) -> tuple[tuple[str, float | None], ...]:
    if latency.ttft_p50_s is None and latency.s_per_token_p50 is None:
        return (("p50", latency.p50_s),)
    return (("ttft", latency.ttft_p50_s), ("token", latency.s_per_token_p50))


class SlowAnswers:
    """Watches deployments; a provider when most of its own are slow, a route where no deployment is known behind it."""

    name = "latency"
    patience = Patience(resolve_after_s=60.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Judged, _Case] = Rounds((Deployment, Provider, Route), lambda _, m: _Case(m), _Memory)

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition for each object that is slow, with the worse of its medians."""
        return self._rounds.go(now, board, self._judge)

    def _judge(self, reading: Judged, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        if isinstance(reading, Provider):
            known = siblings(reading, self._is_ill)
            if known.judged:
                # Its own median moves with the mix of its models, and says nothing.
                if known.together:
                    yield self._of_provider(reading, known)
                return
        if isinstance(reading, Route) and reading.targets:
            return
        case.hear(reading, now, passed)
        ill = [(s.lately, metric, s) for metric, s in case.series.items() if s.firing]
        if ill:
            lately, metric, series = max(ill, key=lambda one: one[0])
            severity = Severity.PAGE if lately >= VERY_SLOW else Severity.TICKET
            yield Condition(self.name, reading.ref, severity, _words(reading, metric, series, now), math.exp(lately))

    def _is_ill(self, ref: Ref) -> bool | None:
        case = self._rounds.cases.get(ref)
        return case.is_ill if case is not None else None

    def _of_provider(self, provider: Provider, known: Siblings) -> Condition:
        refs = [Ref(provider.ref.source, Kind.DEPLOYMENT, name) for name in provider.deployments]
        cases = [case for ref in refs if (case := self._rounds.cases.get(ref)) is not None and case.is_ill]
        lately = median(max(s.lately for s in case.series.values() if s.firing) for case in cases)
        severity = Severity.PAGE if lately >= VERY_SLOW else Severity.TICKET
        words = (
            f"{known.ill} of {known.judged} deployments of {clean(provider.ref.name, 80)} answer slowly: "
            f"{math.exp(lately):.1f}× their usual"
        )
        return Condition(self.name, provider.ref, severity, words, math.exp(lately))

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """How many it can judge, and for how many the time of the day is not known."""
        seen = [[s.season.usual(now) for s in case.series.values()] for case in self._rounds.cases.values()]
        new = sum(not any(usuals) for usuals in seen)
        partly = sum(any(u is not None and not u.whole_day for u in usuals) for usuals in seen)
        unknown = []
        if new:
            unknown.append(f"{new} objects: too few calls were measured to say what is usual (5 min with traffic)")
        if partly:
            unknown.append(
                f"{partly} objects: less than a day was seen, so up to {math.expm1(DAYTIME):.0%} is not told"
            )
        summary = "answers that come more slowly than is usual at this time of the day"
        return DetectorState(
            name=self.name, summary=summary, watching=len(seen) - new, learning=new, unknown=tuple(unknown)
        )


def _words(reading: Judged, metric: str, series: _Series, now: float) -> str:
    usual = series.usual
    if usual is None:
        return f"{_NAMES[metric]} is slow"
    times, value, level = math.exp(series.value - usual.level), math.exp(series.value), math.exp(usual.level)
    name = clean(f"{reading.provider}/{reading.model}" if isinstance(reading, Deployment) else reading.ref.name, 80)
    when = f"its usual for {half_hour(now)}" if usual.whole_day else "what was usual so far"
    since = series.cusum.since or now
    grows = series.rise()
    rising = f", rising {grows:.1%}/min" if grows >= RISING else ""
    return (
        f"p50 {_NAMES[metric]} of {name} is {times:.1f}× {when} ({_seconds(value)}, usually {_seconds(level)})"
        f"{rising} for {words_of(max(60.0, now - since))}"
    )


def half_hour(at: float) -> str:
    """The half-hour of the day (UTC) that `at` (unix seconds) lies in, as `14:30`."""
    return strftime("%H:%M", gmtime(at // 1800.0 * 1800.0))


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 0.1 else f"{value:.2f} s"
