"""What each deployment's readings usually are, roughly: enough to say whether a sibling without an alert is off too.

Detectors judge with care and therefore need traffic and time. Here one number a metric is kept, a slow mean, to
compare siblings once something else is known to be wrong.
"""

import math
from dataclasses import dataclass, field

from console.domain.board import Board
from console.domain.readings import Deployment
from console.domain.refs import Ref

SAMPLE_S = 60.0
HALF_LIFE_S = 8 * 3600.0
LEARNT = 20
"""Samples before a mean is one."""
RISEN = 1.15
"""Times its usual requests from which on a deployment has got more of them."""
TTFT, PER_TOKEN, ERRORS, REQUESTS = "ttft", "per_token", "errors", "requests"
NOTICEABLE = {TTFT: math.log(1.08), PER_TOKEN: math.log(1.08), ERRORS: 0.005}
"""What a reading has to be off at the least: the logarithm of a ratio, or a part that fails."""


@dataclass(slots=True)
class _Means:
    samples: int = 0
    values: dict[str, float] = field(default_factory=dict)


class Usual:
    """Slow means of every deployment on one board."""

    def __init__(self) -> None:
        self._means: dict[Ref, _Means] = {}
        self._at = 0.0

    def tick(self, board: Board, now: float, ill: frozenset[Ref] = frozenset()) -> None:
        """Take a sample when one is due; what is known to be ill (`ill`) teaches nothing."""
        if now - self._at < SAMPLE_S:
            return
        part = 1.0 - 0.5 ** (min(now - self._at, HALF_LIFE_S) / HALF_LIFE_S)
        self._at = now
        seen = set()
        for reading in board.of(Deployment):
            seen.add(reading.ref)
            if reading.ref not in ill:
                self._learn(reading, part)
        for ref in self._means.keys() - seen:
            del self._means[ref]

    def _learn(self, reading: Deployment, part: float) -> None:
        means = self._means.setdefault(reading.ref, _Means())
        means.samples = min(LEARNT, means.samples + 1)
        for metric, value in _values(reading).items():
            old = means.values.get(metric)
            weight = max(part, 1.0 / means.samples) if means.samples < LEARNT else part
            means.values[metric] = value if old is None else old + weight * (value - old)

    def off_by(self, reading: Deployment) -> dict[str, float]:
        """How far each metric is above its usual: the logarithm of the ratio, of errors the difference.

        Only what is noticeable; empty too while the usual is not known.
        """
        means = self._means.get(reading.ref)
        if means is None or means.samples < LEARNT:
            return {}
        found = {}
        for metric, value in _values(reading).items():
            usual = means.values.get(metric)
            if usual is None or metric == REQUESTS:
                continue
            off = value - usual if metric == ERRORS else (math.log(value / usual) if min(value, usual) > 0 else 0.0)
            if off >= NOTICEABLE[metric]:
                found[metric] = off
        return found

    def has_risen(self, reading: Deployment) -> bool | None:
        """Whether a deployment gets more requests than it usually does; None while that is not known."""
        means = self._means.get(reading.ref)
        usual = None if means is None or means.samples < LEARNT else means.values.get(REQUESTS)
        if usual is None or reading.traffic is None:
            return None
        return reading.traffic.requests_per_min >= RISEN * usual


def _values(reading: Deployment) -> dict[str, float]:
    found: dict[str, float | None] = {}
    if latency := reading.latency:
        found[TTFT] = latency.ttft_p50_s or latency.p50_s
        found[PER_TOKEN] = latency.s_per_token_p50
    if traffic := reading.traffic:
        found[ERRORS], found[REQUESTS] = traffic.error_ratio, traffic.requests_per_min
    return {metric: value for metric, value in found.items() if value is not None}
