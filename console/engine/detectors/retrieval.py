"""Searches that find nothing, or documents that fit worse: the model is fine, what it is given is not."""

from collections.abc import Iterator

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.wire import Change
from console.engine.detectors.adding import PartMeasure
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import history, whose
from console.engine.detectors.grown import Grown, Kept
from console.engine.detectors.levels import LevelMeasure
from console.engine.detectors.naming import clock_time, percent

MORE = 0.03
"""More empty searches by less than this part are not worth telling."""
STEP = 0.1
"""A best score that is lower by less than this part is not worth telling."""
WHO = ("service", "tenant")
"""Whose searches they are; which model gets what is found has no part in it."""
LEAST = 100.0
"""Searches that are needed before a score can be called usual."""


class Retrieval:
    """A ticket when more searches than usual find nothing, or what they find fits worse."""

    name = "retrieval"
    patience = Patience(resolve_after_s=120.0)

    def __init__(self) -> None:
        self._empty = Grown(_empty, PartMeasure(MORE), dimensions=WHO)
        self._score = Grown(_score, LevelMeasure(STEP, LEAST, down=True), dimensions=WHO)

    def feed(self, change: Change) -> None:
        """It judges answers, which are on no board."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        self._empty.hear(source, rows, board)
        self._score.hear(source, rows, board)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition an object, whichever of the two shows it; its value is the part of empty searches."""
        told: dict[Ref, Condition] = {}
        for fault in self._empty.faults():
            told[fault.ref] = _condition(fault, fault.part, f"{_nothing(fault)}; {history(fault)}")
        for fault in self._score.faults():
            known = told.get(fault.ref)
            words = f"{known.words}; {_worse(fault)}" if known else f"{_worse(fault)}, since {clock_time(fault.since)}"
            told[fault.ref] = _condition(fault, known.value if known else None, words)
        yield from told.values()

    def remember(self) -> bytes:
        """What is usual, as JSON."""
        return msgspec.json.encode((self._empty.remember(), self._score.remember()))

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was usual; what cannot be read is learnt anew."""
        try:
            empty, score = msgspec.json.decode(state, type=tuple[list[Kept], list[Kept]])
        except msgspec.MsgspecError:
            return
        self._empty.recall(empty)
        self._score.recall(score)

    def state(self, now: float) -> DetectorState:
        """How many kinds of calls it judges, and of which it has seen too little."""
        watching, learning, unknown = self._empty.state("searches")
        return DetectorState(
            name=self.name,
            summary="searches that find nothing, or documents that fit worse than usual",
            watching=watching,
            learning=learning,
            unknown=unknown,
        )


def _empty(row: Answers) -> tuple[float, float]:
    return float(row.empty_retrievals), float(row.retrievals)


def _score(row: Answers) -> tuple[float, float]:
    found = row.retrievals - row.empty_retrievals
    if found <= 0 or row.top_score_p50 is None:
        return 0.0, 0.0
    return found * row.top_score_p50, float(found)


def _nothing(fault: Fault) -> str:
    return f"{percent(fault.part)} of searches for {whose(fault)} find nothing, usually {percent(fault.usual)}"


def _worse(fault: Fault) -> str:
    return f"the best document for {whose(fault)} scores {fault.part:.2f}, usually {fault.usual:.2f}"


def _condition(fault: Fault, value: float | None, words: str) -> Condition:
    return Condition(
        Retrieval.name,
        fault.ref,
        Severity.TICKET,
        words,
        value,
        aspect=Aspect.ANSWERS,
        examples=fault.examples,
        about=fault.about,
    )
