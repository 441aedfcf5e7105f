"""What is known of one run between two of its moments, and what it needs next: a pure function of what is on disk.

A run is driven in a circle: `need` says what has to be found out or done, the runner does it, and `runbooks.course`
takes in what came of it. `need` looks at nothing but the session, so an engine that was killed reads the session back,
asks again what it needs, and goes on. A side effect is needed only in `Phase.ACT` and `Phase.COMMAND`, under a key that
was on disk before.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from console.domain.actions import Intent
from console.domain.refs import Ref
from console.domain.runbooks import RampStage, Run, RunState, RunStep, StepState
from runbooks.schema import Runbook, Step


class Phase(StrEnum):
    """What a run does about its current step."""

    CHECK = "check"
    """Looks whether the preconditions hold, before the first step."""
    ENTER = "enter"
    """Looks whether the step's `when` holds."""
    LOOK = "look"
    """A check, a wait or a branch."""
    PREPARE = "prepare"
    """Finds out what exactly is to be asked for."""
    SHOW = "show"
    """Has it planned and judged, to be shown."""
    ASK = "ask"
    """It is a person's turn."""
    ACT = "act"
    """The intent `queue[at]` is sent, once, under its key."""
    FOLLOW = "follow"
    """Its receipt is followed to its end."""
    COMMAND = "command"
    """The command runs, once, under its key."""
    HOLD = "hold"
    """A ramp's stage is held and judged."""
    VERIFY = "verify"
    """What was done is judged by the step's own conditions."""


SENDING = (Phase.ACT, Phase.COMMAND)
"""Phases in which it may not be known whether a side effect was begun."""


class Done(msgspec.Struct, frozen=True):
    """One side effect of a step."""

    step: str
    key: str
    action_id: str


class Line(msgspec.Struct, frozen=True):
    """One change of a state, as the audit log has it."""

    state: str
    words: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One run, with what nobody is shown of it. This is what lies on disk."""

    run: Run
    request: str = ""
    """The asker's name for it (`StartRun.request`)."""
    targets: tuple[Ref, ...] = ()
    """What its steps may change: no other run may meanwhile."""
    phase: Phase = Phase.CHECK
    since: float = 0.0
    """Unix seconds when the phase began."""
    looked_at: float | None = None
    """Unix seconds of the last look that counted."""
    queue: tuple[Intent, ...] = ()
    """What this stage of the step asks for, each with its key."""
    at: int = 0
    """Which of them is the next, or under way."""
    anew: bool = False
    """Whether the ramp's stage has to be set once more, after a pause."""
    asked: bool = False
    """Whether somebody has said yes to this attempt, or nobody has to."""
    typed: str = ""
    """The name that was typed with the yes."""
    shown: str = ""
    """The fingerprint of what was shown before the yes."""
    doubt: bool = False
    """Whether an engine ended while an intent was being sent: it is looked up before anything else."""
    recheck_at: float | None = None
    """Unix seconds since when preconditions and file are to be looked at again; None: they are not."""
    told: str = ""
    """What the last look of that kind found wrong: resumed once more, the run goes on with it."""
    paused_at: float | None = None
    ending: RunState | None = None
    """How it shall end as soon as it is known whether an intent was sent."""
    undo_after: bool = False
    """Whether it goes back over what was done then."""
    back: bool = False
    """Whether `to_undo` is being undone."""
    to_undo: tuple[str, ...] = ()
    """Steps whose way back has yet to be gone, the next first."""
    final: RunState | None = None
    """How the run ends when that is done; None: the step has failed, and its `onFailure` says how to go on."""
    why: str = ""
    """The words that the run, or the failed step, has then."""
    done: tuple[Done, ...] = ()
    """Every side effect so far, the first first."""
    settled: tuple[str, ...] = ()
    """Keys of those that were undone since: nobody has to go back over them again."""
    lines: int = 0
    """Changes of a state so far: each is a numbered line of the audit log …"""
    owed: tuple[Line, ...] = ()
    """… and the last of them, which may not be in it yet."""
    heard: int | None = None
    """The number of the audit log's row with the last order that it has taken; None: it began before that was kept."""
    effects_at: dict[str, float] = {}
    """Source → unix seconds: conditions wait for a look at it that is later than what was last done there."""

    @property
    def step(self) -> RunStep:
        """The current step.

        Raises:
            LookupError: there is none.
        """
        found = self.run.step(self.run.current)
        if found is None:
            raise LookupError(f"run {self.run.id} has no current step")
        return found

    @property
    def key(self) -> str:
        """The key of the side effect that is next or under way."""
        return self.queue[self.at].key if self.phase is Phase.ACT else self.run.key(self.step)

    @property
    def mark(self) -> tuple[str, int, str, int, bool, bool]:
        """Where it stands: an answer that was asked for elsewhere is of no use any more."""
        attempt = self.step.attempt if self.run.current else 0
        return (self.run.current, attempt, self.phase, self.at, self.back, self.recheck_at is not None)


@dataclass(frozen=True, slots=True)
class Question:
    """One condition to be evaluated."""

    role: str
    text: str
    words: str = ""


# ---- what a run can need


