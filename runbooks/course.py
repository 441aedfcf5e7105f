"""The course of a run: how it stands once something has come of what it needed. Pure; the clock is an argument.

What conditions do to it is in `runbooks.seen`, what comes of acting in `runbooks.effects`, what a person says in
`runbooks.orders`, and the moves that all of them make in `runbooks.moves`.
"""

from msgspec.structs import replace

from console.domain.runbooks import RunState, StepState
from runbooks import effects, moves, seen
from runbooks import events as told
from runbooks.schema import Runbook
from runbooks.session import Phase, Session


def apply(session: Session, runbook: Runbook, event: told.Event, now: float) -> Session:
    """The session after an event. An event that it has no use for changes nothing.

    While a run is paused only what became of a side effect is taken in.
    """
    if isinstance(event, told.Restarted):
        return _restarted(session, now)
    if isinstance(event, told.Sent):
        return effects.sent(session, runbook, event, now)
    if isinstance(event, told.NotSent):
        return effects.not_sent(session, runbook, now)
    if isinstance(event, told.Commanded):
        return effects.commanded(session, runbook, event, now)
    if session.ending is not None and isinstance(event, told.Refused | told.Shown | told.Impossible):
        return effects.not_sent(session, runbook, now)
    if session.run.state.over or session.run.state is RunState.PAUSED:
        return session
    return _going(session, runbook, event, now)


def _going(session: Session, runbook: Runbook, event: told.Event, now: float) -> Session:
    match event:
        case told.Rechecked():
            return seen.rechecked(session, event, now)
        case told.Looked():
            return seen.looked(session, runbook, event.conditions, now)
        case told.Prepared():
            return effects.prepared(session, runbook, event, now)
        case told.Impossible():
            return effects.impossible(session, runbook, event, now)
        case told.Shown():
            return effects.shown(session, runbook, event, now)
        case told.Refused():
            return effects.refused(session, runbook, event, now)
        case told.Told():
            return effects.heard(session, runbook, event, now)
        case told.Judged():
            return effects.judged(session, runbook, event, now)
        case told.TooLate():
            return _late(session, runbook, now)
    return session


def _restarted(session: Session, now: float) -> Session:
    """What an engine that ended left: what was being sent is looked up, then everything is looked at again."""
    if session.run.state.over:
        return session
    session = replace(session, doubt=session.phase is Phase.ACT)
    if session.run.state is RunState.PAUSED or session.back or session.run.dry:
        return session
    first = session.phase is Phase.CHECK
    session = session if first else replace(session, recheck_at=now)
    return moves.on_run(session, now, words="taken up by a new engine; looks at everything again")


def _late(session: Session, runbook: Runbook, now: float) -> Session:
    step = session.step
    if session.phase is Phase.FOLLOW and step.state is StepState.UNKNOWN:
        words = "look at the backend, `switchgear reconcile`, then resume to look it up again, skip it or abort"
        return moves.pause(session, f"what became of {step.id} is not known: {words}", now)
    if session.phase is Phase.VERIFY and (step.ends_at is None or now < step.ends_at):
        return moves.pause(session, f"{step.id} cannot be judged in time: {step.words}", now)
    return moves.fail(session, runbook, f"not over in time: {step.words or step.title}", now)
