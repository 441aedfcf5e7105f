"""Does one step of a plan: on record before it is called, and looked up when its answer is lost."""

from enum import Enum, auto
from typing import NamedTuple

import msgspec

from console.control.audit import AuditError, Entry
from console.control.ledger import Ledger
from console.control.prove import Shown, look, weigh
from console.control.rows import RowKind, StepRow
from console.control.run import Run, Teller
from console.domain.actions import Expectation, Outcome, Plan, Stage, Step
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import Clock
from console.domain.text import clean

FIRST_LOOK_S = 0.1
LONGEST_PAUSE_S = 5.0
LOST_LOOK_S = 5.0
"""How long a lost call is looked for before a repeatable one is repeated."""
UNKNOWN_PAUSE_S = 60.0
"""The longest pause between two looks for an action that nobody can tell about."""


class Did(Enum):
    """What became of a step."""

    DONE = auto()
    NOT_DONE = auto()
    UNDECIDED = auto()
    """Nothing can tell, or nobody wants to know any more."""


class StepResult(NamedTuple):
    """What became of a step, and why."""

    did: Did
    failure: Failure | None = None


DONE = StepResult(Did.DONE)


class Steps:
    """Calls the backend. Everything that has a side effect goes through `call`, but for what a `Carrier` carries."""

    def __init__(self, ledger: Ledger, clock: Clock, teller: Teller) -> None:
        self._ledger = ledger
        self._clock = clock
        self._teller = teller

    async def do(self, run: Run, index: int, *, back: bool = False) -> StepResult:
        """Do step `index` of the plan (or of its way back).

        On a way back, a step that is not repeatable and whose effect already shows everywhere is not done again.
        """
        step = _steps(run, back)[index]
        if (back or run.goes_back) and not step.repeatable and step.expects:
            alone = _alone(run.plan, step.expects)
            if weigh(alone, await look(run.adapter, alone, self._clock)) is Shown.ALL:
                return await self._found(run, index, step, back)
        failure = await self.call(run, step, StepRow(index=index, words=step.words, back=back))
        if failure is None:
            return DONE
        if failure.kind is ErrorKind.UNKNOWN_OUTCOME:
            return await self.lost(run, index, failure, back=back)
        return StepResult(Did.NOT_DONE, failure)

    async def lost(self, run: Run, index: int, failure: Failure, *, back: bool = False) -> StepResult:
        """Find out what became of a step whose answer never came.

        Look first. Then a repeatable step is done again, once. Then look for as long as it takes.
        """
        said = f"the answer was lost, looking it up: {failure}"
        self._teller.tell(run, Stage.EXECUTING, Outcome.UNKNOWN, said, failure)
        run.answered.set()
        step = _steps(run, back)[index]
        telling = _telling(run, index, back)
        if telling and await self._look_for(run, telling, min(LOST_LOOK_S, telling.converge_s)) in _SEEN:
            return await self._found(run, index, step, back)
        if step.repeatable and (run.may_begin or back):
            again = await self.call(run, step, StepRow(index=index, words=step.words, back=back))
            if again is None:
                return DONE
            failure = again if again.kind is ErrorKind.UNKNOWN_OUTCOME else failure
        if telling is None:
            return StepResult(Did.UNDECIDED, failure)
        result = await self._until_known(run, telling, failure)
        return await self._found(run, index, step, back) if result.did is Did.DONE else result

    async def _found(self, run: Run, index: int, step: Step, back: bool) -> StepResult:
        """A look has shown that a step is done: that is worth a row too."""
        row = StepRow(index=index, words=step.words, back=back)
        await self._ledger.write_after([Entry(RowKind.STEP_DONE, run.id, run.operator, row)])
        return DONE

    async def call(self, run: Run, step: Step, row: StepRow) -> Failure | None:
        """Write down, call, write down. Nothing is called that is not on record."""
        try:
            await self._ledger.write(run.id, run.operator, RowKind.STEP_BEGUN, row)
        except AuditError as error:
            return Failure(kind=ErrorKind.FAILED, message=clean(f"not called: {error}", 300))
        failure: Failure | None = None
        try:
            await run.adapter.execute(step)
        except BackendError as error:
            failure = error.failure
        except Exception as error:  # noqa: BLE001  nobody knows how far an adapter's fault let the call go
            message = clean(f"{type(error).__name__}: {error}")
            failure = Failure(kind=ErrorKind.UNKNOWN_OUTCOME, message=message, where=clean(step.words))
        kind = RowKind.STEP_FAILED if failure else RowKind.STEP_DONE
        ended = msgspec.structs.replace(row, failure=failure)
        await self._ledger.write_after([Entry(kind, run.id, run.operator, ended)])
        return failure

    async def _until_known(self, run: Run, telling: Plan, failure: Failure) -> StepResult:
        """Look, however long it takes, until the replicas show the effect or all of them show that it is not there."""
        pause, patience = 1.0, telling.converge_s
        while True:
            shown = await self._look_for(run, telling, patience)
            if shown in _SEEN:
                return DONE
            if run.unwanted:
                return StepResult(Did.UNDECIDED, failure)
            if shown is Shown.NONE:
                gone = f"{failure.message}; no replica shows its effect"
                return StepResult(Did.NOT_DONE, msgspec.structs.replace(failure, message=gone))
            said = "nobody can tell yet; it goes on being looked up"
            self._teller.tell(run, Stage.EXECUTING, Outcome.UNKNOWN, said, failure)
            run.told.set()
            patience = 0.0
            await run.pause(self._clock, pause)
            pause = min(2 * pause, UNKNOWN_PAUSE_S)

    async def _look_for(self, run: Run, telling: Plan, seconds: float) -> Shown:
        """Look until the effect shows on any replica, for `seconds` at the most."""
        end, pause = self._clock.monotonic() + seconds, FIRST_LOOK_S
        while True:
            shown = weigh(telling, await look(run.adapter, telling, self._clock))
            left = end - self._clock.monotonic()
            if shown in _SEEN or left <= 0 or run.unwanted:
                return shown
            await run.pause(self._clock, min(pause, left))
            pause = min(1.6 * pause, LONGEST_PAUSE_S)


_SEEN = (Shown.ALL, Shown.SOME)


def _steps(run: Run, back: bool) -> tuple[Step, ...]:
    return run.plan.undo if back else run.plan.steps


def _telling(run: Run, index: int, back: bool) -> Plan | None:
    """A plan that shows exactly when step `index` was done; None when nothing shows it."""
    steps = _steps(run, back)
    if steps[index].expects:
        return _alone(run.plan, steps[index].expects)
    whole = run.plan.undo_expects if back else run.plan.expects
    return _alone(run.plan, whole) if index == len(steps) - 1 and whole else None


def _alone(plan: Plan, expects: tuple[Expectation, ...]) -> Plan:
    return msgspec.structs.replace(plan, expects=expects)
