"""One source's task: look at it, again and again, and put what came of it on the board.

A poller never dies and never raises. It keeps to its interval on a fixed grid (so that no look is lost), with a
little jitter; it never has two looks in flight; it backs off from a source that fails and returns with the first
good look; it stays within its request budget; and its watchdog turns the source stale by the clock, whatever the
look itself is doing.
"""

import asyncio
import logging
import math
import random
from typing import Any

from console.domain.errors import ErrorKind, Failure
from console.domain.freshness import Freshness, freshness, stale_after_s
from console.domain.ports import Adapter, Clock
from console.domain.readings import Observation, ReplicaStatus, Source
from console.domain.refs import Kind, Ref
from console.domain.wire import LogKind
from console.engine.budget import RequestBudget
from console.engine.failures import as_failure
from console.engine.intake import admit, sound
from console.engine.store import Store

log = logging.getLogger(__name__)

JITTER = 0.1
"""Each look begins up to this part of the interval after its point on the grid."""
LONGEST_LOOK = 0.9
"""A look may take this part of the interval at most, so that it is over before the next one begins."""
CANCEL_GRACE = 0.05
"""A look that has run out of time gets this part of the interval to give back what it holds."""
LONGEST_END_S = 1.0
"""Real seconds that the engine's end waits for a look that does not give way."""
BREAKER_FAILURES = 3
"""After this many failures in a row the poller backs off, and says so."""
LONGEST_BACKOFF_S = 60.0
LONGEST_RETRY_AFTER_S = 300.0
SOON_S = 0.25
"""Looks that are asked for begin at least this long after the one before."""


