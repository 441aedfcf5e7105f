"""What an engine before has left of its runs: read back, brought to agree with the audit log, or given up with why."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from pathlib import Path

from console.control.access import Peer
from console.control.audit import AuditError
from console.domain.errors import ConfigError
from console.domain.ports import Clock
from console.domain.runbooks import RUNS_SHOWN_S, Run, RunState
from console.domain.text import clean
from console.domain.wire import LogKind
from console.engine.store import Store
from runbooks import course, events, moves
from runbooks.agreeing import BEGUN, NOT_TAKEN, Agreeing, changes, owing
from runbooks.hands import Account
from runbooks.keeping import Keeping, KeepingError, Kept, Unreadable
from runbooks.loader import Book, parsed
from runbooks.session import Session


@dataclass(frozen=True, slots=True)
class Left:
    """A run that goes on."""

    session: Session
    book: Book
    """Its runbook, as it was when the run began."""
    peer: Peer
    """Its holder."""


class TakingUp:
    """Takes up the runs of one environment, once, when its engine begins."""

    def __init__(self, store: Store, clock: Clock, keeping: Keeping, agreeing: Agreeing, account: Account) -> None:
        self._store = store
        self._clock = clock
        self._keeping = keeping
        self._agreeing = agreeing
        self._account = account

    async def runs(self) -> tuple[Left, ...]:
        """Those that go on. The others that are to be seen are on the board, and what is wrong was said.

        Raises:
            KeepingError: none can be read.
        """
        now = self._clock.now()
        left = await self._keeping.at_start(now - RUNS_SHOWN_S)
        found = [await self._taken(one, now) for one in left]
        await self._never_begun(left)
        return tuple(one for one in found if one is not None)

    async def _taken(self, one: Kept | Unreadable, now: float) -> Left | None:
        if isinstance(one, Unreadable):
            await self._lost(one, now)
            return None
        session = await self._agreed(one.session)
        if not session.run.state.over:
            return await self._again(session, one, now)
        if (session.run.ended_at or now) > now - RUNS_SHOWN_S:
            self._store.publish(runs=(session.run,))
        return None

    async def _agreed(self, session: Session) -> Session:
        run = session.run
        try:
            session, said = await self._agreeing.agree(session)
        except AuditError as error:
            said = (f"what the audit log has of it is not known: {error}",)
        for words in said:
            self._say(f"{run.title} ({run.id}): {words}", run.holder, "failed")
        return session

    async def _again(self, session: Session, kept: Kept, now: float) -> Left | None:
        run = session.run
        try:
            book = await asyncio.to_thread(parsed, kept.book, Path(kept.path))
        except ConfigError as error:
            await self._given_up(session, f"this engine cannot read the file as it began: {error}", now)
            return None
        peer = await asyncio.to_thread(self._account, run.uid)
        where = run.current or "its beginning"
        self._say(f"{run.title} ({run.id}), {run.state} at {where}, is taken up", run.holder, "")
        return Left(course.apply(session, book.runbook, events.Restarted(), now), book, peer)

    async def _given_up(self, session: Session, words: str, now: float) -> None:
        """A run that cannot go on ends, and says so; what it did stands, and its actions are followed by control."""
        ended = moves.end(session, RunState.FAILED, clean(words, 300), now)
        ended = owing(ended, changes(session.run, ended.run))
        await self._kept(self._keeping.save(ended))
        await self._agreeing.write(ended)
        self._shown_as_over(ended.run)

    async def _lost(self, one: Unreadable, now: float) -> None:
        """A row that cannot be read is no reason to leave the others; whoever can read it finds it as it was."""
        await self._kept(self._keeping.give_up(one.run, now))
        holder = clean((await asyncio.to_thread(self._account, one.uid)).name) if one.uid >= 0 else ""
        self._shown_as_over(lost(one, holder, now))

    async def _never_begun(self, left: Iterable[Kept | Unreadable]) -> None:
        """Runs whose first row is in the audit log, and who are on no disk: nothing came of them."""
        known = {one.run if isinstance(one, Unreadable) else one.session.run.id for one in left}
        try:
            for row in await self._agreeing.never_begun():
                if row.action_id in known or await self._there(row.action_id):
                    continue
                await self._agreeing.not_taken(row.action_id, BEGUN, row.seq, row.operator)
                words = f"run {clean(row.action_id, 60)} was not begun: {NOT_TAKEN}; begin it again"
                self._say(words, row.operator, "failed")
        except AuditError as error:
            self._say(f"what the audit log has of former runs is not known: {error}", "", "failed")

    async def _there(self, run_id: str) -> bool:
        try:
            return await self._keeping.find(run_id) is not None
        except KeepingError:
            return True

    async def _kept(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except KeepingError as error:
            self._say(str(error), "", "failed")

    def _shown_as_over(self, run: Run) -> None:
        self._store.publish(runs=(run,))
        self._say(f"{run.title} ({run.id}) failed: {run.words}", run.holder, RunState.FAILED)

    def _say(self, words: str, operator: str, outcome: str) -> None:
        self._store.say(LogKind.RUNBOOK, clean(words, 400), operator=operator, outcome=outcome)


def lost(one: Unreadable, holder: str, now: float) -> Run:
    """What can be told of a run that cannot be read back."""
    name, at = clean(Path(one.path).stem, 60), one.ended_at or now
    return Run(
        id=clean(one.run, 60), runbook=name, title=name, hash="", started_by=holder, holder=holder, uid=one.uid,
        started_at=at, updated_at=at, ended_at=at, state=RunState.FAILED, words=clean(one.words, 400),
    )  # fmt: skip
