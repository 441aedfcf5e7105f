"""Acting, as data: intent → plan → preview → verdict → confirm → receipt, and the override that stays behind.

Every step of a plan and its way back are plain data, so that the audit log can hold them and an engine that
was killed in the middle can look up, finish or undo what it had begun.
"""

from enum import StrEnum
from typing import Any

import msgspec

from console.domain.errors import Failure
from console.domain.forecasts import Comparison, Course, Forecast
from console.domain.refs import Ref
from console.domain.verbs import (
    HEAVIEST,
    Action,
    Finish,
    Isolate,
    Park,
    Pause,
    Purge,
    QueueAction,
    Replay,
    Requeue,
    Reset,
    Restore,
    Resume,
    SetWeight,
    Stop,
    Switch,
    Trip,
    Verb,
)

__all__ = [
    "HEAVIEST", "Action", "Check", "CheckResult", "Effect", "Expectation", "ExpiryHome", "Finish", "Intent", "Isolate",
    "OnExpiry", "Outcome", "Override", "OverrideState", "Park", "Pause", "Plan", "Progress", "Proof", "Proposal",
    "Purge", "QueueAction", "Receipt", "Replay", "Requeue", "Reset", "Restore", "Resume", "SetWeight", "Stage", "Step",
    "Stop", "Switch", "Trip", "Verb", "Verdict",
]  # fmt: skip


class OnExpiry(StrEnum):
    """What happens when an override ends by itself."""

    REVERT = "revert"
    """The state from before is put back."""
    PROBE = "probe"
    """Half-open where the backend has it, otherwise a small weight first."""
    HOLD = "hold"
    """It stays until someone restores it; the alert says so."""


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants. Who asks is not in it: the engine takes that from the kernel."""

    target: Ref
    action: Action
    reason: str = ""
    """Required by the guard."""
    ttl_s: float | None = None
    """Seconds until the override ends; None takes the environment's default."""
    on_expiry: OnExpiry = OnExpiry.REVERT
    via: str = ""
    """Where it was asked: `key`, `palette`, `cli`, `runbook`; for the audit log only."""
    key: str = ""
    """Idempotency key: an intent whose key was confirmed before is not done again, its receipt is the answer. Empty
    for what a person asks by hand."""


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What every replica has to show before an action counts as done."""

    ref: Ref
    field: str
    """The adapter's name for what is read: `blocked`, `weight`, `alias`, `cooldown`."""
    value: Any = None
    words: str = ""
    """`openai-a is blocked`."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One call to the backend, as data that only its adapter understands."""

    op: str
    """The adapter's name for the call: `model.block`, `redis.cooldown`."""
    args: dict[str, Any] = {}
    """JSON values; never a secret."""
    words: str
    """What the call does, for a person: `POST /model/block openai-a`."""
    repeatable: bool = True
    """Whether doing it twice is the same as doing it once."""
    expects: tuple[Expectation, ...] = ()
    """What every replica shows once this step is done, whatever follows: this is how a lost call in the middle of a
    plan is looked up. Without it only the last step can be (by what the whole plan expects)."""
    lasting: bool = False
    """Whether it takes as long as there are messages to move: it is carried (`ports.Mover`), tells its progress, can
    be stopped, and begun again it goes on where it was. Always `repeatable`."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a lasting step has come, counted at the backend itself."""

    done: int
    """Messages moved so far."""
    total: int | None = None
    """How many there are to move; None when nobody can say."""
    per_s: float | None = None
    """Messages a second, lately."""
    left_s: float | None = None
    """Seconds left at that rate; None when it does not move."""
    words: str = ""
    """What is going on, when that is not plain: `a worker takes messages too`."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What one replica showed, in a reading taken after the call."""

    replica: str
    holds: bool | None
    """None when it could not be asked."""
    seen: str = ""
    read_at: float = 0.0


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One expected change, in numbers."""

    label: str
    """`azure-b requests`."""
    before: float | None
    after: float | None
    unit: str
    """`req/min`, `$/h`, `× demand`."""
    bad: bool = False
    """Whether the expected value is one to worry about."""
    words: str = ""


class ExpiryHome(StrEnum):
    """Who ends an override when its time is up: this decides what happens if the engine dies."""

    BACKEND = "backend"
    ENGINE = "engine"
    NOBODY = "nobody"
    """No expiry: it leaves nothing behind, as a reset does, or what it leaves is held until somebody ends it (what was
    parked, until it is replayed)."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What exactly would be done. Made by an adapter without any side effect."""

    target: Ref
    verb: Verb
    steps: tuple[Step, ...]
    expects: tuple[Expectation, ...]
    undo: tuple[Step, ...] = ()
    """The way back; empty when there is none."""
    undo_expects: tuple[Expectation, ...] = ()
    before: dict[str, Any] = {}
    """The state that is replaced, field by field."""
    after: dict[str, Any] = {}
    """The same fields as they will be."""
    generation: str = ""
    """A fingerprint of `before` as read from the backend at planning time; execute refuses when it has changed."""
    expiry_home: ExpiryHome = ExpiryHome.ENGINE
    replicas: tuple[str, ...] = ()
    """Who has to show the effect."""
    converge_s: float = 60.0
    """How long the replicas may need, at the most."""
    words: str = ""
    """The whole plan in one line."""
    notes: tuple[str, ...] = ()
    """What the operator should know: `LiteLLM has no half-open: traffic returns all at once`."""
    tidy: tuple[Step, ...] = ()
    """What is taken away from the backend when a lasting step, of the plan or of its way back, ends early: what has
    been moved stays where it is. Repeatable, and right at any moment: what is not there is not taken away."""
    effects: tuple[Effect, ...] = ()
    """What the adapter itself can say in numbers; the preview shows them before its own."""
    back_per_s: float | None = None
    """Messages a second that come back, where a plan or its way back gives some back; None where none do."""

    @property
    def lasting(self) -> bool:
        """Whether it takes as long as there is something to move, and can be stopped."""
        return any(step.lasting for step in self.steps)


