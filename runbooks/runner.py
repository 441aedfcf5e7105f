"""The engine's task that follows runbooks: every run that is not over is driven, each by a task of its own.

What a front asks (`start`, `order`, …) is answered here; what a run does is decided by `runbooks.course` and
`runbooks.orders`, and carried out by `runbooks.driver`.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from console.control.access import Peer
from console.control.audit import AuditError
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.runbooks import (
    PICTURE_MOST,
    RUNS_SHOWN_S,
    Evidence,
    EvidenceQuery,
    Offer,
    Picture,
    Run,
    RunbookInfo,
    RunCommand,
    RunOrder,
    RunsPage,
    RunsQuery,
    StartRun,
)
from console.domain.text import clean
from console.domain.wire import AccessLevel, Change, LogKind
from console.engine.store import Store
from runbooks.agreeing import BEGUN, Agreeing
from runbooks.describing import info_of, run_of
from runbooks.driver import Driver
from runbooks.eyes import Eyes
from runbooks.hands import Account, Acting, Rights, Writing
from runbooks.keeping import Keeping, KeepingError, Kept, Unreadable
from runbooks.loader import Book, Faulty, books
from runbooks.offers import offers_in_steps
from runbooks.parameters import bind
from runbooks.session import Session
from runbooks.taking_up import TakingUp, lost

log = logging.getLogger(__name__)

READ_AGAIN_S = 30.0
"""Files are read again after so long, so that a new one is offered; a run always begins with the file as it is."""
TICK_S = 1.0
MOST_RUNS = 50
"""Runs that are not over at the same time."""
NAMED = 5
"""Faulty files that one line names."""
DRY_KEPT_S = 86_400.0
"""Seconds for which a dry run is kept after its end."""


class Runner:
    """All runs of one engine. `run` must be running: runs are its tasks, not those of who asked."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        acting: Acting,
        rights: Rights,
        audit: Writing,
        keeping: Keeping,
        eyes: Eyes,
        account: Account,
        folders: Sequence[Path] = (),
        kept_s: float = 400 * 86_400.0,
    ) -> None:
        """`account` rebuilds the holder of a run that an engine before has begun; `folders` have runbooks beside those
        that are shipped; `kept_s`: for so long a run is kept after its end."""
        self._store = store
        self._clock = clock
        self._acting = acting
        self._rights = rights
        self._audit = audit
        self._keeping = keeping
        self._eyes = eyes
        self._agreeing = Agreeing(audit)
        self._taking_up = TakingUp(store, clock, keeping, self._agreeing, account)
        self._folders = tuple(folders)
        self._kept_s = kept_s
        self._since = clock.now()
        self._began_at = clock.now()
        self._drivers: dict[str, Driver] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._ready = asyncio.Event()
        self._beginning = asyncio.Lock()
        self._blocked = ""
        self._books: tuple[Book | Faulty, ...] = ()
        self._read_at: float | None = None
        self._faulty: frozenset[str] = frozenset()
        self._stirred = True
        self._offered_to: frozenset[str] = frozenset()
        store.listen(self._hear)

    @property
    def pending(self) -> bool:
        """Whether a run is not over."""
        return any(not driver.run.state.over for driver in self._drivers.values())

    async def run(self) -> None:
        """Take up what an engine before left, then drive all runs and keep the offers right; until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await self._take_up()
                self._ready.set()
                await self._offering()
        finally:
            self._tasks = None

    # ---- what fronts ask

    async def runbooks(self) -> tuple[RunbookInfo, ...]:
        """The runbooks that there are, those with faults included."""
        await self._read()
        return tuple(info_of(one, self._store.board) for one in self._books)

    async def start(self, start: StartRun, peer: Peer) -> Run:
        """Begin a runbook; asked for twice under the same `request`, it is one run.

        Raises:
            Refusal: 404 there is none, 400 a parameter is wrong or missing, 403 the peer may not operate, 409 another
                run has one of its objects, 503 it cannot be written down.
        """
        await self._ready.wait()
        if self._blocked:
            raise Refusal(self._blocked, code=503)
        self._may(peer, dry=start.dry)
        async with self._beginning:
            try:
                before = await self._keeping.requested(start.request, peer.uid)
                return before.session.run if before else await self._begin(start, peer)
            except KeepingError as error:
                raise Refusal(f"nothing was begun: {error}", code=503) from error

    async def order(self, command: RunCommand, peer: Peer) -> Run:
        """Say something to a run; on disk when it is answered.

        Raises:
            Refusal: 404 there is no such run, or `runbooks.orders.obey` says no; nothing has changed then.
        """
        await self._ready.wait()
        driver = self._drivers.get(command.run)
        if driver is None:
            raise Refusal(f"{(await self.run_of(command.run)).title}: the run is over", code=409)
        if command.order is not RunOrder.PAUSE:
            self._may(peer, dry=driver.run.dry)
        return await driver.order(command, peer)

    async def run_of(self, run_id: str) -> Run:
        """One run, however old.

        Raises:
            Refusal: there is none.
        """
        await self._ready.wait()
        driver = self._drivers.get(run_id)
        return driver.run if driver is not None else (await self._kept(run_id)).session.run

    async def runs(self, query: RunsQuery) -> RunsPage:
        """Runs that are not over, and those that ended since a moment.

        Raises:
            Refusal: they cannot be read.
        """
        await self._ready.wait()
        if self._blocked:
            raise Refusal(self._blocked, code=503)
        try:
            found, older = await self._keeping.page(query.since, query.limit)
        except KeepingError as error:
            raise Refusal(str(error), code=503) from error
        return RunsPage(runs=tuple(self._as_it_stands(one) for one in found), older=older)

    def _as_it_stands(self, one: Kept | Unreadable) -> Run:
        if isinstance(one, Unreadable):
            return lost(one, "", self._clock.now())
        driver = self._drivers.get(one.session.run.id)
        return driver.run if driver is not None else one.session.run

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        """What was kept of a run, oldest first.

        Raises:
            Refusal: there is no such run, or it cannot be read.
        """
        await self.run_of(query.run)
        try:
            return await self._keeping.evidence(query)
        except KeepingError as error:
            raise Refusal(str(error), code=503) from error

    async def keep_picture(self, picture: Picture, peer: Peer) -> None:
        """Keep a holder's screen with the newest evidence of a step.

        Raises:
            Refusal: there is no such run or evidence, the peer has no control of it, or the picture is too large.
        """
        run = await self.run_of(picture.run)
        if peer.uid != run.uid:
            raise Refusal(f"{run.holder} has control of run {run.id}", code=403)
        if len(picture.svg) > PICTURE_MOST:
            raise Refusal(f"a picture has at most {PICTURE_MOST:,} characters", code=413)
        try:
            if not await self._keeping.add_picture(picture.run, picture.step, picture.svg):
                raise Refusal(f"nothing was kept of step {clean(picture.step, 60)} yet", code=404)
        except KeepingError as error:
            raise Refusal(str(error), code=503) from error

    # ---- beginning

    async def _begin(self, start: StartRun, peer: Peer) -> Run:
        if sum(not driver.run.state.over for driver in self._drivers.values()) >= MOST_RUNS:
            raise Refusal(f"{MOST_RUNS} runs are not over: end some first", code=429)
        book = await self._book(start.runbook)
        scope = self._eyes.bare(book.runbook, start.alert, start.incident)
        bound = bind(book.runbook, start.parameters, scope)
        wrong = [*bound.faults, *(f"{name} is not given, and cannot be told" for name in bound.missing)]
        if wrong:
            raise Refusal(f"{book.runbook.id}: {'; '.join(wrong)}", code=400)
        now = self._clock.now()
        run = run_of(book, start, bound.values, f"r{secrets.token_hex(5)}", peer.name, peer.uid, now)
        session = Session(run=run, request=start.request, since=now)
        session = replace(session, targets=self._eyes.targets(book.runbook, session))
        self._free(session)
        session = await self._written_down(session, peer, book)
        driver = self._driver(session, book, peer)
        driver.say(f"{peer.name} began {run.title} ({run.id}){', dry' if run.dry else ''}")
        self._drive(driver)
        return driver.run

    def _free(self, session: Session) -> None:
        """One run at a time has an object."""
        for driver in self._drivers.values():
            both = [] if driver.run.state.over else set(driver.session.targets) & set(session.targets)
            if both and not (session.run.dry or driver.run.dry):
                names = ", ".join(sorted(clean(ref.name, 60) for ref in both))
                other = driver.run
                words = f"{names}: run {other.id} of {other.runbook} has it, held by {other.holder}"
                raise Refusal(f"{words}; end that one first", code=409)

    async def _written_down(self, session: Session, peer: Peer, book: Book) -> Session:
        """The audit log's row, then the run's own."""
        run = session.run
        try:
            seq = await self._agreeing.begun(run, peer.name)
        except AuditError as error:
            raise Refusal(f"nothing was begun: {error}", code=503) from error
        session = replace(session, heard=seq)
        try:
            await self._keeping.begin(session, peer.uid, book.text, str(book.path))
        except KeepingError:
            await self._agreeing.not_taken(run.id, BEGUN, seq, peer.name)
            raise
        return session

    def _may(self, peer: Peer, *, dry: bool) -> None:
        access = self._rights.of(peer)
        if not dry and access.level is not AccessLevel.OPERATE:
            raise Refusal(
                f"read-only: {'ask for operate (o) first' if access.may_operate else access.why_not}", code=403
            )

    # ---- driving

    def _driver(self, session: Session, book: Book, peer: Peer) -> Driver:
        driver = Driver(
            session, book, peer, self._store, self._clock, self._acting, self._rights, self._audit, self._keeping,
            self._eyes, self._fingerprint, self._began_at,
        )  # fmt: skip
        self._drivers[session.run.id] = driver
        driver.publish()
        return driver

    def _drive(self, driver: Driver) -> None:
        if self._tasks is None:
            raise Refusal("the engine is ending; the next one takes the run up", code=503)
        self._tasks.create_task(driver.drive(), name=f"run {driver.run.id}")

    async def _take_up(self) -> None:
        """What an engine before left."""
        try:
            await self._keeping.open()
            now = self._clock.now()
            await self._keeping.forget(now - self._kept_s, now - DRY_KEPT_S)
            for left in await self._taking_up.runs():
                self._drive(self._driver(left.session, left.book, left.peer))
        except KeepingError as error:
            self._blocked = f"no runbook can be followed: {error}"
            self._store.say(LogKind.RUNBOOK, clean(self._blocked, 300), outcome="failed")

    async def _kept(self, run_id: str) -> Kept:
        try:
            found = None if self._blocked else await self._keeping.find(run_id)
        except KeepingError as error:
            raise Refusal(str(error), code=503) from error
        if found is None:
            raise Refusal(self._blocked or f"there is no run {clean(run_id, 60)}", code=404)
        return found

    # ---- files and offers

    async def _book(self, runbook: str) -> Book:
        await self._read()
        for one in self._books:
            if isinstance(one, Book) and one.runbook.id == runbook:
                return one
            if isinstance(one, Faulty) and one.id == runbook:
                raise Refusal(f"{clean(runbook, 60)} cannot be begun: {'; '.join(one.faults[:5])}", code=409)
        raise Refusal(f"there is no runbook {clean(runbook, 60)!r}; `switchgear runbook list`", code=404)

    async def _read(self) -> None:
        """Read the files, off the loop."""
        self._books = await asyncio.to_thread(books, self._folders)
        self._read_at = self._clock.monotonic()
        before, self._faulty = self._faulty, frozenset(str(one.path) for one in self._books if isinstance(one, Faulty))
        if new := sorted(clean(Path(path).name, 60) for path in self._faulty - before):
            more = f" and {len(new) - NAMED} more" if len(new) > NAMED else ""
            names = f"{', '.join(new[:NAMED])}{more}"
            words = f"runbooks that cannot be followed: {names}; `switchgear runbook lint FILE` says why"
            self._store.say(LogKind.RUNBOOK, words, outcome="failed")

    async def _fingerprint(self, runbook: str) -> str:
        """The hash of a runbook's file as it is now; empty when there is none that could be followed."""
        await self._read()
        found = (one for one in self._books if isinstance(one, Book) and one.runbook.id == runbook)
        return next((one.hash for one in found), "")

    def _hear(self, change: Change) -> None:
        begun_or_over = any(run.state.over or run.id not in self._offered_to for run in change.runs)
        if change.alerts or change.incidents or begun_or_over:
            self._stirred = True
        if change.receipts:
            for driver in self._drivers.values():
                driver.nudge()

    async def _offering(self) -> None:
        """Say which runbooks fit what is wrong, once a second at most, whenever that may have changed."""
        said: tuple[Offer, ...] = ()
        while True:
            self._forget()
            old = self._read_at is None or self._clock.monotonic() - self._read_at >= READ_AGAIN_S
            if self._stirred or (said and old):
                self._stirred = False
                said = await self._offer(said, read=old)
            await self._clock.sleep(TICK_S)

    async def _offer(self, said: tuple[Offer, ...], *, read: bool) -> tuple[Offer, ...]:
        try:
            if read:
                await self._read()
            found: tuple[Offer, ...] = ()
            self._offered_to = frozenset(self._store.board.runs)
            for some in offers_in_steps(self._books, self._store.board, self._eyes.bare):
                found += some
                await asyncio.sleep(0)  # a screen's key goes before the next incident's offers
        except Exception as error:
            log.exception("offers")
            self._store.say(LogKind.RUNBOOK, clean(f"no runbook can be offered: {error}", 300), outcome="failed")
            return said
        if found != said:
            self._store.publish(offers=found)
        return found

    def _forget(self) -> None:
        """A run that has been over for a while is on disk alone."""
        now = self._clock.now()
        for run_id, driver in tuple(self._drivers.items()):
            if driver.run.state.over and now - (driver.run.ended_at or now) > RUNS_SHOWN_S:
                del self._drivers[run_id]
