"""A runner that dies at any write of a run: the next one goes on, and nothing is done twice, lost or told wrongly."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from console.control.accounts import account_of
from console.domain.errors import Refusal
from console.domain.runbooks import Evidence, Run, RunCommand, RunOrder, RunState, StartRun, StepState
from console.engine.clock import ManualClock
from runbooks.eyes import Eyes
from runbooks.keeping import Keeping
from runbooks.ramping import Policy
from runbooks.runner import Runner
from runbooks.session import Session
from tests.unit.runbooks.session.engine import DEPLOYMENT, Engine, engine, me

BOOK = """
schemaVersion: 1
id: there-and-back
title: There and back
parameters:
  deployment: {type: deployment}
preconditions:
  - condition: 'exists(deployment)'
steps:
  - id: trip
    action: {verb: trip, target: "${deployment}", ttl: 20m}
    verify: {successCondition: 'overridden(deployment, "trip")', interval: 1s}
  - id: back
    manual: {ask: "Look"}
"""


class Killed(BaseException):
    """The engine is dead from here on."""


class Mortal(Keeping):
    """Kills whoever writes for the n-th time: before the disk has it, or just after."""

    def __init__(self, path: Path, left: int, *, after: bool) -> None:
        super().__init__(path)
        self.left = left
        self._after = after

    async def begin(self, session: Session, uid: int, book: str, path: str) -> None:
        self._die(after=False)
        await super().begin(session, uid, book, path)
        self._die(after=True)

    async def save(self, session: Session, evidence: Sequence[Evidence] = ()) -> None:
        self._die(after=False)
        await super().save(session, evidence)
        self._die(after=True)

    def _die(self, *, after: bool) -> None:
        if after != self._after:
            return
        self.left -= 1
        if self.left == 0:
            raise Killed


class Mortals:
    """Runners on one engine's folder, one after the other."""

    def __init__(self, it: Engine, folder: Path) -> None:
        self.it = it
        self.folder = folder
        self.keeping = Mortal(folder, 0, after=True)
        self.task: asyncio.Task[None] | None = None

    async def live(self, left: int, *, after: bool) -> None:
        """A new runner, which dies at its `left`-th write (0: at none)."""
        await self.die()
        it, runtime = self.it, self.it.runtime
        self.keeping = Mortal(self.folder, left, after=after)
        eyes = Eyes(lambda: runtime.store.board, it.clock, runtime.engine.lately, Policy())
        self.runner = Runner(
            runtime.store, it.clock, runtime.control, runtime.grants, runtime.audit, self.keeping, eyes, account_of,
            [self.folder.parent / "books"],
        )  # fmt: skip
        self.task = asyncio.create_task(self.runner.run())

    async def die(self) -> None:
        """End the runner, however it stands."""
        if self.task is None:
            return
        self.task.cancel()
        with suppress(Killed, asyncio.CancelledError, BaseExceptionGroup):
            await self.task
        await self.keeping.close()

    async def asked(self, call: "asyncio.Future[Run]") -> Run | None:
        """An answer of the runner, or None when it died meanwhile."""
        await self.it.until(lambda: call.done() or self.task is None or self.task.done())
        if call.done():
            try:
                return call.result()
            except (Killed, Refusal):
                return None
        call.cancel()
        return None


async def person(mortals: Mortals, run: Run) -> Run | None:
    """Says what the run wants to hear: yes at the first step, back at the second."""
    order = {"trip": RunOrder.CONFIRM, "back": RunOrder.ABORT}.get(run.current)
    if run.state is RunState.PAUSED:
        order = RunOrder.RESUME
    if order is None or run.state not in (RunState.AWAITING, RunState.PAUSED):
        return None
    command = RunCommand(run=run.id, order=order, name=DEPLOYMENT)
    return await mortals.asked(asyncio.ensure_future(mortals.runner.order(command, me())))


async def followed(mortals: Mortals, left: int, *, after: bool) -> tuple[Run, bool]:
    """One run from its beginning to its end, killed once on the way; False when it was over before that."""
    start = StartRun(runbook="there-and-back", parameters={"deployment": DEPLOYMENT}, request=f"{left} {after}")
    await mortals.live(left, after=after)
    died = False
    run: Run | None = None
    for _ in range(400):
        if mortals.task is None or mortals.task.done() or mortals.keeping.left == 0:
            assert not died
            died = True
            await mortals.live(-1, after=after)
        if run is None:
            run = await mortals.asked(asyncio.ensure_future(mortals.runner.start(start, me())))
        else:
            run = await mortals.asked(asyncio.ensure_future(mortals.runner.run_of(run.id))) or run
            if run.state.over:
                return run, died
            await person(mortals, run)
        await mortals.it.clock.advance(1.0)
        await asyncio.sleep(0.001)
    raise AssertionError(f"it does not end: {run}")


async def disagreements(mortals: Mortals, run: Run) -> list[str]:
    """What the audit log has of runs that is not so, or lacks."""
    rows = [(row, json.loads(row.body)) for row in await mortals.it.runtime.audit.rows("event = 'runbook'")]
    mine = [body for row, body in rows if row.action_id == run.id]
    lines = [body for body in mine if "line" in body]
    wrong = [] if [body["line"] for body in lines] == list(range(len(lines))) else [f"lines {lines}"]
    if [lines[-1]["state"], lines[-1]["words"]] != [run.state, f"{run.state}: {run.words}"]:
        wrong.append(f"the last line is {lines[-1]}")
    for step in run.steps:
        said = [one["state"] for one in lines if one["words"].startswith(f"step {step.id} ")]
        wrong += [] if said[-1:] == [step.state] else [f"{step.id} is {step.state}: {said}"]
    lost = {body["of"] for _, body in rows if "of" in body}
    orders = Counter(body["order"] for row, body in rows if row.action_id == run.id and "line" not in body
                     and "of" not in body and row.seq not in lost)  # fmt: skip
    if orders["begun"] != 1 or orders["confirm"] < 1 or orders["abort"] != 1:
        wrong.append(f"orders that count: {orders}")
    begins = [row for row, body in rows if body.get("order") == "begun" and "of" not in body]
    begun = {row.action_id for row in begins if row.seq not in lost}
    nowhere = [one for one in begun if await mortals.keeping.find(one) is None]
    return [*wrong, *(f"{one} is said to have begun" for one in nowhere)]


async def test_killed_at_every_write(tmp_path: Path) -> None:
    async with engine(tmp_path, ManualClock()) as it:
        (tmp_path / "books" / "book.yaml").write_text(BOOK)
        mortals = Mortals(it, tmp_path / "runs.sqlite")
        killed = 0
        for after in (False, True):
            left, died = 1, True
            while died:
                run, died = await followed(mortals, left, after=after)
                told = f"killed {'after' if after else 'before'} write {left}: {run.state}: {run.words}"
                assert run.state is RunState.ABORTED, told
                assert run.steps[0].state is StepState.ROLLED_BACK, told
                mine = [one for one in it.runtime.store.board.receipts.values() if one.intent.key.startswith(run.id)]
                assert Counter(one.intent.action.verb for one in mine) == {"trip": 1, "restore": 1}, told
                assert {run.steps[0].action_id, run.steps[0].rolled_back_by} == {one.id for one in mine}, told
                assert not it.runtime.store.board.overrides, told
                for _ in range(100):  # the last lines are written when the run has been over for a moment
                    if not (wrong := await disagreements(mortals, run)):
                        break
                    await asyncio.sleep(0.01)
                assert not wrong, (told, wrong)
                left += 1
                killed += died
        await mortals.die()
        assert killed > 12