class CheckResult(StrEnum):
    """What one guard check found."""

    PASS = "pass"
    WARN = "warn"
    TYPE_NAME = "type the name"
    """Allowed when the operator types the target's name."""
    REFUSE = "refuse"


class Check(msgspec.Struct, frozen=True):
    """One guard check: its name, what it found, and why, in words."""

    name: str
    result: CheckResult
    words: str


class Verdict(msgspec.Struct, frozen=True):
    """What the guard says to a plan."""

    checks: tuple[Check, ...]

    @property
    def allowed(self) -> bool:
        """Whether the action may go on to confirmation."""
        return all(check.result is not CheckResult.REFUSE for check in self.checks)

    @property
    def needs_name(self) -> bool:
        """Whether confirming takes the target's name, typed."""
        return any(check.result is CheckResult.TYPE_NAME for check in self.checks)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why not, one line a check."""
        return tuple(check.words for check in self.checks if check.result is CheckResult.REFUSE)


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator is shown before anything happens; confirming it within `valid_until` runs it."""

    id: str
    intent: Intent
    operator: str
    plan: Plan | None
    """None when the backend refused to plan; `verdict` says why."""
    effects: tuple[Effect, ...]
    verdict: Verdict
    created_at: float
    valid_until: float
    forecast: Forecast | None = None
    """The next quarter of an hour with this action, without it, and with others; None where none is made."""


class Stage(StrEnum):
    """How far an action has come. Each is durable in the audit log before the next begins."""

    CONFIRMED = "confirmed"
    EXECUTING = "executing"
    VERIFYING = "verifying"
    DONE = "done"


class Outcome(StrEnum):
    """What became of an action."""

    PENDING = "pending"
    """Confirmed and on record; the backend has not answered yet."""
    APPLIED = "applied"
    """The backend took the call; no reading has shown the effect yet."""
    CONVERGING = "converging"
    """Some replicas show it; or a lasting step is under way (`Receipt.progress`)."""
    VERIFIED = "verified"
    """Every replica shows it, in a reading taken after the call."""
    UNVERIFIED = "unverified"
    """The time to converge is over and not every replica shows it."""
    FAILED = "failed"
    """The backend refused, and nothing was changed or what was changed has been put back. What a lasting step had
    moved by then stays where it is: `Receipt.progress` counts it, and its override has the way back."""
    STOPPED = "stopped"
    """An operator ended a lasting action early: what was moved stays where it is, as with FAILED."""
    UNKNOWN = "unknown"
    """The answer was lost and no reading could tell; it is looked up, never repeated blindly."""
    REVERTED = "reverted"
    """It was undone, by an operator or by its expiry."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What has been done so far and what is known of it. Sent again at every change."""

    id: str
    intent: Intent
    operator: str
    stage: Stage
    outcome: Outcome
    started_at: float
    updated_at: float
    words: str = ""
    """The state in one line: `tripped; seen on 2/2 replicas in 0.4 s`."""
    proofs: tuple[Proof, ...] = ()
    failure: Failure | None = None
    override_id: str = ""
    progress: Progress | None = None
    """Of the lasting step that is under way, or that was the last."""
    forecast: Course | None = None
    """What was expected of it when it was confirmed."""
    outturn: Comparison | None = None
    """Whether it came so; None until its time has come."""


class OverrideState(StrEnum):
    """Where an override stands."""

    ACTIVE = "active"
    REVERTING = "reverting"
    ENDED = "ended"
    """The state from before is back, seen on every replica."""
    STUCK = "stuck"
    """It should have ended and could not be put back; the engine goes on trying and alerts."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """What an action leaves behind until it is restored or expires."""

    id: str
    target: Ref
    action: Action
    owner: str
    reason: str
    created_at: float
    expires_at: float | None
    on_expiry: OnExpiry
    expiry_home: ExpiryHome
    state: OverrideState
    plan: Plan
    """Holds the prior state, the way back and what every replica has to show."""
    ended_at: float | None = None
    ended_by: str = ""
    """An operator, `expiry`, or `superseded`."""
    in_effect: bool = True
    """False when every replica that answered a later look showed that it is not there any more."""
    words: str = ""
