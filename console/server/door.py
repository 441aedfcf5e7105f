"""What a peer may ask of the engine, and what of that it may do. HTTP is one way in; tests attach here directly.

Looking takes the right to read. Whatever changes a backend goes through `Control`, which judges it there.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

from console import __version__
from console.control.access import Peer
from console.control.audit import AuditError
from console.domain.actions import Intent, OverrideState, Proposal, Receipt
from console.domain.analysis import Analysis, DetectorState
from console.domain.bundles import Bundle, BundleQuery
from console.domain.conversations import Conversation, ConversationQuery
from console.domain.difference import CompareQuery, Comparison
from console.domain.errors import BackendError, ErrorKind, Refusal
from console.domain.forecasts import Calibration
from console.domain.ports import Reissues, Traces
from console.domain.readings import Request
from console.domain.reconstruction import Reconstruction
from console.domain.reissues import Reissued, ReissuedQuery
from console.domain.runbooks import (
    Evidence,
    EvidenceQuery,
    Picture,
    Run,
    RunbookInfo,
    RunCommand,
    RunOrder,
    RunsPage,
    RunsQuery,
    StartRun,
)
from console.domain.spans import RequestQuery, Trace, TraceQuery
from console.domain.text import clean
from console.domain.verbs import Reissue
from console.domain.wire import (
    PROTOCOL,
    Access,
    AccessLevel,
    AccessRequest,
    AlertMark,
    AuditQuery,
    AuditReport,
    AuditRow,
    CheckRow,
    Confirm,
    Event,
    Focus,
    Hello,
    History,
    HistoryQuery,
    LogEntry,
    LogKind,
    LogQuery,
    ReconcileReport,
)
from console.runtime import Runtime
from console.server import exporting, reissuing, tracing
from console.server.inbox import Inbox

LONGEST_PAGE = 1000
"""Lines that one page of the timeline or the audit log holds at the most."""
MOST_POINTS = 2000
"""Points that one history holds at the most."""


class Door:
    """The way into one engine."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stopped = asyncio.Event()
        """Set when somebody with the right to do so asked the engine to end."""
        self.last_used = runtime.clock.monotonic()
        """When anybody last asked anything, on the runtime's monotonic clock."""
        self.openings = tracing.Openings(runtime.clock)
        """Requests that are being opened."""
        self._inboxes: set[Inbox] = set()

    @property
    def attached(self) -> int:
        """How many consoles follow the events."""
        return len(self._inboxes)

    def for_peer(self, peer: Peer) -> "Desk":
        """All that `peer` can ask: an `EngineApi`."""
        return Desk(self, peer)

    def open_inbox(self) -> Inbox:
        """A new stream of events, ended by `close` at the latest."""
        inbox = Inbox(self.runtime.store, self.runtime.clock)
        self._inboxes.add(inbox)
        return inbox

    def forget(self, inbox: Inbox) -> None:
        """End one stream."""
        inbox.close()
        self._inboxes.discard(inbox)
        self.touch()

    def touch(self) -> None:
        """Note that the door was used."""
        self.last_used = self.runtime.clock.monotonic()

    def close(self) -> None:
        """End every stream; consoles are told by that."""
        for inbox in tuple(self._inboxes):
            self.forget(inbox)


