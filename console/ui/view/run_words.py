"""A run in a few words: where it and its steps stand, whom it awaits, and which key answers it."""

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.actions import Outcome
from console.domain.board import Board
from console.domain.health import Level
from console.domain.runbooks import Run, RunState, RunStep, StepKind, StepState
from console.domain.wire import Access
from console.ui import format as fmt
from console.ui.cells import Cell
from console.ui.glyphs import Glyphs

_WORD = {
    StepState.PENDING: "to come",
    StepState.AWAITING_CONFIRM: "awaits",
    StepState.RUNNING: "running",
    StepState.SUCCEEDED: "done",
    StepState.FAILED: "failed",
    StepState.SKIPPED: "left out",
    StepState.ROLLED_BACK: "rolled back",
    StepState.UNKNOWN: "not known",
}
_STYLE = {
    StepState.PENDING: "muted",
    StepState.AWAITING_CONFIRM: "notice",
    StepState.RUNNING: "flow",
    StepState.SUCCEEDED: "ok",
    StepState.FAILED: "bad",
    StepState.SKIPPED: "muted",
    StepState.ROLLED_BACK: "warn",
    StepState.UNKNOWN: "warn",
}
_OUTCOME = {
    StepState.PENDING: Outcome.PENDING,
    StepState.SUCCEEDED: Outcome.VERIFIED,
    StepState.FAILED: Outcome.FAILED,
    StepState.SKIPPED: Outcome.STOPPED,
    StepState.ROLLED_BACK: Outcome.REVERTED,
    StepState.UNKNOWN: Outcome.UNKNOWN,
}
"""Steps are drawn with the signs of the outcomes."""
_OVER = {
    RunState.SUCCEEDED: (Outcome.VERIFIED, "ok", "succeeded"),
    RunState.FAILED: (Outcome.FAILED, "bad", "failed"),
    RunState.ABORTED: (Outcome.STOPPED, "warn", "aborted"),
}
_ENDED = (StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED, StepState.ROLLED_BACK)


class Turn(NamedTuple):
    """Whose turn it is."""

    sign: str
    """Glyph and a word or two: `◆ awaits you`."""
    style: str
    command: str
    """The command that answers; empty when nothing is awaited of this operator."""
    words: str
    """What the command does, or what goes on."""


def is_mine(run: Run, access: Access | None) -> bool:
    """Whether this operator has control of a run."""
    return access is not None and access.uid == run.uid


def sign_of(state: StepState, glyphs: Glyphs) -> str:
    """A step's sign."""
    if state is StepState.RUNNING:
        return glyphs.moving
    if state is StepState.AWAITING_CONFIRM:
        return glyphs.level[Level.NOTICE]
    return glyphs.outcome[_OUTCOME[state]]


def state_text(step: RunStep, glyphs: Glyphs) -> str:
    """Glyph and word of a step's state."""
    return f"{sign_of(step.state, glyphs)} {_WORD[step.state]}"


def state_style(state: StepState) -> str:
    """The style in which a step's state is written."""
    return _STYLE[state]


def has_ended(step: RunStep) -> bool:
    """Whether nothing more is done in a step."""
    return step.state in _ENDED


def place(run: Run) -> int:
    """The number of the step where a run stands, from 1; of one that is over, how many steps ended."""
    for at, step in enumerate(run.steps, 1):
        if step.id == run.current:
            return at
    return sum(has_ended(step) for step in run.steps)


