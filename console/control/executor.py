"""Carries out one confirmed action: step by step, each on record before it is called, then seen on every replica.

A lost answer is looked up. A failed later step is followed by the way back of what went before. The same code
goes on with an action whose engine was killed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from console.control.alarm import within
from console.control.audit import AuditError, Entry
from console.control.ledger import Ledger
from console.control.prove import Shown, counted, look, weigh
from console.control.rows import Confirmed, Held, ProofRow, RowKind, StepRow
from console.domain.actions import Outcome, OverrideState, Plan, Proof, Receipt, Restore, Stage, Step
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import Actuator, Clock
from console.domain.text import clean
from console.domain.wire import LogKind

FIRST_LOOK_S = 0.1
LONGEST_PAUSE_S = 5.0
LOST_LOOK_S = 5.0
"""How long a lost call is looked for before a repeatable one is repeated."""
UNKNOWN_PAUSE_S = 60.0
"""The longest pause between two looks for an action that nobody can tell about."""


@dataclass(slots=True, eq=False)
class Run:
    """One action that is being carried out."""

    id: str
    operator: str
    confirmed: Confirmed
    adapter: Actuator
    receipt: Receipt
    may_begin: bool = True
    """Whether steps that were not begun may be: False when an engine finds an old action of its predecessor."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the backend took the calls, refused, or its answer was lost."""
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the action is over, or when a whole look has ended without being able to tell."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends a pause between two looks."""
    stopped: bool = False
    """Whether a later action has made looking on pointless."""
    over: bool = False
    done: int = 0
    """How many steps the backend took."""

    def halt(self) -> None:
        """Let it end after the look that it is at: a later action has taken over."""
        self.stopped = True
        self.wake.set()

    async def woken(self) -> None:
        """Return when `wake` was set, and take that back."""
        await self.wake.wait()
        self.wake.clear()

    @property
    def plan(self) -> Plan:
        """What is being done."""
        return self.confirmed.plan

    @property
    def goes_back(self) -> bool:
        """Whether it ends an override: such an action is tried again, never rolled back."""
        return isinstance(self.confirmed.intent.action, Restore)


