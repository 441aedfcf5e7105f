"""Why models stop: refusals, answers that say nothing, answers that are cut off."""

from collections.abc import Iterator

import msgspec

from console.domain.analysis import DetectorState
from console.domain.answers import Answers, Finish
from console.domain.board import Board
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import Growing, whose
from console.engine.detectors.grown import Kept
from console.engine.detectors.naming import percent


class _Finished(Growing):
    """One reason to stop."""

    name = "finish"
    counted = "answers"
    reason: Finish
    verb: str

    def part(self, row: Answers) -> tuple[float, float]:
        """Answers that stopped for this reason, of those that say why."""
        finish = row.finish
        return finish.get(self.reason, 0), sum(finish.values()) - finish.get(Finish.ERROR, 0)

    def words(self, fault: Fault) -> str:
        """What is wrong."""
        return f"{percent(fault.part)} of answers of {whose(fault)} {self.verb}"


class _Refused(_Finished):
    rule = "finish/content_filter"
    summary = "answers that a safety filter or the model refuses"
    reason = Finish.REFUSAL
    verb = "are refused (a refusal is no error and is never helped by sending it again)"


class _Empty(_Finished):
    rule = "finish/empty_stop"
    summary = "answers that stop as if done and say nothing, or call no tool"
    reason = Finish.EMPTY
    verb = "stop as if done, with nothing said and no tool called"


class _CutOff(_Finished):
    rule = "finish/length"
    summary = "answers that are cut off at their longest length"
    reason = Finish.LENGTH
    verb = "are cut off at their longest length"
    more = 0.03


class FinishReasons:
    """Tells when models stop more often than usual for one of the reasons that users notice."""

    name = "finish"
    rules = (_Refused.rule, _Empty.rule, _CutOff.rule)
    """Those of its alerts."""
    patience = Patience(resolve_after_s=120.0)

    def __init__(self) -> None:
        self._reasons: tuple[_Finished, ...] = (_Refused(), _Empty(), _CutOff())

    def feed(self, change: Change) -> None:
        """It judges answers, which are on no board."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        for reason in self._reasons:
            reason.hear(source, rows, board)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a reason and fault; its value is the part that stops for it now."""
        for reason in self._reasons:
            yield from reason.tick(now, board)

    def remember(self) -> bytes:
        """What is usual of each reason, as JSON."""
        return msgspec.json.encode({reason.rule: reason.grown.remember() for reason in self._reasons})

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was usual; what cannot be read is learnt anew."""
        try:
            kept = msgspec.json.decode(state, type=dict[str, list[Kept]])
        except msgspec.MsgspecError:
            return
        for reason in self._reasons:
            reason.grown.recall(kept.get(reason.rule, []))

    def state(self, now: float) -> DetectorState:
        """How many kinds of calls it judges, and of which it has seen too little."""
        watching, learning, unknown = self._reasons[0].grown.state("answers")
        return DetectorState(
            name=self.name,
            summary="more answers than usual that are refused, empty, or cut off",
            watching=watching,
            learning=learning,
            unknown=unknown,
        )