class Poller:
    """Looks at one adapter for as long as it runs.

    `polls`, `failures` and `missed` count looks begun, looks failed, and points on the grid that passed without one
    although the source was well and its budget allowed it.
    """

    def __init__(
        self,
        name: str,
        adapter_name: str,
        adapter: Adapter,
        store: Store,
        clock: Clock,
        *,
        interval_s: float,
        timeout_s: float,
        requests_per_minute: float | None,
        rng: random.Random,
    ) -> None:
        self.name = name
        self.interval_s = interval_s
        self.timeout_s = min(timeout_s, LONGEST_LOOK * interval_s)
        self.polls = 0
        self.failures = 0
        self.missed = 0
        self._ref = Ref(name, Kind.SOURCE, name)
        self._adapter_name = adapter_name
        self._adapter = adapter
        self._store = store
        self._clock = clock
        self._rng = rng
        self._budget = RequestBudget(requests_per_minute)
        self._last_ok: float | None = None
        self._seen_at = 0.0
        """The same moment on the monotonic clock: a wall clock that is set back must not make the old look new."""
        self._first_at = clock.now()
        self._failed_in_a_row = 0
        self._failure: Failure | None = None
        self._problems: tuple[Failure, ...] = ()
        self._notes: tuple[str, ...] = ()
        """Of the last good look, of which nothing else is kept here."""
        self._replicas: tuple[ReplicaStatus, ...] = ()
        self._freshness = Freshness.MISSING
        self._since = self._first_at
        self._begun = 0.0
        self._look: asyncio.Task[Observation] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._soon = False

    @property
    def effective_interval_s(self) -> float:
        """Seconds between looks: the configured interval, or more when the request budget asks for it."""
        return max(self.interval_s, self._budget.pace_s)

    def poll_soon(self) -> None:
        """Look as soon as the budget allows; a look in flight is finished first, because it may be too old."""
        self._soon = True
        if self._timer is not None:
            self._timer.cancel()

    async def run(self, spread_s: float = 0.0) -> None:
        """Look until cancelled. The first look begins within `spread_s` seconds.

        Raises:
            asyncio.CancelledError: and nothing else.
        """
        wait_s = self._rng.uniform(0.0, spread_s)
        now = self._clock.now()
        self._first_at = self._since = now + wait_s  # nobody misses what was not asked for yet
        self._seen_at = self._clock.monotonic() + wait_s
        self._put(now)
        watchdog = asyncio.create_task(self._watch(), name=f"watchdog {self.name}")
        try:
            await self._pause(wait_s)
            await self._loop()
        finally:
            await _ended(watchdog, self._look)

    async def _loop(self) -> None:
        due = self._clock.monotonic()
        while True:
            self._soon = False
            self._begun = self._clock.monotonic()
            try:
                await self._poll()
            except Exception:  # whoever listens to the board may be at fault; the looking goes on
                log.exception("source %s: a look could not be put on the board", self.name)
            due = max(self._next(due), self._earliest())
            start = due + self._rng.uniform(0.0, JITTER * self.interval_s)
            await self._pause(start - self._clock.monotonic())
            if self._soon:
                await self._sleep(self._soonest() - self._clock.monotonic())

    def _next(self, due: float) -> float:
        """The next point on the grid, in monotonic seconds; those that passed without a look are left out."""
        now = self._clock.monotonic()
        if self._failed_in_a_row >= BREAKER_FAILURES:
            return now + self._backoff_s()
        step = self.effective_interval_s
        if due <= self._begun:
            due += step
        late = now - due - JITTER * self.interval_s
        if late > 0:
            passed = math.ceil(late / step)
            self.missed += passed if self._failure is None else 0
            due += passed * step
        return due

    def _backoff_s(self) -> float:
        doubled = self.effective_interval_s * 2.0 ** min(self._failed_in_a_row - BREAKER_FAILURES + 1, 16)
        return max(self.effective_interval_s, min(LONGEST_BACKOFF_S, doubled)) * self._rng.uniform(0.8, 1.0)

    def _earliest(self) -> float:
        """Before this moment (monotonic seconds) no look may begin, wanted or not."""
        ready = self._budget.ready_at(self._clock.monotonic())
        asked = self._failure.retry_after_s if self._failure else None
        return max(ready, self._begun + min(asked or 0.0, LONGEST_RETRY_AFTER_S))

    def _soonest(self) -> float:
        return max(self._earliest(), self._begun + SOON_S)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless `poll_soon` ends it."""
        if self._soon:
            return
        self._timer = asyncio.create_task(self._sleep(seconds))
        try:
            await asyncio.wait((self._timer,))
        finally:
            self._timer.cancel()
            self._timer = None

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(max(0.0, seconds))

    async def _poll(self) -> None:
        if self._look is None:
            self._look = asyncio.create_task(self._observe(), name=f"look {self.name}")
            self.polls += 1
        if not await self._ends_within(self._look, self.timeout_s):
            self._look.cancel()
            await self._ends_within(self._look, CANCEL_GRACE * self.interval_s)
        self._finish(self._look)

    async def _observe(self) -> Observation:
        return await self._adapter.observe()  # in a task of its own, whatever it does instead of answering

    async def _ends_within(self, look: asyncio.Task[Observation], seconds: float) -> bool:
        timer = asyncio.create_task(self._sleep(seconds))
        try:
            await asyncio.wait((look, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return look.done()

    def _finish(self, look: asyncio.Task[Observation]) -> None:
        """Take the look's end; one that does not even end when cancelled is left in flight, and is not repeated."""
        if not look.done():
            self._bad(_timeout(self.timeout_s, "and it cannot be ended", "restart the engine if it stays so"))
            return
        self._look = None
        if look.cancelled():
            self._bad(_timeout(self.timeout_s, "", "look at the backend, or raise the source's interval and timeout"))
            return
        error = look.exception()
        try:
            if error is None:
                self._good(look.result())
        except Exception as wrong:  # noqa: BLE001 - an answer of any shape must not end the looking
            error = wrong
        if error is not None:
            self._bad(as_failure(error, self.name))

    def _good(self, observation: Observation) -> None:
        if not isinstance(observation, Observation):
            raise TypeError(f"the adapter answered with {type(observation).__name__}, not with an Observation")
        self._budget.spend(self._begun, observation.requests)
        observation = admit(observation, self.name, self._store.board)
        down_for = self._clock.now() - (self._last_ok or self._first_at)
        was_down = self._failed_in_a_row >= BREAKER_FAILURES
        self._failed_in_a_row = 0
        self._failure = None
        self._problems, self._notes = observation.problems, observation.notes
        self._replicas = observation.replicas
        now = self._clock.now()
        self._last_ok = min(observation.observed_at, now)
        self._seen_at = self._clock.monotonic() - (now - self._last_ok)
        self._put(self._clock.now(), observation)
        if was_down:
            self._store.say(LogKind.SOURCE, f"{self.name} answers again after {down_for:.0f} s", ref=self._ref)

    def _bad(self, failure: Failure) -> None:
        self._budget.spend(self._begun, None)
        self.failures += 1
        self._failed_in_a_row += 1
        self._failure = failure
        self._put(self._clock.now())
        if self._failed_in_a_row == BREAKER_FAILURES:
            words = f"{self.name} failed {BREAKER_FAILURES} times in a row and is asked less often: {failure}"
            self._store.say(LogKind.SOURCE, words, ref=self._ref)

    async def _watch(self) -> None:
        """Turn the source stale at the moment when its last good look is too old."""
        while True:
            limit = stale_after_s(self.effective_interval_s)
            left = self._seen_at + limit - self._clock.monotonic()
            await self._clock.sleep(left + 0.01 if left > 0 else limit)
            now = self._clock.now()
            if self._judge(now) is not self._freshness:
                try:
                    self._put(now)
                except Exception:  # the watchdog outlives whoever listens
                    log.exception("source %s: its staleness could not be put on the board", self.name)

    def _judge(self, now: float) -> Freshness:
        if self._last_ok is None:
            return Freshness.MISSING
        age = max(now - self._last_ok, self._clock.monotonic() - self._seen_at)
        return freshness(now - age, now, self.effective_interval_s)

    def _put(self, now: float, observation: Observation | None = None) -> None:
        state = self._judge(now)
        if state is not self._freshness:
            self._freshness, self._since = state, now
        self._store.observe(sound(self._source(now)), observation)

    def _source(self, now: float) -> Source:
        return Source(
            ref=self._ref,
            observed_at=now,
            adapter=self._adapter_name,
            freshness=self._freshness,
            interval_s=self.effective_interval_s,
            last_ok_at=self._last_ok,
            since=self._since,
            failure=self._failure,
            problems=self._problems,
            replicas=self._replicas,
            notes=(*self._notes, *self._pace_notes()) if self._last_ok is not None else (),
            stale_after_s=stale_after_s(self.effective_interval_s),
        )

    def _pace_notes(self) -> tuple[str, ...]:
        pace = self._budget.pace_s
        if pace <= self.interval_s:
            return ()
        return (f"looked at every {pace:.0f} s instead of {self.interval_s:g} s: its request budget allows no more",)


async def _ended(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks and wait for their end, so that an adapter is not closed in the middle of a look."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    done, _ = await asyncio.wait(running, timeout=LONGEST_END_S)
    for task in done:
        if not task.cancelled():
            task.exception()  # taken, so that nobody is told that it was not


def _timeout(seconds: float, more: str, way_out: str) -> Failure:
    message = ", ".join(part for part in (f"no whole answer within {seconds:g} s", more) if part)
    return Failure(kind=ErrorKind.TIMEOUT, message=message, way_out=way_out)
