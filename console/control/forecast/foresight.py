"""Forecasts of one engine: made with each proposal, kept with each action, compared when their time has come."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from console.control.alarm import Alarm
from console.control.forecast.calibration import Misses
from console.control.forecast.comparing import LATE_S, Pending, compared, misses, ready, touched_by
from console.control.forecast.days import Days
from console.control.forecast.keeping import WAITING_MOST, Keeping
from console.control.ledger import Ledger
from console.control.run import Run
from console.domain.actions import Intent, Outcome, Plan
from console.domain.forecasts import HORIZON_S, Calibration, Comparison, Course, Forecast
from console.domain.ports import Clock
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import LogKind
from console.engine.store import Store
from console.forecast.outlook import Doing, concerned, forecast
from console.forecast.trend import Past

LOOK_AGAIN_S: Final = 5.0
"""A forecast that is due and cannot be seen is looked at again so soon."""
NOTHINGS_MOST: Final = 50
"""Forecasts of doing nothing that wait at the most: they leave room for those of actions."""
NOT_DONE: Final = (Outcome.FAILED, Outcome.STOPPED, Outcome.UNKNOWN)
"""How an action ended that did not do what was forecast."""


def nothing_remembered(_ref: Ref, _metric: str, _seconds: float) -> Sequence[float | None]:
    """The past of an engine without a memory."""
    return ()


class Foresight:
    """The forecasts of one engine. `run` must be running for them to be compared."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        runs: Mapping[str, Run],
        clock: Clock,
        past: Past,
        keeping: Keeping,
        days: Days,
    ) -> None:
        """`runs` are the actions that are under way; `past` is the engine's memory of the last hour."""
        self._store = store
        self._ledger = ledger
        self._runs = runs
        self._clock = clock
        self._past = past
        self._keeping = keeping
        self._days = days
        self._misses = Misses()
        self._waiting: dict[str, Pending] = {}
        self._unwritten: set[str] = set()
        self._alarm = Alarm(clock)

    def forecast(self, intent: Intent, plan: Plan | None, undoes: Sequence[Plan]) -> Forecast | None:
        """What an intent, doing nothing and other actions would bring; None where no figure is concerned, or where a
        fault of ours keeps it from being said: no action waits for a forecast."""
        doing = Doing(target=intent.target, action=intent.action, plan=plan, undoes=undoes, ttl_s=intent.ttl_s)
        try:
            now = self._clock.now()
            found = forecast(self._store.board, self._past, now, doing, daily=self._days.growth)
        except Exception as error:  # noqa: BLE001  contained here and said; the proposal goes without
            self._say_fault(f"no forecast for {doing.words}", error)
            return None
        return None if found is None else self._misses.said(found)

    def proposed(self, target: Ref, forecast: Forecast) -> None:
        """Doing nothing is held to its word too, once for an object at a time; whatever is done to it ends that."""
        course = forecast.courses[1]
        key = f"nothing {target}"
        if key not in self._waiting and sum(one.verb is None for one in self._waiting.values()) < NOTHINGS_MOST:
            self._keep(Pending(
                id=key, course=course, due_at=forecast.at + forecast.horizon_s, touched=touched_by(course, target, None)
            ))  # fmt: skip

    def begun(self, action_id: str, intent: Intent, plan: Plan, course: Course | None) -> None:
        """An action was confirmed: its own forecast begins to wait, and those that it disturbs are told.

        Never raises: an action that is on record is begun, whatever becomes of its forecast.
        """
        try:
            self._begin(action_id, intent, plan, course)
        except Exception as error:  # noqa: BLE001  contained here, and said
            self._say_fault(f"{intent.action.verb} {intent.target.name} is not compared", error)

    def _begin(self, action_id: str, intent: Intent, plan: Plan, course: Course | None) -> None:
        routes = {route.ref for route in concerned(self._store.board, intent.target)}
        touched = tuple(sorted(routes | set(touched_by(course or Course(words=""), intent.target, plan))))
        for other in [one for one in self._waiting.values() if set(one.touched) & set(touched)]:
            if other.verb is None:
                self._drop(other.id)
            elif not other.disturbed:
                words = clean(f"{intent.action.verb} {intent.target.name} came in between", 200)
                self._keep(msgspec.structs.replace(other, disturbed=words))
        if course is not None:
            self._keep(Pending(id=action_id, course=course, due_at=self._clock.now() + HORIZON_S, touched=touched))

    def calibration(self) -> tuple[Calibration, ...]:
        """How good the forecasts of each kind of action were so far."""
        return self._misses.rows()

    async def run(self) -> None:
        """Take up what a former engine left, then compare each forecast when it is due; never returns."""
        kept = await self._keeping.open()
        try:
            for miss in kept.misses:
                self._misses.add(miss)
            self._waiting = {one.id: one for one in kept.waiting} | self._waiting
            for action_id, comparison in kept.outturns:
                self._tell(action_id, comparison)
            while True:
                await self._write()
                await self._alarm.wait_until(await self._compare_due())
        finally:
            await asyncio.shield(self._keeping.close())

    def _keep(self, pending: Pending) -> None:
        self._waiting[pending.id] = pending
        while len(self._waiting) > WAITING_MOST:
            self._drop(min(self._waiting, key=lambda key: self._waiting[key].due_at))
        self._unwritten.add(pending.id)
        self._alarm.changed()

    def _drop(self, pending_id: str) -> None:
        self._waiting.pop(pending_id, None)
        self._unwritten.add(pending_id)
        self._alarm.changed()

    async def _write(self) -> None:
        unwritten, self._unwritten = self._unwritten, set()
        for key in unwritten:
            pending = self._waiting.get(key)
            if pending is None:
                await self._keeping.drop(key)
            else:
                await self._keeping.put(pending)

    async def _compare_due(self) -> float | None:
        """Compare what is due and can be seen; when to look again (unix seconds), None when nothing waits."""
        now, board = self._clock.now(), self._store.board
        for pending in [one for one in self._waiting.values() if one.due_at <= now]:
            if ready(pending, board) or now > pending.due_at + LATE_S:
                self._waiting.pop(pending.id, None)
                try:
                    await self._compare(pending, now)
                except Exception as error:  # noqa: BLE001  contained here and said; the others are compared
                    self._say_fault(f"{pending.course.words} is not compared", error)
        later = [
            max(one.due_at, now + LOOK_AGAIN_S) if one.due_at <= now else one.due_at for one in self._waiting.values()
        ]
        return min(later, default=None)

    def _say_fault(self, what: str, error: Exception) -> None:
        words = f"{what}: a fault in the forecasts ({type(error).__name__}: {error})"
        self._store.say(LogKind.ENGINE, clean(words, 300))

    def _tell(self, action_id: str, comparison: Comparison) -> None:
        """Put a comparison on the receipt of its action, also on that of one that is still under way."""
        run, receipt = self._runs.get(action_id), self._ledger.receipts.get(action_id)
        if receipt is None:
            return
        receipt = msgspec.structs.replace(receipt, outturn=comparison, updated_at=self._clock.now())
        if run is not None:
            run.receipt = receipt
        self._ledger.show(receipt)

    async def _compare(self, pending: Pending, now: float) -> None:
        receipt = self._ledger.receipts.get(pending.id)
        if receipt is not None and receipt.outcome in NOT_DONE and not pending.disturbed:
            pending = msgspec.structs.replace(pending, disturbed=f"it is {receipt.outcome}")
        comparison = compared(pending, self._store.board, now)
        if pending.verb is not None:
            self._tell(pending.id, comparison)
            self._store.say(LogKind.ACTION, clean(comparison.words, 300), ref=pending.course.target)
        found = tuple(misses(pending, comparison))
        for miss in found:
            self._misses.add(miss)
        await self._keeping.settle(pending, comparison, found, now)
