"""The engine over its socket, as the same interface that the engine's own door has."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from console import __version__
from console.client.starter import Starter
from console.domain.actions import Intent, Proposal, Receipt
from console.domain.analysis import Analysis, DetectorState
from console.domain.arrival import EventReader
from console.domain.bundles import Bundle, BundleQuery
from console.domain.conversations import Conversation, ConversationQuery
from console.domain.difference import CompareQuery, Comparison
from console.domain.errors import EngineLost, Refusal
from console.domain.forecasts import Calibration
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
    RunsPage,
    RunsQuery,
    StartRun,
)
from console.domain.spans import RequestQuery, Trace, TraceQuery
from console.domain.text import clean
from console.domain.wire import (
    HEARTBEAT_S,
    PROTOCOL,
    PROTOCOL_HEADER,
    STOPPED,
    VERSION_HEADER,
    Access,
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
    Problem,
    ReconcileReport,
    StopRequest,
    decode,
    encode,
)
from console.places import trusted_socket

if TYPE_CHECKING:
    from console.client.exchange import Exchange

T = TypeVar("T")

SILENCE_S = 3 * HEARTBEAT_S
"""A stream that says nothing for so long is dead, whatever the kernel thinks."""
LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; an answer or a line beyond that is none of an engine's."""
ANSWER_S = 30.0
"""How long an ordinary answer may take."""
ACTING_S = 180.0
"""How long an answer may take for which the engine asks backends."""


