"""An engine that says what a test tells it to, and a screen with one table: the frame without any product screen."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from textual.app import ComposeResult

from console.domain.actions import Intent, Proposal, Receipt, Verb
from console.domain.analysis import Analysis, DetectorState
from console.domain.board import Board
from console.domain.bundles import Bundle, BundleQuery
from console.domain.conversations import Conversation, ConversationQuery
from console.domain.difference import CompareQuery, Comparison
from console.domain.errors import EngineLost, Refusal
from console.domain.forecasts import Calibration
from console.domain.freshness import Freshness
from console.domain.readings import Ability, AnyReading, Deployment, Request, Source, Traffic
from console.domain.reconstruction import Reconstruction
from console.domain.refs import Kind, Ref
from console.domain.reissues import Reissued, ReissuedQuery
from console.domain.runbooks import (
    Evidence,
    EvidenceQuery,
    Picture,
    Run,
    RunbookInfo,
    RunCommand,
    RunsPage,
    RunsQuery,
    StartRun,
)
from console.domain.spans import RequestQuery, Trace, TraceQuery
from console.domain.wire import (
    PROTOCOL,
    Access,
    AccessLevel,
    AccessRequest,
    AlertMark,
    AuditQuery,
    AuditReport,
    AuditRow,
    Change,
    CheckRow,
    Confirm,
    Event,
    Focus,
    Hello,
    History,
    HistoryQuery,
    LogEntry,
    LogQuery,
    ReconcileReport,
    Snapshot,
)
from console.ui.app import SwitchgearApp
from console.ui.cells import Cell, Column, Row
from console.ui.room import Room
from console.ui.widgets.table import Table

READER = Access(operator="ann", uid=1000, level=AccessLevel.READ_ONLY, may_operate=True)
GATEWAY = Source(
    ref=Ref("gateway", Kind.SOURCE, "gateway"),
    observed_at=1.0,
    adapter="simulator",
    freshness=Freshness.FRESH,
    interval_s=2.0,
)


def deployment(name: str, rate: float, *, trips: bool = True) -> Deployment:
    return Deployment(
        ref=Ref("gateway", Kind.DEPLOYMENT, name),
        observed_at=1.0,
        provider="openai",
        model="gpt",
        traffic=Traffic(window_s=60.0, requests_per_min=rate),
        can=(Ability(Verb.TRIP, able=trips, reason="" if trips else "defined in the config file"),),
    )


class ScriptedEngine:
    """Everything put into `queue` is sent as an event; an exception put there is raised."""

    def __init__(self, *readings: AnyReading, hello: Hello | None = None) -> None:
        self.queue: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self.readings = (GATEWAY, *readings)
        self.greeting = hello or Hello(
            protocol=PROTOCOL, version="0", environment="prod", pid=1, started_at=0.0, access=READER
        )
        self.refusing: Exception | None = None
        self.marked: list[AlertMark] = []
        self.analysed = Analysis(at=0.0)
        self.asked: list[AccessRequest] = []
        self.looked_at: list[Focus] = []
        self.traces: dict[str, Trace] = {}
        self.stored: list[Request] = []
        """What a trace store keeps, the newest first."""
        self.queries: list[RequestQuery] = []
        self.reconstructions: dict[str, Reconstruction] = {}
        self.conversations: dict[str, Conversation] = {}
        self.reissues: dict[str, Reissued] = {}
        """By action."""
        self.comparisons: dict[tuple[str, str], Comparison] = {}
        """By (the request that is looked at, the one to compare with or nothing)."""
        self.books: tuple[RunbookInfo, ...] = ()
        self.followed: dict[str, Run] = {}
        """Runs by id; what the script starts is among them already."""
        self.started: list[StartRun] = []
        self.ordered: list[RunCommand] = []
        self.kept: tuple[Evidence, ...] = ()
        self.pictures: list[Picture] = []
        self.calibrated: tuple[Calibration, ...] = ()
        self.seq = 1

    def change(self, *readings: AnyReading, **fields: Any) -> None:
        self.seq += 1
        self.queue.put_nowait(Change(seq=self.seq, at=float(self.seq), readings=readings, **fields))

    async def hello(self) -> Hello:
        if self.refusing is not None:
            raise self.refusing
        return self.greeting

    async def events(self) -> AsyncIterator[Event]:
        yield Snapshot(seq=self.seq, at=1.0, environment="prod", readings=self.readings)
        while True:
            event = await self.queue.get()
            if isinstance(event, Exception):
                raise event
            yield event

    async def access(self, request: AccessRequest) -> Access:
        self.asked.append(request)
        if not request.reason and request.level is AccessLevel.OPERATE:
            raise Refusal("say why")
        return Access(operator="ann", uid=1000, level=request.level, until=None, reason=request.reason)

    async def mark(self, mark: AlertMark) -> None:
        self.marked.append(mark)

    async def propose(self, intent: Intent) -> Proposal:
        raise Refusal("the script has no plans")

    async def confirm(self, confirm: Confirm) -> Receipt:
        raise Refusal("the script has no plans")

    async def receipt(self, action_id: str) -> Receipt:
        raise Refusal("the script has no plans")

    async def history(self, query: HistoryQuery) -> History:
        return History(ref=query.ref, start=0.0, step_s=30.0, series={})

    async def analysis(self) -> Analysis:
        return self.analysed

    async def detectors(self) -> tuple[DetectorState, ...]:
        return ()

    async def focus(self, focus: Focus) -> None:
        self.looked_at.append(focus)

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        self.queries.append(query)
        wanted = (item for item in self.stored if item.failed or not query.failed)
        older = [item for item in wanted if query.before is None or item.started_at < query.before]
        return tuple(older[: query.limit])

    async def trace(self, query: TraceQuery) -> Trace:
        if query.trace_id not in self.traces:
            raise Refusal("no such request", code=404)
        return self.traces[query.trace_id]

    async def reconstruct(self, query: TraceQuery) -> Reconstruction:
        if query.trace_id not in self.reconstructions:
            raise Refusal("no such request", code=404)
        return self.reconstructions[query.trace_id]

    async def conversation(self, query: ConversationQuery) -> Conversation:
        if query.conversation not in self.conversations:
            raise Refusal("no such conversation", code=404)
        return self.conversations[query.conversation]

    async def reissued(self, query: ReissuedQuery) -> Reissued:
        found = self.reissues.get(query.action_id)
        if found is None:
            raise Refusal("no answer is known", code=404)
        return found

    async def bundle(self, query: BundleQuery) -> Bundle:
        raise Refusal("this engine exports nothing", code=404)

    async def compare(self, query: CompareQuery) -> Comparison:
        if (query.trace_id, query.against) not in self.comparisons:
            raise Refusal("nothing to compare with", code=404)
        return self.comparisons[query.trace_id, query.against]

    async def runbooks(self) -> tuple[RunbookInfo, ...]:
        return self.books

    async def start_run(self, start: StartRun) -> Run:
        self.started.append(start)
        found = [run for run in self.followed.values() if run.runbook == start.runbook]
        if not found:
            raise Refusal(f"there is no runbook {start.runbook}", code=404)
        return found[-1]

    async def order_run(self, command: RunCommand) -> Run:
        self.ordered.append(command)
        return await self.run(command.run)

    async def run(self, run_id: str) -> Run:
        if run_id not in self.followed:
            raise Refusal(f"there is no run {run_id}", code=404)
        return self.followed[run_id]

    async def runs(self, query: RunsQuery) -> RunsPage:
        return RunsPage(runs=tuple(self.followed.values()))

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        return tuple(one for one in self.kept if one.run == query.run and query.step in ("", one.step))

    async def keep_picture(self, picture: Picture) -> None:
        self.pictures.append(picture)

    async def calibration(self) -> tuple[Calibration, ...]:
        return self.calibrated

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        return ()

    async def audit(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        return ()

    async def verify_audit(self) -> AuditReport:
        return AuditReport(rows=0, holds=True)

    async def check(self) -> tuple[CheckRow, ...]:
        return ()

    async def reconcile(self) -> ReconcileReport:
        return ReconcileReport(receipts=(), overrides=(), words=())

    async def stop(self, reason: str) -> None:
        raise EngineLost("stopped")


class PlainRoom(Room):
    """One table of deployments."""

    NAME = "overview"
    shown = 0

    def compose_body(self) -> ComposeResult:
        yield Table(
            [
                Column("name", "deployment", 8, flex=True, keep=1),
                Column("rate", "req/min", 8, right=True),
                Column("note", "note", 10, keep=9),
            ],
            empty="no deployments: add a source to the config",
        )

    def show(self, board: Board) -> None:
        self.shown += 1
        assert self.table is not None
        self.table.show_rows(
            [
                Row(
                    reading.ref,
                    (
                        Cell(reading.ref.name, "strong"),
                        Cell(f"{reading.traffic.requests_per_min:.0f}", "ok", reading.traffic.requests_per_min),
                        Cell("-"),
                    ),
                )
                for reading in board.of(Deployment)
                if reading.traffic
            ]
        )


class OtherRoom(PlainRoom):
    """A second screen."""

    NAME = "log"


class PlainApp(SwitchgearApp):
    """The app with the plain screen in every place."""

    MODES: ClassVar[Any] = {"overview": PlainRoom, "providers": PlainRoom, "spend": PlainRoom, "log": OtherRoom}

    @property
    def plain(self) -> PlainRoom:
        room = self.room
        assert isinstance(room, PlainRoom)
        return room

    @property
    def table(self) -> Table:
        found = self.plain.table
        assert found is not None
        return found


def bottom(app: SwitchgearApp) -> str:
    """The text of the last line on the screen."""
    return screen_text(app)[-1]


def screen_text(app: SwitchgearApp) -> list[str]:
    """What the screen shows, line by line."""
    lines: dict[int, str] = {}
    update = app.screen._compositor.render_strips(app.size)
    for y, strip in enumerate(update):
        lines[y] = strip.text.rstrip()
    return [lines[y] for y in sorted(lines)]