@dataclass(frozen=True, slots=True)
class Person:
    """Nothing, until a person says something."""


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing any more."""


@dataclass(frozen=True, slots=True)
class Look:
    """Evaluate `questions`, not before `at` (unix seconds)."""

    questions: tuple[Question, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Recheck:
    """Evaluate the preconditions, and look whether the file has changed."""

    questions: tuple[Question, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Prepare:
    """Find the intents of the current step: of its action, of its ramp's stage, or of its way back."""

    spec: Step
    stage: RampStage | None
    anew: bool
    """Whether the stage is to be set once more, after a pause."""
    back: bool
    key: str


@dataclass(frozen=True, slots=True)
class Show:
    """Have `intent` planned and judged."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class Lookup:
    """Find out whether what has this key was begun; nothing is sent."""

    key: str
    command: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """Send `intent`, unless its key was sent before."""

    intent: Intent
    typed: str
    shown: str


@dataclass(frozen=True, slots=True)
class RunCommandStep:
    """Run the command of `spec`, unless its key was begun before."""

    spec: Step
    key: str


@dataclass(frozen=True, slots=True)
class Follow:
    """Hear how the action stands."""

    action_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Judge a ramp's stage, not before `at`."""

    spec: Step
    stage: RampStage
    at: float


@dataclass(frozen=True, slots=True)
class Late:
    """Nothing: the step's time is over."""


Need = Person | Over | Look | Recheck | Prepare | Show | Lookup | Act | RunCommandStep | Follow | Hold | Late

LOOK_S = 1.0
"""Seconds between two looks where the file says nothing."""
HOLD_S = 5.0
"""Seconds between two looks at a ramp's stage."""
UNCLEAR_S = 30.0
"""So long a condition that cannot be said is looked at again; then the run is paused."""
CACHED_S = 5.0
"""A broker may show figures of a queue that are as old as this."""
LOST_S = 120.0
"""So long an action of which nobody knows what became is followed; then the run is paused."""


def spec_of(session: Session, runbook: Runbook) -> Step:
    """The current step, as the file has it."""
    return next(step for step in runbook.steps if step.id == session.run.current)


def need(session: Session, runbook: Runbook, now: float) -> Need:
    """What the run needs next."""
    run, phase = session.run, session.phase
    if run.state.over:
        return Over()
    if phase in SENDING and (session.doubt or session.ending is not None):
        return Lookup(session.key, command=phase is Phase.COMMAND)
    if run.state is RunState.PAUSED:
        return Person()
    if session.recheck_at is not None:
        return Recheck(preconditions(runbook), max(now, session.recheck_at))
    if phase is Phase.CHECK:
        return Look(preconditions(runbook), now)
    return _of_step(session, spec_of(session, runbook), now)


def _of_step(session: Session, spec: Step, now: float) -> Need:
    step, phase = session.step, session.phase
    if not session.back and phase not in SENDING and _late(session, spec, now):
        return Late()
    if phase in (Phase.ENTER, Phase.LOOK, Phase.VERIFY):
        return Look(questions(session, spec), _look_at(session, spec, now))
    if phase is Phase.PREPARE:
        return Prepare(spec, step.ramp, session.anew, session.back, session.run.key(step, back=session.back))
    if phase is Phase.SHOW:
        return Show(session.queue[session.at])
    if phase is Phase.ACT:
        return Act(session.queue[session.at], session.typed, session.shown)
    if phase is Phase.COMMAND:
        return RunCommandStep(spec, session.key)
    if phase is Phase.FOLLOW:
        if session.step.state is StepState.UNKNOWN and now - session.since > LOST_S:
            return Late()
        return Follow(session.done[-1].action_id, session.done[-1].key)
    if phase is Phase.HOLD and step.ramp is not None:
        return Hold(spec, step.ramp, now if session.looked_at is None else session.looked_at + HOLD_S)
    return Person()


def _late(session: Session, spec: Step, now: float) -> bool:
    ends_at = session.step.ends_at
    if ends_at is not None and now >= ends_at and spec.timeout is not None:
        return True
    return session.phase is Phase.VERIFY and spec.verify is not None and now - session.since >= spec.verify.timeout


def _look_at(session: Session, spec: Step, now: float) -> float:
    """When the next look is due: verifications look once an interval, and first when one has passed."""
    if session.phase is Phase.VERIFY and spec.verify is not None:
        return (session.since if session.looked_at is None else session.looked_at) + spec.verify.interval
    if session.phase is Phase.LOOK and spec.wait is not None and session.looked_at is not None:
        return session.looked_at + (LOOK_S if spec.wait.until is None else spec.wait.interval)
    return now


def preconditions(runbook: Runbook) -> tuple[Question, ...]:
    """The preconditions, as questions."""
    return tuple(Question("precondition", one.condition, one.words) for one in runbook.preconditions)


def questions(session: Session, spec: Step) -> tuple[Question, ...]:
    """The conditions that matter to the current step now; a screen shows them with their values."""
    phase = session.phase
    if phase is Phase.ENTER:
        return (Question("when", spec.when),) if spec.when else ()
    if phase is Phase.LOOK:
        if spec.check:
            return (Question("check", spec.check),)
        if spec.wait:
            return (Question("until", spec.wait.until),) if spec.wait.until else ()
        return tuple(Question("branch", turn.when, turn.goto) for turn in spec.branch or () if turn.when)
    if phase is Phase.VERIFY or (spec.verify and phase in (Phase.ASK, Phase.FOLLOW)):
        verify = spec.verify
        texts = (("success", verify.success), ("failure", verify.failure)) if verify else ()
        return tuple(Question(role, text) for role, text in texts if text)
    return ()
