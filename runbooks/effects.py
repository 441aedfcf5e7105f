"""What becomes of a run that acts: what is to be asked for, what a person sees of it, what was sent, and its end.

Pure; the clock is an argument.
"""

from msgspec.structs import replace

from console.domain.actions import Outcome, Stage
from console.domain.refs import Kind
from console.domain.runbooks import RunState, StepState
from runbooks import events as told
from runbooks import moves, ramping
from runbooks.ramping import Result
from runbooks.schema import Runbook
from runbooks.session import CACHED_S, SENDING, Done, Phase, Session, spec_of

NO_OPERATE = "ask for operate (o), then resume"


def prepared(session: Session, runbook: Runbook, event: told.Prepared, now: float) -> Session:
    """The intents of a step, of a stage, or of a way back are known."""
    if session.phase is not Phase.PREPARE:
        return session
    spec = spec_of(session, runbook)
    if session.back and not event.intents:
        words = event.words or "nothing is left of it"
        return moves.undone(session, runbook, now, words=words, state=StepState.ROLLED_BACK)
    session = replace(session, queue=event.intents, at=0, anew=False)
    if event.stage is not None and not session.back:
        session = moves.on_step(session, now, ramp=event.stage, words=event.words)
    if event.intents and not session.back:
        first = event.intents[0]
        session = moves.on_step(session, now, target=first.target, verb=first.action.verb)
    if not event.intents and spec.ramp is None:
        return moves.effect_done(moves.on_step(session, now, words=event.words), runbook, now)
    if event.intents and (session.run.dry or not session.asked):
        return moves.to_phase(session, Phase.SHOW, now)
    if event.intents:
        return moves.run_it(session, spec, Phase.ACT, now)
    if event.stage is not None:
        session = moves.on_step(session, now, ramp=ramping.shown(event.stage, now))
    return moves.run_it(session, spec, Phase.HOLD, now)


def shown(session: Session, runbook: Runbook, event: told.Shown, now: float) -> Session:
    """It was planned and judged: in a dry run that is all, otherwise a person is asked."""
    if session.phase not in (Phase.SHOW, Phase.ACT):
        return session
    one = event.proposal
    plan = one.plan.words if one.plan else "; ".join(one.verdict.refusals)
    fields = {"proposal": one, "proposal_id": one.id, "effects": one.effects, "verdict": one.verdict}
    if session.run.dry:
        refused = "" if one.verdict.allowed else f"; refused now: {'; '.join(one.verdict.refusals)}"
        words = f"dry: {plan}{refused if one.plan else ''}; not done"
        return moves.succeed(moves.on_step(session, now, words=words), runbook, words, now)
    refused = session.step.words if session.step.words.startswith("refused: ") else ""
    session = moves.ask(session, event.words or refused or plan, now, **fields)
    return replace(session, shown=event.fingerprint)


def impossible(session: Session, runbook: Runbook, event: told.Impossible, now: float) -> Session:
    """It cannot be asked for as things are."""
    if _for_a_person(session, runbook, event):
        return moves.pause(session, f"{session.run.current}: {event.words}", now)
    return _no(session, runbook, event.words, now)


def _for_a_person(session: Session, runbook: Runbook, event: told.Impossible) -> bool:
    """Half of a ramp is no failure of it, nor is one that cannot begin as things are: a person looks.

    One that has set nothing yet goes on where its file says so.
    """
    spec = spec_of(session, runbook) if session.run.current else None
    if spec is None or spec.ramp is None or session.back:
        return False
    if session.step.ramp is not None:
        return True
    return event.passes and not session.run.dry and spec.on_failure in ("abort", "pause", "rollback")


def _no(session: Session, runbook: Runbook, words: str, now: float) -> Session:
    """Nothing was done, and it cannot be asked for as things are."""
    if session.back:
        return moves.pause(session, f"the way back of {session.run.current}: {words}", now)
    if session.run.dry:
        return moves.succeed(session, runbook, f"dry: {words}; not done", now)
    return moves.fail(session, runbook, words, now)


def refused(session: Session, runbook: Runbook, event: told.Refused, now: float) -> Session:
    """Who was asked for a yes is asked again; a step that nobody is asked about fails."""
    if event.rights:
        return moves.pause(session, f"{event.words}: {NO_OPERATE}", now)
    if session.back or spec_of(session, runbook).confirm == "never" or session.phase is Phase.SHOW:
        return _no(session, runbook, event.words, now)
    if session.step.ramp is not None:  # resumed, the stage is planned once more
        return replace(moves.pause(session, f"{session.run.current}: {event.words}", now), phase=Phase.HOLD)
    if session.phase is not Phase.ACT or session.at > 0:
        return _no(session, runbook, event.words, now)
    session = moves.on_step(session, now, words=f"refused: {event.words}; confirm again, skip it or abort")
    return moves.to_phase(session, Phase.SHOW, now)


