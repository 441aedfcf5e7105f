"""Runbooks that are offered and followed, as every front sees them: what a run is, step by step, at one moment.

A `Run` is also what is written to disk before and after every side effect: an engine that was killed reads it back and
goes on from there. The runbook itself (its file) is known to the engine alone.
"""

from enum import StrEnum

import msgspec

from console.domain.actions import Effect, Proposal, Verdict
from console.domain.readings import AnyReading
from console.domain.refs import Ref
from console.domain.verbs import Verb


class StepKind(StrEnum):
    """What a step does."""

    ACTION = "action"
    """One intent, through the same control path as a key."""
    CHECK = "check"
    """Look once, and go on when it holds."""
    WAIT = "wait"
    """Look until it holds, or for a while."""
    MANUAL = "manual"
    """A person does it elsewhere and says so."""
    BRANCH = "branch"
    """Go on at the first step whose condition holds."""
    RAMP = "ramp"
    """Move a route's requests in stages, each held until it is judged."""
    COMMAND = "command"
    """One of the commands that the config names."""


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    AWAITING_CONFIRM = "awaiting_confirm"
    """It is a person's turn: to say yes, or that it is done."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its `when` did not hold, a branch went past it, or a person left it out with a reason."""
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"
    """It was begun and what became of it is being looked up in the backend: it is not repeated."""


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    AWAITING = "awaiting"
    """One of its steps awaits a person."""
    PAUSED = "paused"
    """By a person, by a step that could not be judged, or because something must be looked at: `words` say which."""
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    """Ended by a person, with or without the way back."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.ABORTED)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One value that a condition looked at: `p95(chat-azure)` is `4.2 s`."""

    name: str
    words: str


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition as it was evaluated last."""

    role: str
    """`precondition`, `when`, `check`, `until`, `success`, `failure`, `branch`, `hold`."""
    text: str
    """The expression, as the file has it."""
    holds: bool | None = None
    """None: it cannot be said (`words`): something is stale, missing, or the expression failed."""
    seen: tuple[Seen, ...] = ()
    words: str = ""
    """Why it cannot be said, or what the file says it means."""
    at: float = 0.0


class RampStage(msgspec.Struct, frozen=True, kw_only=True):
    """How far a ramp has come. All that is needed to go on with it, or back, is in here."""

    route: Ref
    target: Ref
    """The deployment that gets the requests."""
    index: int
    """0 is the first stage."""
    shares: tuple[float, ...]
    """Percent of the route's requests that each stage sends to the new target."""
    began_at: float
    """Unix seconds at which the ramp began."""
    since: float = 0.0
    """Unix seconds at which the present share was seen on every replica; 0 until then."""
    at: float = 0.0
    """Unix seconds up to which requests are counted."""
    requests: float = 0.0
    """Requests that the target has had in this stage …"""
    errors: float = 0.0
    """… and how many of them failed."""
    others_requests: float = 0.0
    """Requests that the others have had since the ramp began: in its last stage they get none …"""
    others_errors: float = 0.0
    """… and how many of them failed."""
    others_p95_s: float | None = None
    """The others' p95 when it was last known."""
    wanted_s: float = 0.0
    wanted_requests: float = 0.0
    patience_s: float = 900.0
    """A stage that cannot be judged by then is unclear."""
    keep_s: float = 1800.0
    """What it has set holds for so long after its last stage."""
    saved: dict[str, float] = {}
    """Deployment → weight before the ramp: the way back."""
    held: dict[str, float] = {}
    """Deployment → unix seconds until when an operator's override was to last that held it before the ramp began."""
    weights: dict[str, float] = {}
    """Deployment → weight that it has to show in this stage."""
    sets: tuple[str, ...] = ()
    """Deployments whose weight this stage sets, in this order."""
    switch: str = ""
    """How this stage switches the route to the target instead: `order`; empty when by weights."""
    round: int = 0
    """How often this stage was set once more, after a pause."""
    words: str = ""
    """What is judged and how it stands, in numbers."""


class RunStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run."""

    id: str
    kind: StepKind
    title: str
    docs: str = ""
    """Markdown, with the parameters filled in."""
    state: StepState = StepState.PENDING
    since: float | None = None
    """Unix seconds when the present state began."""
    attempt: int = 0
    """1 at the first; an idempotency key is `RUN/STEP/ATTEMPT` (`Run.key`)."""
    words: str = ""
    """Where it stands, in a line: `waits 2 min more`, `verified: seen on 2/2 replicas`, why it failed."""
    reason: str = ""
    """Why a person left it out."""
    by: str = ""
    """Who said yes, that it is done, or to leave it out."""
    conditions: tuple[Condition, ...] = ()
    """Those of the step, with their live values while it is the current one."""
    target: Ref | None = None
    verb: Verb | None = None
    proposal_id: str = ""
    """Of the intent that awaits a yes."""
    effects: tuple[Effect, ...] = ()
    verdict: Verdict | None = None
    """What the guard says to it; a name to be typed is asked for as with a key."""
    proposal: Proposal | None = None
    """The whole of what awaits a yes (plan, way back, forecast); None when nothing does."""
    action_id: str = ""
    """The receipt on the board that tells the rest."""
    ends_at: float | None = None
    """Unix seconds when it times out, or when a wait is over."""
    part: float | None = None
    """How much of it is done, 0 to 1; None when nobody can say."""
    good: int = 0
    bad: int = 0
    unclear: int = 0
    """Looks of its verification so far: success held, failure held, neither could be said."""
    ramp: RampStage | None = None
    evidence: int = 0
    """Pieces of evidence that are kept of it (`EngineApi.evidence`)."""
    rolled_back_by: str = ""
    """The action id of its way back."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One runbook, followed once."""

    id: str
    runbook: str
    """The runbook's id."""
    title: str
    path: str = ""
    """Its file; empty for those that are shipped."""
    hash: str
    """Of the file as it was when the run began: a resumed run whose file has changed is paused and says so."""
    started_by: str
    holder: str
    """The one operator who has control; others watch."""
    uid: int
    """The holder's account."""
    started_at: float
    updated_at: float
    state: RunState
    words: str = ""
    """Why it stands where it stands, in a line."""
    parameters: dict[str, str] = {}
    reckoned: tuple[str, ...] = ()
    """Those of `parameters` that nobody was asked for."""
    preconditions: tuple[Condition, ...] = ()
    steps: tuple[RunStep, ...] = ()
    current: str = ""
    """The step's id; empty before the first and when it is over."""
    dry: bool = False
    """Nothing is done: actions are planned, judged and shown, waits are passed."""
    incident: str = ""
    alert: str = ""
    """What offered it; empty when somebody began it by name."""
    ended_at: float | None = None

    def step(self, step_id: str) -> RunStep | None:
        """One of its steps."""
        return next((step for step in self.steps if step.id == step_id), None)

    def key(self, step: RunStep, *, back: bool = False) -> str:
        """The idempotency key of the side effect of a step's present attempt, or of its way back."""
        return f"{self.id}/{step.id}/{step.attempt}{'/back' if back else ''}"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter that a runbook asks for."""

    name: str
    type: str
    """`provider`, `deployment`, `route`, `queue`, `source`, `service`, `duration`, `number`, `text`, `choice`."""
    docs: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    """What there is to choose from now, for a name or a choice."""
    required: bool = True


class RunbookInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One runbook that can be begun."""

    id: str
    title: str
    summary: str = ""
    path: str = ""
    parameters: tuple[Parameter, ...] = ()
    steps: tuple[RunStep, ...] = ()
    """As they would be, none begun."""
    matches: tuple[str, ...] = ()
    """Which alerts offer it, in words."""
    faults: tuple[str, ...] = ()
    """Why it cannot be begun: `FILE:LINE: what`; empty when it can."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A runbook that fits something that is wrong now."""

    runbook: str
    title: str
    incident: str = ""
    alert: str = ""
    parameters: dict[str, str] = {}
    """Those that the alert and the board already tell."""
    words: str = ""
    """Why it is offered."""
    ready: bool | None = None
    """Whether its preconditions hold now; None when that cannot be said."""


class StartRun(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a runbook."""

    runbook: str
    parameters: dict[str, str] = {}
    incident: str = ""
    alert: str = ""
    dry: bool = False
    request: str = ""
    """A name of the asker's choice: asking twice with the same one begins one run."""


class RunOrder(StrEnum):
    """What a person may say to a run."""

    CONFIRM = "confirm"
    """Yes to the step that awaits one; `name` where the guard wants it typed."""
    DONE = "done"
    """A manual step has been done."""
    RETRY = "retry"
    """Try the failed step once more: a new attempt."""
    SKIP = "skip"
    """Leave the current step out; takes a reason."""
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    """End it; `rollback` undoes what its steps did, the last first."""
    TAKE = "take"
    """Take control from whoever holds it."""


class RunCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Say something to a run. Only its holder may; `take` makes one the holder."""

    run: str
    order: RunOrder
    step: str = ""
    """The step that is meant: an order that comes late for another step is refused. Empty: the current one."""
    reason: str = ""
    name: str = ""
    rollback: bool = True


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen at one moment of a run; it stays when the readings have changed."""

    run: str
    step: str
    at: float
    when: str
    """`before`, `after`, `failed`."""
    readings: tuple[AnyReading, ...] = ()
    alerts: tuple[str, ...] = ()
    """What fired then, in words."""
    traces: tuple[str, ...] = ()
    """Trace ids of requests that show it."""
    conditions: tuple[Condition, ...] = ()
    picture: str = ""
    """An SVG of the screen of who holds control, where there was one."""


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the runs that are not over, and for those that ended since a moment."""

    since: float = 0.0
    """Unix seconds; 0 asks for all that are kept."""
    limit: int = 200
    """The newest so many, 1 to 1000."""


class RunsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Runs, the oldest first."""

    runs: tuple[Run, ...] = ()
    older: int = 0
    """How many more are kept that are not in here."""


class EvidenceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for what was kept of a run, or of one of its steps."""

    run: str
    step: str = ""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A holder's screen, to be kept with a step's evidence."""

    run: str
    step: str
    svg: str
    """At most `PICTURE_MOST` characters."""


PICTURE_MOST = 400_000
RUNS_SHOWN_S = 3600.0
"""Seconds for which a run that is over stays on a board."""
