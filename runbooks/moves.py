"""The moves of a run from one state to the next: a step begins, succeeds, fails, is left out; a run pauses or ends."""

from typing import Any

from msgspec.structs import replace

from console.domain.runbooks import RunState, RunStep, StepState
from console.domain.text import clean
from runbooks.schema import Runbook, Step
from runbooks.session import Phase, Session, spec_of
from runbooks.targets import shown


def on_run(session: Session, now: float, **fields: Any) -> Session:
    """The run with other fields."""
    return replace(session, run=replace(session.run, updated_at=now, **fields))


def on_step(session: Session, now: float, **fields: Any) -> Session:
    """The current step with other fields; `since` follows the state."""
    step = session.step
    if "state" in fields and fields["state"] is not step.state:
        fields.setdefault("since", now)
    return put(session, now, replace(step, **fields))


def put(session: Session, now: float, step: RunStep) -> Session:
    """One step in the place of the one with its id."""
    return on_run(session, now, steps=tuple(step if one.id == step.id else one for one in session.run.steps))


def to_phase(session: Session, phase: Phase, now: float, **fields: Any) -> Session:
    """Another phase, from now on."""
    return replace(session, phase=phase, since=now, **{"looked_at": None, **fields})


def enter(session: Session, runbook: Runbook, index: int, now: float) -> Session:
    """Go on at the step of this index, or end when there is none."""
    if index >= len(runbook.steps):
        failed = sum(step.state is StepState.FAILED for step in session.run.steps)
        words = f"done; {failed} step(s) failed and were gone on from" if failed else "done"
        return end(session, RunState.SUCCEEDED, words, now)
    session = on_run(session, now, current=runbook.steps[index].id, state=RunState.RUNNING, words="")
    return to_phase(session, Phase.ENTER, now, queue=(), at=0, asked=False, typed="", shown="")


def index_of(session: Session, runbook: Runbook) -> int:
    """The place of the current step."""
    return next(at for at, step in enumerate(runbook.steps) if step.id == session.run.current)


def start(session: Session, runbook: Runbook, now: float) -> Session:
    """Begin the current step: a new attempt."""
    step, spec = session.step, spec_of(session, runbook)
    session = put(session, now, replace(
        step, attempt=step.attempt + 1, words="", conditions=(), action_id="", proposal=None, proposal_id="",
        effects=(), verdict=None, good=0, bad=0, unclear=0, part=None, ends_at=None,
    ))  # fmt: skip
    asked = _asked(session, spec)
    if session.run.dry and spec.manual:
        return succeed(session, runbook, f"dry: not waited for: {asked}", now)
    if spec.action or spec.ramp:
        return to_phase(session, Phase.PREPARE, now, asked=spec.confirm == "never", anew=step.ramp is not None)
    if spec.manual or (spec.command and spec.confirm == "always" and not session.run.dry):
        session = _timed(session, spec, now) if spec.manual else session
        return ask(session, asked, now)
    if spec.command:
        return run_it(session, spec, Phase.COMMAND, now)
    return run_it(session, spec, Phase.LOOK, now)


def _asked(session: Session, spec: Step) -> str:
    """What a person is asked about a step that has no proposal."""
    text = spec.manual.ask if spec.manual else ""
    if spec.command:
        text = f"run {' '.join((spec.command.name, *spec.command.args))}"
    return clean(shown(text, session.run.parameters), 500)


def ask(session: Session, words: str, now: float, **fields: Any) -> Session:
    """It is a person's turn."""
    session = on_step(session, now, state=StepState.AWAITING_CONFIRM, words=words, **fields)
    return to_phase(on_run(session, now, state=RunState.AWAITING, words=words), Phase.ASK, now, asked=False, typed="")


def run_it(session: Session, spec: Step, phase: Phase, now: float, **fields: Any) -> Session:
    """The current step does what it does; nothing has been sent yet."""
    if not session.back or session.step.state is StepState.AWAITING_CONFIRM:
        session = on_step(session, now, state=StepState.RUNNING, words="")
    session = on_step(session, now, proposal=None, proposal_id="", effects=(), verdict=None)
    state = RunState.ROLLING_BACK if session.back else RunState.RUNNING
    session = _timed(on_run(session, now, state=state, words=""), spec, now)
    return to_phase(session, phase, now, **fields)


def _timed(session: Session, spec: Step, now: float) -> Session:
    if session.step.ends_at is not None or session.back:
        return session
    if spec.timeout is not None:
        return on_step(session, now, ends_at=now + spec.timeout)
    return on_step(session, now, ends_at=now + spec.wait.duration) if spec.wait and not spec.wait.until else session


def effect_done(session: Session, runbook: Runbook, now: float) -> Session:
    """The step has done what it does: it is judged by its own conditions where it has any."""
    spec = spec_of(session, runbook)
    if spec.verify is None:
        return succeed(session, runbook, session.step.words, now)
    if session.run.dry:
        return succeed(session, runbook, f"{session.step.words}; dry: not verified", now)
    return to_phase(on_step(session, now, ends_at=None), Phase.VERIFY, now)


def succeed(session: Session, runbook: Runbook, words: str, now: float) -> Session:
    """The step is done; on with the next."""
    session = _close(session, StepState.SUCCEEDED, words, now)
    return enter(session, runbook, index_of(session, runbook) + 1, now)


