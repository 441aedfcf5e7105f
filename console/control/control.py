"""Acting: propose → confirm → receipt, for every front, through one guard, one executor and one audit log."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from console.config import Environment
from console.control.access import Grants, Peer
from console.control.audit import Audit, AuditError
from console.control.cases import Cases
from console.control.commands import Commands
from console.control.confirming import Confirming
from console.control.executor import Executor
from console.control.expiry import Expiry
from console.control.forecast.days import Asking, Days
from console.control.forecast.foresight import Foresight, nothing_remembered
from console.control.forecast.keeping import Keeping
from console.control.guard import judge_case
from console.control.keys import Keys, check_key
from console.control.launcher import Launcher
from console.control.ledger import Ledger
from console.control.planner import Planned, Planner, Recordings, nothing_recorded
from console.control.preview import preview
from console.control.proposals import VALID_S, Proposals
from console.control.reconcile import Memory
from console.control.run import Run
from console.control.vigil import Vigil
from console.domain.actions import ExpiryHome, Intent, OverrideState, Proposal, Receipt, Restore, Stop, Verb
from console.domain.commands import CommandIntent, CommandReceipt
from console.domain.errors import Refusal
from console.domain.forecasts import Calibration, Forecast
from console.domain.ports import Adapter, Clock
from console.domain.text import clean
from console.domain.verbs import Reissue
from console.domain.wire import Access, AccessLevel, Confirm, LogKind, ReconcileReport
from console.engine.store import Store
from console.forecast.trend import Past


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
        recordings: Recordings = nothing_recorded,
        past: Past = nothing_remembered,
        days: Asking | None = None,
        forecasts: Path | None = None,
    ) -> None:
        """`name` is the environment's; `poll_soon` asks for an early look at a source after an effect; `recordings`
        finds a recorded model call; `past` is what the engine remembers of the last hour, `days` asks for more, and
        `forecasts` is the file in which those that wait, and how good they were, outlive it (None: they do not)."""
        self._name = name
        self._config = config
        self._store = store
        self._audit = audit
        self._grants = grants
        self._clock = clock
        self._ledger = Ledger(audit, store, clock)
        self._planner = Planner(config, adapters, self._ledger, clock, recordings)
        executor = Executor(self._ledger, clock, poll_soon)
        self._proposals = Proposals(clock)
        self._launcher = Launcher(executor, self._planner, self._ledger, clock)
        self._cases = Cases(config, store, self._ledger, self._launcher, clock)
        self._keys = Keys(audit, self._ledger)
        self._confirming = Confirming(
            self._planner, self._launcher, self._ledger, self._proposals, grants, self._cases, self._keys
        )
        self._commands = Commands(config, audit, self._ledger, self._keys, grants, clock)
        keeping = Keeping(forecasts, lambda words: store.say(LogKind.ENGINE, clean(words, 300)))
        self._days = Days(clock, days)
        self._foresight = Foresight(store, self._ledger, self._launcher.runs, clock, past, keeping, self._days)
        self._launcher.on_start = self._started
        self._ready = asyncio.Event()
        self._memory = Memory(audit, self._ledger, clock)
        self._expiry = Expiry(self._ledger, self._planner, store, clock, self._launcher.begin, self._launcher.quiet)
        self._vigil = Vigil(name, self._ledger, self._planner, clock, self._launcher.quiet)

    # ---- what fronts ask

    async def propose(self, intent: Intent, peer: Peer) -> Proposal:
        """Plan, preview and judge an intent; no backend is changed. A read-only operator gets a refusing verdict.

        Raises:
            Refusal: the peer may not even look, a restore names nothing, or the intent's key cannot be kept.
        """
        who = self._reader(peer)
        check_key(intent.key)
        await self._ready.wait()
        intent, planned = await self._planned(intent)
        now, wanted = self._clock.now(), self._config.overrides.headroom
        case = self._cases.of(intent, planned, who)
        proposal = Proposal(
            id=secrets.token_hex(6),
            intent=intent,
            operator=who.operator,
            plan=planned.plan,
            effects=preview(self._store.board, case.shift, wanted, intent.target, intent.action.verb, planned.plan),
            verdict=judge_case(case),
            created_at=now,
            valid_until=now + VALID_S,
            forecast=self._forecast(intent, planned),
        )
        self._proposals.add(peer.uid, proposal)
        if proposal.forecast is not None:
            self._foresight.proposed(intent.target, proposal.forecast)
        return proposal

    async def confirm(self, confirm: Confirm, peer: Peer) -> Receipt:
        """Run a proposal of the same operator. Answers when the backend took the calls, refused, or was lost.

        Saying yes twice answers with the receipt of the first, and so does a second intent with the same key. The
        action goes on when the asker goes away.

        Raises:
            Refusal: the guard says no (now), the proposal is too old or another's, the object has changed, the name
                was not typed, or the audit log cannot be written. Nothing was done then.
        """
        self._reader(peer)
        await self._ready.wait()
        return await self._confirming.confirm(confirm, peer)

    def receipt(self, action_id: str) -> Receipt:
        """The newest receipt of an action.

        Raises:
            Refusal: this engine does not know it; the audit log may.
        """
        found = self._ledger.receipts.get(action_id)
        if found is None:
            raise Refusal(f"no receipt {clean(action_id, 40)} here; switchgear audit has older ones", code=404)
        return found

    def calibration(self) -> tuple[Calibration, ...]:
        """How good the forecasts of each kind of action were so far."""
        return self._foresight.calibration()

    async def by_key(self, key: str) -> Receipt | None:
        """The newest receipt of what was confirmed under an intent's key, by this engine or a former one.

        None means that nothing was done under it: its row is on disk before anything is.

        Raises:
            Refusal: the audit log cannot be read, so that nobody knows.
        """
        await self._ready.wait()
        if self._confirming.blocked:
            raise Refusal(self._confirming.blocked, code=503)
        return await self._keys.find(key)

    async def command(self, intent: CommandIntent, peer: Peer) -> CommandReceipt:
        """Run one of the config's commands to its end; what was begun under its key before is the answer.

        Raises:
            Refusal: nothing was started, and why; or the engine ends while it runs.
        """
        self._reader(peer)
        await self._ready.wait()
        if self._confirming.blocked:
            raise Refusal(self._confirming.blocked, code=503)
        return await self._commands.run(intent, peer)

    async def command_by_key(self, key: str) -> CommandReceipt | None:
        """What became of the command that was begun under a key; None means that none was.

        Raises:
            Refusal: the audit log cannot be read, so that nobody knows.
        """
        await self._ready.wait()
        if self._confirming.blocked:
            raise Refusal(self._confirming.blocked, code=503)
        return await self._commands.by_key(key)

    def command_argv(self, name: str, args: Sequence[str]) -> tuple[str, ...]:
        """What a command would start; nothing is.

        Raises:
            Refusal: the config has no such command, or does not allow these arguments.
        """
        return self._commands.argv(name, args)

    @property
    def pending(self) -> bool:
        """Whether an action or command is in flight, or an override waits for an end that only this engine brings."""
        return (
            self._commands.pending
            or any(not run.over for run in self._launcher.runs.values())
            or any(
                item.override.state is not OverrideState.ACTIVE
                or (item.override.expires_at is not None and item.override.expiry_home is ExpiryHome.ENGINE)
                for item in self._ledger.held.values()
            )
        )

    async def reconcile(self) -> ReconcileReport:
        """Look up every action and override that is open, and finish, revert or report each."""
        await self._ready.wait()
        if self._confirming.blocked:
            return ReconcileReport(receipts=(), overrides=(), words=(self._confirming.blocked,))
        runs = (run for run in self._launcher.runs.values() if not run.over)
        looked = [run for run in runs if run.plan.verb is not Verb.STOP]  # that of the action which it stops says all
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
                self._launcher.tasks = self._commands.tasks = tasks
                await self._take_up()
                self._ready.set()
                tasks.create_task(self._vigil.run(), name="vigil")
                tasks.create_task(self._foresight.run(), name="foresight")
                tasks.create_task(self._days.run(), name="days")
                await self._expiry.run(tasks)
        finally:
            self._launcher.tasks = self._commands.tasks = None

    # ---- what a predecessor left

    async def _take_up(self) -> None:
        try:
            await self._memory.load()
            await self._commands.take_up()
        except AuditError as error:
            self._confirming.blocked = f"no action is possible: {error}"
            self._ledger.say(LogKind.ENGINE, self._confirming.blocked, outcome="failed")
            return
        for item in self._memory.open:
            self._launcher.take_up(item)

    # ---- small things

    async def _planned(self, intent: Intent) -> tuple[Intent, Planned]:
        """The intent with everything said that it left open, and what it comes to."""
        intent, stopping = self._planner.normal(intent), self._launcher.stopping
        if isinstance(intent.action, Stop):
            stop = stopping.meant(intent.action, intent.target)
            return stopping.normal(intent, stop), stopping.plan(stop)
        return intent, await self._planner.plan(intent)

    def _forecast(self, intent: Intent, planned: Planned) -> Forecast | None:
        """The next quarter of an hour; None where there is no plan, or nothing to be said in figures."""
        if planned.plan is None:
            return None
        wanted = intent.action.override_id if isinstance(intent.action, Restore) else ""
        held = self._ledger.held.get(wanted)
        return self._foresight.forecast(intent, planned.plan, held.parts if held else ())

    def _started(self, run: Run) -> None:
        """An action begins: its forecast waits for its time, and those around it do not count any more."""
        if not isinstance(run.confirmed.intent.action, Stop | Reissue):
            self._foresight.begun(run.id, run.confirmed.intent, run.plan, run.confirmed.forecast)

    def _reader(self, peer: Peer) -> Access:
        who = self._grants.of(peer)
        if who.level is AccessLevel.NONE:
            raise Refusal(f"{peer.name} may not read {self._name}", code=403)
        return who
