"""The course of a run: how it stands once something has come of what it needed. Pure; the clock is an argument.

What a person says is in `runbooks.orders`, the moves that both make in `runbooks.moves`.
"""

from msgspec.structs import replace

from console.domain.actions import Outcome, Stage
from console.domain.durations import words_of
from console.domain.refs import Kind
from console.domain.runbooks import Condition, RunState, StepState
from runbooks import events as told
from runbooks import moves, ramping
from runbooks.ramping import Result
from runbooks.schema import Runbook, Step
from runbooks.session import CACHED_S, SENDING, UNCLEAR_S, Done, Phase, Session, spec_of

NO_OPERATE = "ask for operate (o), then resume"


def apply(session: Session, runbook: Runbook, event: told.Event, now: float) -> Session:
    """The session after an event. An event that it has no use for changes nothing.

    While a run is paused only what became of a side effect is taken in.
    """
    if isinstance(event, told.Restarted):
        return _restarted(session, now)
    if isinstance(event, told.Sent):
        return _sent(session, runbook, event, now)
    if isinstance(event, told.NotSent):
        return _not_sent(session, runbook, now)
    if isinstance(event, told.Commanded):
        return _commanded(session, runbook, event, now)
    if session.ending is not None and isinstance(event, told.Refused | told.Shown | told.Impossible):
        return _not_sent(session, runbook, now)
    if session.run.state.over or session.run.state is RunState.PAUSED:
        return session
    return _going(session, runbook, event, now)


def _going(session: Session, runbook: Runbook, event: told.Event, now: float) -> Session:
    match event:
        case told.Rechecked():
            return _rechecked(session, event, now)
        case told.Looked():
            return _looked(session, runbook, event.conditions, now)
        case told.Prepared():
            return _prepared(session, runbook, event, now)
        case told.Impossible():
            if _for_a_person(session, runbook, event):
                return moves.pause(session, f"{session.run.current}: {event.words}", now)
            return _no(session, runbook, event.words, now)
        case told.Shown():
            return _shown(session, runbook, event, now)
        case told.Refused():
            return _refused(session, runbook, event, now)
        case told.Told():
            return _told(session, runbook, event, now)
        case told.Judged():
            return _judged(session, runbook, event, now)
        case told.TooLate():
            return _late(session, runbook, now)
    return session


# ---- engines and files


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


def _rechecked(session: Session, event: told.Rechecked, now: float) -> Session:
    since = session.recheck_at
    if since is None:
        return session
    session = moves.on_run(session, now, preconditions=event.conditions)
    if not event.file_words and _unclear(event.conditions) and now - since < UNCLEAR_S:
        return session
    wrong = [event.file_words, *(_words(one) for one in event.conditions if one.holds is not True)]
    words = "; ".join(filter(None, wrong))
    token = f"{event.file_words}|{[one.text for one in event.conditions if one.holds is not True]}"
    if not words or token == session.told:
        began = "goes on as it was begun" if words else ""
        state = RunState.AWAITING if session.phase is Phase.ASK else RunState.RUNNING
        return _on(replace(moves.on_run(session, now, state=state, words=began), recheck_at=None), now)
    session = moves.pause(session, f"{words}; resume once more goes on as it was begun", now)
    return replace(session, recheck_at=None, told=token)


def _on(session: Session, now: float) -> Session:
    """A ramp's stage is set once more: what held it may have changed meanwhile."""
    if session.phase is Phase.HOLD:
        return moves.to_phase(session, Phase.PREPARE, now, queue=(), at=0, anew=True)
    return session


# ---- looking


def _looked(session: Session, runbook: Runbook, seen: tuple[Condition, ...], now: float) -> Session:
    if session.phase is Phase.CHECK:
        return _checked(session, runbook, seen, now)
    session = moves.on_step(session, now, conditions=seen)
    spec = spec_of(session, runbook)
    match session.phase:
        case Phase.ENTER:
            return _entered(session, runbook, spec, seen, now)
        case Phase.LOOK if spec.wait:
            return _waited(session, runbook, spec, seen, now)
        case Phase.LOOK if spec.branch is not None:
            return _turned(session, runbook, spec, seen, now)
        case Phase.LOOK:
            return _found(session, runbook, seen, now)
        case Phase.VERIFY:
            return _verified(session, runbook, spec, seen, now)
    return session


def _checked(session: Session, runbook: Runbook, seen: tuple[Condition, ...], now: float) -> Session:
    """Before the first step: what does not hold ends the run with nothing done."""
    session = moves.on_run(session, now, preconditions=seen)
    wrong = "; ".join(_words(one) for one in seen if one.holds is not True)
    if not wrong:
        return moves.enter(session, runbook, 0, now)
    if session.run.dry:
        return moves.on_run(moves.enter(session, runbook, 0, now), now, words=f"dry: {wrong}")
    if any(one.holds is False for one in seen):
        return moves.end(session, RunState.FAILED, f"not begun: {wrong}", now)
    return _unsaid(session, wrong, now)