class Executor:
    """Does the steps of plans. It decides nothing: what comes here was guarded, confirmed and written down."""

    def __init__(self, ledger: Ledger, clock: Clock, poll_soon: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._poll_soon = poll_soon

    async def perform(self, run: Run, first: int = 0) -> None:
        """Do the steps from number `first` on, then look until every replica shows the effect."""
        self.tell(run, Stage.EXECUTING, Outcome.PENDING, run.plan.words)
        for index in range(first, len(run.plan.steps)):
            if not await self._step(run, index):
                return
            run.done = index + 1
        await self.applied(run)

    async def applied(self, run: Run, *, shown: bool = False) -> None:
        """Go on after the last step: write down what it leaves behind, and look."""
        held = run.confirmed.applied
        words = "seen by a look" if shown else "the backend took it; looking at every replica"
        receipt = self._receipt(run, Stage.VERIFYING, Outcome.APPLIED, words)
        await self._ledger.write_after([
            *self._ledger.rows(held, run.operator), Entry(RowKind.RECEIPT, run.id, run.operator, receipt)
        ])  # fmt: skip
        self._ledger.take(held)
        self._show(run, receipt)
        run.answered.set()
        self._poll_soon(run.plan.target.source)
        await self._verify(run)

    async def _step(self, run: Run, index: int) -> bool:
        """Do one step; whether the action goes on after it (otherwise it has been ended)."""
        failure = await self._call(run, index, run.plan.steps[index])
        if failure is None:
            return True
        if failure.kind is ErrorKind.UNKNOWN_OUTCOME:
            return await self.lost(run, index, failure)
        await self.give_up(run, index, failure)
        return False

    async def _call(self, run: Run, index: int, step: Step, *, back: bool = False) -> Failure | None:
        """Write down, call, write down. Nothing is called that is not on record."""
        row = StepRow(index=index, words=step.words, back=back)
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

    async def lost(self, run: Run, index: int, failure: Failure) -> bool:
        """Find out what became of a step whose answer never came; True when the action goes on after it.

        Only the last step can be looked up: what the replicas have to show is the whole plan. A repeatable step is
        then done again, once; a step in the middle that is not repeatable takes the way back.
        """
        self.tell(run, Stage.EXECUTING, Outcome.UNKNOWN, f"the answer was lost, looking it up: {failure}", failure)
        run.answered.set()
        last = index == len(run.plan.steps) - 1
        if last and await self._look_for(run, min(LOST_LOOK_S, run.plan.converge_s)) in (Shown.ALL, Shown.SOME):
            return True
        if run.plan.steps[index].repeatable and run.may_begin:
            again = await self._call(run, index, run.plan.steps[index])
            if again is None:
                return True
            failure = again if again.kind is ErrorKind.UNKNOWN_OUTCOME else failure
        if not last:
            await self.give_up(run, index + 1, failure)
            return False
        return await self._until_known(run, index, failure)

    async def _until_known(self, run: Run, index: int, failure: Failure) -> bool:
        """Look, however long it takes, until the replicas show the effect or all of them show that it is not there."""
        pause, patience = 1.0, run.plan.converge_s
        while True:
            shown = await self._look_for(run, patience)
            if shown in (Shown.ALL, Shown.SOME):
                return True
            if run.stopped:
                await self.finish(run, Outcome.UNKNOWN, "nobody could tell, and a later action took over", failure)
                return False
            if shown is Shown.NONE:
                gone = msgspec.structs.replace(failure, message=f"{failure.message}; no replica shows its effect")
                await self.give_up(run, index, gone)
                return False
            self.tell(run, Stage.EXECUTING, Outcome.UNKNOWN, "nobody can tell yet; it goes on being looked up", failure)
            run.told.set()
            patience = 0.0
            await self._pause(run, pause)
            pause = min(2 * pause, UNKNOWN_PAUSE_S)

    async def _look_for(self, run: Run, seconds: float) -> Shown:
        """Look until the effect shows on any replica, for `seconds` at the most."""
        end, pause = self._clock.monotonic() + seconds, FIRST_LOOK_S
        while True:
            shown = weigh(run.plan, await look(run.adapter, run.plan, self._clock))
            left = end - self._clock.monotonic()
            if shown in (Shown.ALL, Shown.SOME) or left <= 0 or run.stopped:
                return shown
            await self._pause(run, min(pause, left))
            pause = min(1.6 * pause, LONGEST_PAUSE_S)

    async def _verify(self, run: Run) -> None:
        """Look until every replica shows the effect, for as long as the plan gives them."""
        began, pause = self._clock.monotonic(), FIRST_LOOK_S
        while True:
            proofs = await look(run.adapter, run.plan, self._clock)
            shown, taken = weigh(run.plan, proofs), self._clock.monotonic() - began
            words = counted(run.plan, proofs)
            if shown is Shown.ALL:
                return await self.finish(run, Outcome.VERIFIED, f"{words} in {taken:.1f} s", proofs=proofs)
            if run.stopped:
                return await self.finish(run, Outcome.UNVERIFIED, f"{words}; a later action took over", proofs=proofs)
            left = run.plan.converge_s - taken
            if left <= 0:
                words = f"{words} after {taken:.0f} s"
                return await self.finish(run, Outcome.UNVERIFIED, words, proofs=proofs)
            if shown is Shown.SOME:
                self.tell(run, Stage.VERIFYING, Outcome.CONVERGING, words, proofs=proofs)
            await self._pause(run, min(pause, left))
            pause = min(1.6 * pause, LONGEST_PAUSE_S)

    async def give_up(self, run: Run, index: int, failure: Failure) -> None:
        """End an action whose step `index` was refused or never took effect; what went before it is put back."""
        if run.goes_back:
            return await self.finish(run, Outcome.FAILED, f"not put back: {failure}", failure)
        if index == 0:
            return await self.finish(run, Outcome.FAILED, f"nothing was changed: {failure}", failure)
        if not run.plan.undo:
            words = f"partly done, and there is no way back: {failure}"
            return await self.finish(run, Outcome.UNKNOWN, words, failure)
        await self.roll_back(run, failure)

    async def roll_back(self, run: Run, failure: Failure, first: int = 0) -> None:
        """Put back what the steps before a failed one had changed; what resists is handed on as a stuck override."""
        self.tell(run, Stage.EXECUTING, Outcome.PENDING, f"a step failed, putting back: {failure}", failure)
        done = first
        for index in range(first, len(run.plan.undo)):
            if await self._call(run, index, run.plan.undo[index], back=True):
                break
            done = index + 1
        run.answered.set()
        proofs = await self.undone(run)
        words = counted(run.plan, proofs)
        if weigh(run.plan, proofs) is Shown.ALL:
            words = f"what had been changed is put back, {words}: {failure}"
            return await self.finish(run, Outcome.FAILED, words, failure, proofs)
        stuck = [_stuck(item, run.plan, done, f"partly done: {failure}") for item in _own(run)]
        await self._ledger.settle(stuck, run.operator)
        await self.finish(
            run, Outcome.UNKNOWN, f"partly done and not yet put back, {words}: {failure}", failure, proofs
        )

    async def undone(self, run: Run) -> tuple[Proof, ...]:
        """Look until every replica shows the state from before, for as long as the plan gives them."""
        end, pause = self._clock.monotonic() + run.plan.converge_s, FIRST_LOOK_S
        while True:
            proofs = await look(run.adapter, run.plan, self._clock, undone=True)
            left = end - self._clock.monotonic()
            if weigh(run.plan, proofs) is Shown.ALL or left <= 0 or run.stopped:
                return proofs
            await self._pause(run, min(pause, left))
            pause = min(1.6 * pause, LONGEST_PAUSE_S)

    async def finish(
        self,
        run: Run,
        outcome: Outcome,
        words: str,
        failure: Failure | None = None,
        proofs: tuple[Proof, ...] = (),
        stuck: tuple[Held, ...] = (),
    ) -> None:
        """The last receipt, with what becomes of the overrides, in one piece on disk and then on the board."""
        held = stuck or self._left_behind(run, outcome, words)
        receipt = self._receipt(run, Stage.DONE, outcome, words, failure, proofs)
        proof = [Entry(RowKind.PROOF, run.id, run.operator, ProofRow(proofs=proofs))] if proofs else []
        await self._ledger.write_after([
            *proof, *self._ledger.rows(held, run.operator), Entry(RowKind.DONE, run.id, run.operator, receipt)
        ])  # fmt: skip
        run.over = True
        self._show(run, receipt)
        self._ledger.take(held)
        target, verb = run.plan.target, run.plan.verb
        self._ledger.say(
            LogKind.ACTION, f"{verb} {target.name}: {words}", ref=target, operator=run.operator, outcome=outcome
        )
        run.answered.set()
        run.told.set()
        self._poll_soon(target.source)

    def _left_behind(self, run: Run, outcome: Outcome, words: str) -> tuple[Held, ...]:
        if outcome is Outcome.VERIFIED:
            return run.confirmed.verified
        if not run.goes_back:
            return ()
        said = clean(f"could not be put back: {words}", 300)
        return tuple(_stuck(item, item.override.plan, item.done + run.done, said) for item in run.confirmed.applied)

    def tell(
        self,
        run: Run,
        stage: Stage,
        outcome: Outcome,
        words: str,
        failure: Failure | None = None,
        proofs: tuple[Proof, ...] = (),
    ) -> None:
        """Publish where an action stands."""
        self._show(run, self._receipt(run, stage, outcome, words, failure, proofs))

    def _show(self, run: Run, receipt: Receipt) -> None:
        if msgspec.structs.replace(receipt, updated_at=run.receipt.updated_at) != run.receipt:
            run.receipt = receipt
            self._ledger.show(receipt)

    def _receipt(
        self,
        run: Run,
        stage: Stage,
        outcome: Outcome,
        words: str,
        failure: Failure | None = None,
        proofs: tuple[Proof, ...] = (),
    ) -> Receipt:
        return msgspec.structs.replace(
            run.receipt,
            stage=stage,
            outcome=outcome,
            words=clean(words, 300),
            failure=failure,
            proofs=proofs or run.receipt.proofs,
            updated_at=self._clock.now(),
        )

    async def _pause(self, run: Run, seconds: float) -> None:
        """Wait, but not for an action that somebody wants to know about."""
        try:
            await within(self._clock, seconds, run.woken())
        except TimeoutError:
            return


def _own(run: Run) -> tuple[Held, ...]:
    """The override that this very action leaves behind."""
    return tuple(item for item in run.confirmed.applied if item.override.id == run.id)


def _stuck(held: Held, plan: Plan, done: int, words: str) -> Held:
    """The override of an action that could not be put back, with as much of its way back as is still to go."""
    parts = held.parts if plan is held.override.plan else (plan,)
    override = msgspec.structs.replace(
        held.override, state=OverrideState.STUCK, plan=plan, words=clean(words, 300)
    )  # fmt: skip
    return Held(override=override, parts=parts, done=done)
