"""What conditions do to a run once they were evaluated: before it begins, of its step, after it, and after a restart.

Pure; the clock is an argument.
"""

from msgspec.structs import replace

from console.domain.durations import words_of
from console.domain.runbooks import Condition, RunState, StepState
from runbooks import events as told
from runbooks import moves
from runbooks.schema import Runbook, Step
from runbooks.session import UNCLEAR_S, Phase, Session, spec_of


def rechecked(session: Session, event: told.Rechecked, now: float) -> Session:
    """After a resume or a restart: what is wrong pauses the run once, and resumed once more it goes on."""
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


def looked(session: Session, runbook: Runbook, seen: tuple[Condition, ...], now: float) -> Session:
    """After a look at the conditions of the phase in which the run is."""
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


def _unclear(seen: tuple[Condition, ...]) -> bool:
    return any(one.holds is None for one in seen) and not any(one.holds is False for one in seen)


def _words(one: Condition) -> str:
    seen = ", ".join(f"{value.name} is {value.words}" for value in one.seen)
    said = one.words or one.text
    return f"{said} ({seen})" if seen else said
