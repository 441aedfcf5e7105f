"""Everything that can be asked over the socket: one table, from which the door is built and the page generated."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from console.domain.actions import Intent, Proposal, Receipt
from console.domain.analysis import Analysis, DetectorState
from console.domain.bundles import Bundle, BundleQuery
from console.domain.conversations import Conversation, ConversationQuery
from console.domain.difference import CompareQuery, Comparison
from console.domain.forecasts import Calibration
from console.domain.readings import Request
from console.domain.reconstruction import Reconstruction
from console.domain.reissues import Reissued, ReissuedQuery
from console.domain.runbooks import (
    PICTURE_MOST,
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
    Access,
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
    LogQuery,
    ReconcileReport,
    StopRequest,
)
from console.server.door import Desk


@dataclass(frozen=True, slots=True)
class Question:
    """One route: a body (or nothing) in, one answer out."""

    method: str
    path: str
    takes: Any
    """The body's type; None when there is no body."""
    gives: Any
    """The answer's type; None answers 204 without a body."""
    ask: Callable[[Desk, Any], Awaitable[Any]]
    """Asks the desk; gets the decoded body, or the path's `id`."""
    words: str
    largest: int | None = None
    """Bytes that the body may have, where that is more than any question's."""
    any_protocol: bool = False
    """Whether a console of another protocol may ask it too: it has to be able to say hello and to stop an engine."""


EVENTS = "/v1/events"
"""The event stream, the one route that is not a question with one answer."""
OPENAPI = "/v1/openapi.json"
"""The page that describes all of this."""

QUESTIONS: tuple[Question, ...] = (
    Question(
        "GET", "/v1/hello", None, Hello, lambda desk, _: desk.hello(), "Who the engine is, who asks, and their rights",
        any_protocol=True,
    ),
    Question(
        "POST", "/v1/propose", Intent, Proposal, lambda desk, body: desk.propose(body),
        "Plan, preview and judge an intent; changes nothing",
    ),
    Question(
        "POST", "/v1/confirm", Confirm, Receipt, lambda desk, body: desk.confirm(body),
        "Run a proposal; answers when the backend took the call",
    ),
    Question(
        "GET", "/v1/receipts/{id}", None, Receipt, lambda desk, name: desk.receipt(name),
        "The newest receipt of one action",
    ),
    Question(
        "POST", "/v1/access", AccessRequest, Access, lambda desk, body: desk.access(body),
        "Ask for operate with a reason, or give it back",
    ),
    Question(
        "POST", "/v1/mark", AlertMark, None, lambda desk, body: desk.mark(body), "Acknowledge or silence an alert"
    ),
    Question(
        "POST", "/v1/history", HistoryQuery, History, lambda desk, body: desk.history(body), "The past of one object"
    ),
    Question(
        "GET", "/v1/analysis", None, Analysis, lambda desk, _: desk.analysis(),
        "What the engine makes of the whole platform: retries, money, capacity, recovery",
    ),
    Question(
        "GET", "/v1/detectors", None, tuple[DetectorState, ...], lambda desk, _: desk.detectors(),
        "What each detector watches, and what it cannot judge yet",
    ),
    Question(
        "POST", "/v1/focus", Focus, None, lambda desk, body: desk.focus(body),
        "Say what is looked at in detail now; holds for half a minute",
    ),
    Question(
        "POST", "/v1/requests", RequestQuery, tuple[Request, ...], lambda desk, body: desk.requests(body),
        "A page of a trace store's requests, newest first",
    ),
    Question("POST", "/v1/trace", TraceQuery, Trace, lambda desk, body: desk.trace(body), "One request, span by span"),
    Question(
        "POST", "/v1/reconstruct", TraceQuery, Reconstruction, lambda desk, body: desk.reconstruct(body),
        "One request, put together again: seven stages, eight lanes, and where its time went",
    ),
    Question(
        "POST", "/v1/conversation", ConversationQuery, Conversation, lambda desk, body: desk.conversation(body),
        "The requests of one conversation, and where its services disagree",
    ),
    Question(
        "POST", "/v1/compare", CompareQuery, Comparison, lambda desk, body: desk.compare(body),
        "Two requests, stage by stage; the last good one like it where only one is named",
    ),
    Question(
        "POST", "/v1/reissued", ReissuedQuery, Reissued, lambda desk, body: desk.reissued(body),
        "The answer of a model call that was sent again, beside the recorded one; the last few are kept, in memory",
    ),
    Question(
        "POST", "/v1/bundle", BundleQuery, Bundle, lambda desk, body: desk.bundle(body),
        "One request or one conversation for a file; by default without the words of applications",
    ),
    Question(
        "GET", "/v1/runbooks", None, tuple[RunbookInfo, ...], lambda desk, _: desk.runbooks(),
        "The runbooks that there are, those with faults included",
    ),
    Question(
        "POST", "/v1/runs", StartRun, Run, lambda desk, body: desk.start_run(body),
        "Begin a runbook; asking twice with the same `request` begins one run",
    ),
    Question(
        "POST", "/v1/runs/order", RunCommand, Run, lambda desk, body: desk.order_run(body),
        "Say something to a run; only its holder may, and `take` makes one the holder",
    ),
    Question(
        "POST", "/v1/runs/kept", RunsQuery, RunsPage, lambda desk, body: desk.runs(body),
        "Runs that are not over, and those that ended since a moment, the oldest first",
    ),
    Question("GET", "/v1/runs/{id}", None, Run, lambda desk, name: desk.run(name), "One run, however old"),
    Question(
        "POST", "/v1/evidence", EvidenceQuery, tuple[Evidence, ...], lambda desk, body: desk.evidence(body),
        "What was kept of a run, oldest first",
    ),
    Question(
        "POST", "/v1/picture", Picture, None, lambda desk, body: desk.keep_picture(body),
        "Keep a holder's screen with the evidence of a step", largest=4 * PICTURE_MOST,
    ),
    Question(
        "GET", "/v1/calibration", None, tuple[Calibration, ...], lambda desk, _: desk.calibration(),
        "How good the forecasts of each kind of action were so far",
    ),
    Question(
        "POST", "/v1/log", LogQuery, tuple[LogEntry, ...], lambda desk, body: desk.log(body),
        "A page of the timeline, newest first",
    ),
    Question(
        "POST", "/v1/audit", AuditQuery, tuple[AuditRow, ...], lambda desk, body: desk.audit(body),
        "A page of the audit log, newest first",
    ),
    Question(
        "GET", "/v1/audit/verify", None, AuditReport, lambda desk, _: desk.verify_audit(),
        "Walk the audit log's chain of hashes",
    ),
    Question(
        "POST", "/v1/check", None, tuple[CheckRow, ...], lambda desk, _: desk.check(),
        "Try every source: reachability, and what its credential may do",
    ),
    Question(
        "POST", "/v1/reconcile", None, ReconcileReport, lambda desk, _: desk.reconcile(),
        "Finish, revert or report everything that is open",
    ),
    Question(
        "POST", "/v1/stop", StopRequest, None, lambda desk, body: desk.stop(body.reason, force=body.force),
        "Ask the engine to end",
        any_protocol=True,
    ),
)  # fmt: skip
"""All questions; `EVENTS` and `OPENAPI` come on top."""

STREAMED = Event
"""What each line of the event stream is."""
