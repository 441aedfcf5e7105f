"""Sets actions going: written down first, one at a time per source, each a task of the engine's own."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from console.control.aftermath import aftermath
from console.control.audit import AuditError
from console.control.executor import Executor
from console.control.ledger import Ledger
from console.control.planner import Planner
from console.control.plans import touched
from console.control.proposals import VALID_S
from console.control.reconcile import OpenAction, resume
from console.control.rows import Confirmed, RowKind
from console.control.run import Run
from console.control.stopping import Stopping
from console.domain.actions import Effect, Intent, Outcome, Plan, Receipt, Restore, Stage, Stop, Verdict
from console.domain.errors import Refusal
from console.domain.forecasts import Course
from console.domain.ports import Clock
from console.domain.wire import LogKind


class Launcher:
    """The actions that are under way. `tasks` is there while the engine runs."""

    def __init__(self, executor: Executor, planner: Planner, ledger: Ledger, clock: Clock) -> None:
        self._executor = executor
        self._planner = planner
        self._ledger = ledger
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}
        self.runs: dict[str, Run] = {}
        """Action id → what is being done for it; an action that is over leaves."""
        self.stopping = Stopping(executor, ledger, self.runs)
        self.tasks: asyncio.TaskGroup | None = None
        self.on_start: Callable[[Run], None] = lambda run: None
        """Called when an action was written down and is about to begin, whoever wanted it."""

    @asynccontextmanager
    async def one_at_a_time(self, source: str) -> AsyncIterator[None]:
        """From the last look to the backend's answer, one action a source: two could not both be right."""
        async with self._locks.setdefault(source, asyncio.Lock()):
            yield

    async def start(
        self,
        action_id: str,
        intent: Intent,
        plan: Plan,
        operator: str,
        verdict: Verdict,
        effects: tuple[Effect, ...] = (),
        forecast: Course | None = None,
    ) -> Run:
        """Write the action down, whole, and set it going. The caller holds the source's lock.

        Raises:
            Refusal: it cannot be written down, or the source cannot act; nothing was done.
        """
        now = self._clock.now()
        left = aftermath(self._ledger, action_id, intent, plan, operator, now)
        confirmed = Confirmed(
            intent=intent,
            plan=plan,
            effects=effects,
            forecast=forecast,
            verdict=verdict,
            applied=left.applied,
            verified=left.verified,
            deadline=0.0 if isinstance(intent.action, Restore) else now + VALID_S,
        )
        try:
            await self._ledger.write(action_id, operator, RowKind.CONFIRMED, confirmed)
        except AuditError as error:
            raise Refusal(f"nothing was done: {error}", code=503) from error
        run = self._enter(action_id, operator, confirmed, now)
        self.on_start(run)
        if isinstance(intent.action, Stop):
            self._go(run, self.stopping.perform(run))
        else:
            self._stand_aside(run)
            self._go(run, self._executor.perform(run))
        return run

    def _enter(self, action_id: str, operator: str, confirmed: Confirmed, at: float) -> Run:
        adapter = self._planner.actuator(confirmed.plan.target.source)
        if adapter is None:
            raise Refusal(f"{confirmed.plan.target.source} cannot act", code=409)
        leaves = next((item.override.id for item in confirmed.applied if item.override.id == action_id), "")
        receipt = Receipt(
            id=action_id, intent=confirmed.intent, operator=operator, stage=Stage.CONFIRMED, outcome=Outcome.PENDING,
            started_at=at, updated_at=self._clock.now(), words=confirmed.plan.words, override_id=leaves,
            forecast=confirmed.forecast,
        )  # fmt: skip
        run = Run(action_id, operator, confirmed, adapter, receipt)
        self.runs[action_id] = run
        self._ledger.show(receipt)
        return run

    def _stand_aside(self, run: Run) -> None:
        """An action that is only being watched on the same object has nothing more to prove."""
        for other in self.runs.values():
            if other is not run and not other.over and touched(other.plan) & touched(run.plan):
                other.halt()

    def _go(self, run: Run, work: Coroutine[Any, Any, None]) -> None:
        if self.tasks is None:
            raise Refusal("the engine is ending", code=503)
        self.tasks.create_task(self._guarded(run, work), name=f"action {run.id}")

    async def _guarded(self, run: Run, work: Coroutine[Any, Any, None]) -> None:
        """A fault of ours leaves the action open for the next start; it does not end the engine."""
        try:
            await work
        except Exception as error:  # noqa: BLE001  contained here, said on the timeline, and open in the audit log
            words = f"internal error: {type(error).__name__}: {error}; the next start looks it up"
            self._executor.tell(run, Stage.EXECUTING, Outcome.UNKNOWN, words)
            self._ledger.say(LogKind.ENGINE, f"action {run.id}: {words}", outcome="failed")
        finally:
            run.answered.set()
            run.told.set()
            if run.over:
                self.runs.pop(run.id, None)

    async def begin(self, intent: Intent, plan: Plan, operator: str) -> Run:
        """Start an action of the engine's own, such as the end of an override; the same path without a dialog.

        Raises:
            Refusal: it could not be started, or is not what is wanted any more; nothing was done.
        """
        async with self.one_at_a_time(plan.target.source):
            if isinstance(intent.action, Restore) and not self._planner.is_current(intent, plan):
                raise Refusal("the override has changed meanwhile", code=409)
            run = await self.start(secrets.token_hex(6), intent, plan, operator, Verdict(()))
            await run.answered.wait()
        return run

    def quiet(self, plan: Plan, but: str = "") -> bool:
        """Whether no action but `but` is in flight on what a plan touches."""
        return not any(
            not run.over and run.id != but and touched(run.plan) & touched(plan) for run in self.runs.values()
        )

    def take_up(self, item: OpenAction) -> None:
        """Go on with what a predecessor left open."""
        try:
            run = self._enter(item.id, item.operator, item.confirmed, item.at)
        except Refusal as refusal:
            self._ledger.say(LogKind.ENGINE, f"action {item.id} stays open: {refusal.words}", outcome="unknown")
            return
        run.may_begin = item.may_begin(self._clock.now())
        if item.stop is not None:
            run.end_early(item.stop.by)
        if isinstance(run.confirmed.intent.action, Stop):
            self._go(run, self.stopping.perform(run))
        else:
            self._go(run, resume(self._executor, self._planner, run, item))
