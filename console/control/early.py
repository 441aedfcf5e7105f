"""An action that ends before its lasting step is done: what it has set going is taken away, and what it moved counted.

Nothing is rolled back. What was moved stays where it is, and its override, with the way back, stays with it.
"""

from typing import NamedTuple

import msgspec

from console.control.alarm import within
from console.control.ledger import Ledger
from console.control.moved import in_the_end
from console.control.plans import changed
from console.control.prove import Shown, look, weigh
from console.control.rows import Held, StepRow
from console.control.run import Run, Teller
from console.control.steps import Steps
from console.domain.actions import OnExpiry, Outcome, OverrideState, Plan, Progress, Proof, Stage
from console.domain.errors import BackendError, Failure
from console.domain.ports import Actuator, Clock, Mover
from console.domain.text import clean

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
COUNTS = 5
"""How often counting what was moved is tried; after that the last known count is said to be no more than that."""
LONGEST_COUNT_S = 30.0


class Ending(NamedTuple):
    """How an action ends early: the last receipt's outcome and words, what was seen, and what stays behind."""

    outcome: Outcome
    words: str
    proofs: tuple[Proof, ...]
    held: tuple[Held, ...]


class Early:
    """Ends actions early."""

    def __init__(self, ledger: Ledger, clock: Clock, teller: Teller, steps: Steps) -> None:
        self._ledger = ledger
        self._clock = clock
        self._teller = teller
        self._steps = steps

    async def end(self, run: Run, index: int, failure: Failure | None) -> Ending:
        """Tidy up, count and look. `index` is the step that was not done; no failure says that it was stopped."""
        run.ending = True
        why = f"failed: {failure}" if failure else f"stopped by {run.stopped_by}"
        self._tell(run, Outcome.CONVERGING, f"{why}; taking away what it had set going", failure)
        if not await self._tidy(run, why):
            words = f"{why}, and a later action took over before everything was taken away"
            return Ending(Outcome.UNKNOWN, words, (), ())
        counted = await self._count(run, index)
        if counted and _complete(run, index) and weigh(run.plan, proofs := await look(*self._of(run))) is Shown.ALL:
            held = run.confirmed.verified if run.goes_back else (*run.confirmed.applied, *run.confirmed.verified)
            return Ending(Outcome.VERIFIED, f"{self._moved(run, counted)} all the same; {why}", proofs, held)
        outcome = Outcome.FAILED if failure else Outcome.STOPPED
        if run.goes_back:
            words = f"{self._moved(run, counted)}; {why}"
            return Ending(outcome, words, (), tuple(self._held_on(run, item, words) for item in run.confirmed.applied))
        proofs = await look(*self._of(run), undone=True)
        clear = counted and not _done(run) and weigh(run.plan, proofs) is Shown.ALL
        if clear:
            return Ending(outcome, f"nothing was moved; {why}", proofs, ())
        words = f"{self._moved(run, counted)}; {why}"
        held = self._left(run, words)
        if held:
            words += "; undo puts back what was moved" if run.confirmed.applied else "; the rest is held as before"
        return Ending(outcome, words, (), held)

    async def _tidy(self, run: Run, why: str) -> bool:
        """Do every step of the tidying up, however long it takes; False when a later action took over."""
        for number, step in enumerate(run.plan.tidy):
            row, pause = StepRow(index=number, words=step.words, tidy=True), FIRST_RETRY_S
            while (failure := await self._steps.call(run, step, row)) is not None:
                if run.overtaken:
                    return False
                said = f"{why}; {step.words} does not work yet, tried again in {pause:.0f} s"
                self._tell(run, Outcome.UNKNOWN, said, failure)
                run.told.set()
                await run.pause(self._clock, pause)
                pause = min(2 * pause, LONGEST_RETRY_S)
        return True

    async def _count(self, run: Run, index: int) -> bool:
        """Whether it could be counted how far the last lasting step has come."""
        lasting = [step for step in run.plan.steps[: index + 1] if step.lasting] or [
            step for step in run.plan.steps if step.lasting
        ]
        mover = run.adapter
        if not lasting or not isinstance(mover, Mover):
            return not lasting
        for _ in range(COUNTS):
            try:
                run.progress = await within(self._clock, LONGEST_COUNT_S, mover.count(lasting[-1]))
            except (BackendError, TimeoutError):
                await run.pause(self._clock, FIRST_RETRY_S)
            except Exception:  # noqa: BLE001  an adapter's fault: the last known count is all that there is
                return False
            else:
                return True
        return False

    def _of(self, run: Run) -> tuple[Actuator, Plan, Clock]:
        return run.adapter, run.plan, self._clock

    def _moved(self, run: Run, counted: bool) -> str:
        words = in_the_end(run.plan.verb, run.progress or Progress(done=0))
        return words if counted else f"{words} when it was last counted"

    def _left(self, run: Run, words: str) -> tuple[Held, ...]:
        """The override that holds what was moved; those that it was to end go on holding what it did not reach."""
        made = tuple(
            _partial(item, words) if item.override.id == run.id else item for item in run.confirmed.applied
        )  # fmt: skip
        kept = (self._ledger.held.get(item.override.id) for item in run.confirmed.verified)
        return (*made, *(_partial(item, words) for item in kept if item is not None))

    def _held_on(self, run: Run, held: Held, words: str) -> Held:
        """An override that somebody did not want to be put back any further; what was done of that is not done again.

        One whose time is over would be put back at once: it is held until somebody ends it.
        """
        over = held.override.expires_at is not None and held.override.expires_at <= self._clock.now()
        end = {"expires_at": None, "on_expiry": OnExpiry.HOLD} if over else {}
        again = changed(_partial(held, words), state=OverrideState.ACTIVE, **end)
        return msgspec.structs.replace(again, done=held.done + run.done)

    def _tell(self, run: Run, outcome: Outcome, words: str, failure: Failure | None) -> None:
        self._teller.tell(run, Stage.EXECUTING, outcome, words, failure)


def _done(run: Run) -> int:
    return run.progress.done if run.progress else 0


def _complete(run: Run, index: int) -> bool:
    """Whether everything was moved by the time that it could be ended, and step `index` is all that was left to do."""
    if index + 1 < len(run.plan.steps):
        return False
    return run.progress is not None and run.progress.total is not None and run.progress.done >= run.progress.total


def _partial(held: Held, words: str) -> Held:
    return msgspec.structs.replace(changed(held, words=clean(words, 300)), partial=True)
