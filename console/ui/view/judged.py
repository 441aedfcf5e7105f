"""Judgements that are kept from one change to the next, so that 1,000 quiet objects cost a look and no more."""

from collections import Counter
from collections.abc import Iterator

from console.domain.actions import Override
from console.domain.alerts import Alert, Aspect
from console.domain.board import Board
from console.domain.health import (
    OK,
    Columns,
    Disagreement,
    Finding,
    Health,
    Level,
    answers_seen,
    columns,
    disagreement,
    findings_in_steps,
    judge,
)
from console.domain.health.judging import alerted
from console.domain.readings import AnyReading, Deployment, Provider, Route, Source
from console.domain.refs import Kind, Ref

AT_ONCE = 75
"""Objects that are judged without a break: about a millisecond."""
ALL_WELL = Columns(OK, OK, OK)
COMPARED_AT_ONCE = 1000
"""Objects of which it is found out without a break whether they changed: about a millisecond."""


class Judgements:
    """What is to be thought of every object on the board.

    Readings are frozen: an object whose reading is the same one as before, and that no changed alert, override or
    freshness of its source touches, keeps its judgement. Routes depend on the breakers of their deployments and are
    judged again when one of these has moved; routes and providers, too, when any alert is another one, for their
    answers are those of their deployments.
    """

    def __init__(self) -> None:
        self.health: dict[Ref, Health] = {}
        self.findings: list[Finding] = []
        """Everything that is not OK, the worst first."""
        self.columns: dict[Ref, Columns] = {}
        """Transport, answers and cost of every object, and of those that are not there and have an alert."""
        self.disagreement: Disagreement | None = None
        """Where transport and answers do not say the same."""
        self._basis = OK
        self._readings: dict[Ref, AnyReading] = {}
        self._alerts: dict[str, Alert] = {}
        self._overrides: dict[str, Override] = {}

    def refresh(self, board: Board) -> None:
        """Take in what has changed on the board."""
        for _ in self.steps(board):
            pass

    def steps(self, board: Board) -> Iterator[None]:
        """The same with a break after every `AT_ONCE` objects; until its end the former judgements stand.

        The board must be the same all the while: give it a copy of one that others write to.
        """
        gone = self._readings.keys() - board.readings.keys()
        doubtful: set[Ref] = set()
        yield from self._doubt(board, gone, doubtful)
        basis = answers_seen(board)
        if basis != self._basis:
            doubtful.update(board.readings)
        if doubtful or gone or board.alerts != self._alerts:
            yield from self._judge(board, doubtful, basis)
        self._readings = dict(board.readings)
        self._alerts, self._overrides = dict(board.alerts), dict(board.overrides)

    def _judge(self, board: Board, doubtful: set[Ref], basis: Health) -> Iterator[None]:
        """Judge some objects anew and keep the rest; what is said of them together follows."""
        here, firing = board.readings, board.firing()
        health = {ref: known for ref, known in self.health.items() if ref in here}
        yield
        apart = {ref: known for ref, known in self.columns.items() if ref in here}
        for place, ref in enumerate(doubtful):
            if not place % AT_ONCE:
                yield
            health[ref] = judge(board, here[ref], firing)
            apart[ref] = columns(board, here[ref], firing, basis)
        for ref, alerts in firing.items():
            if ref not in here:
                apart[ref] = Columns(*(alerted(board, alerts, aspect) for aspect in Aspect))
        yield
        found = yield from findings_in_steps(board, health)
        yield
        self.disagreement = disagreement(board, apart)
        self.health, self.columns, self.findings, self._basis = health, apart, found, basis

    def _doubt(self, board: Board, gone: set[Ref], found: set[Ref]) -> Iterator[None]:
        """Put into `found` the objects on the board of which something else may have to be thought than before."""
        before = self._readings
        touched = list(self._touched(board))
        found.update(ref for ref in touched if ref in board.readings)
        if any(ref.kind is Kind.DEPLOYMENT for ref in touched):
            found.update(item.ref for kind in (Route, Provider) for item in board.of(kind))
        aged = {ref.source for ref in gone if ref.kind is Kind.SOURCE}
        moved = {ref.source for ref in gone if ref.kind is Kind.DEPLOYMENT}
        for place, (ref, reading) in enumerate(board.readings.items(), 1):
            if not place % COMPARED_AT_ONCE:
                yield
            if before.get(ref) is reading:
                continue
            found.add(ref)
            if ref.kind is Kind.SOURCE and self._aged(board, ref):
                aged.add(ref.source)
            elif ref.kind is Kind.DEPLOYMENT and ref.source not in moved and self._moved(board, ref):
                moved.add(ref.source)
        if aged or moved:
            yield
            found.update(ref for ref in board.readings if ref.source in aged)
            found.update(ref for ref in board.readings if ref.kind is Kind.ROUTE and ref.source in moved)

    def _touched(self, board: Board) -> Iterator[Ref]:
        """Objects whose alerts or overrides are others than before. A silenced alert ends with time: it counts."""
        for key, alert in board.alerts.items():
            if alert.silenced_until is not None or self._alerts.get(key) is not alert:
                yield alert.ref
        for key, override in board.overrides.items():
            before = self._overrides.get(key)
            if before is not override:
                yield override.target
                if before is not None:
                    yield before.target
        yield from (alert.ref for key, alert in self._alerts.items() if key not in board.alerts)
        yield from (item.target for key, item in self._overrides.items() if key not in board.overrides)

    def _aged(self, board: Board, ref: Ref) -> bool:
        """Whether a source is new or its objects are fresher or staler than before."""
        before, now = self._readings.get(ref), board.readings[ref]
        return not (isinstance(before, Source) and isinstance(now, Source) and before.freshness is now.freshness)

    def _moved(self, board: Board, ref: Ref) -> bool:
        """Whether a deployment is new or has another circuit than before."""
        before, now = self._readings.get(ref), board.readings[ref]
        return not (isinstance(before, Deployment) and isinstance(now, Deployment) and before.circuit == now.circuit)

    def of(self, ref: Ref) -> Health:
        """The judgement of one object; OK when it is not on the board."""
        return self.health.get(ref, OK)

    def apart(self, ref: Ref) -> Columns:
        """Transport, answers and cost of one object; OK when it is not on the board."""
        return self.columns.get(ref, ALL_WELL)

    def counts(self) -> Counter[Level]:
        """How many findings there are of each level."""
        return Counter(item.health.level for item in self.findings)
