"""Carries out one confirmed action: step by step, then seen on every replica, then the last receipt.

A failed later step is followed by the way back of what went before. The same code goes on with an action whose
engine was killed.
"""

from collections.abc import Callable

import msgspec

from console.control.audit import Entry
from console.control.carry import Carrier
from console.control.early import Early
from console.control.ledger import Ledger
from console.control.plans import stuck
from console.control.prove import Shown, counted, look, weigh
from console.control.rows import Held, ProofRow, RowKind
from console.control.run import Run, Teller
from console.control.steps import FIRST_LOOK_S, LONGEST_PAUSE_S, Did, StepResult, Steps
from console.domain.actions import Outcome, Proof, Stage
from console.domain.errors import ErrorKind, Failure
from console.domain.ports import Clock
from console.domain.wire import LogKind

_KILLED = Failure(kind=ErrorKind.UNKNOWN_OUTCOME, message="the engine ended in the middle")


class Executor:
    """Does plans. It decides nothing: what comes here was guarded, confirmed and written down."""

    def __init__(self, ledger: Ledger, clock: Clock, poll_soon: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._poll_soon = poll_soon
        self._teller = Teller(ledger, clock)
        self._steps = Steps(ledger, clock, self._teller)
        self._carrier = Carrier(ledger, clock, self._teller)
        self._early = Early(ledger, clock, self._teller, self._steps)
        self.tell = self._teller.tell
        """Publishes where a run stands."""

    async def perform(self, run: Run, first: int = 0) -> None:
        """Do the steps from number `first` on, then look until every replica shows the effect."""
        self.tell(run, Stage.EXECUTING, Outcome.PENDING, run.plan.words)
        for index in range(first, len(run.plan.steps)):
            if run.early.is_set():
                return await self.end_early(run, index)
            lasting = run.plan.steps[index].lasting
            result = await (self._carrier.carry(run, index) if lasting else self._steps.do(run, index))
            if not await self._goes_on(run, index, result):
                return None
        await self.applied(run)

    async def take_up(self, run: Run, index: int, failure: Failure | None) -> None:
        """Go on with a run whose step `index` was begun, and of which nothing more is known."""
        if run.plan.steps[index].lasting:
            await self.perform(run, index)
        elif await self._goes_on(run, index, await self._steps.lost(run, index, failure or _KILLED)):
            await self.perform(run, index + 1)

    async def _goes_on(self, run: Run, index: int, result: StepResult) -> bool:
        """Whether the next step may follow; otherwise the run is brought to its end."""
        if result.did is Did.DONE:
            run.done = index + 1
            return True
        failure = result.failure or _KILLED
        if result.did is Did.NOT_DONE:
            await self.give_up(run, index, failure)
        elif run.early.is_set():
            await self.end_early(run, index)
        elif run.overtaken:
            await self.finish(run, Outcome.UNKNOWN, "nobody could tell, and a later action took over", failure)
        else:
            await self.give_up(run, index + 1, failure, by_hand=True)
        return False

    async def applied(self, run: Run, *, shown: bool = False) -> None:
        """Go on after the last step: write down what it leaves behind, and look."""
        held = run.confirmed.applied
        words = "seen by a look" if shown else "the backend took it; looking at every replica"
        receipt = self._teller.receipt(run, Stage.VERIFYING, Outcome.APPLIED, words)
        await self._ledger.write_after([
            *self._ledger.rows(held, run.operator), Entry(RowKind.RECEIPT, run.id, run.operator, receipt)
        ])  # fmt: skip
        self._ledger.take(held)
        self._teller.show(run, receipt)
        run.answered.set()
        self._poll_soon(run.plan.target.source)
        await self._verify(run)

    async def _verify(self, run: Run) -> None:
        """Look until every replica shows the effect, for as long as the plan gives them."""
        began, pause = self._clock.monotonic(), FIRST_LOOK_S
        while True:
            proofs = await look(run.adapter, run.plan, self._clock)
            shown, taken = weigh(run.plan, proofs), self._clock.monotonic() - began
            words = counted(run.plan, proofs)
            if shown is Shown.ALL:
                return await self.finish(run, Outcome.VERIFIED, f"{words} in {taken:.1f} s", proofs=proofs)
            if run.overtaken:
                return await self.finish(run, Outcome.UNVERIFIED, f"{words}; a later action took over", proofs=proofs)
            left = run.plan.converge_s - taken
            if left <= 0:
                words = f"{words} after {taken:.0f} s"
                return await self.finish(run, Outcome.UNVERIFIED, words, proofs=proofs)
            if shown is Shown.SOME:
                self.tell(run, Stage.VERIFYING, Outcome.CONVERGING, words, proofs=proofs)
            await run.pause(self._clock, min(pause, left))
            pause = min(1.6 * pause, LONGEST_PAUSE_S)

    async def give_up(self, run: Run, index: int, failure: Failure, *, by_hand: bool = False) -> None:
        """End a run whose step `index` was refused or never took effect; what went before it is put back.

        `by_hand`: nobody can tell whether the step before `index` was done, so that a way back is not tried again
        by the engine itself. What a lasting step has moved is not rolled back: it ends early.
        """
        if run.under_way or (index and run.plan.tidy):
            return await self.end_early(run, index, failure, by_hand=by_hand)
        if run.goes_back:
            words = f"could not be put back: {failure}"
            outcome = Outcome.UNKNOWN if by_hand else Outcome.FAILED
            return await self.finish(run, outcome, words, failure, (), _not_back(run, words, by_hand=by_hand))
        if index == 0:
            return await self.finish(run, Outcome.FAILED, f"nothing was changed: {failure}", failure)
        if not run.plan.undo:
            words = f"partly done, and there is no way back: {failure}"
            return await self.finish(run, Outcome.UNKNOWN, words, failure)
        await self.roll_back(run, failure)

    async def end_early(self, run: Run, index: int, failure: Failure | None = None, *, by_hand: bool = False) -> None:
        """Tidy up after a run that ends at step `index`, and say what was moved; without a failure it was stopped."""
        run.answered.set()
        ending = await self._early.end(run, index, failure)
        held = ending.held
        if run.goes_back and failure is not None and ending.outcome is not Outcome.VERIFIED:
            held = _not_back(run, ending.words, by_hand=by_hand)
        why = None if ending.outcome is Outcome.VERIFIED else failure
        await self.finish(run, ending.outcome, ending.words, why, ending.proofs, held)

    async def roll_back(self, run: Run, failure: Failure, first: int = 0) -> None:
        """Put back what the steps before a failed one had changed, from step `first` of the way back on."""
        self.tell(run, Stage.EXECUTING, Outcome.PENDING, f"a step failed, putting back: {failure}", failure)
        for index in range(first, len(run.plan.undo)):
            result = await self._steps.do(run, index, back=True)
            if result.did is not Did.DONE:
                return await self._not_put_back(run, index, failure, by_hand=result.did is Did.UNDECIDED)
        await self._see_put_back(run, failure)

    async def take_up_back(self, run: Run, failure: Failure, done: int, begun: int | None) -> None:
        """Go on with a way back that was begun: look, and do only what is left of it."""
        if begun is not None:
            result = await self._steps.lost(run, begun, failure, back=True)
            if result.did is not Did.DONE:
                return await self._not_put_back(run, begun, failure, by_hand=result.did is Did.UNDECIDED)
            done = begun + 1
        await self.roll_back(run, failure, done)

    async def _see_put_back(self, run: Run, failure: Failure) -> None:
        run.answered.set()
        proofs = await self._undone(run)
        if weigh(run.plan, proofs) is not Shown.ALL:
            return await self._not_put_back(run, len(run.plan.undo), failure, proofs)
        words = f"what had been changed is put back, {counted(run.plan, proofs)}: {failure}"
        await self.finish(run, Outcome.FAILED, words, failure, proofs)

    async def _not_put_back(
        self, run: Run, done: int, failure: Failure, proofs: tuple[Proof, ...] = (), *, by_hand: bool = False
    ) -> None:
        """Hand what resists on as a stuck override, with what is left of its way back."""
        words = f"partly done and not yet put back: {failure}"
        own = (item for item in run.confirmed.applied if item.override.id == run.id)
        held = tuple(stuck(item, run.plan, done, words, by_hand=by_hand) for item in own)
        await self.finish(run, Outcome.UNKNOWN, words, failure, proofs, held)

    async def _undone(self, run: Run) -> tuple[Proof, ...]:
        """Look until every replica shows the state from before, for as long as the plan gives them."""
        end, pause = self._clock.monotonic() + run.plan.converge_s, FIRST_LOOK_S
        while True:
            proofs = await look(run.adapter, run.plan, self._clock, undone=True)
            left = end - self._clock.monotonic()
            if weigh(run.plan, proofs) is Shown.ALL or left <= 0 or run.overtaken:
                return proofs
            await run.pause(self._clock, min(pause, left))
            pause = min(1.6 * pause, LONGEST_PAUSE_S)

    async def finish(
        self,
        run: Run,
        outcome: Outcome,
        words: str,
        failure: Failure | None = None,
        proofs: tuple[Proof, ...] = (),
        held: tuple[Held, ...] = (),
    ) -> None:
        """The last receipt, with what becomes of the overrides, in one piece on disk and then on the board."""
        held = held or _left_behind(run, outcome, words)
        receipt = self._teller.receipt(run, Stage.DONE, outcome, words, failure, proofs)
        if run.id not in self._ledger.held and all(item.override.id != run.id for item in held):
            receipt = msgspec.structs.replace(receipt, override_id="")
        proof = [Entry(RowKind.PROOF, run.id, run.operator, ProofRow(proofs=proofs))] if proofs else []
        await self._ledger.write_after([
            *proof, *self._ledger.rows(held, run.operator), Entry(RowKind.DONE, run.id, run.operator, receipt)
        ])  # fmt: skip
        run.ended.set()
        self._teller.show(run, receipt)
        self._ledger.take(held)
        target, verb = run.plan.target, run.plan.verb
        self._ledger.say(
            LogKind.ACTION, f"{verb} {target.name}: {words}", ref=target, operator=run.operator, outcome=outcome
        )
        run.answered.set()
        run.told.set()
        self._poll_soon(target.source)


def _left_behind(run: Run, outcome: Outcome, words: str) -> tuple[Held, ...]:
    """What becomes of the overrides that a run concerns, once it is over."""
    if outcome is Outcome.VERIFIED:
        return run.confirmed.verified
    if not run.goes_back:
        return ()
    return _not_back(run, f"could not be put back: {words}")


def _not_back(run: Run, words: str, *, by_hand: bool = False) -> tuple[Held, ...]:
    """The overrides that a run was to put back, stuck, with as much of the way back as is still to go."""
    found = run.confirmed.applied
    return tuple(stuck(item, item.override.plan, item.done + run.done, words, by_hand=by_hand) for item in found)
