"""Carries a lasting step: as long as it takes, with its progress told, through a backend that is away for a while."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import msgspec

from console.control.audit import AuditError, Entry
from console.control.ledger import Ledger
from console.control.moved import so_far
from console.control.rows import RowKind, StepRow
from console.control.run import Run, Teller
from console.control.steps import DONE, Did, StepResult
from console.domain.actions import Outcome, OverrideState, Progress, Stage, Step
from console.domain.durations import words_of
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import Clock, Mover
from console.domain.text import clean
from console.domain.wire import LogKind

TELL_S = 1.0
"""How often the progress is published, at the most."""
ROW_S = 10.0
"""How often it is put on record, at the most: the last known count after a crash."""
STALL_S = 60.0
"""How long nothing moves before that is said. It ends nothing: the backend may have its reasons."""
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
LETTING_GO_S = 10.0
"""How long a carrier that is told to let go may take."""
AWAY = (ErrorKind.UNREACHABLE, ErrorKind.TIMEOUT, ErrorKind.THROTTLED, ErrorKind.UNKNOWN_OUTCOME)
"""What is no end of a lasting step: it looks before it does anything, so that it is simply carried again."""


class Watch:
    """What is known of a lasting step that is being carried."""

    def __init__(self, run: Run, teller: Teller, clock: Clock) -> None:
        self._run = run
        self._teller = teller
        self._clock = clock
        self._moved_at = clock.monotonic()
        self._recorded: tuple[float, Progress | None] = (clock.monotonic(), run.progress)
        self.stalled = False
        """Whether nothing has moved for `STALL_S`."""

    def tell(self, progress: Progress) -> None:
        """Take in what the mover says; the first word is published at once, so that the operator's yes is answered."""
        before = self._run.progress
        if before is None or before.done != progress.done:
            self._moved_at = self._clock.monotonic()
        self._run.progress = progress
        if not self._run.answered.is_set():
            self.publish()
            self._run.answered.set()

    def publish(self, trouble: Failure | None = None, words: str = "") -> None:
        """Show the newest progress, when that is news."""
        progress, still = self._run.progress or Progress(done=0), self._clock.monotonic() - self._moved_at
        self.stalled = still >= STALL_S
        said = [so_far(self._run.plan.verb, progress), words]
        said += [f"nothing has moved for {words_of(still - still % STALL_S)}"] if self.stalled else []
        line = "; ".join(part for part in said if part)
        self._teller.tell(self._run, Stage.EXECUTING, Outcome.CONVERGING, line, trouble)

    def moved_since(self, moment: float) -> bool:
        """Whether something has moved after `moment` (monotonic seconds)."""
        return self._moved_at > moment

    def due(self) -> bool:
        """Whether what is known is worth a row; asked, it counts as written."""
        at, last = self._recorded
        now, progress = self._clock.monotonic(), self._run.progress
        if now - at < ROW_S or progress is None or (last is not None and last.done == progress.done):
            return False
        self._recorded = (now, progress)
        return True