def sent(session: Session, runbook: Runbook, event: told.Sent, now: float) -> Session:
    """An action is on record: from here on it is only followed."""
    if session.phase is not Phase.ACT or event.key != session.key:
        return session
    field = "rolled_back_by" if session.back else "action_id"
    session = moves.on_step(session, now, **{field: event.action_id})
    one = Done(session.run.current, event.key, event.action_id)
    done = session.done if any(other.key == event.key for other in session.done) else (*session.done, one)
    session = replace(session, done=done, doubt=False, typed="", shown="")
    session = moves.to_phase(session, Phase.FOLLOW, now)
    return session if session.ending is None else _ended(session, runbook, now)


def not_sent(session: Session, runbook: Runbook, now: float) -> Session:
    """Nothing was done under the key that was looked up, or that was to be sent."""
    if session.phase not in SENDING:
        return session
    session = replace(session, doubt=False)
    if session.ending is None:
        return session
    session = moves.on_step(session, now, words="not done") if not session.back else session
    return _ended(session, runbook, now)


def _ended(session: Session, runbook: Runbook, now: float) -> Session:
    """What an abort waited for is known: back over what was done, or over."""
    final = session.ending or RunState.ABORTED
    if session.undo_after:
        return moves.undo(session, runbook, final, session.why, now)
    return moves.end(session, final, session.why, now)


def heard(session: Session, runbook: Runbook, event: told.Told, now: float) -> Session:
    """How the action stands that is followed."""
    receipt = event.receipt
    if session.phase is not Phase.FOLLOW:
        return session
    outcome, words = receipt.outcome, receipt.words
    if outcome is Outcome.VERIFIED or (
        receipt.stage is Stage.DONE and outcome in (Outcome.APPLIED, Outcome.CONVERGING)
    ):
        return _effect_seen(session, runbook, words, now)
    if outcome is Outcome.UNKNOWN:
        if session.step.state is StepState.UNKNOWN or session.back:
            return session
        session = replace(moves.on_step(session, now, state=StepState.UNKNOWN, words=words), since=now)
        return moves.on_run(session, now, words=f"what became of {session.run.current} is being looked up")
    if outcome in (Outcome.FAILED, Outcome.STOPPED, Outcome.REVERTED, Outcome.UNVERIFIED):
        return _no(session, runbook, words or str(outcome), now)
    state = {} if session.back else {"state": StepState.RUNNING}
    progress = receipt.progress
    part = progress.done / progress.total if progress and progress.total else None
    return moves.on_step(session, now, words=words, part=part, **state)


def _effect_seen(session: Session, runbook: Runbook, words: str, now: float) -> Session:
    state = {} if session.back else {"state": StepState.RUNNING}
    session = moves.on_step(session, now, words=words, part=None, **state)
    target = session.queue[session.at].target
    later = now + (CACHED_S if target.kind is Kind.QUEUE else 0.0)
    session = replace(session, effects_at={**session.effects_at, target.source: later})
    if session.at + 1 < len(session.queue):
        return moves.to_phase(session, Phase.ACT, now, at=session.at + 1)
    if session.back:
        return moves.undone(session, runbook, now, words=words, state=StepState.ROLLED_BACK)
    if session.step.ramp is not None:
        session = moves.on_step(session, now, ramp=ramping.shown(session.step.ramp, now))
        return moves.to_phase(session, Phase.HOLD, now)
    return moves.effect_done(session, runbook, now)


def commanded(session: Session, runbook: Runbook, event: told.Commanded, now: float) -> Session:
    """A command has ended, or nobody knows what became of it."""
    if session.phase is not Phase.COMMAND or event.key != session.key:
        return session
    one = Done(session.run.current, event.key, event.action_id)
    session = replace(session, done=(*session.done, one), doubt=False)
    session = moves.on_step(session, now, action_id=event.action_id, words=event.words)
    if session.ending is not None:
        return _ended(session, runbook, now)
    paused = session.run.state is RunState.PAUSED
    if event.ok is None:
        session = moves.on_step(session, now, state=StepState.UNKNOWN)
        session = moves.to_phase(session, Phase.VERIFY, now) if spec_of(session, runbook).verify else session
        return moves.pause(session, f"what became of {session.run.current} is not known: {event.words}", now)
    if event.ok:
        session = moves.effect_done(session, runbook, now)
        return moves.pause(session, "paused", now) if paused else session
    return moves.fail(session, runbook, event.words, now)


def judged(session: Session, runbook: Runbook, event: told.Judged, now: float) -> Session:
    """A ramp's stage was judged."""
    if session.phase is not Phase.HOLD:
        return session
    session = moves.on_step(session, now, ramp=event.stage, words=event.words)
    match event.result:
        case Result.UNCLEAR:
            return moves.pause(session, f"{session.run.current}: {event.words}", now)
        case Result.ABORT if spec_of(session, runbook).rollback == "none":
            return moves.fail(session, runbook, event.words, now)
        case Result.ABORT:
            return moves.go_back(session, (session.run.current,), None, event.words, now)
        case Result.GO:
            return moves.to_phase(session, Phase.PREPARE, now, queue=(), at=0)
        case Result.DONE:
            return moves.effect_done(session, runbook, now)
    return replace(session, looked_at=now)
