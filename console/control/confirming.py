"""From the yes to the answer: judged again with fresh data, read again, written down, and set going."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

import msgspec

from console.control.access import Grants, Peer
from console.control.cases import Cases
from console.control.guard import judge_case
from console.control.keys import Keys
from console.control.launcher import Launcher
from console.control.ledger import Ledger
from console.control.planner import Planned, Planner
from console.control.proposals import Proposals
from console.domain.actions import Intent, Plan, Proposal, Receipt, Restore, Stop, Verdict
from console.domain.errors import BackendError, Refusal
from console.domain.text import clean
from console.domain.verbs import Reissue
from console.domain.wire import Confirm, LogKind


class Confirming:
    """Carries out proposals that were confirmed, each in a task of the engine's own."""

    def __init__(
        self,
        planner: Planner,
        launcher: Launcher,
        ledger: Ledger,
        proposals: Proposals,
        grants: Grants,
        cases: Cases,
        keys: Keys,
    ) -> None:
        self._planner = planner
        self._launcher = launcher
        self._ledger = ledger
        self._proposals = proposals
        self._grants = grants
        self._cases = cases
        self._keys = keys
        self.blocked = ""
        """Why nothing may be done at all; empty as long as something may."""

    async def confirm(self, confirm: Confirm, peer: Peer) -> Receipt:
        """As `Control.confirm`, for a peer who may read."""
        again = await self._confirmed(confirm.proposal_id, peer)
        if again is not None:
            return again
        proposal = self._proposals.get(confirm.proposal_id, peer.uid)
        if self._launcher.tasks is None:
            raise Refusal("the engine is ending; nothing was done", code=503)
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._launcher.tasks.create_task(
            self._carry_out(proposal, confirm, peer, answer), name=f"confirm {proposal.id}"
        )
        return await asyncio.shield(answer)

    async def _carry_out(
        self, proposal: Proposal, confirm: Confirm, peer: Peer, answer: "asyncio.Future[Receipt]"
    ) -> None:
        """Everything between the yes and the answer, in a task of its own."""
        try:
            async with self._key(proposal.intent), self._turn(proposal.intent):
                again = await self._confirmed(proposal.id, peer) or await self._done_before(proposal.intent)
                if again is not None:
                    return _answer(answer, again)
                plan, verdict = await self._once_more(proposal, confirm, peer)
                self._proposals.drop(proposal.id)
                expected = proposal.forecast.courses[0] if proposal.forecast else None
                run = await self._launcher.start(
                    proposal.id, proposal.intent, plan, peer.name, verdict, proposal.effects, expected
                )
                if not isinstance(proposal.intent.action, Reissue):
                    await run.answered.wait()
            _answer(answer, run.receipt)
        except Refusal as refusal:
            _answer(answer, refusal)
        except Exception as error:  # noqa: BLE001  a fault of ours is an answer too, and not the engine's end
            self._ledger.say(
                LogKind.ENGINE, f"confirm {proposal.id}: {type(error).__name__}: {error}", outcome="failed"
            )
            _answer(answer, Refusal(f"internal error ({type(error).__name__}); see the log", code=500))
        finally:
            words = f"the engine is ending; the next one looks up what became of {proposal.id}"
            _answer(answer, Refusal(words, code=503))

    def _turn(self, intent: Intent) -> AbstractAsyncContextManager[None]:
        """One action a source at a time. A stop calls no backend, and a model call changes none: nobody, least of all
        a trip, waits for the minute that one may take."""
        if isinstance(intent.action, Stop | Reissue):
            return nullcontext()
        return self._launcher.one_at_a_time(intent.target.source)

    def _key(self, intent: Intent) -> AbstractAsyncContextManager[object]:
        """One confirmation a key at a time, whatever it is of."""
        return self._keys.turn(intent.key) if intent.key else nullcontext()

    async def _done_before(self, intent: Intent) -> Receipt | None:
        """The receipt of what was confirmed under the intent's key, by whomever and by whichever engine."""
        if self.blocked:
            raise Refusal(self.blocked, code=503)
        receipt = await self._keys.before(intent)
        return await self._answered(receipt) if receipt else None

    async def _confirmed(self, proposal_id: str, peer: Peer) -> Receipt | None:
        """The receipt of a proposal that this operator has confirmed before."""
        receipt = self._ledger.receipts.get(proposal_id)
        if receipt is None or receipt.operator != peer.name:
            return None
        return await self._answered(receipt)

    async def _answered(self, receipt: Receipt) -> Receipt:
        """The newest receipt of an action once its backend has answered."""
        if run := self._launcher.runs.get(receipt.id):
            await run.answered.wait()
        return self._ledger.receipts.get(receipt.id, receipt)

    async def _once_more(self, proposal: Proposal, confirm: Confirm, peer: Peer) -> tuple[Plan, Verdict]:
        """Judge again with fresh data, just before it is written down."""
        self._proposals.get(proposal.id, peer.uid)
        if self.blocked:
            raise Refusal(self.blocked, code=503)
        if isinstance(proposal.intent.action, Restore) and proposal.plan is not None:
            self._planner.held(proposal.intent)
            if not self._planner.is_current(proposal.intent, proposal.plan):
                raise Refusal("the override has changed since the preview; look again", code=409)
        verdict = judge_case(self._cases.of(proposal.intent, self._still(proposal), self._grants.of(peer)))
        if proposal.plan is None or not verdict.allowed:
            words = proposal.verdict.refusals if proposal.plan is None else verdict.refusals
            raise Refusal("; ".join(words) or "there is no plan", code=403)
        if verdict.needs_name and confirm.typed_name != proposal.intent.target.name:
            why = next(check.words for check in verdict.checks if check.result == "type the name")
            raise Refusal(f"type the target's name to confirm: {why}", code=409)
        await self._unchanged(proposal.intent, proposal.plan)
        return proposal.plan, verdict

    def _still(self, proposal: Proposal) -> Planned:
        """The plan of a proposal; whether an action can be stopped is known without asking a backend."""
        if isinstance(proposal.intent.action, Stop):
            return self._launcher.stopping.plan(proposal.intent.action)
        return Planned(proposal.plan)

    async def _unchanged(self, intent: Intent, plan: Plan) -> None:
        """Re-read what the plan replaces; somebody else may have been quicker."""
        if isinstance(intent.action, Stop):
            return
        try:
            now = await self._planner.generation(plan)
        except BackendError as error:
            raise Refusal(f"cannot tell whether it is still as it was: {error}", code=502) from error
        if now == plan.generation:
            return
        again = (await self._planner.plan(intent)).plan
        changes = _differences(plan, again) if again else ""
        last = next((r for r in reversed(self._ledger.receipts.values()) if r.intent.target == plan.target), None)
        who = f" (last action here: {last.intent.action.verb} by {last.operator})" if last else ""
        raise Refusal(f"it has changed since the preview{changes}{who}; look again", code=409)


def _answer(future: "asyncio.Future[Receipt]", result: Receipt | Refusal) -> None:
    """Answer whoever asked, if they are still there."""
    if future.done():
        return
    if isinstance(result, Refusal):
        future.set_exception(result)
        future.exception()  # the asker may have gone: nobody has to fetch it
    else:
        future.set_result(result)


def _differences(was: Plan, now: Plan) -> str:
    """`: weight 10 → 5`, or nothing when the fields look the same."""
    keys = [
        key for key in was.before if msgspec.to_builtins(was.before[key]) != msgspec.to_builtins(now.before.get(key))
    ]
    said = ", ".join(f"{clean(key, 40)} {was.before[key]} → {now.before.get(key)}" for key in keys)
    return f": {clean(said, 150)}" if said else ""
