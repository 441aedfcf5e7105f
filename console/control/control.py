"""Acting: propose → confirm → receipt, for every front, through one guard, one executor and one audit log."""

import asyncio
import secrets
from collections.abc import Callable, Mapping

import msgspec

from console.config import Environment
from console.control.access import Grants, Peer
from console.control.audit import Audit, AuditError
from console.control.executor import Executor
from console.control.expiry import Expiry
from console.control.flow import shift
from console.control.guard import Busy, Case, judge_case
from console.control.launcher import Launcher
from console.control.ledger import Ledger
from console.control.planner import Planned, Planner
from console.control.preview import effects
from console.control.proposals import VALID_S, Proposals
from console.control.reconcile import Memory
from console.control.run import Run
from console.control.vigil import Vigil
from console.domain.actions import (
    ExpiryHome,
    Intent,
    OverrideState,
    Plan,
    Proposal,
    Receipt,
    Restore,
    Verdict,
)
from console.domain.errors import BackendError, Refusal
from console.domain.ports import Adapter, Clock
from console.domain.text import clean
from console.domain.wire import Access, AccessLevel, Confirm, LogKind, ReconcileReport
from console.engine.store import Store


class Control:
    """The acting side of one engine. `run` must be running: actions are its tasks, not those of who asked."""

    def __init__(
        self,
        name: str,
        config: Environment,
        store: Store,
        adapters: Mapping[str, Adapter],
        audit: Audit,
        grants: Grants,
        clock: Clock,
        poll_soon: Callable[[str], None],
    ) -> None:
        """`name` is the environment's; `poll_soon` asks for an early look at a source after an effect."""
        self._name = name
        self._config = config
        self._store = store
        self._audit = audit
        self._grants = grants
        self._clock = clock
        self._ledger = Ledger(audit, store, clock)
        self._planner = Planner(config, adapters, self._ledger, clock)
        executor = Executor(self._ledger, clock, poll_soon)
        self._proposals = Proposals(clock)
        self._launcher = Launcher(executor, self._planner, self._ledger, clock)
        self._ready = asyncio.Event()
        self._blocked = ""
        self._memory = Memory(audit, self._ledger, clock)
        self._expiry = Expiry(self._ledger, self._planner, store, clock, self._launcher.begin, self._launcher.quiet)
        self._vigil = Vigil(name, self._ledger, self._planner, clock, self._launcher.quiet)

    # ---- what fronts ask

    async def propose(self, intent: Intent, peer: Peer) -> Proposal:
        """Plan, preview and judge an intent; no backend is changed. A read-only operator gets a refusing verdict.

        Raises:
            Refusal: the peer may not even look, or a restore names nothing.
        """
        who = self._reader(peer)
        await self._ready.wait()
        intent = self._planner.normal(intent)
        planned = await self._planner.plan(intent)
        now = self._clock.now()
        case = self._case(intent, planned, who)
        proposal = Proposal(
            id=secrets.token_hex(6),
            intent=intent,
            operator=who.operator,
            plan=planned.plan,
            effects=effects(self._store.board, case.shift, self._config.overrides.headroom, intent.target.name),
            verdict=judge_case(case),
            created_at=now,
            valid_until=now + VALID_S,
        )
        self._proposals.add(peer.uid, proposal)
        return proposal

    async def confirm(self, confirm: Confirm, peer: Peer) -> Receipt:
        """Run a proposal of the same operator. Answers when the backend took the calls, refused, or was lost.

        Saying yes twice answers with the receipt of the first. The action goes on when the asker goes away.

        Raises:
            Refusal: the guard says no (now), the proposal is too old or another's, the object has changed, the name
                was not typed, or the audit log cannot be written. Nothing was done then.
        """
        self._reader(peer)
        await self._ready.wait()
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

    def receipt(self, action_id: str) -> Receipt:
        """The newest receipt of an action.

        Raises:
            Refusal: this engine does not know it; the audit log may.
        """
        found = self._ledger.receipts.get(action_id)
        if found is None:
            raise Refusal(f"no receipt {clean(action_id, 40)} here; switchgear audit has older ones", code=404)
        return found

    @property
    def pending(self) -> bool:
        """Whether an action is in flight, or an override waits for an end that only this engine can bring."""
        return any(not run.over for run in self._launcher.runs.values()) or any(
            item.override.state is not OverrideState.ACTIVE
            or (item.override.expires_at is not None and item.override.expiry_home is ExpiryHome.ENGINE)
            for item in self._ledger.held.values()
        )

    async def reconcile(self) -> ReconcileReport:
        """Look up every action and override that is open, and finish, revert or report each."""
        await self._ready.wait()
        if self._blocked:
            return ReconcileReport(receipts=(), overrides=(), words=(self._blocked,))
        looked = [run for run in self._launcher.runs.values() if not run.over]
        for run in looked:
            run.told.clear()
            run.wake.set()
        waiting = [asyncio.ensure_future(run.told.wait()) for run in looked]
        if waiting:
            await asyncio.wait(waiting)
        overrides, words = await self._expiry.reconcile()
        said = [f"{run.plan.verb} {clean(run.plan.target.name)}: {run.receipt.words}" for run in looked]
        return ReconcileReport(
            receipts=tuple(run.receipt for run in looked),
            overrides=overrides,
            words=(*self._memory.words, *said, *words) or ("nothing is open",),
        )

    async def run(self) -> None:
        """Take up what a predecessor left open, then end overrides when their time comes; until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._launcher.tasks = tasks
                await self._take_up()
                self._ready.set()
                tasks.create_task(self._vigil.run(), name="vigil")
                await self._expiry.run(tasks)
        finally:
            self._launcher.tasks = None

    # ---- the seven steps

    async def _carry_out(
        self, proposal: Proposal, confirm: Confirm, peer: Peer, answer: "asyncio.Future[Receipt]"
    ) -> None:
        """Everything between the yes and the answer, in a task of its own."""
        try:
            async with self._launcher.one_at_a_time(proposal.intent.target.source):
                again = await self._confirmed(proposal.id, peer)
                if again is not None:
                    return _answer(answer, again)
                plan, verdict = await self._once_more(proposal, confirm, peer)
                self._proposals.drop(proposal.id)
                run = await self._launcher.start(
                    proposal.id, proposal.intent, plan, peer.name, verdict, proposal.effects
                )
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

    async def _confirmed(self, proposal_id: str, peer: Peer) -> Receipt | None:
        """The receipt of a proposal that this operator has confirmed before."""
        receipt = self._ledger.receipts.get(proposal_id)
        if receipt is None or receipt.operator != peer.name:
            return None
        if run := self._launcher.runs.get(proposal_id):
            await run.answered.wait()
        return self._ledger.receipts.get(proposal_id, receipt)

    async def _once_more(self, proposal: Proposal, confirm: Confirm, peer: Peer) -> tuple[Plan, Verdict]:
        """Judge again with fresh data, just before it is written down."""
        self._proposals.get(proposal.id, peer.uid)
        if self._blocked:
            raise Refusal(self._blocked, code=503)
        if isinstance(proposal.intent.action, Restore) and proposal.plan is not None:
            self._planner.held(proposal.intent)
            if not self._planner.is_current(proposal.intent, proposal.plan):
                raise Refusal("the override has changed since the preview; look again", code=409)
        planned = Planned(proposal.plan)
        case = self._case(proposal.intent, planned, self._grants.of(peer))
        verdict = judge_case(case)
        if proposal.plan is None or not verdict.allowed:
            words = proposal.verdict.refusals if proposal.plan is None else verdict.refusals
            raise Refusal("; ".join(words) or "there is no plan", code=403)
        if verdict.needs_name and confirm.typed_name != proposal.intent.target.name:
            why = next(check.words for check in verdict.checks if check.result == "type the name")
            raise Refusal(f"type the target's name to confirm: {why}", code=409)
        await self._unchanged(proposal.intent, proposal.plan)
        return proposal.plan, verdict

    async def _unchanged(self, intent: Intent, plan: Plan) -> None:
        """Re-read what the plan replaces; somebody else may have been quicker."""
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

    # ---- what a predecessor left

    async def _take_up(self) -> None:
        try:
            await self._memory.load()
        except AuditError as error:
            self._blocked = f"no action is possible: {error}"
            self._ledger.say(LogKind.ENGINE, self._blocked, outcome="failed")
            return
        for item in self._memory.open:
            self._launcher.take_up(item)

    # ---- small things

    def _reader(self, peer: Peer) -> Access:
        who = self._grants.of(peer)
        if who.level is AccessLevel.NONE:
            raise Refusal(f"{peer.name} may not read {self._name}", code=403)
        return who

    def _case(self, intent: Intent, planned: Planned, who: Access) -> Case:
        held = tuple(self._ledger.held.values())
        wanted = intent.action.override_id if isinstance(intent.action, Restore) else ""
        parts = next((item.parts for item in held if item.override.id == wanted), ())
        return Case(
            intent=intent,
            plan=planned.plan,
            failure=planned.failure,
            access=who,
            board=self._store.board,
            now=self._clock.now(),
            config=self._config,
            held=held,
            busy=tuple(_busy(run) for run in self._launcher.runs.values() if not run.over),
            shift=shift(self._store.board, intent.target, intent.action, parts),
        )


def _busy(run: Run) -> Busy:
    return Busy(run.id, run.operator, run.plan, run.receipt.stage, run.receipt.outcome, run.receipt.words)


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
