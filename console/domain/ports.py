"""The sockets in the wall: what an adapter has to be, what it may also be, and what a front may ask of an engine."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from console.domain.actions import Intent, Plan, Progress, Proof, Proposal, QueueAction, Receipt, Step
from console.domain.analysis import Analysis, DetectorState
from console.domain.answers import Answers, AnswersQuery
from console.domain.bundles import Bundle, BundleQuery
from console.domain.conversations import Conversation, ConversationQuery, Mark, MarkQuery
from console.domain.difference import CompareQuery, Comparison
from console.domain.forecasts import Calibration
from console.domain.readings import Observation, Request
from console.domain.reconstruction import Reconstruction
from console.domain.refs import Ref
from console.domain.reissues import RecordedCall, Reissued, ReissuedQuery
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
from console.domain.spans import RequestQuery, Span, Trace, TraceQuery
from console.domain.verbs import Reissue
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
)


class Clock(Protocol):
    """Time, injected everywhere, so that a week runs in a second."""

    def now(self) -> float:
        """Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; 0 or less only yields."""
        ...


@runtime_checkable
class Adapter(Protocol):
    """One source: it observes, and that alone is required.

    An adapter holds one HTTP client per replica of its backend, never polls what costs money, and reports what
    it could not read instead of raising, as long as anything could be read.
    """

    async def observe(self) -> Observation:
        """Look once at everything.

        Raises:
            BackendError: nothing could be read at all.
        """
        ...

    async def check(self) -> tuple[CheckRow, ...]:
        """Try reachability and what the credential may do, without any side effect; never raises BackendError."""
        ...

    async def close(self) -> None:
        """Give back every connection; called once."""
        ...


@runtime_checkable
class Breakers(Protocol):
    """Capability: keep requests away from a deployment, and let them back."""

    async def plan_trip(self, target: Ref, ttl_s: float) -> Plan:
        """Plan keeping requests away for `ttl_s` seconds; reads the backend, changes nothing.

        Raises:
            BackendError: UNSUPPORTED with the reason when this object cannot be tripped, or what the reads met.
        """
        ...

    async def plan_reset(self, target: Ref) -> Plan:
        """Plan letting requests back; the same errors as `plan_trip`."""
        ...


@runtime_checkable
class Routing(Protocol):
    """Capability: decide which deployment or route answers."""

    async def plan_weight(self, target: Ref, weight: float) -> Plan:
        """Plan another weight for a deployment; the same errors as `Breakers.plan_trip`."""
        ...

    async def plan_switch(self, target: Ref, to: str, mechanism: str) -> Plan:
        """Plan sending a route elsewhere: `to` and `mechanism` are those of one of its switch options."""
        ...


@runtime_checkable
class Queues(Protocol):
    """Capability: hold, move and give back what waits in a queue."""

    async def plan_queue(self, target: Ref, action: QueueAction, ttl_s: float) -> Plan:
        """Plan one queue verb; `ttl_s` is for a pause. The same errors as `Breakers.plan_trip`.

        A plan that moves messages keeps every count that it needs later in its steps' arguments (how many waited, how
        many were parked already), so that a next engine can go on with it from the audit log alone.
        """
        ...


@runtime_checkable
class Mover(Protocol):
    """What an adapter also has whose plans hold lasting steps."""

    async def carry(self, step: Step, tell: Callable[[Progress], None]) -> None:
        """Do one lasting step, or go on with it, and return when the backend itself shows that it is done.

        It looks before it does anything, so that it can be begun any number of times. `tell` takes news about once a
        second. It may be cancelled at any moment; what it has set going then goes on until `Plan.tidy` is done.

        Raises:
            BackendError: it cannot be done or not be finished (a full parking queue). UNREACHABLE, TIMEOUT, THROTTLED
                and UNKNOWN_OUTCOME are no end: it is carried again after a while.
        """
        ...

    async def count(self, step: Step) -> Progress:
        """Count at the backend how far a lasting step has come; changes nothing.

        What an action that ends early says last is counted here, once `Plan.tidy` is done: figures that the backend
        has cached for a while are waited for until they are younger than the call.

        Raises:
            BackendError: it cannot be counted.
        """
        ...


@runtime_checkable
class Focused(Protocol):
    """Capability: read more of some objects than of the rest, when the whole would cost the backend too much."""

    def focus(self, refs: tuple[Ref, ...]) -> None:
        """From now on, until the next call, these are the objects that somebody looks at."""
        ...


@runtime_checkable
class Traces(Protocol):
    """Capability: find requests, and show one of them span by span."""

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """A page of requests, newest first.

        Raises:
            BackendError: it cannot be read.
        """
        ...

    async def trace(self, trace_id: str) -> Trace:
        """Every span of one request.

        Raises:
            BackendError: it cannot be read; UNSUPPORTED when there is no such request.
        """
        ...

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        """Who read which snapshot and touched which memory, oldest first.

        Raises:
            BackendError: it cannot be read; UNSUPPORTED, with why, where the backend keeps nothing of it.
        """
        ...


@runtime_checkable
class Answering(Protocol):
    """Capability: say, counted by minute and group, what model calls answered."""

    async def answers(self, query: AnswersQuery) -> tuple[Answers, ...]:
        """Whole minutes that are over, oldest first; one that had no call has no row.

        Raises:
            BackendError: it cannot be read; UNSUPPORTED, with why, where the backend keeps nothing of it.
        """
        ...


@runtime_checkable
class Reissues(Protocol):
    """Capability: send a model call that was recorded once more, to a deployment of the operator's choice."""

    async def plan_reissue(self, target: Ref, call: RecordedCall, action: Reissue) -> Plan:
        """Plan one call, capped in tokens and money; the same errors as `Breakers.plan_trip`.

        What was recorded stays in the adapter's memory until the step is done: nothing of it stands in the plan.
        """
        ...

    def answer(self, target: Ref, action: Reissue) -> Span | None:
        """The answer to the newest call of this action, as a span of kind MODEL; None when none is known (any more)."""
        ...


