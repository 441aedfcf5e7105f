"""What detectors share that tell of a part of the answers that has grown: one file each says what is counted."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers
from console.domain.board import Board
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.adding import PartMeasure
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.groups import Fault
from console.engine.detectors.grown import Grown, Kept
from console.engine.detectors.naming import called, clock_time, percent


class Growing(ABC):
    """One rule: a ticket for each fault, on what its calls share."""

    name: str
    rule: str
    """What alerts are called; `name` or `name/…`."""
    summary: str
    counted: str
    """What is counted, in words: `structured answers`."""
    more: float = 0.01
    """Growth by less than this part is not worth telling."""
    patience = Patience(resolve_after_s=120.0)

    def __init__(self) -> None:
        self.grown = Grown(self.part, PartMeasure(self.more))

    @abstractmethod
    def part(self, row: Answers) -> tuple[float, float]:
        """From a row to (ill answers, all answers of which that can be said)."""

    @abstractmethod
    def words(self, fault: Fault) -> str:
        """What is wrong: `8.1 % of structured answers of azure/gpt-5 cannot be parsed`."""

    def feed(self, change: Change) -> None:  # noqa: B027 - changes say nothing of answers
        """It judges answers, which are on no board."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        self.grown.hear(source, rows, board)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a fault; its value is the part that is ill now."""
        for fault in self.grown.faults():
            yield self.condition(fault)

    def condition(self, fault: Fault) -> Condition:
        """What is told of one fault."""
        return Condition(
            self.rule,
            fault.ref,
            Severity.TICKET,
            f"{self.words(fault)}, usually {percent(fault.usual)}; {history(fault)}",
            fault.part,
            aspect=Aspect.ANSWERS,
            examples=fault.examples,
            about=fault.about,
        )

    def remember(self) -> bytes:
        """What is usual, as JSON."""
        return msgspec.json.encode(self.grown.remember())

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was usual; what cannot be read is learnt anew."""
        try:
            self.grown.recall(msgspec.json.decode(state, type=list[Kept]))
        except msgspec.MsgspecError:
            return

    def state(self, now: float) -> DetectorState:
        """How many kinds of calls it judges, and of which it has seen too little."""
        watching, learning, unknown = self.grown.state(self.counted)
        return DetectorState(
            name=self.rule, summary=self.summary, watching=watching, learning=learning, unknown=unknown
        )


def history(fault: Fault, *, as_part: bool = True) -> str:
    """When it began, with what, and how it is beside it (where that is a part of the answers)."""
    began = f"began at {clock_time(fault.since)}"
    if fault.new_build:
        began += f" with the build {clean(fault.new_build, 60)}, which was not seen before"
    if fault.elsewhere is None or not as_part:
        return began
    return f"{began}; other calls of the same services: {percent(fault.elsewhere)}"


def whose(fault: Fault) -> str:
    """The calls that are ill, in a few words."""
    return called(fault.about)
