"""Judgements that are kept from one change to the next, so that 1,000 quiet objects cost a look and no more."""

from collections import Counter
from collections.abc import Iterable

from console.domain.board import Board
from console.domain.health import OK, Finding, Health, Level, findings, judge
from console.domain.readings import AnyReading, Deployment, Route, Source
from console.domain.refs import Kind, Ref


class Judgements:
    """What is to be thought of every object on the board.

    Readings are frozen: an object whose reading is the same one as before, and that no alert, override or change
    of its source touches, keeps its judgement. Routes depend on the breakers of their deployments and are judged
    again when one of these has moved.
    """

    def __init__(self) -> None:
        self.health: dict[Ref, Health] = {}
        self.findings: list[Finding] = []
        """Everything that is not OK, the worst first."""
        self._seen: dict[Ref, AnyReading] = {}
        self._touched: set[Ref] = set()
        self._sources: dict[str, str] = {}

    def refresh(self, board: Board) -> None:
        """Take in what has changed on the board."""
        sources = {source.ref.name: str(source.freshness) for source in board.of(Source)}
        if sources != self._sources:
            self._seen = {}
            self._sources = sources
        touched = {alert.ref for alert in board.alerts.values()} | {item.target for item in board.overrides.values()}
        doubtful = touched | self._touched
        changed = {ref for ref, reading in board.readings.items() if self._seen.get(ref) is not reading}
        moved = len(board.readings) != len(self._seen) or self._breakers_moved(board, changed)
        firing = board.firing()
        health: dict[Ref, Health] = {}
        for ref, reading in board.readings.items():
            if ref in changed or ref in doubtful or (moved and isinstance(reading, Route)):
                health[ref] = judge(board, reading, firing)
            else:
                health[ref] = self.health[ref]
        self.health = health
        self._seen = dict(board.readings)
        self._touched = touched
        self.findings = findings(board, judged=health)

    def _breakers_moved(self, board: Board, refs: Iterable[Ref]) -> bool:
        """Whether a deployment among `refs` is new or has another circuit than before."""
        for ref in refs:
            if ref.kind is Kind.DEPLOYMENT:
                before, now = self._seen.get(ref), board.readings[ref]
                if not (isinstance(before, Deployment) and isinstance(now, Deployment)):
                    return True
                if before.circuit != now.circuit:
                    return True
        return False

    def of(self, ref: Ref) -> Health:
        """The judgement of one object; OK when it is not on the board."""
        return self.health.get(ref, OK)

    def counts(self) -> Counter[Level]:
        """How many findings there are of each level."""
        return Counter(item.health.level for item in self.findings)
