"""What a predecessor left open, from the audit log alone, and how to go on with it."""

from dataclasses import dataclass

import msgspec

from console.control.audit import Audit
from console.control.executor import Executor
from console.control.ledger import Ledger
from console.control.planner import Planner
from console.control.rows import Confirmed, Held, RowKind, StepRow, StopRow
from console.control.run import Run
from console.domain.actions import Outcome, OverrideState, Progress, Receipt
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import Clock
from console.domain.text import clean
from console.domain.wire import AuditRow, LogKind

_OPEN = "event = 'confirmed' and action_id not in (select action_id from audit where event = 'done')"
_LATEST_RECEIPTS = "seq in (select seq from audit where event = 'done' order by seq desc limit 50)"
_LATEST_OVERRIDES = "seq in (select max(seq) from audit where event = 'override' group by action_id)"


@dataclass(slots=True)
class OpenAction:
    """An action without its last row."""

    id: str
    operator: str
    at: float
    """Unix seconds of its confirmation."""
    confirmed: Confirmed
    done: int = 0
    """Steps that the backend took."""
    begun: int | None = None
    """A step that was begun and of which nothing more is known."""
    failure: Failure | None = None
    """Why the last step failed."""
    going_back: bool = False
    """Whether the way back was begun."""
    back_done: int = 0
    back_begun: int | None = None
    under_way: bool = False
    """Whether a lasting step was begun."""
    progress: Progress | None = None
    """The last known one of a lasting step."""
    stop: StopRow | None = None
    """Who wanted it to end early, when somebody did."""
    applied: bool = False
    """Whether all that it leaves behind is already on record."""
    override: OverrideState | None = None
    """Where the override that it made stands, when it made one."""

    def may_begin(self, now: float) -> bool:
        """Whether what was not begun may still be: soon after the yes, or always when it is a way back or moves."""
        return self.under_way or self.confirmed.deadline == 0 or now <= self.confirmed.deadline


class Memory:
    """Reads the audit log once, at the engine's start."""

    def __init__(self, audit: Audit, ledger: Ledger, clock: Clock) -> None:
        self._audit = audit
        self._ledger = ledger
        self._clock = clock
        self.open: list[OpenAction] = []
        """Actions to go on with, oldest first."""
        self.words: list[str] = []
        """What was found, one line each."""

    async def load(self) -> None:
        """Put the latest receipts and the overrides that have not ended on the board, and list open actions.

        Raises:
            AuditError: the log cannot be read; then nothing may be done.
        """
        latest = {row.action_id: held for row in await self._audit.rows(_LATEST_OVERRIDES) if (held := self._held(row))}
        self._ledger.recall(latest.values())
        for row in await self._audit.rows(_LATEST_RECEIPTS):
            if receipt := self._receipt(row):
                self._ledger.show(receipt)
        for row in await self._audit.rows(_OPEN):
            item = self._action(row)
            if item is None:
                continue
            for later in await self._audit.rows("action_id = ? and seq > ?", (row.action_id, row.seq)):
                _read(item, later)
            made = latest.get(item.id)
            item.override = made.override.state if made else None
            self.open.append(item)
            self._say(f"taken up: {item.confirmed.plan.verb} {item.confirmed.plan.target.name} by {item.operator}")

    def _held(self, row: AuditRow) -> Held | None:
        try:
            return msgspec.json.decode(row.body, type=Held)
        except msgspec.DecodeError as error:
            self._say(f"override {row.action_id} in audit row {row.seq} cannot be read: {error}")
            return None

    def _receipt(self, row: AuditRow) -> Receipt | None:
        try:
            return msgspec.json.decode(row.body, type=Receipt)
        except msgspec.DecodeError as error:
            self._say(f"receipt {row.action_id} in audit row {row.seq} cannot be read: {error}")
            return None

    def _action(self, row: AuditRow) -> OpenAction | None:
        try:
            confirmed = msgspec.json.decode(row.body, type=Confirmed)
        except msgspec.DecodeError as error:
            self._say(f"action {row.action_id} in audit row {row.seq} cannot be read, look it up: {error}")
            return None
        return OpenAction(row.action_id, row.operator, row.at, confirmed)

    def _say(self, words: str) -> None:
        self.words.append(clean(words, 300))
        self._ledger.say(LogKind.ENGINE, words)


