"""Drives one run: asks the session what it needs, does that, and writes down what came of it before anything else.

The session in memory is never ahead of the one on disk. What only a screen needs (a condition's value, how much of a
wait is over) is published and not written.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace

from console.control.access import Peer
from console.control.alarm import within
from console.control.audit import AuditError
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.runbooks import Evidence, Run, RunCommand, RunOrder, StepState
from console.domain.text import clean
from console.domain.wire import LogKind
from console.engine.store import Store
from runbooks import course, events, moves, orders
from runbooks.agreeing import Agreeing, changes, owing
from runbooks.eyes import Eyes
from runbooks.hands import Acting, Rights, Writing
from runbooks.keeping import Keeping, KeepingError
from runbooks.loader import Book
from runbooks.sending import Sending
from runbooks.session import (
    LOOK_S,
    UNCLEAR_S,
    Act,
    Follow,
    Hold,
    Late,
    Look,
    Lookup,
    Need,
    Phase,
    Prepare,
    Recheck,
    RunCommandStep,
    Session,
    Show,
    need,
    questions,
    spec_of,
)

log = logging.getLogger(__name__)

AGAIN_S = 5.0
"""What could not be written down or looked up is tried again after so long."""


YOUNG_S = 2.0
"""An engine that has just begun asks again after so long: a source may not have said yet what can be done there."""


class Driver:
    """One run that is not over."""

    def __init__(
        self,
        session: Session,
        book: Book,
        peer: Peer,
        store: Store,
        clock: Clock,
        acting: Acting,
        rights: Rights,
        audit: Writing,
        keeping: Keeping,
        eyes: Eyes,
        fingerprint: Callable[[str], Awaitable[str]],
        began_at: float,
    ) -> None:
        """`peer` is the holder; `fingerprint` gives the hash of a runbook's file as it is now; `began_at` is when this
        engine began (unix seconds): what it does not know yet is no reason to fail."""
        self.session = session
        self._runbook = book.runbook
        self._peer = peer
        self._store = store
        self._clock = clock
        self._agreeing = Agreeing(audit)
        self._keeping = keeping
        self._eyes = eyes
        self._fingerprint = fingerprint
        self._sending = Sending(acting, rights, eyes, clock)
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._last: tuple[object, float] = ((), 0.0)
        self._heard: object = None
        self._seen_seq = -1
        self._shown: Run | None = None
        self._trouble = ""
        self._began_at = began_at

    @property
    def run(self) -> Run:
        """The run, as it is on disk."""
        return self.session.run

    def nudge(self) -> None:
        """Something happened that it may wait for."""
        self._wake.set()

    def publish(self) -> None:
        """Put the run on the board."""
        self._shown = self.session.run
        self._store.publish(runs=(self._shown,))

    def say(self, words: str, outcome: str = "") -> None:
        """One line on the timeline."""
        run = self.run
        step = run.step(run.current)
        ref = step.target if step else None
        self._store.say(LogKind.RUNBOOK, clean(words, 300), ref=ref, operator=run.holder, outcome=outcome)

    async def drive(self) -> None:
        """Go on until the run is over."""
        while not self.run.state.over:
            try:
                await self._once()
            except Exception as error:
                log.exception("run %s", self.run.id)
                await self._fault(f"a fault in the engine: {type(error).__name__}: {error}")

    async def order(self, command: RunCommand, peer: Peer) -> Run:
        """What a person says; on disk, and in the audit log, when it is answered.

        Raises:
            Refusal: it does not fit, or cannot be written down; nothing has changed then.
        """
        async with self._lock:
            now = self._clock.now()
            after = orders.obey(self.session, self._runbook, command, peer.name, peer.uid, now)
            await self._obeyed(after, command, peer)
            if peer.uid == after.run.uid:
                self._peer = peer
            if command.order is RunOrder.TAKE:
                self.say(f"{peer.name} has control of {self.run.title}")
        self._last, self._heard = ((), 0.0), None
        self.nudge()
        return self.run

    async def _obeyed(self, after: Session, command: RunCommand, peer: Peer) -> None:
        """The order's row, then the run's."""
        try:
            seq = await self._agreeing.ordered(self.run, command, peer.name)
        except AuditError as error:
            raise Refusal(f"nothing was changed: {error}", code=503) from error
        try:
            await self._settle(replace(after, heard=seq))
        except KeepingError as error:
            await self._agreeing.not_taken(self.run.id, command.order, seq, peer.name)
            raise Refusal(f"nothing was changed: {error}", code=503) from error

    # ---- one round

    async def _once(self) -> None:
        self._wake.clear()
        session = self.session
        wanted = need(session, self._runbook, self._clock.now())
        event = await self._met(wanted, session)
        if event is None:
            return
        while not await self._taken(event, session.mark):
            await self._clock.sleep(AGAIN_S)

    async def _met(self, wanted: Need, session: Session) -> events.Event | None:
        """What came of a need; None: nothing yet."""
        match wanted:
            case Look() | Recheck() | Hold():
                return await self._looked(wanted, session)
            case Prepare() | Show() | Act() if self._blind(session):
                await self._rest(LOOK_S)
                return None
            case Prepare():
                return await self._not_yet(self._eyes.prepare(wanted, self._runbook, session), session)
            case Follow():
                return await self._followed(wanted)
            case Show() | Act() | Lookup() | RunCommandStep():
                return await self._sent(wanted, session)
            case Late():
                return events.TooLate()
        await self._rest(LOOK_S)
        return None

    async def _looked(self, wanted: Look | Recheck | Hold, session: Session) -> events.Event | None:
        """Once a second at most while it stands where it stands."""
        now = self._clock.now()
        mark, at = self._last
        due = max(wanted.at, at + LOOK_S) if mark == session.mark else wanted.at
        if due > now or self._behind(session, now):
            due = max(due, now + LOOK_S)
            ends_at = session.step.ends_at if session.run.current else None
            await self._rest(min(due, now + LOOK_S, ends_at or due) - now)
            return None
        self._last = (session.mark, now)
        if isinstance(wanted, Hold):
            return self._eyes.hold(wanted, self._runbook, session)
        conditions = self._eyes.judge(wanted.questions, self._runbook, session)
        if isinstance(wanted, Look):
            return events.Looked(conditions)
        return events.Rechecked(conditions, await self._file_words(session))

    def _behind(self, session: Session, now: float) -> bool:
        """Whether the board may still show how it was before the last effect; what is lost is not waited for."""
        seen = self._store.board.observed
        return any(seen.get(source, 0.0) <= at and now - at < UNCLEAR_S for source, at in session.effects_at.items())

    def _blind(self, session: Session) -> bool:
        """Whether this engine has not looked at all objects yet: what is not seen would be refused. Not for long."""
        seen = self._store.board.observed
        wanted = {ref.source for ref in session.targets} | {one.target.source for one in session.queue}
        return self._young and not wanted <= seen.keys()

    @property
    def _young(self) -> bool:
        """Whether this engine has only just begun to look."""
        return self._clock.now() - self._began_at < UNCLEAR_S

    async def _file_words(self, session: Session) -> str:
        found = await self._fingerprint(session.run.runbook)
        if found == session.run.hash:
            return ""
        name = session.run.path or session.run.runbook
        return f"{clean(name)} {'has changed since it was begun' if found else 'is gone, or has faults now'}"

    async def _followed(self, wanted: Follow) -> events.Event | None:
        """A receipt that says something new."""
        receipt = self._store.board.receipts.get(wanted.action_id) or await self._sending.by_key(wanted.key)
        if receipt is None or receipt == self._heard:
            await self._rest(LOOK_S)
            return None
        self._heard = receipt
        return events.Told(receipt)

    async def _sent(self, wanted: Show | Act | Lookup | RunCommandStep, session: Session) -> events.Event | None:
        event = await self._sending.send(wanted, session, self._runbook, self._peer)
        if event is None:
            self._say_trouble(self._sending.trouble)
            await self._clock.sleep(AGAIN_S)
        return await self._not_yet(event, session)

    async def _not_yet(self, event: events.Event | None, session: Session) -> events.Event | None:
        """The event; None, after a moment, for a no that an engine may hear because it has only just begun."""
        if self._young and not session.run.dry and _refused(event):
            await self._rest(YOUNG_S)
            return None
        return event

    async def _rest(self, seconds: float) -> None:
        """Wait for a while, or for news; then show what has changed on the board."""
        with suppress(TimeoutError):
            await within(self._clock, max(0.01, seconds), _wait(self._wake))
        self._show_live()

    # ---- writing down

    async def _taken(self, event: events.Event, mark: object) -> bool:
        """Take in what came of a need; False when it could not be written down."""
        async with self._lock:
            sure = isinstance(event, events.Sent | events.NotSent | events.Commanded)
            if mark != self.session.mark and not sure:
                return True
            try:
                await self._settle(course.apply(self.session, self._runbook, event, self._clock.now()))
            except KeepingError as error:
                self._say_trouble(str(error))
                return False
            self._trouble = ""
            return True

    async def _settle(self, after: Session) -> None:
        """Write the session down, then believe it, then tell of it.

        Raises:
            KeepingError: it could not be written; nothing has changed.
        """
        before = self.session
        after, evidence = self._with_evidence(before, after)
        news = changes(before.run, after.run)
        after = owing(after, news)
        if _lasting(after) != _lasting(before):
            await self._keeping.save(after, evidence)
        self.session = after
        if after != before:
            self.publish()
        for line in news:
            self.say(f"{after.run.title}: {line.words}", line.state)
        self.session, trouble = await self._agreeing.write(after)
        if trouble:
            self._say_trouble(trouble)

    def _with_evidence(self, before: Session, after: Session) -> tuple[Session, list[Evidence]]:
        """What is to be seen when a step begins and when it ends is kept with it."""
        found: list[Evidence] = []
        for old, new in zip(before.run.steps, after.run.steps, strict=True):
            moments = _moments(old.state, new.state)
            if moments:
                found += [self._eyes.evidence(after, new.id, when) for when in moments]
                after = moves.put(after, after.run.updated_at, replace(new, evidence=new.evidence + len(moments)))
        return after, found

    def _show_live(self) -> None:
        """The current step's conditions as they are now, when the board has changed."""
        session, seq = self.session, self._store.board.seq
        if seq == self._seen_seq or not session.run.current or session.run.state.over:
            return
        self._seen_seq = seq + 1  # what is published here is a change too
        asked = questions(session, spec_of(session, self._runbook))
        if not asked:
            return
        step = replace(session.step, conditions=self._eyes.judge(asked, self._runbook, session))
        run = moves.put(session, session.run.updated_at, step).run
        if run != self._shown:
            self._shown = run
            self._store.publish(runs=(run,))

    async def _fault(self, words: str) -> None:
        async with self._lock:
            try:
                await self._settle(moves.pause(self.session, clean(words, 300), self._clock.now()))
            except KeepingError as error:
                self._say_trouble(str(error))
        await self._clock.sleep(AGAIN_S)

    def _say_trouble(self, words: str) -> None:
        if words != self._trouble:
            self._trouble = words
            self.say(f"{self.run.title} waits: {words}", "failed")


def _refused(event: events.Event | None) -> bool:
    """Whether the guard said no, or the backend could not plan; not for want of rights, which no look brings."""
    if isinstance(event, events.Shown):
        return event.proposal.plan is None or not event.proposal.verdict.allowed
    return isinstance(event, events.Impossible) or (isinstance(event, events.Refused) and not event.rights)


def _lasting(session: Session) -> Session:
    """The session without what is only for a screen."""
    steps = tuple(replace(step, conditions=(), words="", part=None) for step in session.run.steps)
    run = replace(session.run, steps=steps, updated_at=0.0, preconditions=())
    return replace(session, run=run, looked_at=None if session.phase is Phase.LOOK else session.looked_at)


def _moments(old: StepState, new: StepState) -> list[str]:
    """Which pieces of evidence a step's change wants."""
    if old is new or new in (StepState.PENDING, StepState.SKIPPED):
        return []
    found = ["before"] if old is StepState.PENDING else []
    ends = {StepState.SUCCEEDED: "after", StepState.FAILED: "failed", StepState.ROLLED_BACK: "after"}
    return [*found, ends[new]] if new in ends else found


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