def turn(run: Run, access: Access | None, glyphs: Glyphs) -> Turn:
    """Whose turn it is, what is awaited, and the command that answers it."""
    if run.state in _OVER:
        outcome, style, word = _OVER[run.state]
        said = fmt.name(run.words, 300) or f"over at {fmt.moment(run.ended_at, run.updated_at)}"
        dry = "dry run: nothing was done; " if run.dry else ""
        return Turn(f"{glyphs.outcome[outcome]} {word}", style, "", dry + said)
    if run.state is RunState.ROLLING_BACK:
        said = fmt.name(run.words, 300) or "what its steps did is put back, the last first"
        return Turn(f"{glyphs.outcome[Outcome.REVERTED]} rolling back", "warn", "", said)
    if run.state is RunState.RUNNING:
        return Turn(f"{glyphs.moving} running", "flow", "", _going_on(run))
    if not is_mine(run, access):
        who = fmt.name(run.holder, 24)
        return Turn(f"{glyphs.level[Level.NOTICE]} awaits {who}", "accent", "take", f"takes control from {who}")
    return _yours(run, glyphs)


def _going_on(run: Run) -> str:
    step = run.step(run.current)
    told = fmt.name((step.words if step is not None else "") or run.words, 300)
    return f"nothing is asked of you; {told}" if told else "nothing is asked of you"


def _yours(run: Run, glyphs: Glyphs) -> Turn:
    step = run.step(run.current)
    sign = f"{glyphs.level[Level.NOTICE]} awaits you"
    if run.state is RunState.AWAITING and step is not None and step.kind is StepKind.MANUAL and not step.proposal:
        return Turn(sign, "notice", "yes", f"when it is done: {fmt.name(step.words or step.title, 300)}")
    if run.state is RunState.AWAITING:
        what = fmt.name(step.title, 120) if step is not None else ""
        return Turn(sign, "notice", "yes", f"confirm step {place(run)}: {what} (shows first what it would do)")
    paused = f"{glyphs.level[Level.WARN]} paused"
    why = fmt.name(run.words, 300)
    if step is not None and step.state is StepState.FAILED:
        return Turn(paused, "warn", "retry", f"tries step {place(run)} again. {why or fmt.name(step.words, 300)}")
    return Turn(paused, "warn", "hold-run", f"resumes. {why}".rstrip())


def going_on(board: Board) -> list[Run]:
    """Runs that are not over, those that await somebody first, then the newest."""
    found = [run for run in board.runs.values() if not run.state.over]
    waiting = (RunState.AWAITING, RunState.PAUSED)
    found.sort(key=lambda run: (run.state not in waiting, -run.started_at))
    return found


def foremost(board: Board, access: Access | None) -> Run | None:
    """The run that a key leads to: one that awaits this operator, another that goes on, otherwise the last one."""
    here = going_on(board)
    waiting = (RunState.AWAITING, RunState.PAUSED)
    mine = (run for run in here if run.state in waiting and is_mine(run, access))
    last = max(board.runs.values(), key=lambda run: run.ended_at or 0.0, default=None)
    return next(mine, None) or next(iter(here), last)


def told(board: Board, access: Access | None, glyphs: Glyphs, keys: Mapping[str, str]) -> list[Cell]:
    """The header's words about runs that go on, `R ▶ brownout 3/7 awaits you`, otherwise that a runbook fits."""
    here = going_on(board)
    if not here:
        fits = any(offer.ready is not False for offer in board.offers)
        return [Cell(f"{keys.get('runbook', '')} ".lstrip(), "key"), Cell("a runbook fits", "accent")] if fits else []
    run = foremost(board, access) or here[0]
    state = _short(run, access)
    style = "notice" if state == "awaits you" else "warn" if run.state is RunState.PAUSED else "flow"
    dry = "dry " if run.dry else ""
    name = fmt.name(run.runbook, 20)
    more = f" +{len(here) - 1}" if len(here) > 1 else ""
    words = f"{glyphs.moving} {dry}{name} {place(run)}/{len(run.steps)} {state}{more}"
    return [Cell(f"{keys.get('run', '')} ".lstrip(), "key"), Cell(words, style)]


def _short(run: Run, access: Access | None) -> str:
    if run.state is RunState.AWAITING:
        return "awaits you" if is_mine(run, access) else f"awaits {fmt.name(run.holder, 12)}"
    return str(run.state).replace("_", " ")