def _entered(session: Session, runbook: Runbook, spec: Step, seen: tuple[Condition, ...], now: float) -> Session:
    holds = seen[0].holds if seen else True
    if holds is False:
        return moves.leave_out(session, runbook, f"left out: {spec.when} does not hold", now)
    if holds is None and not session.run.dry:
        return _unsaid(session, _words(seen[0]), now)
    return moves.start(session, runbook, now)


def _found(session: Session, runbook: Runbook, seen: tuple[Condition, ...], now: float) -> Session:
    one = seen[0]
    if one.holds:
        return moves.succeed(session, runbook, "holds", now)
    if session.run.dry:
        return moves.succeed(session, runbook, f"dry: {_words(one)}; passed", now)
    return _unsaid(session, _words(one), now) if one.holds is None else moves.fail(session, runbook, _words(one), now)


def _waited(session: Session, runbook: Runbook, spec: Step, seen: tuple[Condition, ...], now: float) -> Session:
    wait = spec.wait
    if wait is None:
        return session
    if session.run.dry:
        return moves.succeed(session, runbook, "dry: not waited for", now)
    left = session.since + wait.duration - now
    if left <= 0 and (not seen or seen[0].holds):
        return moves.succeed(session, runbook, f"after {words_of(now - session.since)}", now)
    words = f"waits {words_of(left)} more" if left > 0 else f"waits until {wait.until}"
    part = min(1.0, (now - session.since) / wait.duration) if wait.duration and not wait.until else None
    return replace(moves.on_step(session, now, words=words, part=part), looked_at=now)


def _turned(session: Session, runbook: Runbook, spec: Step, seen: tuple[Condition, ...], now: float) -> Session:
    """The first turn whose condition holds; one that cannot be said is not passed over."""
    judged = {one.text: one for one in seen}
    for turn in spec.branch or ():
        one = judged.get(turn.when) if turn.when else None
        if one is not None and one.holds is None and not session.run.dry:
            return _unsaid(session, _words(one), now)
        if one is None or one.holds:
            session = moves.on_step(session, now, state=StepState.SUCCEEDED, words=f"on to {turn.goto}", ends_at=None)
            return moves.skip_to(session, runbook, turn.goto, f"{spec.id} went past it", now)
    return moves.succeed(session, runbook, "none of its turns holds: straight on", now)


def _verified(session: Session, runbook: Runbook, spec: Step, seen: tuple[Condition, ...], now: float) -> Session:
    verify = spec.verify
    if verify is None:
        return session
    roles = {one.role: one.holds for one in seen}
    bad = roles.get("failure") is True
    good = not bad and (roles.get("success") is True if verify.success else roles.get("failure") is False)
    step = session.step
    counts = {"good": step.good + good, "bad": step.bad + bad, "unclear": step.unclear + (not good and not bad)}
    words = f"{counts['good']}/{verify.count} good, {counts['bad']} bad, {counts['unclear']} unclear"
    session = replace(moves.on_step(session, now, words=words, **counts), looked_at=now)
    if counts["bad"] > verify.failure_limit:
        return moves.fail(session, runbook, f"{words}: {verify.failure}", now)
    if counts["good"] >= verify.count:
        return moves.succeed(session, runbook, words, now)
    if counts["unclear"] > verify.inconclusive_limit:
        return moves.pause(session, f"{step.id} cannot be judged: {words}", now)
    return session


def _unsaid(session: Session, words: str, now: float) -> Session:
    """A condition cannot be said: it is looked at again for a while, then a person has to."""
    if now - session.since < UNCLEAR_S:
        return session
    return moves.pause(session, f"cannot be said: {words}", now)


# ---- acting


def _prepared(session: Session, runbook: Runbook, event: told.Prepared, now: float) -> Session:
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


def _shown(session: Session, runbook: Runbook, event: told.Shown, now: float) -> Session:
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


def _refused(session: Session, runbook: Runbook, event: told.Refused, now: float) -> Session:
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


def _sent(session: Session, runbook: Runbook, event: told.Sent, now: float) -> Session:
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


def _not_sent(session: Session, runbook: Runbook, now: float) -> Session:
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


def _told(session: Session, runbook: Runbook, event: told.Told, now: float) -> Session:
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


def _commanded(session: Session, runbook: Runbook, event: told.Commanded, now: float) -> Session:
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


def _judged(session: Session, runbook: Runbook, event: told.Judged, now: float) -> Session:
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


def _late(session: Session, runbook: Runbook, now: float) -> Session:
    step = session.step
    if session.phase is Phase.FOLLOW and step.state is StepState.UNKNOWN:
        words = "look at the backend, `switchgear reconcile`, then resume to look it up again, skip it or abort"
        return moves.pause(session, f"what became of {step.id} is not known: {words}", now)
    if session.phase is Phase.VERIFY and (step.ends_at is None or now < step.ends_at):
        return moves.pause(session, f"{step.id} cannot be judged in time: {step.words}", now)
    return moves.fail(session, runbook, f"not over in time: {step.words or step.title}", now)


def _unclear(seen: tuple[Condition, ...]) -> bool:
    return any(one.holds is None for one in seen) and not any(one.holds is False for one in seen)


def _words(one: Condition) -> str:
    seen = ", ".join(f"{value.name} is {value.words}" for value in one.seen)
    said = one.words or one.text
    return f"{said} ({seen})" if seen else said