class Carrier:
    """Has lasting steps carried by their adapter (`ports.Mover`)."""

    def __init__(self, ledger: Ledger, clock: Clock, teller: Teller) -> None:
        self._ledger = ledger
        self._clock = clock
        self._teller = teller

    async def carry(self, run: Run, index: int) -> StepResult:
        """Begin lasting step `index`, or go on with it; UNDECIDED when the run is to end before it is done."""
        step, mover = run.plan.steps[index], run.adapter
        row = StepRow(index=index, words=step.words)
        if not isinstance(mover, Mover):
            words = f"{run.plan.target.source}'s adapter moves nothing"
            return StepResult(Did.NOT_DONE, Failure(kind=ErrorKind.UNSUPPORTED, message=words))
        try:
            await self._ledger.write(run.id, run.operator, RowKind.STEP_BEGUN, row)
        except AuditError as error:
            message = clean(f"not begun: {error}", 300)
            return StepResult(Did.NOT_DONE, Failure(kind=ErrorKind.FAILED, message=message))
        run.under_way = run.carrying = True
        run.progress = run.progress or Progress(done=0)
        try:
            await self._show_going_back(run)
            result = await self._until_done(run, mover, step, row)
        finally:
            run.carrying = False
        await self._record_end(run, row, result)
        return result

    async def _show_going_back(self, run: Run) -> None:
        """An override that is being put back for long says so from the beginning."""
        held = [self._ledger.held.get(item.override.id) for item in run.confirmed.applied] if run.goes_back else []
        if any(item is not None and item.override.state is not OverrideState.REVERTING for item in held):
            await self._ledger.settle(run.confirmed.applied, run.operator)

    async def _until_done(self, run: Run, mover: Mover, step: Step, row: StepRow) -> StepResult:
        """Carry, and carry again when the backend was away, until it is done, cannot be done, or is to end."""
        watch, pause = Watch(run, self._teller, self._clock), FIRST_RETRY_S
        watch.publish()
        while True:
            began = self._clock.monotonic()
            failure = await self._once(run, mover, step, row, watch)
            if failure is None:
                return DONE
            if run.unwanted:
                return StepResult(Did.UNDECIDED, failure)
            if failure.kind not in AWAY:
                return StepResult(Did.NOT_DONE, failure)
            pause = FIRST_RETRY_S if watch.moved_since(began) else pause
            wait = max(pause, min(failure.retry_after_s or 0.0, 300.0))
            watch.publish(failure, f"it goes on in {wait:.0f} s, once the backend answers: {failure}")
            run.answered.set()
            run.told.set()
            await run.pause(self._clock, wait)
            pause = min(2 * pause, LONGEST_RETRY_S)

    async def _once(self, run: Run, mover: Mover, step: Step, row: StepRow, watch: Watch) -> Failure | None:
        """Carry once; why it ended when it is not done."""
        stopped = Failure(kind=ErrorKind.CONFLICT, message="it was to end early")
        if run.unwanted:
            return stopped
        try:
            done = await self._beside(run, mover.carry(step, watch.tell), self._keep_telling(run, row, watch))
        except BackendError as error:
            return error.failure
        except Exception as error:  # noqa: BLE001  an adapter's fault ends its step, and is tidied up like any other end
            message = clean(f"{type(error).__name__}: {error}")
            return Failure(kind=ErrorKind.FAILED, message=message, where=clean(step.words))
        return None if done else stopped

    async def _beside(self, run: Run, work: Coroutine[Any, Any, None], telling: Coroutine[Any, Any, None]) -> bool:
        """Whether `work` came to its end, before somebody wanted the run to end, with `telling` beside it."""
        carried, teller = asyncio.ensure_future(work), asyncio.ensure_future(telling)
        tasks = (carried, teller, asyncio.ensure_future(run.early.wait()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if teller.done():
                teller.result()
            if carried.done():
                carried.result()
                return True
            return False
        finally:
            for task in tasks:
                task.cancel()
            await self._let_go(tasks)

    async def _let_go(self, tasks: Sequence["asyncio.Future[Any]"]) -> None:
        """Wait until cancelled tasks have ended; one that does not is left behind, and said."""
        gone = asyncio.ensure_future(asyncio.wait(tasks))
        timer = asyncio.ensure_future(self._clock.sleep(LETTING_GO_S))
        await asyncio.wait((gone, timer), return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            self._ledger.say(LogKind.ENGINE, "a mover does not let go when it is told to: a fault of its adapter")
        gone.cancel()
        timer.cancel()
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()  # told already, or of no use any more

    async def _keep_telling(self, run: Run, row: StepRow, watch: Watch) -> None:
        """Publish about once a second, and put on record now and then."""
        while True:
            await self._clock.sleep(TELL_S)
            stalled = watch.stalled
            watch.publish()
            run.answered.set()
            run.told.set()
            if watch.stalled and not stalled:
                words = f"{run.plan.verb} {run.plan.target.name}: nothing has moved for {words_of(STALL_S)}; it goes on"
                self._ledger.say(LogKind.ACTION, words, ref=run.plan.target, operator=run.operator)
            if watch.due():
                body = msgspec.structs.replace(row, progress=run.progress)
                await self._ledger.write_after([Entry(RowKind.PROGRESS, run.id, run.operator, body)])

    async def _record_end(self, run: Run, row: StepRow, result: StepResult) -> None:
        """How it ended. What ends because an operator wants it to has that on record already."""
        if result.did is Did.UNDECIDED:
            return
        kind = RowKind.STEP_DONE if result.did is Did.DONE else RowKind.STEP_FAILED
        body = msgspec.structs.replace(row, progress=run.progress, failure=result.failure)
        await self._ledger.write_after([Entry(kind, run.id, run.operator, body)])
