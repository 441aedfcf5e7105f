"""What a person may say to a run, and what it does to it. Pure; an order that does not fit is refused, with why."""

from msgspec.structs import replace

from console.domain.errors import Refusal
from console.domain.runbooks import RunCommand, RunOrder, RunState, StepState
from console.domain.text import clean
from runbooks import moves
from runbooks.schema import Runbook
from runbooks.session import SENDING, Phase, Session, spec_of


def obey(session: Session, runbook: Runbook, command: RunCommand, who: str, uid: int, now: float) -> Session:
    """The session after an order.

    Args:
        session: as it stands.
        runbook: its runbook.
        command: the order.
        who: the account that gives it.
        uid: that account's number; only the holder's counts, but for `take`.
        now: unix seconds.

    Raises:
        Refusal: 403 not the holder, 409 the order does not fit how the run stands, 400 it lacks something.
    """
    run, order = session.run, command.order
    if run.state.over:
        raise Refusal(f"run {run.id} is over: {run.state}", code=409)
    if order is RunOrder.TAKE:
        return _take(session, who, uid, now)
    if uid != run.uid:
        raise Refusal(f"{run.holder} has control of run {run.id}; `take` it first", code=403)
    if command.step and command.step != run.current:
        where = f"at {run.current}" if run.current else "before its first step"
        raise Refusal(f"run {run.id} is {where}, not at {clean(command.step, 60)}", code=409)
    match order:
        case RunOrder.PAUSE:
            return _pause(session, command, who, now)
        case RunOrder.RESUME:
            return _resume(session, now)
        case RunOrder.ABORT:
            return _abort(session, runbook, command, who, now)
    if not run.current:
        raise Refusal(f"run {run.id} has not come to its first step; pause or abort it", code=409)
    match order:
        case RunOrder.CONFIRM:
            return _confirm(session, runbook, command, who, now)
        case RunOrder.DONE:
            return _done(session, runbook, who, now)
        case RunOrder.RETRY:
            return _retry(session, now)
    return _skip(session, runbook, command, who, now)


def _take(session: Session, who: str, uid: int, now: float) -> Session:
    if uid == session.run.uid:
        raise Refusal("you have control already", code=409)
    return moves.on_run(session, now, holder=who, uid=uid)


def _pause(session: Session, command: RunCommand, who: str, now: float) -> Session:
    if session.run.state is RunState.PAUSED:
        raise Refusal("it is paused already", code=409)
    if session.ending is not None:
        raise Refusal("it is being aborted", code=409)
    why = clean(command.reason.strip())
    return moves.pause(session, f"paused by {who}: {why}" if why else f"paused by {who}", now)


def _resume(session: Session, now: float) -> Session:
    """Preconditions and file are looked at again before anything else is done, except on the way back."""
    if session.run.state is not RunState.PAUSED:
        raise Refusal("it is not paused", code=409)
    if session.run.current and session.step.state is StepState.FAILED and not session.back:
        raise Refusal(f"{session.run.current} failed: retry it, skip it with a reason, or abort", code=409)
    session = _going_on(session, now)
    if session.back or session.phase is Phase.CHECK or session.run.dry:
        return replace(session, since=now) if session.phase is Phase.CHECK else session
    return replace(session, recheck_at=now)


def _going_on(session: Session, now: float) -> Session:
    """Not paused any more; time in which it was does not count."""
    state = RunState.AWAITING if session.phase is Phase.ASK else RunState.RUNNING
    if session.back and session.phase is not Phase.ASK:
        state = RunState.ROLLING_BACK
    away = now - (session.paused_at if session.paused_at is not None else now)
    if session.run.current:
        ends_at = session.step.ends_at
        session = moves.on_step(session, now, unclear=0, ends_at=None if ends_at is None else ends_at + away)
    if session.phase in (Phase.ENTER, Phase.LOOK, Phase.VERIFY, Phase.FOLLOW, Phase.HOLD):
        waits = session.phase is Phase.LOOK and session.step.part is not None
        session = session if waits else replace(session, since=now)
    if session.back and session.phase is Phase.FOLLOW:
        session = moves.to_phase(session, Phase.PREPARE, now, queue=(), at=0)
    return replace(moves.on_run(session, now, state=state, words=""), paused_at=None)