def skip_to(session: Session, runbook: Runbook, goto: str, words: str, now: float) -> Session:
    """Go on at a later step, or at the end; those in between are left out."""
    here = index_of(session, runbook)
    there = len(runbook.steps) if goto == "end" else next(at for at, one in enumerate(runbook.steps) if one.id == goto)
    if there <= here:
        return pause(session, f"{goto} is not a later step", now)
    for spec in runbook.steps[here + 1 : there]:
        step = session.run.step(spec.id)
        if step is not None and step.state is StepState.PENDING:
            session = put(session, now, replace(step, state=StepState.SKIPPED, since=now, words=words))
    return enter(session, runbook, there, now)


def leave_out(session: Session, runbook: Runbook, words: str, now: float, **fields: Any) -> Session:
    """The current step is not done."""
    session = on_step(session, now, state=StepState.SKIPPED, words=words, ends_at=None, proposal=None, **fields)
    return enter(session, runbook, index_of(session, runbook) + 1, now)


def fail(session: Session, runbook: Runbook, words: str, now: float) -> Session:
    """The step has failed; its `onFailure` says how to go on."""
    session = _close(session, StepState.FAILED, words, now)
    spec, why = spec_of(session, runbook), f"{session.run.current} failed: {words}"
    if session.run.state is RunState.PAUSED:
        return pause(session, why, now)
    if spec.on_failure == "abort" or (session.run.dry and spec.on_failure in ("pause", "rollback")):
        return end(session, RunState.FAILED, why, now)
    if spec.on_failure == "rollback":
        return undo(session, runbook, RunState.FAILED, why, now)
    if spec.on_failure == "pause":
        return pause(session, why, now)
    if spec.on_failure == "continue":
        return enter(session, runbook, index_of(session, runbook) + 1, now)
    return skip_to(session, runbook, spec.on_failure, f"{session.run.current} failed", now)


def _close(session: Session, state: StepState, words: str, now: float) -> Session:
    return on_step(
        session, now, state=state, words=words, ends_at=None, part=None,
        proposal=None, proposal_id="", effects=(), verdict=None,
    )  # fmt: skip


def pause(session: Session, words: str, now: float) -> Session:
    """Nothing new is done until a person says so."""
    if session.run.state.over or session.run.state is RunState.PAUSED:
        return on_run(session, now, words=words) if session.run.state is RunState.PAUSED else session
    return replace(on_run(session, now, state=RunState.PAUSED, words=words), paused_at=now)


def end(session: Session, state: RunState, words: str, now: float) -> Session:
    """The run is over."""
    return replace(
        on_run(session, now, state=state, words=words, current="", ended_at=now),
        ending=None, undo_after=False, back=False, to_undo=(), doubt=False, recheck_at=None,
    )  # fmt: skip


def undo(session: Session, runbook: Runbook, final: RunState, words: str, now: float) -> Session:
    """Go back over what was done, the last first; then the run ends as `final`."""
    acted = {done.step for done in session.done if done.key not in session.settled}
    names = tuple(spec.id for spec in reversed(runbook.steps) if _has_way_back(session, spec, acted))
    return go_back(session, names, final, words, now)


def go_back(session: Session, names: tuple[str, ...], final: RunState | None, words: str, now: float) -> Session:
    """Undo these steps in this order. `final` None: the step itself failed, and `onFailure` has its say afterwards."""
    if not names and final is not None:
        return end(session, final, words, now)
    session = replace(
        session, back=True, to_undo=names, final=final, why=words, ending=None, undo_after=False, recheck_at=None
    )
    session = on_run(session, now, state=RunState.ROLLING_BACK, current=names[0], words=words)
    return to_phase(session, Phase.PREPARE, now, queue=(), at=0, asked=True, typed="", shown="")


def _has_way_back(session: Session, spec: Step, acted: set[str]) -> bool:
    step = session.run.step(spec.id)
    if spec.rollback == "none" or step is None or step.state is StepState.ROLLED_BACK:
        return False
    if spec.rollback == "restore":
        return spec.id in acted and spec.command is None
    return spec.id in acted or (spec.manual is not None and step.state is StepState.SUCCEEDED)


def undone(session: Session, runbook: Runbook, now: float, *, words: str, state: StepState | None) -> Session:
    """The way back of one step is gone, or left out; on with the one before it."""
    session = on_step(session, now, words=words, proposal=None, **({} if state is None else {"state": state}))
    if state is StepState.ROLLED_BACK:
        keys = tuple(done.key for done in session.done if done.step == session.run.current)
        session = replace(session, settled=tuple(dict.fromkeys((*session.settled, *keys))))
    rest = session.to_undo[1:]
    if rest:
        return go_back(session, rest, session.final, session.why, now)
    if session.final is not None:
        return end(session, session.final, session.why, now)
    words = session.why
    if state is StepState.ROLLED_BACK:
        words = f"{words}; put back"
        session = on_step(session, now, ramp=None)  # tried once more it begins at its beginning
    session = replace(session, back=False, to_undo=(), why="")
    return fail(on_run(session, now, state=RunState.RUNNING), runbook, words, now)
