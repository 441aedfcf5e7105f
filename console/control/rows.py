"""What the audit log's rows hold, as types: the whole memory that survives a killed engine."""

from enum import StrEnum

import msgspec

from console.domain.actions import Effect, Intent, Override, Plan, Progress, Proof, Verdict
from console.domain.errors import Failure
from console.domain.forecasts import Course


class RowKind(StrEnum):
    """The `event` of a row that belongs to an action."""

    CONFIRMED = "confirmed"
    """On disk before the first call; holds everything that is needed to go on without the process that wrote it."""
    STEP_BEGUN = "step-begun"
    STEP_DONE = "step-done"
    STEP_FAILED = "step-failed"
    PROGRESS = "progress"
    """How far a lasting step is, now and then."""
    STOP = "stop"
    """An operator wants the action to end early; what follows is its tidying up."""
    RECEIPT = "receipt"
    """Where the action stands, in between."""
    OVERRIDE = "override"
    """An override as it is from now on; `action_id` is the override's id."""
    PROOF = "proof"
    DONE = "done"
    """The last receipt: nothing more will be done for this action."""
    COMMAND_BEGUN = "command-begun"
    """A command is about to be started; the body of this row and the next is its receipt."""
    COMMAND_ENDED = "command-ended"
    """What came of a command."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An override, and the plans that it is made of."""

    override: Override
    parts: tuple[Plan, ...]
    """Oldest first: a trip and then another weight leave one override of two parts."""
    done: int = 0
    """How many steps of the way back were done by an attempt that then failed; they are not done again."""
    by_hand: bool = False
    """Whether nobody can tell how far the way back went: the engine leaves it to an operator's own restore."""
    partial: bool = False
    """Whether an action that made or was ending it ended early: it holds what was moved, and what its plan expects
    need not show."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """Body of a CONFIRMED row."""

    intent: Intent
    plan: Plan
    effects: tuple[Effect, ...] = ()
    forecast: Course | None = None
    """What was expected of it in the next quarter of an hour."""
    verdict: Verdict = Verdict(())
    applied: tuple[Held, ...] = ()
    """The overrides as they are once the backend has taken every call."""
    verified: tuple[Held, ...] = ()
    """The overrides as they are once every replica shows the effect."""
    deadline: float = 0.0
    """Unix seconds up to which a next start may still begin what was not begun; 0 is no such limit."""


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """Body of a STEP_* or PROGRESS row."""

    index: int
    words: str
    back: bool = False
    """Whether it is a step of the way back."""
    failure: Failure | None = None
    tidy: bool = False
    """Whether it is a step of `Plan.tidy`."""
    progress: Progress | None = None
    """Of a lasting step."""


class StopRow(msgspec.Struct, frozen=True, kw_only=True):
    """Body of a STOP row."""

    by: str
    """The operator."""
    action_id: str
    """The Stop that asked for it."""


class ProofRow(msgspec.Struct, frozen=True, kw_only=True):
    """Body of a PROOF row."""

    proofs: tuple[Proof, ...]
    undone: bool = False
