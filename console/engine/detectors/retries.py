"""D4: retries that multiply the load: attempts for each original request, against the object's own usual."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.readings import Deployment, Route, Service
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.grown_part import PartMemory
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.stats.proportions import UsualPart, wilson
from console.engine.detectors.stats.recent import Recent

WARN = 1.1
PAGE = 1.5
CEILING = 3.0
"""The SRE book's: three attempts for each request are never a remedy."""
WINDOW_S = 180.0
ORIGINALS = 50.0
"""Fewer original requests than this in the window say nothing."""
KEEPS = 0.7
"""A firing alert stays until the retries are under this part of what began it."""
FORGIVEN_S = 86400.0
"""What has lasted for a day is usual."""

Judged = Route | Deployment | Service


@dataclass(slots=True)
class _Case:
    usual: UsualPart = field(default_factory=lambda: UsualPart(0.01))
    """Of the attempts, those that are retries."""
    recent: Recent = field(default_factory=lambda: Recent(10, 2))
    """Attempts and original requests."""

    begun_at: float | None = None

    def learn(self, now: float, begins: bool, passed: float, attempts: float, originals: float) -> None:
        """Learn what is usual, but not from a storm."""
        self.begun_at = (self.begun_at or now) if begins else None
        if self.begun_at is None or now - self.begun_at > FORGIVEN_S:
            self.usual.add(passed, attempts - originals, attempts)

    def remember(self) -> PartMemory | None:
        return PartMemory(self.usual.remember()) if self.usual.seen_s else None


class Amplified:
    """Watches every object that tells attempts for each request."""

    name = "retries"
    patience = Patience(resolve_after_s=60.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Judged, _Case] = Rounds((Route, Deployment, Service), _begin, PartMemory)

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition for each object whose requests are multiplied."""
        return self._rounds.go(now, board, self._judge)

    def _judge(self, reading: Judged, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        traffic = reading.traffic
        if traffic is None or traffic.attempts_per_request is None or not passed:
            return
        originals = traffic.requests_per_min * passed / 60.0
        attempts = originals * max(1.0, traffic.attempts_per_request)
        case.recent.add(now, attempts, originals)
        sent, asked = case.recent.over(WINDOW_S, now)
        lately, asked_lately = case.recent.over(60.0, now)
        if asked < ORIGINALS or not asked_lately:
            return
        factor, usual = min(sent / asked, lately / asked_lately), 1.0 / (1.0 - min(0.9, case.usual.part))
        bar = max(WARN, usual + WARN - 1.0)
        surely = 1.0 / (1.0 - wilson(sent - asked, sent).low)
        begins = factor >= bar and surely > max(1.05, usual)
        case.learn(now, begins, passed, attempts, originals)
        if factor - 1.0 < KEEPS * (bar - 1.0):
            return
        paged = factor >= PAGE * usual or lately / asked_lately >= CEILING * usual
        name = clean(reading.ref.name, 80)
        words = f"each request to {name} is tried {sent / asked:.2f} times; {usual:.2f} is usual"
        if sent / asked >= CEILING:
            words += "; more than three times is a storm of its own"
        severity = Severity.PAGE if paged else Severity.TICKET
        yield Condition(self.name, reading.ref, severity, words, sent / asked, begins=begins)

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """Who tells attempts at all."""
        cases = self._rounds.cases.values()
        silent = sum(not case.recent.minutes for case in cases)
        return DetectorState(
            name=self.name,
            summary="retries that multiply what was asked",
            watching=len(cases) - silent,
            unknown=(f"{silent} objects do not tell how often a request was tried",) if silent else (),
        )


def _begin(_: Judged, memory: PartMemory | None) -> _Case:
    case = _Case()
    if memory is not None:
        case.usual.recall(memory.usual)
    return case
