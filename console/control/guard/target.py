"""Checks of what is acted on, and of the plan for it."""

import msgspec

from console.control.guard.case import PASS, REFUSE, TYPE_NAME, WARN, Case
from console.domain.actions import (
    Check,
    Effect,
    Finish,
    Plan,
    Replay,
    Requeue,
    Reset,
    Restore,
    Resume,
    Verb,
)
from console.domain.freshness import Freshness, freshness
from console.domain.redact import holds_secret
from console.domain.refs import Kind
from console.domain.text import clean
from console.domain.verbs import Reissue

_MOVES = (Verb.PARK, Verb.ISOLATE, Verb.PURGE)
"""What does nothing but move messages that wait."""
_ENDS_SOMETHING = Reset | Restore | Resume | Replay | Finish | Reissue
"""What puts things back, only waits for them to be done, or leaves nothing behind: it needs no way back of its own."""


def able(case: Case) -> Check:
    """Abilities are per object: what is defined in a file may not be changed by a call."""
    if isinstance(case.intent.action, Restore):
        held = case.restored
        if held is None:
            return Check("ability", REFUSE, "the override has ended: there is nothing to put back")
        if not held.override.plan.undo:
            return Check("ability", REFUSE, "this override has no way back")
        return Check("ability", PASS, "its way back is on record")
    reading = case.board.readings.get(case.target)
    if reading is None:
        return Check("ability", REFUSE, f"{case.name} is not on the board")
    if isinstance(case.intent.action, Reissue):  # no object declares it: its plan says all there is to say
        return Check("ability", PASS, f"{case.name} is there to be asked")
    ability = reading.ability(case.intent.action.verb)
    # What a queue can changes with what waits in it, and its plan has just read that: the board may be behind.
    if ability.able or (case.plan is not None and case.target.kind is Kind.QUEUE):
        return Check("ability", PASS, f"{case.intent.action.verb} works on {case.name}")
    return Check("ability", REFUSE, f"{case.name}: {clean(ability.reason)}")


def fresh(case: Case) -> Check:
    """Nobody acts on a picture of the past."""
    state = case.board.freshness(case.target)
    source = case.board.source(case.target.source)
    seen = case.board.observed_at(case.target)
    if state is Freshness.FRESH and source is not None:
        state = freshness(seen, case.now, source.interval_s)
    if state is Freshness.FRESH:
        return Check("freshness", PASS, f"{case.name} was seen {case.now - (seen or case.now):.0f} s ago")
    if state is Freshness.MISSING:
        return Check("freshness", REFUSE, f"{case.name} is not reported by {case.target.source}: look at its source")
    age = f"{case.now - seen:.0f} s ago" if seen else "never"
    words = f"stale: {case.name} was last seen {age}; {case.target.source} has to answer before anything is changed"
    return Check("freshness", REFUSE, words)


def planned(case: Case) -> Check:
    """The backend's adapter must know how, and say exactly what it would do."""
    if case.plan is None:
        return Check("plan", REFUSE, str(case.failure or "there is no plan"))
    if not case.plan.steps:
        return Check("plan", REFUSE, "nothing to do: the backend already shows it")
    if case.plan.verb in _MOVES and case.plan.effects and all(_is_same(effect) for effect in case.plan.effects):
        return Check("plan", REFUSE, f"nothing to do: nothing waits in {case.name}")
    if _changes_nothing(case.plan):
        return Check("plan", WARN, f"nothing would change: {case.name} is already so")
    return Check("plan", PASS, clean(case.plan.words))


def _changes_nothing(plan: Plan) -> bool:
    """Whether the backend is as the plan wants it. What moves messages may leave every setting as it is."""
    if plan.lasting or any(effect.before is not None and not _is_same(effect) for effect in plan.effects):
        return False
    return bool(plan.before) and plan.before == plan.after


def _is_same(effect: Effect) -> bool:
    """Whether a number is known to stay as it is."""
    return effect.before is not None and effect.before == effect.after


def secretless(case: Case) -> Check:
    """A plan is written down and shown, so that nothing in it may be a credential."""
    if case.plan is not None and holds_secret(msgspec.json.encode(case.plan).decode()):
        return Check("secrets", REFUSE, "the plan holds what looks like a credential: report this fault of the adapter")
    return Check("secrets", PASS, "nothing in the plan looks like a credential")


def reversible(case: Case) -> Check:
    """What cannot be undone takes the name, typed."""
    if case.plan is None or case.plan.undo or isinstance(case.intent.action, _ENDS_SOMETHING):
        return Check("way back", PASS, "there is a way back" if case.plan and case.plan.undo else "none is needed")
    if isinstance(case.intent.action, Requeue):
        return Check("way back", WARN, "there is no way back: what dies again comes to the dead letters by itself")
    return Check("way back", TYPE_NAME, "there is no way back from this")


def replicas(case: Case) -> Check:
    """An action counts as done when every replica shows it: one that is down now will not."""
    source = case.board.source(case.target.source)
    down = [clean(item.name) for item in source.replicas if not item.up] if source else []
    if source is None or not down:
        return Check("replicas", PASS, "every replica answers")
    up = len(source.replicas) - len(down)
    return Check("replicas", WARN, f"{up}/{len(source.replicas)} replicas answer: {', '.join(down)} cannot show it")


def stoppable(case: Case) -> Check:
    """Only what lasts, and is not over, can be ended early."""
    if case.plan is None:
        return Check("under way", REFUSE, str(case.failure or "there is nothing to stop"))
    return Check("under way", PASS, "it lasts, and can be ended early")
