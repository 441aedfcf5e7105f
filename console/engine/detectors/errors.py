"""Failures against an object's own usual, for objects that no objective watches. Rate limits are not failures here."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from console.config import Objective
from console.domain.alerts import Severity
from console.domain.analysis import DetectorState
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.readings import Deployment, Provider, Route, Service
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.grown_part import GrownPart, PartMemory
from console.engine.detectors.rounds import Rounds
from console.engine.detectors.siblings import without_what_one_explains
from console.engine.detectors.stats.proportions import UsualPart

BELIEVED = 0.005
"""The part that is taken to fail before anything was seen."""
MANY = 0.2
"""From this part on someone is woken."""
LIMITED = frozenset({"429", "rate_limit"})
"""Names of failures that say `too many requests`."""

Judged = Deployment | Provider | Route | Service


class FailingMore:
    """Watches deployments, routes and services, and a provider when most of its deployments fail."""

    name = "errors"
    patience = Patience(fire_after_s=30.0, resolve_after_s=60.0)

    def __init__(self, objectives: Iterable[Objective] = ()) -> None:
        """`objectives`: what they watch is left to them."""
        self._matches = tuple(objective.match for objective in objectives)
        kinds = (Deployment, Provider, Route, Service)
        self._rounds: Rounds[Judged, GrownPart] = Rounds(kinds, _begin, PartMemory)
        self._named: dict[str, bool] = {}

    def feed(self, change: Change) -> None:
        """Notice what has come and gone."""
        self._rounds.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition for each object that fails more than it usually does."""
        return without_what_one_explains(self._rounds.go(now, board, self._judge), board, self._is_ill)

    def _is_ill(self, ref: Ref) -> bool | None:
        case = self._rounds.cases.get(ref)
        return None if case is None else case.grown

    def _judge(self, reading: Judged, case: GrownPart, now: float, passed: float) -> Iterator[Condition]:
        traffic = reading.traffic
        if traffic is None or not passed or self._has_objective(reading):
            return
        limited = sum(failure.per_min for failure in reading.failures if failure.name in LIMITED)
        if reading.ref.kind is Kind.ROUTE:
            limited = 0.0  # its classes are those of the attempts behind it
        failed = min(traffic.requests_per_min, max(0.0, traffic.errors_per_min - limited))
        case.take(now, passed, failed * passed / 60.0, max(0.0, traffic.requests_per_min - limited) * passed / 60.0)
        if case.grown or case.still:
            severity = Severity.PAGE if case.part >= MANY and case.grown else Severity.TICKET
            yield Condition(self.name, reading.ref, severity, _words(reading, case), case.part, begins=case.grown)

    def _has_objective(self, reading: Judged) -> bool:
        if not self._matches:
            return False
        name = str(reading.ref)
        if name not in self._named:
            if len(self._named) > 10_000:
                self._named.clear()
            self._named[name] = any(fnmatchcase(name, match) for match in self._matches)
        return self._named[name]

    def remember(self) -> bytes:
        """See `Learner`."""
        return self._rounds.remember()

    def recall(self, state: bytes, now: float) -> None:
        """See `Learner`."""
        self._rounds.recall(state, now)

    def state(self, now: float) -> DetectorState:
        """How many it watches; those seen for less than an hour are held against what is usual elsewhere."""
        cases = self._rounds.cases.values()
        new = sum(case.usual.seen_s < 3600.0 for case in cases)
        unknown = f"{new} objects: less than an hour was seen; {BELIEVED:.1%} failures are taken to be usual"
        return DetectorState(
            name=self.name,
            summary="more failures than an object usually has",
            watching=len(cases) - new,
            learning=new,
            unknown=(unknown,) if new else (),
        )


def _begin(_: Judged, memory: PartMemory | None) -> GrownPart:
    case = GrownPart(UsualPart(BELIEVED))
    if memory is not None:
        case.usual.recall(memory.usual)
    return case


def _words(reading: Judged, case: GrownPart) -> str:
    name = clean(f"{reading.provider}/{reading.model}" if isinstance(reading, Deployment) else reading.ref.name, 80)
    worst = max(reading.failures, key=lambda one: one.per_min if one.name not in LIMITED else 0.0, default=None)
    mostly = f", mostly {clean(worst.name, 30)}" if worst is not None and worst.name not in LIMITED else ""
    return (
        f"{case.part:.1%} of {case.trials:,.0f} requests to {name} failed in {words_of(case.window_s)}"
        f"{mostly}; {case.usual.part:.1%} is usual"
    )
