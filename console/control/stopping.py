"""Ending a lasting action early: an action too, with the same seven steps, that calls no backend itself.

It puts the wish on record and lets go of what is carried. The action that is stopped does the rest: it takes away what
it had set going, counts, and says what was moved.
"""

from collections.abc import Mapping

import msgspec

from console.control.audit import AuditError
from console.control.executor import Executor
from console.control.ledger import Ledger
from console.control.planner import Planned
from console.control.rows import RowKind, StopRow
from console.control.run import Run
from console.domain.actions import ExpiryHome, Intent, Outcome, Plan, Stage, Stop, Verb
from console.domain.errors import ErrorKind, Failure, Refusal
from console.domain.refs import Ref
from console.domain.text import clean


class Stopping:
    """Stops lasting actions. `runs` is the launcher's own map of what is under way."""

    def __init__(self, executor: Executor, ledger: Ledger, runs: Mapping[str, Run]) -> None:
        self._executor = executor
        self._ledger = ledger
        self._runs = runs

    def meant(self, action: Stop, target: Ref) -> Stop:
        """Which action is to be stopped: by its id, or the lasting one on `target`.

        Raises:
            Refusal: there is none.
        """
        if action.action_id in self._ledger.receipts:
            return action
        if action.action_id:
            raise Refusal(f"there is no action {clean(action.action_id, 40)} to stop", code=404)
        for run in self._runs.values():
            if run.plan.target == target and run.plan.lasting and not run.over:
                return Stop(run.id)
        raise Refusal(f"nothing lasting is under way on {clean(str(target))}", code=404)

    def normal(self, intent: Intent, action: Stop) -> Intent:
        """The intent with that action, and the object that it is on."""
        target = self._ledger.receipts[action.action_id].intent.target
        return msgspec.structs.replace(intent, action=action, target=target)

    def plan(self, action: Stop) -> Planned:
        """What stopping an action means now, or why it cannot be stopped (any more); no backend is asked."""
        run = self._runs.get(action.action_id)
        if run is None or run.over:
            receipt = self._ledger.receipts.get(action.action_id)
            return _refused(f"it is over: {receipt.words if receipt else 'nothing is known of it'}")
        what = f"{run.plan.verb} {clean(run.plan.target.name, 80)} by {clean(run.operator)}"
        if not run.plan.lasting:
            return _refused(f"{what} does not last: it ends by itself, or can be undone")
        if run.early.is_set():
            return _refused(f"{clean(run.stopped_by)} is stopping it already")
        if run.ending:
            return _refused(f"{what} is ending already: {run.receipt.words}")
        if run.receipt.stage is Stage.VERIFYING:
            return _refused(f"{what} has moved everything: there is nothing left to stop")
        return Planned(_plan(run, what))

    async def perform(self, run: Run) -> None:
        """Put the wish on record, let the action end, and wait until it has."""
        action = run.confirmed.intent.action
        target = self._runs.get(action.action_id) if isinstance(action, Stop) else None
        if target is not None and not target.over and not target.early.is_set():
            refused = await self._ask(run, target)
            if refused is not None:
                return await self._executor.finish(run, Outcome.FAILED, f"nothing was stopped: {refused}", refused)
        if target is None:
            return await self._executor.finish(run, Outcome.VERIFIED, "it was over already")
        self._executor.tell(run, Stage.EXECUTING, Outcome.CONVERGING, f"stopping {target.plan.verb}")
        run.answered.set()
        run.told.set()
        await target.ended.wait()
        await self._executor.finish(run, Outcome.VERIFIED, f"{target.plan.verb}: {target.receipt.words}")

    async def _ask(self, run: Run, target: Run) -> Failure | None:
        """Let the action end early; why that could not be asked for."""
        if not run.may_begin:
            return Failure(kind=ErrorKind.FAILED, message="the engine was killed before it could be asked; ask again")
        try:
            body = StopRow(by=run.operator, action_id=run.id)
            await self._ledger.write(target.id, run.operator, RowKind.STOP, body)
        except AuditError as error:
            return Failure(kind=ErrorKind.FAILED, message=clean(str(error), 300))
        target.end_early(run.operator)
        return None


def _refused(words: str) -> Planned:
    return Planned(None, Failure(kind=ErrorKind.UNSUPPORTED, message=clean(words, 300)))


def _plan(run: Run, what: str) -> Plan:
    return Plan(
        target=run.plan.target,
        verb=Verb.STOP,
        steps=(),
        expects=(),
        expiry_home=ExpiryHome.NOBODY,
        converge_s=run.plan.converge_s,
        words=f"end {what} here: what it has moved stays where it is ({run.receipt.words})",
        notes=(*(f"then: {step.words}" for step in run.plan.tidy), _left(run)),
    )


def _left(run: Run) -> str:
    """What can be done afterwards about what was moved, or was not."""
    if run.plan.undo:
        return "undo puts back what was moved"
    if run.goes_back or run.confirmed.verified:
        return "the rest is held as before; undo goes on with it"
    return "there is no way back from what was done"
