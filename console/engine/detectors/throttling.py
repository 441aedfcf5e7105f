"""Rate limits: the part of the requests that is turned away with 429, and how long the room that is left will last."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Deployment, Provider
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.errors import LIMITED
from console.engine.detectors.grown_part import GrownPart, PartMemory
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.siblings import without_what_one_explains
from console.engine.detectors.stats.proportions import UsualPart
from console.engine.detectors.stats.theil_sen import slope

MANY = 0.2
"""From this part on someone is woken."""
POINTS = 20
POINT_S = 30.0
SCARCE = 0.3
"""Part of a limit that is left, from which on its end is looked for."""
GONE = 0.02
SOON_S = 600.0

Judged = Deployment | Provider


@dataclass(slots=True)
class _Case:
    part: GrownPart
    left: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=POINTS))
    """(unix seconds, part of the limit that is left)."""

    def remember(self) -> PartMemory | None:
        return self.part.remember()

    def ends_in(self) -> float | None:
        """Seconds until nothing is left; None while it does not look so."""
        if len(self.left) < POINTS // 2:
            return None
        left = self.left[-1][1]
        if left <= GONE:
            return 0.0 if all(one <= GONE for _, one in list(self.left)[-POINTS // 2 :]) else None
        if left > SCARCE:
            return None
        falls = slope(list(self.left)) or 0.0
        return left / -falls if falls < 0 and left / -falls <= SOON_S else None


class Throttled:
    """Watches deployments, and a provider when most of its deployments are turned away."""

    name = "throttling"
    patience = Patience(fire_after_s=30.0, resolve_after_s=120.0)

    def __init__(self) -> None:
        self._rounds: Rounds[Judged, _Case] = Rounds((Deployment, Provider), _begin, PartMemory)

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """Tickets and pages for what is turned away, notices for limits that are nearly used up."""
        return without_what_one_explains(self._rounds.go(now, board, self._judge), board, self._is_ill)

    def _is_ill(self, ref: Ref) -> bool | None:
        case = self._rounds.cases.get(ref)
        return None if case is None else case.part.grown

    def _judge(self, reading: Judged, case: _Case, now: float, passed: float) -> Iterator[Condition]:
        traffic, room = reading.traffic, reading.headroom
        left = None if room is None else room.left_ratio
        if left is not None and (not case.left or now - case.left[-1][0] >= POINT_S - 1.0):
            case.left.append((now, left))
        if traffic is None or not passed:
            return
        limited = sum(failure.per_min for failure in reading.failures if failure.name in LIMITED)
        limited = min(limited, traffic.requests_per_min)
        case.part.take(now, passed, limited * passed / 60.0, traffic.requests_per_min * passed / 60.0)
        part = case.part
        name = clean(f"{reading.provider}/{reading.model}" if isinstance(reading, Deployment) else reading.ref.name, 80)
        ends = case.ends_in()
        if part.grown or part.still:
            severity = Severity.PAGE if part.part >= MANY and part.grown else Severity.TICKET
            words = (
                f"{part.part:.1%} of the requests to {name} were turned away by its rate limit in "
                f"{words_of(part.window_s)}; {part.usual.part:.1%} is usual"
            )
            yield Condition(self.name, reading.ref, severity, words, part.part, begins=part.grown)
        elif ends is not None and case.left:
            left = case.left[-1][1]
            when = f"none in {words_of(ends)} at this rate" if ends > 0 else "and that for minutes"
            words = f"{left:.0%} of the rate limit of {name} is left, {when}"
            yield Condition(self.name, reading.ref, Severity.NOTICE, words, ends)

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """How many it watches; it needs no past."""
        blind = sum(not case.left for case in self._rounds.cases.values())
        unknown = (f"{blind} objects do not say how much of their rate limit is left",) if blind else ()
        return DetectorState(
            name=self.name,
            summary="requests that rate limits turn away, and limits that will soon be used up",
            watching=len(self._rounds.cases),
            unknown=unknown,
        )


def _begin(_: Judged, memory: PartMemory | None) -> _Case:
    case = _Case(GrownPart(UsualPart(0.001)))
    if memory is not None:
        case.part.usual.recall(memory.usual)
    return case