def _read(item: OpenAction, row: AuditRow) -> None:
    """Take in one later row of an open action."""
    match row.event:
        case RowKind.STEP_BEGUN | RowKind.STEP_DONE | RowKind.STEP_FAILED:
            _read_step(item, row.event, msgspec.json.decode(row.body, type=StepRow))
        case RowKind.PROGRESS:
            item.progress = msgspec.json.decode(row.body, type=StepRow).progress
        case RowKind.STOP:
            item.stop = msgspec.json.decode(row.body, type=StopRow)
        case RowKind.RECEIPT:
            item.applied = msgspec.json.decode(row.body, type=Receipt).outcome is Outcome.APPLIED
        case _:
            return


def _read_step(item: OpenAction, event: str, step: StepRow) -> None:
    if step.tidy:
        return  # it is right at any moment: done again
    if step.back:
        item.going_back, item.back_done = True, max(item.back_done, step.index)
        if event == RowKind.STEP_DONE:
            item.back_done, item.back_begun = step.index + 1, None
        else:
            refused = event == RowKind.STEP_FAILED and not _lost(step)
            item.back_begun = None if refused else step.index
        return
    item.under_way |= item.confirmed.plan.steps[step.index].lasting
    item.progress = step.progress or item.progress
    item.done = max(item.done, step.index)  # a step is begun only after those before it
    if event == RowKind.STEP_DONE:
        item.done, item.begun, item.failure = step.index + 1, None, None
    elif event == RowKind.STEP_BEGUN:
        item.begun, item.failure = step.index, None
    else:
        item.begun, item.failure = step.index if _lost(step) else None, step.failure


def _lost(step: StepRow) -> bool:
    return step.failure is None or step.failure.kind is ErrorKind.UNKNOWN_OUTCOME


async def resume(executor: Executor, planner: Planner, run: Run, item: OpenAction) -> None:
    """Go on with an action whose engine was killed: look first, and do only what is certain not to be done twice."""
    run.done, run.under_way, run.progress = item.done, item.under_way, item.progress
    killed = Failure(kind=ErrorKind.UNKNOWN_OUTCOME, message="the engine was killed in the middle")
    if item.override not in (None, OverrideState.ACTIVE) and not run.goes_back:
        await executor.finish(run, Outcome.UNVERIFIED, "a later action took over before the engine was killed")
    elif item.going_back:
        await executor.take_up_back(run, item.failure or killed, item.back_done, item.back_begun)
    elif item.applied or item.done == len(run.plan.steps):
        await executor.applied(run, shown=True)
    elif item.begun is not None:
        await executor.take_up(run, item.begun, item.failure)
    elif item.failure is not None:
        await executor.give_up(run, item.done, item.failure)
    else:
        await _go_on(executor, planner, run, item.done)


async def _go_on(executor: Executor, planner: Planner, run: Run, first: int) -> None:
    """No call hangs in the air: begin the next step if that is still what the operator wanted."""
    failure: Failure | None = None
    if not run.may_begin:
        failure = Failure(kind=ErrorKind.FAILED, message="the engine was killed before it could go on; ask again")
    elif first == 0:
        try:
            changed = await planner.generation(run.plan) != run.plan.generation
        except BackendError as error:
            failure = error.failure
        else:
            if changed and not run.goes_back:
                failure = Failure(
                    kind=ErrorKind.CONFLICT, message="it has changed while no engine was there; ask again"
                )
    if failure is None:
        await executor.perform(run, first)
    else:
        await executor.give_up(run, first, failure)