class Desk:
    """The engine as one peer sees it; implements `domain.ports.EngineApi`."""

    def __init__(self, door: Door, peer: Peer) -> None:
        self._door = door
        self._runtime = door.runtime
        self.peer = peer

    async def hello(self) -> Hello:
        """Who the engine is and what the peer may do."""
        access = self._reader()
        overrides = self._runtime.config.overrides
        return Hello(
            protocol=PROTOCOL,
            version=__version__,
            environment=self._runtime.name,
            pid=os.getpid(),
            started_at=self._runtime.started_at,
            access=access,
            config_path=self._runtime.config_path,
            default_ttl_s=overrides.default_ttl,
            max_ttl_s=overrides.max_ttl,
        )

    async def events(self) -> AsyncGenerator[Event, None]:
        """A Snapshot, then Changes and Heartbeats until either side goes."""
        self._reader()
        inbox = self._door.open_inbox()
        try:
            async with aclosing(inbox.events()) as events:
                async for event in events:
                    yield event
        finally:
            self._door.forget(inbox)

    async def propose(self, intent: Intent) -> Proposal:
        """Plan, preview and judge; a reader may ask for it as well, because nothing is changed."""
        self._reader()
        return await self._runtime.control.propose(intent, self.peer)

    async def confirm(self, confirm: Confirm) -> Receipt:
        """Run a proposal."""
        self._operator("confirm an action")
        return await self._runtime.control.confirm(confirm, self.peer)

    async def receipt(self, action_id: str) -> Receipt:
        """The newest receipt of one action."""
        self._reader()
        return self._runtime.control.receipt(action_id)

    async def access(self, request: AccessRequest) -> Access:
        """Ask for `operate`, or give it back."""
        self._reader()
        return await self._runtime.grants.request(self.peer, request)

    async def mark(self, mark: AlertMark) -> None:
        """Acknowledge or silence an alert: for the accounts that may operate, as it changes what others see."""
        access = self._reader()
        if not access.may_operate:
            raise Refusal(f"{access.operator} may look only; acknowledging is for operators: {access.why_not}")
        self._runtime.engine.mark(mark, access.operator)

    async def history(self, query: HistoryQuery) -> History:
        """The past of one object."""
        self._reader()
        if not (1 <= query.points <= MOST_POINTS and 0 < query.window_s <= 400 * 86400):
            raise Refusal(f"a history has 1 to {MOST_POINTS} points over at most 400 days", code=400)
        return await self._runtime.engine.history(query)

    async def analysis(self) -> Analysis:
        """What the engine makes of the whole platform."""
        self._reader()
        return await self._runtime.engine.analysis()

    async def detectors(self) -> tuple[DetectorState, ...]:
        """What each detector watches, and what it cannot judge yet."""
        self._reader()
        return self._runtime.engine.detectors()

    async def focus(self, focus: Focus) -> None:
        """Say what is looked at in detail now."""
        self._reader()
        self._runtime.looking.look((self.peer.uid, self.peer.pid), focus.refs)

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """A page of a trace store's requests, newest first."""
        self._reader()
        _page(query.limit)
        return await self._traces(query.source).requests(query)

    async def trace(self, query: TraceQuery) -> Trace:
        """One request, span by span."""
        self._reader()
        return await self._traces(query.source).trace(query.trace_id)

    async def reconstruct(self, query: TraceQuery) -> Reconstruction:
        """One request, put together again."""
        self._reader()
        return await self._door.openings.shown(self._traces(query.source), query)

    async def conversation(self, query: ConversationQuery) -> Conversation:
        """The requests of one conversation, and where its services disagree."""
        self._reader()
        _page(query.limit)
        return await tracing.conversation_of(self._traces(query.source), query, self._runtime.config.divergence.window)

    async def compare(self, query: CompareQuery) -> Comparison:
        """Two requests, stage by stage."""
        self._reader()
        return await tracing.compared(self._traces(query.source), query)

    async def reissued(self, query: ReissuedQuery) -> Reissued:
        """The answer of a model call that was sent again, beside the recorded one."""
        self._reader()
        receipt = self._runtime.control.receipt(query.action_id)
        adapter = self._runtime.adapters.get(receipt.intent.target.source)
        action = receipt.intent.action
        if not isinstance(action, Reissue) or adapter is None or not isinstance(adapter, Reissues):
            raise Refusal(f"action {clean(query.action_id, 40)} sent no call again", code=404)
        return await reissuing.reissued(
            query.action_id, receipt.intent.target, action, adapter, self._traces(action.source)
        )

    async def bundle(self, query: BundleQuery) -> Bundle:
        """One request or one conversation, fit to leave."""
        self._reader()
        runtime = self._runtime
        return await exporting.export(self._traces(query.source), query, runtime.name, runtime.clock.now())

    async def runbooks(self) -> tuple[RunbookInfo, ...]:
        """The runbooks that there are, those with faults included."""
        self._reader()
        return await self._runtime.runner.runbooks()

    async def start_run(self, start: StartRun) -> Run:
        """Begin a runbook; who may only look may rehearse it dry."""
        if start.dry:
            self._reader()
        else:
            self._operator("begin a runbook")
        return await self._runtime.runner.start(start, self.peer)

    async def order_run(self, command: RunCommand) -> Run:
        """Say something to a run; to stop for now takes no right but to be its holder."""
        if command.order is RunOrder.PAUSE or (await self.run(command.run)).dry:
            self._reader()
        else:
            self._operator("order a run")
        return await self._runtime.runner.order(command, self.peer)

    async def run(self, run_id: str) -> Run:
        """One run, however old."""
        self._reader()
        return await self._runtime.runner.run_of(run_id)

    async def runs(self, query: RunsQuery) -> RunsPage:
        """Runs that are not over, and those that ended since a moment, however old."""
        self._reader()
        _page(query.limit)
        return await self._runtime.runner.runs(query)

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        """What was kept of a run, oldest first."""
        self._reader()
        return await self._runtime.runner.evidence(query)

    async def keep_picture(self, picture: Picture) -> None:
        """Keep a holder's screen with the evidence of a step."""
        self._reader()
        await self._runtime.runner.keep_picture(picture, self.peer)

    async def calibration(self) -> tuple[Calibration, ...]:
        """How good the forecasts of each kind of action were so far."""
        self._reader()
        return self._runtime.control.calibration()

    def _traces(self, source: str) -> Traces:
        adapter = self._runtime.adapters.get(source)
        if adapter is None:
            raise Refusal(f"no source is called {clean(source, 60)}", code=404)
        if not isinstance(adapter, Traces):
            raise BackendError(ErrorKind.UNSUPPORTED, f"{source} keeps no requests", way_out="ask a trace store")
        return adapter

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        """A page of the timeline, newest first."""
        self._reader()
        _page(query.limit)
        return await self._runtime.engine.log(query)

    async def audit(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        """A page of the audit log, newest first."""
        self._reader()
        _page(query.limit)
        try:
            return await self._runtime.audit.page(query)
        except AuditError as error:
            raise Refusal(str(error), code=503) from error

    async def verify_audit(self) -> AuditReport:
        """Walk the whole chain of hashes."""
        self._reader()
        try:
            return await self._runtime.audit.verify()
        except AuditError as error:
            raise Refusal(str(error), code=503) from error

    async def check(self) -> tuple[CheckRow, ...]:
        """Every source's own check, all at once."""
        self._reader()
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(adapter.check()) for adapter in self._runtime.adapters.values()]
        return tuple(row for task in asked for row in task.result())

    async def reconcile(self) -> ReconcileReport:
        """Finish, revert or report what is open; it may change a backend, so it takes `operate`."""
        self._operator("reconcile")
        return await self._runtime.control.reconcile()

    async def stop(self, reason: str, *, force: bool = False) -> None:
        """Ask the engine to end; refused while something is pending that only an engine can bring to its end.

        `force` ends it all the same: the next start takes up what is held and followed.
        """
        access = self._reader()
        if not access.may_operate:
            raise Refusal(f"{access.operator} may look only and not stop the engine: {access.why_not}")
        if not force and (open_ := self._open()):
            force_ = f"`switchgear stop {self._runtime.name} --force` (as SIGTERM to pid {os.getpid()})"
            words = f"{'; '.join(open_)}; or {force_}: until the next start takes it up, nobody brings it to its end"
            raise Refusal(words, code=409)
        self._runtime.store.say(
            LogKind.ENGINE, f"engine asked to end: {reason or 'no reason given'}", operator=access.operator
        )
        self._door.stopped.set()

    def _open(self) -> list[str]:
        """What only an engine can bring to its end, each with the way out."""
        found = []
        if self._runtime.control.pending:
            found.append(f"the engine holds what it has to bring to its end ({self._held()}); restore it first")
        runs = [run for run in self._runtime.store.board.runs.values() if not run.state.over]
        if runs:
            names = ", ".join(f"{run.id} of {clean(run.runbook, 60)}, {_stands(run)}" for run in runs[:5])
            found.append(f"it follows {len(runs)} runbook(s) ({names}); `switchgear runbook order RUN abort` ends one")
        return found

    def _held(self) -> str:
        overrides = self._runtime.store.board.overrides.values()
        held = [f"{item.action.verb} {item.target}" for item in overrides if item.state is not OverrideState.ENDED]
        return ", ".join(held[:5]) or "an action in flight"

    def _reader(self) -> Access:
        self._door.touch()
        access = self._runtime.grants.of(self.peer)
        if access.level is AccessLevel.NONE:
            raise Refusal(
                f"{access.operator} may not look at {self._runtime.name}; `readers` in the config says who may"
            )
        return access

    def _operator(self, what: str) -> None:
        access = self._reader()
        if access.level is not AccessLevel.OPERATE:
            way_out = "ask for operate first" if access.may_operate else access.why_not
            raise Refusal(f"read-only: you may not {what}; {way_out}")


def _stands(run: Run) -> str:
    where = f" at {clean(run.current, 60)}" if run.current else ""
    return f"{run.state.replace('_', ' ')}{where}, held by {clean(run.holder, 60)}"


def _page(limit: int) -> None:
    if not 1 <= limit <= LONGEST_PAGE:
        raise Refusal(f"a page has 1 to {LONGEST_PAGE} lines", code=400)
