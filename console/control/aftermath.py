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
    Reset,
    Restore,
    Verb,
)
from console.domain.errors import Refusal


class Aftermath(NamedTuple):
    """Overrides as they will be: when the backend has taken the calls, and when every replica shows the effect."""

    applied: tuple[Held, ...]
    verified: tuple[Held, ...]


def aftermath(ledger: Ledger, action_id: str, intent: Intent, plan: Plan, operator: str, now: float) -> Aftermath:
    """Work out what `plan` leaves behind, `now` being the moment of its confirmation.

    A new action on an object takes over its former override, with the state from before the first of them.
    A reset ends what a trip had done; a restore ends the override that it names.

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
        case Reset():
            tripped = [item for item in ledger.held.values() if item.override.target == plan.target]
            over = [item for item in tripped if any(part.verb is Verb.TRIP for part in item.parts)]
            return Aftermath((), tuple(without(item, Verb.TRIP, by=operator) for item in over))
        case _:
            return _takes_over(ledger.of(plan.target), action_id, intent, plan, operator, now)


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