def _confirm(session: Session, runbook: Runbook, command: RunCommand, who: str, now: float) -> Session:
    spec = spec_of(session, runbook)
    if session.phase is not Phase.ASK or session.run.state is not RunState.AWAITING:
        raise Refusal(f"{session.run.current} awaits no yes now", code=409)
    if spec.manual and not session.back:
        raise Refusal(f"{session.run.current} is done by hand: say `done` when it is", code=409)
    proposal = session.step.proposal
    if proposal is not None and proposal.verdict.needs_name and command.name != proposal.intent.target.name:
        raise Refusal("type the target's name to confirm", code=409)
    session = moves.on_step(session, now, by=who)
    phase = Phase.COMMAND if spec.command and not session.back else Phase.ACT
    return moves.run_it(session, spec, phase, now, asked=True, typed=command.name)


def _done(session: Session, runbook: Runbook, who: str, now: float) -> Session:
    spec = spec_of(session, runbook)
    if session.phase is not Phase.ASK or session.run.state is not RunState.AWAITING or not spec.manual or session.back:
        raise Refusal(f"{session.run.current} is not a step that awaits its `done`", code=409)
    session = moves.on_step(session, now, by=who, words=f"done, says {who}", state=StepState.RUNNING)
    return moves.effect_done(moves.on_run(session, now, state=RunState.RUNNING), runbook, now)


def _retry(session: Session, now: float) -> Session:
    """Only from a pause: a new attempt, with a key of its own."""
    if session.run.state is not RunState.PAUSED:
        raise Refusal("a step is tried once more when the run is paused", code=409)
    if session.phase in SENDING and session.step.state is not StepState.FAILED:
        raise Refusal(f"{session.run.current} is not over: resume", code=409)
    if session.step.state is StepState.UNKNOWN:
        raise Refusal(f"what became of {session.run.current} is not known: doing it again could do it twice", code=409)
    if session.phase is Phase.FOLLOW and session.step.state is StepState.RUNNING and not session.back:
        raise Refusal(f"the action of {session.run.current} is under way: resume", code=409)
    step = session.step
    if session.back:
        session = _going_on(moves.put(session, now, replace(step, attempt=step.attempt + 1)), now)
        return moves.to_phase(session, Phase.PREPARE, now, queue=(), at=0)
    session = moves.on_step(session, now, state=StepState.PENDING, words="", reason="", by="", ends_at=None)
    session = replace(moves.on_run(session, now, state=RunState.RUNNING, words=""), paused_at=None)
    return moves.to_phase(session, Phase.ENTER, now, queue=(), at=0, asked=False, typed="", shown="")


def _skip(session: Session, runbook: Runbook, command: RunCommand, who: str, now: float) -> Session:
    reason = clean(command.reason.strip())
    if not reason:
        raise Refusal("leaving a step out takes a reason", code=400)
    if session.ending is not None or (session.phase in SENDING and session.step.state is not StepState.FAILED):
        raise Refusal(f"{session.run.current} is under way: wait a moment, or abort", code=409)
    session = replace(session, paused_at=None, recheck_at=None)
    if session.back:
        open_states = (StepState.AWAITING_CONFIRM, StepState.RUNNING, StepState.UNKNOWN)
        state = StepState.SUCCEEDED if session.step.state in open_states else None
        return moves.undone(session, runbook, now, words=f"its way back was left out: {reason}", state=state)
    goes_on = session.phase is Phase.FOLLOW and session.step.state in (StepState.RUNNING, StepState.UNKNOWN)
    words = f"left out by {who}: {reason}{'; its action goes on by itself' if goes_on else ''}"
    return moves.leave_out(session, runbook, words, now, reason=reason, by=who)


def _abort(session: Session, runbook: Runbook, command: RunCommand, who: str, now: float) -> Session:
    reason = clean(command.reason.strip())
    words = f"aborted by {who}: {reason}" if reason else f"aborted by {who}"
    back = command.rollback and not session.run.dry
    if session.back and back and session.final is not None:
        raise Refusal("it is going back already; abort without rollback leaves the rest as it is", code=409)
    session = replace(session, paused_at=None, recheck_at=None)
    if session.phase in SENDING and session.run.current and session.step.state is not StepState.FAILED:
        state = RunState.ROLLING_BACK if back else RunState.RUNNING
        session = moves.on_run(session, now, state=state, words=f"{words}; finds out first what was done last")
        return replace(session, ending=RunState.ABORTED, undo_after=back, why=words)
    return moves.undo(session, runbook, RunState.ABORTED, words, now) if back else _stop(session, words, now)


def _stop(session: Session, words: str, now: float) -> Session:
    """The current step is left as it is, and says so."""
    if session.run.current and session.phase is Phase.FOLLOW and not session.back:
        session = moves.on_step(session, now, words=f"{session.step.words}; its action goes on by itself".lstrip("; "))
    return moves.end(session, RunState.ABORTED, words, now)
