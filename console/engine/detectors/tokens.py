"""A tokeniser that makes more of the same text: the same traffic at the same price costs more, and windows fill."""

from collections.abc import Iterator

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers
from console.domain.board import Board
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import history, whose
from console.engine.detectors.grown import Grown, Kept
from console.engine.detectors.levels import LevelMeasure

STEP = 0.05
"""More tokens a character by less than this part is not worth telling."""
LEAST = 30.0


class TokensPerCharacter:
    """A ticket when a deployment counts more tokens for each character of the same prompts than it did."""

    name = "tokens"
    patience = Patience(resolve_after_s=120.0)

    def __init__(self) -> None:
        self._grown = Grown(_tokens, LevelMeasure(STEP, LEAST), versions=True)

    def feed(self, change: Change) -> None:
        """It judges answers, which are on no board."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        self._grown.hear(source, rows, board)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a fault; its value is tokens a character ÷ the usual ones."""
        for fault in self._grown.faults():
            yield Condition(
                self.name,
                fault.ref,
                Severity.TICKET,
                _words(fault),
                fault.part / fault.usual if fault.usual else None,
                aspect=Aspect.COST,
                examples=fault.examples,
                about=fault.about,
            )

    def remember(self) -> bytes:
        """What is usual, as JSON."""
        return msgspec.json.encode(self._grown.remember())

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was usual; what cannot be read is learnt anew."""
        try:
            self._grown.recall(msgspec.json.decode(state, type=list[Kept]))
        except msgspec.MsgspecError:
            return

    def state(self, now: float) -> DetectorState:
        """How many prompts at how many deployments it judges, and of which it has seen too little."""
        watching, learning, unknown = self._grown.state("calls with text")
        return DetectorState(
            name=self.name,
            summary="more tokens than usual for each character of the same prompt",
            watching=watching,
            learning=learning,
            unknown=unknown,
        )


def _tokens(row: Answers) -> tuple[float, float]:
    """(tokens a character × calls, calls)."""
    calls = row.calls - row.failed
    if row.chars_in <= 0 or calls <= 0 or row.tokens_of_chars <= 0:
        return 0.0, 0.0
    return calls * row.tokens_of_chars / row.chars_in, float(calls)


def _words(fault: Fault) -> str:
    more = fault.part / fault.usual - 1.0 if fault.usual else 0.0
    return (
        f"{whose(fault)} counts {fault.part:.3f} tokens a character, usually {fault.usual:.3f} ({more:+.0%}): the "
        f"same text costs as much more; {history(fault, as_part=False)}"
    )