@runtime_checkable
class Actuator(Protocol):
    """What every adapter with a capability that acts also has: doing a step of its own plans, and looking."""

    async def execute(self, step: Step) -> None:
        """Do one step of one of this adapter's plans (or of its way back).

        Raises:
            BackendError: UNREACHABLE, UNAUTHORISED, FORBIDDEN, UNSUPPORTED, CONFLICT or FAILED when it is certain
                that nothing was done; UNKNOWN_OUTCOME when the answer was lost after sending.
        """
        ...

    async def generation(self, plan: Plan) -> str:
        """The fingerprint of `plan.before`'s fields as the backend shows them now.

        Raises:
            BackendError: what the reads met.
        """
        ...

    async def prove(self, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
        """Read every replica now and hold `plan.expects` (or `plan.undo_expects`) against it, one proof a replica.

        Never raises BackendError: a replica that cannot be asked has `holds=None`.
        """
        ...


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What the runtime hands to an adapter when it makes one."""

    source: str
    """The source's name in the config."""
    clock: Clock
    secret: Callable[[str], str]
    """Resolves a secret reference (`env:`, `file:`, `keyring:`, `command:`) at the moment of use.

    Raises ConfigError when the reference leads nowhere."""
    timeout_s: float
    """The longest that one observe may take."""
    options: Any
    """An instance of the spec's `options`."""
    feeds: Callable[[str], tuple[str, ...]] = lambda _: ()
    """From a queue's name to the references of the routes whose work waits in it (`Queue.feeds`)."""
    exports: Path | None = None
    """A private folder for what is taken out of a backend for good; an adapter that purges writes it there first. It
    may not exist yet; None where nothing may be kept, and then nothing is purged."""


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """What an entry point of the group `switchgear.adapters` points at."""

    name: str
    summary: str
    options: type[Any]
    """The pydantic model of the source's settings."""
    create: Callable[[AdapterContext], Adapter]
    tested: str
    """What it was held against: `LiteLLM 1.106.2, real server`, or `recordings only`."""


class EngineApi(Protocol):
    """Everything that a front can ask of an engine. The socket's client and the door itself are both one.

    Raises, in every call:
        Refusal: the engine says no, with the reason.
        EngineLost: the engine cannot be reached or went away (`domain.errors`).
    """

    async def hello(self) -> Hello:
        """Who the engine is and what the asker may do."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """A Snapshot, then Changes and Heartbeats until either side goes."""
        ...

    async def propose(self, intent: Intent) -> Proposal:
        """Plan, preview and judge an intent; nothing is changed anywhere."""
        ...

    async def confirm(self, confirm: Confirm) -> Receipt:
        """Run a proposal. Answers when the backend took the call; later news of it come as events."""
        ...

    async def receipt(self, action_id: str) -> Receipt:
        """The newest receipt of one action."""
        ...

    async def access(self, request: AccessRequest) -> Access:
        """Ask for `operate`, or give it back."""
        ...

    async def mark(self, mark: AlertMark) -> None:
        """Acknowledge or silence an alert."""
        ...

    async def history(self, query: HistoryQuery) -> History:
        """The past of one object."""
        ...

    async def analysis(self) -> Analysis:
        """What the engine makes of the whole platform: retries, money, capacity, recovery."""
        ...

    async def detectors(self) -> tuple[DetectorState, ...]:
        """What each detector watches, and what it cannot judge yet."""
        ...

    async def focus(self, focus: Focus) -> None:
        """Say what is looked at in detail now."""
        ...

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """A page of a trace store's requests, newest first."""
        ...

    async def trace(self, query: TraceQuery) -> Trace:
        """One request, span by span."""
        ...

    async def reconstruct(self, query: TraceQuery) -> Reconstruction:
        """One request, put together again."""
        ...

    async def conversation(self, query: ConversationQuery) -> Conversation:
        """The requests of one conversation, and where its services disagree."""
        ...

    async def compare(self, query: CompareQuery) -> Comparison:
        """Two requests, stage by stage."""
        ...

    async def reissued(self, query: ReissuedQuery) -> Reissued:
        """The answer of a model call that was sent again, beside the recorded one."""
        ...

    async def bundle(self, query: BundleQuery) -> Bundle:
        """One request or one conversation, fit to leave."""
        ...

    async def runbooks(self) -> tuple[RunbookInfo, ...]:
        """The runbooks that there are, those with faults included."""
        ...

    async def start_run(self, start: StartRun) -> Run:
        """Begin a runbook; its first steps may wait for a yes."""
        ...

    async def order_run(self, command: RunCommand) -> Run:
        """Say something to a run; the answer is how it stands then, and later news of it come as events."""
        ...

    async def run(self, run_id: str) -> Run:
        """One run, however old."""
        ...

    async def runs(self, query: RunsQuery) -> RunsPage:
        """Runs that are not over, and those that ended since a moment, however old."""
        ...

    async def evidence(self, query: EvidenceQuery) -> tuple[Evidence, ...]:
        """What was kept of a run, oldest first."""
        ...

    async def keep_picture(self, picture: Picture) -> None:
        """Keep a holder's screen with the evidence of a step."""
        ...

    async def calibration(self) -> tuple[Calibration, ...]:
        """How good the forecasts of each kind of action were so far."""
        ...

    async def log(self, query: LogQuery) -> tuple[LogEntry, ...]:
        """A page of the timeline, newest first."""
        ...

    async def audit(self, query: AuditQuery) -> tuple[AuditRow, ...]:
        """A page of the audit log, newest first."""
        ...

    async def verify_audit(self) -> AuditReport:
        """Walk the whole chain of hashes."""
        ...

    async def check(self) -> tuple[CheckRow, ...]:
        """Every source's own check."""
        ...

    async def reconcile(self) -> ReconcileReport:
        """Look up every action and override that is open, and finish, revert or report each."""
        ...

    async def stop(self, reason: str) -> None:
        """Ask the engine to end; it refuses while overrides are pending, unless it may leave them to the next start."""
        ...
