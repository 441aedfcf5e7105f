"""A board that one detector watches while readings are put on it by a script."""

import math
import random
from collections.abc import Callable, Iterable

from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import AnyReading, Deployment, FailureClass, Latency, Source, Traffic
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Detector

HOUR_S = 3600.0
DAY_S = 86400.0
BEGIN = 20_000 * DAY_S
"""Midnight, UTC."""

Script = Callable[[float], Iterable[AnyReading]]


class Scene:
    """Time, a board and a detector; `now` counts from `BEGIN`."""

    def __init__(self, detector: Detector, at: float = BEGIN) -> None:
        self.detector = detector
        self.board = Board()
        self.now = at
        self.conditions: list[Condition] = []

    def put(self, *readings: AnyReading, removed: tuple[Ref, ...] = ()) -> None:
        change = Change(seq=0, at=self.now, readings=readings, removed=removed)
        self.board.apply(change)
        self.detector.feed(change)

    def source(self, freshness: Freshness, name: str = "gateway") -> None:
        self.put(
            Source(
                ref=Ref(name, Kind.SOURCE, name),
                observed_at=self.now,
                adapter="scripted",
                freshness=freshness,
                interval_s=15.0,
            )
        )

    def play(self, seconds: float, script: Script, step_s: float = 60.0) -> list[tuple[float, Condition]]:
        """Let time pass; returns what began an alert, with the seconds since this play began."""
        start, told = self.now, {}
        while self.now < start + seconds:
            self.now += step_s
            self.put(*script(self.now))
            self.conditions = list(self.detector.tick(self.now, self.board))
            for condition in self.conditions:
                key = (condition.rule, condition.ref)
                if condition.begins and key not in told:
                    told[key] = (self.now - start, condition)
        return list(told.values())


def day(at: float, depth: float = 0.5) -> float:
    """A day's traffic between 1 - depth and 1, the most at 14:00."""
    return 1.0 - depth * (0.5 - 0.5 * math.cos(2 * math.pi * (at / HOUR_S - 14.0) / 24.0))


class Wander:
    """Noise that remembers: its standard deviation in logarithms, and its correlation from one call to the next."""

    def __init__(self, deviation: float, correlation: float, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self._keep, self._new = correlation, deviation * math.sqrt(1 - correlation**2)
        self._value = 0.0

    def __call__(self) -> float:
        self._value = self._keep * self._value + self._rng.gauss(0.0, self._new)
        return math.exp(self._value)


def deployment(
    at: float,
    name: str = "chat-azure",
    *,
    requests: float = 100.0,
    errors: float = 0.0,
    limited: float = 0.0,
    ttft: float | None = 0.5,
    token: float | None = 0.012,
    p50: float | None = 3.0,
) -> Deployment:
    """`limited`: 429s a minute, which are errors too."""
    failures = tuple(FailureClass(n, r) for n, r in (("500", errors), ("429", limited)) if r > 0)
    return Deployment(
        ref=Ref("gateway", Kind.DEPLOYMENT, name),
        observed_at=at,
        provider="azure",
        model="gpt-5",
        traffic=Traffic(window_s=60.0, requests_per_min=requests, errors_per_min=errors + limited),
        latency=Latency(window_s=60.0, p50_s=p50, ttft_p50_s=ttft, s_per_token_p50=token),
        failures=failures,
    )
