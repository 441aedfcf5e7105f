"""Ends overrides when their time comes, by the injected clock, through the same executor as everything else."""

import asyncio
from collections.abc import Awaitable, Callable

from console.control.alarm import Alarm
from console.control.ledger import Ledger
from console.control.planner import Planner
from console.control.plans import changed, ended, restore_plan
from console.control.probe import Probe
from console.control.prove import Shown, counted, look, weigh
from console.control.rows import Held
from console.control.run import Run
from console.domain.actions import (
    ExpiryHome,
    Intent,
    OnExpiry,
    Override,
    OverrideState,
    Plan,
    Proof,
    Restore,
)
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.wire import LogKind
from console.engine.store import Store

EXPIRY = "expiry"
"""Who the audit log names when nobody's hand ended an override."""
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0
BUSY_PAUSE_S = 1.0

Begin = Callable[[Intent, Plan, str], Awaitable[Run]]


class Expiry:
    """One loop over all overrides, and one task for each that is being ended."""

    def __init__(
        self,
        ledger: Ledger,
        planner: Planner,
        store: Store,
        clock: Clock,
        begin: Begin,
        quiet: Callable[[Plan, str], bool],
    ) -> None:
        self._ledger = ledger
        self._planner = planner
        self._clock = clock
        self._begin = begin
        self._quiet = quiet
        self._probe = Probe(ledger, planner, store.board, clock, begin, EXPIRY)
        self._alarm = Alarm(clock)
        self._tasks: asyncio.TaskGroup | None = None
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._retry: dict[str, tuple[float, float]] = {}
        """Override id → (unix seconds of the next try, the pause before it)."""
        ledger.on_change = self._alarm.changed

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Start the end of each override when it is due; never returns."""
        self._tasks = tasks
        while True:
            await self._alarm.wait_until(min(self._start_due(), default=None))

    def _start_due(self) -> list[float]:
        """Begin every end that is due; when the others are (unix seconds)."""
        now, later = self._clock.now(), list[float]()
        self._retry = {key: again for key, again in self._retry.items() if key in self._ledger.held}
        for item in tuple(self._ledger.held.values()):
            at = self._due(item)
            if at is not None and at <= now and self._tasks is not None:
                self._start(self._tasks, item)
            elif at is not None:
                later.append(at)
        return later

    async def reconcile(self) -> tuple[tuple[Override, ...], tuple[str, ...]]:
        """Look at every override now: try again what is stuck, and say of each what the replicas show."""
        for key in tuple(self._retry):
            self._retry[key] = (self._clock.now(), FIRST_RETRY_S)
        self._start_due()
        if self._ending:
            await asyncio.wait(set(self._ending.values()))
        words = []
        for item in tuple(self._ledger.held.values()):
            override = item.override
            seen = counted(override.plan, await self._look(item))
            words.append(f"{override.action.verb} {override.target.name} by {override.owner}: {override.state}, {seen}")
        return tuple(item.override for item in self._ledger.held.values()), tuple(words)

    def _due(self, held: Held) -> float | None:
        override = held.override
        if override.id in self._ending or held.by_hand:
            return None
        again = self._retry.get(override.id)
        if override.state is OverrideState.ACTIVE:
            at = override.expires_at
            return at if at is None or again is None else max(at, again[0])
        if again is not None:
            return again[0]
        # A way back that somebody is on comes here again when it has ended.
        return self._clock.now() if self._quiet(override.plan, override.id) else None

    def _start(self, tasks: asyncio.TaskGroup, held: Held) -> None:
        key = held.override.id
        task = tasks.create_task(self._contained(held), name=f"end {key}")
        self._ending[key] = task

        def ended_(_: "asyncio.Task[None]") -> None:
            self._ending.pop(key, None)
            if key not in self._ledger.held:
                self._retry.pop(key, None)
            self._alarm.changed()

        task.add_done_callback(ended_)

    async def _contained(self, held: Held) -> None:
        """A fault of ours in one end is said and tried again; it does not end the engine."""
        try:
            await self._end(held)
        except Exception as error:  # noqa: BLE001  contained here, and said
            self._again(held.override.id)
            self._say(held, f"internal error: {type(error).__name__}: {error}", "failed")

    async def _end(self, held: Held) -> None:
        override = held.override
        if not self._still(held):
            return
        if not self._quiet(override.plan, override.id):
            self._again(override.id, BUSY_PAUSE_S)
        elif override.state is OverrideState.ACTIVE and override.on_expiry is OnExpiry.HOLD:
            await self._hold(held, "its time is over; it is held until somebody restores it")
        elif override.expiry_home is ExpiryHome.BACKEND:
            await self._watch(held)
        elif override.state is OverrideState.ACTIVE and override.on_expiry is OnExpiry.PROBE:
            await self._probed(held)
        else:
            await self._revert(held)

    async def _probed(self, held: Held) -> None:
        """Let a few requests through first; say why when it has to be all at once."""
        words = await self._probe.go_on(held)
        if words:
            self._say(held, words, "reverting")
            left = self._ledger.held.get(held.override.id)
            if left is not None:
                await self._revert(left)

    def _still(self, held: Held) -> bool:
        """Whether nobody has touched the override since it was looked at."""
        return self._ledger.held.get(held.override.id) is held

    async def _hold(self, held: Held, words: str) -> None:
        """Leave it in place without an end, and say so."""
        self._retry.pop(held.override.id, None)
        await self._ledger.settle([changed(held, expires_at=None, words=words, on_expiry=OnExpiry.HOLD)], EXPIRY)
        self._say(held, words, "held")

    async def _watch(self, held: Held) -> None:
        """The backend ends it by itself: believe that only when every replica shows it."""
        plan, end = held.override.plan, self._clock.monotonic() + held.override.plan.converge_s
        pause = 0.5
        while True:
            proofs = await self._look(held, undone=True)
            if not self._still(held):
                return None
            if weigh(plan, proofs) is Shown.ALL:
                return await self._over(held, f"ended by the backend; {counted(plan, proofs)}")
            if self._clock.monotonic() >= end:
                return await self._stuck(held, f"the backend should have ended it: {counted(plan, proofs)}")
            await self._clock.sleep(pause)
            pause = min(2 * pause, FIRST_RETRY_S)

    async def _revert(self, held: Held) -> None:
        """Put back what was there before, unless it is already there or another hand has changed it."""
        plan = held.override.plan
        if weigh(plan, await self._look(held)) is Shown.NONE:
            back = await self._look(held, undone=True)
            if not self._still(held):
                return None
            if weigh(plan, back) is Shown.ALL:
                return await self._over(held, f"it was already as before; {counted(plan, back)}")
            moves = any(step.lasting for step in plan.undo)  # what was moved has to come back, whoever undid the rest
            if held.override.state is OverrideState.ACTIVE and weigh(plan, back) is Shown.NONE and not moves:
                return await self._hold(held, "expired, but another hand has changed it since: left as it is")
        if not self._still(held):
            return None
        if not plan.undo:
            return await self._hold(held, "expired, but there is no way back: held until somebody ends it")
        try:
            intent = Intent(
                target=plan.target, action=Restore(override_id=held.override.id), reason="expired", via=EXPIRY
            )
            run = await self._begin(intent, restore_plan(held), EXPIRY)
        except Refusal as refusal:
            return await self._stuck(held, refusal.words)
        await run.told.wait()
        left = self._ledger.held.get(held.override.id)
        if left is None:
            return None
        self._again(held.override.id)
        if not run.carrying and left.override.state is not OverrideState.ACTIVE:
            self._say(left, left.override.words or run.receipt.words, "stuck")

    async def _over(self, held: Held, words: str) -> None:
        await self._ledger.settle([ended(held, by=EXPIRY, words=words)], EXPIRY)
        self._say(held, words, "ended")

    async def _stuck(self, held: Held, words: str) -> None:
        """It should have ended: say so, and try again later."""
        self._again(held.override.id)
        if held.override.state is not OverrideState.STUCK or held.override.words != words:
            await self._ledger.settle([changed(held, state=OverrideState.STUCK, words=words)], EXPIRY)
            self._say(held, words, "stuck")

    def _again(self, key: str, pause: float | None = None) -> None:
        before = self._retry.get(key, (0.0, FIRST_RETRY_S / 2))[1]
        wait = min(2 * before, LONGEST_RETRY_S) if pause is None else pause
        self._retry[key] = (self._clock.now() + wait, before if pause is not None else wait)

    async def _look(self, held: Held, *, undone: bool = False) -> tuple[Proof, ...]:
        adapter = self._planner.actuator(held.override.target.source)
        if adapter is None:
            return (Proof(replica=held.override.target.source, holds=None, seen="no such source", read_at=0.0),)
        return await look(adapter, held.override.plan, self._clock, undone=undone)

    def _say(self, held: Held, words: str, outcome: str) -> None:
        override = held.override
        line = f"{override.action.verb} {override.target.name} by {override.owner}: {words}"
        self._ledger.say(LogKind.OVERRIDE, line, ref=override.target, operator=EXPIRY, outcome=outcome)