class SocketClient:
    """One engine; implements `domain.ports.EngineApi`. Every call connects anew, and the event stream keeps its own.

    With a `starter`, the first call that finds no engine starts one and goes on.
    """

    def __init__(self, path: Path, environment: str, starter: Starter | None = None) -> None:
        self.path = path
        self.environment = environment
        self._starter = starter

    async def hello(self) -> Hello:
        """Who the engine is and what the asker may do."""
        return await self._ask("GET", "/v1/hello", None, Hello)

    async def events(self) -> AsyncGenerator[Event, None]:
        """A Snapshot, then Changes and Heartbeats.

        Raises EngineLost at the end of the stream too. An engine that was told to end is not started again by this
        client: it waits for one that somebody starts.
        """
        async with self._answering("GET", "/v1/events", None, SILENCE_S) as exchange:
            rest, reader = bytearray(), EventReader()  # one block that grows: small ones would hold the heap's end
            pieces = aiter(exchange.body())
            while True:
                async with asyncio.timeout(SILENCE_S):
                    piece = await anext(pieces, None)
                if piece is None:
                    raise EngineLost(f"the engine of {self.environment} has ended")
                rest += piece
                if len(rest) > LARGEST_ANSWER:
                    raise EngineLost(f"{self.path} sends a line without end: no engine of this version")
                if b"\n" not in piece:
                    continue
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    event = reader.read(line)
                    if isinstance(event, Change) and any(entry.outcome == STOPPED for entry in event.log):
                        self._starter = None
                    yield event

    async def propose(self, intent: Intent) -> Proposal:
        """Plan, preview and judge an intent; nothing is changed anywhere."""
        return await self._ask("POST", "/v1/propose", intent, Proposal, ACTING_S)

    async def confirm(self, confirm: Confirm) -> Receipt:
        """Run a proposal."""
        try:
            return await self._ask("POST", "/v1/confirm", confirm, Receipt, ACTING_S)
        except EngineLost as lost:
            raise EngineLost(
                f"{lost}. Whether the action was done is not known here: the engine looks it up at its next start; "
                f"see `switchgear audit list -e {self.environment}`"
            ) from lost

    async def receipt(self, action_id: str) -> Receipt:
        """The newest receipt of one action."""
        return await self._ask("GET", f"/v1/receipts/{quote(action_id, safe='')}", None, Receipt)

    async def access(self, request: AccessRequest) -> Access:
        """Ask for `operate`, or give it back."""
        return await self._ask("POST", "/v1/access", request, Access)

    async def mark(self, mark: AlertMark) -> None:
        """Acknowledge or silence an alert."""
        await self._tell("/v1/mark", mark)

    async def history(self, query: HistoryQuery) -> History:
        """The past of one object."""
        return await self._ask("POST", "/v1/history", query, History)

    async def analysis(self) -> Analysis:
        """What the engine makes of the whole platform."""
        return await self._ask("GET", "/v1/analysis", None, Analysis, ACTING_S)

    async def detectors(self) -> tuple[DetectorState, ...]:
        """What each detector watches, and what it cannot judge yet."""
        return await self._ask("GET", "/v1/detectors", None, tuple[DetectorState, ...])

    async def focus(self, focus: Focus) -> None:
        """Say what is looked at in detail now."""
        await self._tell("/v1/focus", focus)

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """A page of a trace store's requests, newest first."""
        return await self._ask("POST", "/v1/requests", query, tuple[Request, ...])

    async def trace(self, query: TraceQuery) -> Trace:
        """One request, span by span."""
        return await self._ask("POST", "/v1/trace", query, Trace)

    async def reconstruct(self, query: TraceQuery) -> Reconstruction:
        """One request, put together again."""
        return await self._ask("POST", "/v1/reconstruct", query, Reconstruction)

    async def conversation(self, query: ConversationQuery) -> Conversation:
        """The requests of one conversation, and where its services disagree."""
        return await self._ask("POST", "/v1/conversation", query, Conversation)

    async def compare(self, query: CompareQuery) -> Comparison:
        """Two requests, stage by stage."""
        return await self._ask("POST", "/v1/compare", query, Comparison)

    async def reissued(self, query: ReissuedQuery) -> Reissued:
        """The answer of a model call that was sent again, beside the recorded one."""
        return await self._ask("POST", "/v1/reissued", query, Reissued)

    async def bundle(self, query: BundleQuery) -> Bundle:
        """One request or one conversation, fit to leave."""
        return await self._ask("POST", "/v1/bundle", query, Bundle, ACTING_S)

    async def runbooks(self) -> tuple[RunbookInfo, ...]:
        """The runbooks that there are, those with faults included."""
        return await self._ask("GET", "/v1/runbooks", None, tuple[RunbookInfo, ...])

    async def start_run(self, start: StartRun) -> Run:
        """Begin a runbook; its first steps may wait for a yes."""
        return await self._ask("POST", "/v1/runs", start, Run, ACTING_S)

    async def order_run(self, command: RunCommand) -> Run:
        """Say something to a run."""
        return await self._ask("POST", "/v1/runs/order", command, Run, ACTING_S)

    async def run(self, run_id: str) -> Run:
        """One run, however old."""
        return await self._ask("GET", f"/v1/runs/{quote(run_id, safe='')}", None, Run)

    async def runs(self, query: RunsQuery) -> RunsPage:
        """Runs that are not over, and those that ended since a moment."""
        return await self._ask("POST", "/v1/runs/kept", query, RunsPage)

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        """What was kept of a run, oldest first."""
        return await self._ask("POST", "/v1/evidence", query, tuple[Evidence, ...])

    async def keep_picture(self, picture: Picture) -> None:
        """Keep a holder's screen with the evidence of a step."""
        await self._tell("/v1/picture", picture)

    async def calibration(self) -> tuple[Calibration, ...]:
        """How good the forecasts of each kind of action were so far."""
        return await self._ask("GET", "/v1/calibration", None, tuple[Calibration, ...])

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        """A page of the timeline, newest first."""
        return await self._ask("POST", "/v1/log", query, tuple[LogEntry, ...])

    async def audit(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        """A page of the audit log, newest first."""
        return await self._ask("POST", "/v1/audit", query, tuple[AuditRow, ...])

    async def verify_audit(self) -> AuditReport:
        """Walk the whole chain of hashes."""
        return await self._ask("GET", "/v1/audit/verify", None, AuditReport, ACTING_S)

    async def check(self) -> tuple[CheckRow, ...]:
        """Every source's own check."""
        return await self._ask("POST", "/v1/check", None, tuple[CheckRow, ...], ACTING_S)

    async def reconcile(self) -> ReconcileReport:
        """Look up every action and override that is open."""
        return await self._ask("POST", "/v1/reconcile", None, ReconcileReport, ACTING_S)

    async def stop(self, reason: str, *, force: bool = False) -> None:
        """Ask the engine to end; never starts one. `force`: also while it holds something or follows a runbook."""
        self._starter = None
        await self._tell("/v1/stop", StopRequest(reason=reason, force=force))

    async def _ask(self, method: str, target: str, body: object, gives: type[T], patience_s: float = ANSWER_S) -> T:
        """One question. Any answer but 2xx is a Refusal when the engine says no, else EngineLost."""
        async with self._answering(method, target, body, patience_s) as exchange, asyncio.timeout(patience_s):
            return decode(await exchange.whole_body(LARGEST_ANSWER), gives)

    async def _tell(self, target: str, body: object) -> None:
        """A question whose answer is only that it was taken."""
        async with self._answering("POST", target, body, ANSWER_S):
            return

    @asynccontextmanager
    async def _answering(self, method: str, target: str, body: object, patience_s: float) -> AsyncIterator["Exchange"]:
        """A connection on which the engine has begun to answer with 2xx."""
        exchange: Exchange | None = None
        try:
            exchange = await self._connected()
            await exchange.send(method, target, None if body is None else encode(body))
            async with asyncio.timeout(patience_s):
                status, headers = await exchange.head()
            self._same_protocol(headers, target)
            if not 200 <= status < 300:
                raise self._no(status, await exchange.whole_body(LARGEST_ANSWER))
            yield exchange
        except TimeoutError as error:
            raise EngineLost(f"the engine of {self.environment} has said nothing for {patience_s:.0f} s") from error
        except PermissionError as error:
            raise EngineLost(f"you may not enter {self.path}: the config's socket_group says who may") from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise EngineLost(self._none_runs()) from error
        except OSError as error:
            raise EngineLost(f"the engine of {self.environment} went away: {error}") from error
        except msgspec.DecodeError as error:
            raise EngineLost(
                f"the engine's answer is not of this console's version ({__version__}): {error}; "
                f"restart it: `switchgear stop {self.environment}`"
            ) from error
        finally:
            if exchange is not None:
                exchange.close()

    async def _connected(self) -> "Exchange":
        """A new connection; an engine is started when none listens and this client may."""
        from console.client.exchange import Exchange  # A screen gets here after its first paint, and h11 is heavy.

        if not trusted_socket(self.path):
            raise EngineLost(
                f"{self.path.parent} can be written by others, so whoever listens there may be anybody; "
                "set SWITCHGEAR_RUNTIME_DIR to a folder of your own that nobody else may write to"
            )
        if self._starter is not None and self._starter.begun:
            await self._starter.ensure()
        exchange = Exchange(self.path)
        try:
            await exchange.open()
        except (FileNotFoundError, ConnectionRefusedError):
            if self._starter is None:
                raise
            await self._starter.ensure()
            await exchange.open()
        return exchange

    def _same_protocol(self, headers: dict[str, str], target: str) -> None:
        spoken = headers.get(PROTOCOL_HEADER.lower(), "")
        if spoken == str(PROTOCOL) or target == "/v1/stop":
            return
        version = clean(headers.get(VERSION_HEADER.lower(), "unknown"), 40)
        if not spoken:
            raise EngineLost(f"what listens on {self.path} is no Switchgear engine")
        raise EngineLost(
            f"this console is Switchgear {__version__} (protocol {PROTOCOL}), the engine of {self.environment} is "
            f"{version} (protocol {clean(spoken, 20)}): end it with `switchgear stop {self.environment}` and attach "
            "again, or use a console of the engine's version"
        )

    def _no(self, status: int, answer: bytes) -> Exception:
        try:
            problem = decode(answer, Problem)
        except msgspec.DecodeError:
            return EngineLost(f"what listens on {self.path} answered {status} in a way that no engine does")
        words = f"{problem.error}; {problem.way_out}" if problem.way_out else problem.error
        return EngineLost(words) if status in (426, 500) else Refusal(words, code=status)

    def _none_runs(self) -> str:
        return f"no engine of {self.environment} runs; `switchgear engine {self.environment}` starts one"
