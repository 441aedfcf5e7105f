"""A half-open breaker that lets everything through: it opens again at once, and its target is flooded each time."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.circuit import Mode, Observed
from console.domain.durations import words_of
from console.domain.readings import Deployment
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.stats.ewma import Ewma

WINDOW_S = 1800.0
REOPENED = 2
"""A breaker that has opened again this often in the window is flapping …"""
FLAPPING = 6
"""… and from here on that is worth a line even without a flood."""
AFTER_S = 90.0
"""What is sent this long after a breaker began to let requests through is counted with its probes."""
FLOOD = 2.0
"""Times the usual traffic: a few probes are far less than it."""
HALF_LIFE_S = 6 * 3600.0
FEWEST_PER_MIN = 5.0
MANY = 5.0
"""Times the usual from which on someone is woken."""
NOTED = 32


@dataclass(slots=True)
class _Case:
    usual: Ewma = field(default_factory=lambda: Ewma(HALF_LIFE_S))
    """Requests a minute while it is closed."""
    observed: Observed = Observed.UNKNOWN
    half_at: float | None = None
    reopened: deque[float] = field(default_factory=lambda: deque(maxlen=NOTED))
    peaks: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=NOTED))
    """(unix seconds, requests a minute) shortly after it began to let requests through."""


class HalfOpenFlood:
    """Watches the breakers of deployments. It works on every change: a half-open state may last for seconds."""

    name = "half-open-flood"
    patience = Patience(resolve_after_s=300.0)

    def __init__(self) -> None:
        self._cases: dict[Ref, _Case] = {}
        self._flapping: dict[Ref, str] = {}
        """Those whose breaker has opened again lately, with their names in words."""

    def feed(self, change: Change) -> None:
        """Note states and what is sent in them."""
        for ref in change.removed:
            self._cases.pop(ref, None)
            self._flapping.pop(ref, None)
        for reading in change.readings:
            if isinstance(reading, Deployment) and reading.circuit.replicas:
                case = self._cases.get(reading.ref)
                if case is None:
                    case = self._cases[reading.ref] = _Case()
                self._take(reading, case, change.at)

    def _take(self, reading: Deployment, case: _Case, at: float) -> None:
        before, case.observed = case.observed, reading.circuit.observed
        rate = reading.traffic.requests_per_min if reading.traffic is not None else 0.0
        if reading.circuit.mode is not Mode.AUTO:
            case.half_at = None
            return
        if case.observed is Observed.HALF_OPEN and before is not Observed.HALF_OPEN:
            case.half_at = at
        elif case.observed is Observed.OPEN and before in (Observed.HALF_OPEN, Observed.CLOSED):
            self._opened(reading, case, before, at)
        if case.half_at is not None and at - case.half_at <= AFTER_S:
            case.peaks.append((at, rate))
        elif case.observed is Observed.CLOSED:
            case.usual.add(at, rate)

    def _opened(self, reading: Deployment, case: _Case, before: Observed, at: float) -> None:
        """It opened: again, if it let requests through shortly before; a look may have missed that it was half-open."""
        if before is Observed.HALF_OPEN or (case.half_at is not None and at - case.half_at <= AFTER_S):
            case.reopened.append(at)
            self._flapping[reading.ref] = clean(f"{reading.provider}/{reading.model}", 80)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """A ticket or a page for each flood, a notice for a breaker that flaps without one."""
        for ref, name in list(self._flapping.items()):
            case = self._cases[ref]
            while case.reopened and now - case.reopened[0] > WINDOW_S:
                case.reopened.popleft()
            while case.peaks and now - case.peaks[0][0] > WINDOW_S:
                case.peaks.popleft()
            if not case.reopened:
                del self._flapping[ref]
                continue
            yield from self._judge(ref, name, case, now)

    def _judge(self, ref: Ref, name: str, case: _Case, now: float) -> Iterator[Condition]:
        many = len(case.reopened)
        if many < REOPENED:
            return
        usual = max(FEWEST_PER_MIN, case.usual.value or 0.0)
        peak = max((rate for _, rate in case.peaks), default=0.0)
        times = peak / usual
        often = f"the breaker of {name} has opened again {many} times in {words_of(WINDOW_S)}"
        if case.usual.value is not None and times >= FLOOD:
            severity = Severity.PAGE if times >= MANY else Severity.TICKET
            words = f"{often}: when it is half-open up to {peak:,.0f} requests/min pass, {times:.1f}× its usual"
            yield Condition(self.name, ref, severity, words, times)
        elif many >= FLAPPING:
            yield Condition(self.name, ref, Severity.NOTICE, f"{often}; its probes go on failing", float(many))

    def state(self, now: float) -> DetectorState:
        """How many breakers it sees."""
        new = sum(case.usual.value is None for case in self._cases.values())
        unknown = (f"{new} breakers were never seen closed, so their usual traffic is not known",) if new else ()
        return DetectorState(
            name=self.name,
            summary="half-open breakers that let far more through than probes",
            watching=len(self._cases) - new,
            learning=new,
            unknown=unknown,
        )
