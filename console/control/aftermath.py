"""What an action leaves behind: the override that it makes, and those that it ends or takes over."""

from typing import NamedTuple

from console.control.ledger import SUPERSEDED, Ledger
from console.control.plans import changed, compose, ended, extended, without
from console.control.rows import Held
from console.domain.actions import (
    ExpiryHome,
    Intent,
    OnExpiry,
    Override,
    OverrideState,
    Plan,
    Purge,
    Replay,
    Requeue,
    Reset,
    Restore,
    Resume,
    Stop,
    Verb,
)
from console.domain.errors import Refusal
from console.domain.verbs import Reissue

HELD_BACK = frozenset({Verb.PAUSE, Verb.FINISH})
"""What keeps messages from the workers, for a while."""
SET_ASIDE = frozenset({Verb.PARK, Verb.ISOLATE})
"""What takes messages out of a queue, until they are replayed."""

ENDED_BY = {Verb.RESET: frozenset({Verb.TRIP}), Verb.RESUME: HELD_BACK, Verb.REPLAY: SET_ASIDE}
"""Whose doings an action undoes."""


class Aftermath(NamedTuple):
    """Overrides as they will be: when the backend has taken the calls, and when every replica shows the effect."""

    applied: tuple[Held, ...]
    verified: tuple[Held, ...]


def aftermath(ledger: Ledger, action_id: str, intent: Intent, plan: Plan, operator: str, now: float) -> Aftermath:
    """Work out what `plan` leaves behind, `now` being the moment of its confirmation.

    A new action on an object takes over its former override, with the state from before the first of them; what is
    held back in a queue and what is set aside from it stay two overrides, for they end in two ways.
    A reset ends what a trip had done, a resume what was held back, a replay what was set aside; a restore ends the
    override that it names. Other plans without a way back leave nothing that could be held.

    Raises:
        Refusal: the override to be restored has ended.
    """
    match intent.action:
        case Restore(override_id=override_id):
            held = ledger.held.get(override_id)
            if held is None:
                raise Refusal("the override has ended meanwhile", code=409)
            going = changed(held, state=OverrideState.REVERTING)
            return Aftermath((going,), (ended(held, by=operator),))
        case Reset() | Resume() | Replay() as action:
            mine = [item for item in ledger.held.values() if item.override.target == plan.target]
            over = [item for item in mine if ends(action, item)]
            return Aftermath((), tuple(without(item, ENDED_BY[action.verb], by=operator) for item in over))
        case Requeue() | Purge() | Stop() | Reissue():
            return Aftermath((), ())
        case _ if plan.verb in HELD_BACK and not plan.undo:
            return Aftermath((), ())
        case _:
            return _takes_over(_former(ledger, plan), action_id, intent, plan, operator, now)


def ends(action: Reset | Resume | Replay, held: Held) -> bool:
    """Whether an action undoes some of what made an override of the same object."""
    return any(part.verb in ENDED_BY[action.verb] for part in held.parts)


def taken_over(held: Held, plan: Plan) -> bool:
    """Whether an override of the same object is taken over by a new plan, and does not stay beside it."""
    verbs = {part.verb for part in held.parts}
    return all(plan.verb in family or not verbs & family for family in (HELD_BACK, SET_ASIDE))


def _former(ledger: Ledger, plan: Plan) -> Held | None:
    mine = [item for item in ledger.held.values() if item.override.target == plan.target and taken_over(item, plan)]
    return mine[-1] if mine else None


def _takes_over(
    former: Held | None, action_id: str, intent: Intent, plan: Plan, operator: str, now: float
) -> Aftermath:
    parts = extended(former, plan)
    whole = compose(parts)
    lasts = whole.expiry_home is not ExpiryHome.NOBODY and intent.ttl_s is not None
    override = Override(
        id=action_id,
        target=plan.target,
        action=intent.action,
        owner=operator,
        reason=intent.reason,
        created_at=now,
        expires_at=now + intent.ttl_s if lasts and intent.ttl_s is not None else None,
        on_expiry=intent.on_expiry if lasts else OnExpiry.HOLD,
        expiry_home=whole.expiry_home,
        state=OverrideState.ACTIVE,
        plan=whole,
        words=plan.words,
    )
    over = () if former is None else (ended(former, by=SUPERSEDED),)
    return Aftermath((Held(override=override, parts=parts), *over), ())
