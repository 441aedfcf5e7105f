"""Somebody who follows what the console offers: no faster than a person, and without an opinion of their own."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from console.control.access import Peer
from console.domain.errors import Refusal
from console.domain.runbooks import Offer, Run, RunCommand, RunOrder, RunState, RunStep, StartRun, StepKind, StepState
from console.domain.wire import AccessLevel, AccessRequest
from console.runtime.wiring import Runtime
from runbooks.loader import Book, books
from runbooks.schema import Runbook
from runbooks.targets import filled

NOTICE_S: Final = 60.0
"""From the offer until it is taken."""
YES_S: Final = 15.0
"""From a question until it is answered."""
BY_HAND_S: Final = 120.0
"""What is done elsewhere takes so long."""
LOOK_S: Final = 5.0
TRIES: Final = 2
"""A step that failed is tried again so often; then the run is ended, with its way back."""
RUNS_MOST: Final = 3
"""Runbooks followed one after the other; then somebody else is called."""


@dataclass(frozen=True, slots=True)
class Note:
    """One line of what happened."""

    at: float
    """Unix seconds."""
    words: str


@dataclass(slots=True)
class Operator:
    """Follows runbooks on one engine. `remedy` does what a manual step does elsewhere."""

    runtime: Runtime
    remedy: Callable[[str], None]
    wanted: str = ""
    """The only runbook that is followed; empty: whatever is offered first."""
    notes: list[Note] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    """As each ended, the first first."""
    offered: dict[str, Offer] = field(default_factory=dict)
    """By runbook, as it was first offered with everything that it has to know."""
    faults: list[str] = field(default_factory=list)
    """What nobody can do here, although a manual step asks for it."""
    begun: bool = False
    """Whether any was begun."""
    _waiting: dict[str, float] = field(default_factory=dict)
    """What is waited for, and since when."""
    _tried: dict[str, int] = field(default_factory=dict)
    _books: dict[str, Runbook] = field(default_factory=dict)

    @property
    def _peer(self) -> Peer:
        return Peer(uid=os.geteuid(), gid=os.getegid(), pid=os.getpid(), name="operator", groups=frozenset())

    async def work(self) -> None:
        """Watch, and follow; never returns."""
        clock = self.runtime.clock
        while True:
            await clock.sleep(LOOK_S)
            offer = self._chosen()
            if offer is not None and len(self.runs) < RUNS_MOST:
                await self._follow(offer)

    def _say(self, words: str) -> None:
        self.notes.append(Note(self.runtime.clock.now(), words))

    def _chosen(self) -> Offer | None:
        """The first offer that has stood for as long as a person needs to read it."""
        now, board = self.runtime.clock.now(), self.runtime.store.board
        done = {(run.runbook, self._asked(run.runbook, run.parameters)) for run in self.runs}
        found: Offer | None = None
        for offer in board.offers:
            if self.wanted and offer.runbook != self.wanted:
                continue
            if offer.ready is False or (offer.runbook, self._asked(offer.runbook, offer.parameters)) in done:
                continue
            if self._lacks(offer):
                continue
            if offer.runbook not in self.offered:
                self.offered[offer.runbook] = offer
                self._say(f"offered: {offer.runbook} ({_told(offer.parameters)})")
            found = found or offer
        since = self._waiting.setdefault("offer", now) if found is not None else now
        if found is None:
            self._waiting.pop("offer", None)
        return found if now - since >= NOTICE_S else None

    def _lacks(self, offer: Offer) -> list[str]:
        """Parameters that nobody has told."""
        book = self._runbook(offer.runbook)
        return [name for name, one in book.parameters.items() if one.default is None and not offer.parameters.get(name)]

    def _asked(self, name: str, parameters: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """What the runbook is about, without what it reckons for itself."""
        known = self._runbook(name).parameters
        told = {one: value for one, value in parameters.items() if one in known and not known[one].hidden}
        return tuple(sorted(told.items()))

    def _runbook(self, name: str) -> Runbook:
        if not self._books:
            known = books(Path(folder) for folder in self.runtime.config.runbooks)
            self._books.update({book.runbook.id: book.runbook for book in known if isinstance(book, Book)})
        return self._books[name]

    async def _follow(self, offer: Offer) -> None:
        self._waiting.clear()
        await self._ask_for_operate(offer.runbook)
        start = StartRun(runbook=offer.runbook, parameters=offer.parameters, incident=offer.incident, alert=offer.alert)
        try:
            run = await self.runtime.runner.start(start, self._peer)
        except Refusal as refusal:
            self._say(f"{offer.runbook} cannot be begun: {refusal}")
            self._waiting.pop("offer", None)
            return
        self.begun = True
        self._say(f"begins {offer.runbook}")
        while not run.state.over:
            await self.runtime.clock.sleep(LOOK_S)
            before, run = run, await self.runtime.runner.run_of(run.id)
            self._tell(before, run)
            try:
                await self._answer(run)
            except Refusal as refusal:
                self._say(f"the answer was refused: {refusal}")
        self._say(f"{run.runbook} {run.state}: {run.words}")
        self.runs.append(run)

    async def _ask_for_operate(self, runbook: str) -> None:
        if self.runtime.grants.of(self._peer).level is not AccessLevel.OPERATE:
            grant = AccessRequest(level=AccessLevel.OPERATE, reason=f"follows {runbook}", minutes=600.0)
            await self.runtime.grants.request(self._peer, grant)

    def _tell(self, before: Run, run: Run) -> None:
        for was, step in zip(before.steps, run.steps, strict=True):
            if step.state is not was.state and step.state not in (StepState.PENDING, StepState.RUNNING):
                self._say(f"  {step.id}: {step.state}{f' ({step.words})' if step.words else ''}")
        if run.state is not before.state and run.state is RunState.PAUSED:
            self._say(f"  paused: {run.words}")

    async def _answer(self, run: Run) -> None:
        """Say what a person would, when a person would have come to it."""
        step = run.step(run.current)
        if run.state is RunState.PAUSED:
            if self._ripe(f"paused {run.current}", BY_HAND_S):
                await self._go_on(run, step)
        elif step is not None and step.state is StepState.AWAITING_CONFIRM:
            if step.kind is StepKind.MANUAL:
                if self._ripe(f"{step.id} {step.attempt}", BY_HAND_S):
                    self._do(run, step)
                    await self._order(run, RunOrder.DONE, step.id)
            elif self._ripe(f"{step.id} {step.attempt}", YES_S):
                await self._say_yes(run, step)
        else:
            self._waiting.clear()

    async def _say_yes(self, run: Run, step: RunStep) -> None:
        """Yes to what may be done, with the name typed; what the guard refuses is left out."""
        if step.verdict is not None and not step.verdict.allowed:
            self._say(f"  {step.id}: left out, {'; '.join(step.verdict.refusals)}")
            await self._order(run, RunOrder.SKIP, step.id)
            return
        name = step.proposal.intent.target.name if step.proposal is not None else ""
        await self._order(run, RunOrder.CONFIRM, step.id, name)

    def _ripe(self, what: str, after_s: float) -> bool:
        now = self.runtime.clock.now()
        if now - self._waiting.setdefault(what, now) < after_s:
            return False
        del self._waiting[what]
        return True

    async def _go_on(self, run: Run, step: RunStep | None) -> None:
        tried = self._tried[run.id] = self._tried.get(run.id, 0) + 1
        if tried > TRIES:
            self._say("  gives up, and goes back")
            await self._order(run, RunOrder.ABORT)
        elif step is not None and step.state is StepState.FAILED:
            await self._order(run, RunOrder.RETRY, step.id)
        else:
            await self._order(run, RunOrder.RESUME)

    async def _order(self, run: Run, order: RunOrder, step: str = "", name: str = "") -> None:
        await self._ask_for_operate(run.runbook)
        command = RunCommand(run=run.id, order=order, step=step, name=name, reason="as the runbook says")
        await self.runtime.runner.order(command, self._peer)

    def _do(self, run: Run, step: RunStep) -> None:
        """What the step asks for, done in the world."""
        spec = next(one for one in self._runbook(run.runbook).steps if one.id == step.id)
        if spec.manual is None or not spec.manual.does:
            return
        does = filled(spec.manual.does, run.parameters)
        try:
            self.remedy(does)
        except ValueError as fault:
            self.faults.append(f"{step.id}: {fault}")
        self._say(f"  {step.id}: {does}")


def _told(parameters: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items() if value)
