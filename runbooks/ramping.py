"""A ramp, pure: what to set at each stage, how the stage stands, and the way back. Nothing here acts or waits.

`begin` plans the first stage → its `intents` are done → `shown` once every replica shows them → `judge` every few
seconds: *go* comes with the next stage, whose `intents` are done in turn, and so on until *done*. *Abort* goes `back`.
*Unclear* pauses; who resumes takes `resumed`, whose intents set the same stage once more, and it is held anew.
All that is needed is in the `RampStage`, so a run that is read back from disk goes on from there.
"""

import math

import msgspec

from console.domain.actions import Intent, OnExpiry, SetWeight, Switch
from console.domain.durations import words_of
from console.domain.freshness import Freshness
from console.domain.refs import Ref
from console.domain.runbooks import RampStage
from console.domain.text import clean
from runbooks.ramp import room
from runbooks.ramp.counting import counted, unheeded
from runbooks.ramp.harm import harm, held_out
from runbooks.ramp.sight import USUAL, AnsweredBy, Judged, Policy, RampFault, Result, Sight, nobody_tells
from runbooks.ramp.standing import standing
from runbooks.ramp.terms import terms_of
from runbooks.ramp.way_back import holds, named, way_back
from runbooks.ramp.weights import WHOLE, Scene, fit, planned, scene_of, strange, unable
from runbooks.schema import Ramp

__all__ = [
    "Judged", "Policy", "RampFault", "Result", "Sight", "back", "begin", "ending", "intents", "judge", "resumed",
    "shown",
]  # fmt: skip

LATER_S = 60.0
"""The target's weight outlives the others' zeros by so much: for a moment nobody would have a weight."""
SETTLES_S = 20.0
"""So long a weight that differs may be one that is not seen yet."""
BORNE_STALE_S = 30.0
"""A source that has been stale for longer pauses the ramp."""


def begin(ramp: Ramp, route: Ref, target: Ref, sight: Sight, policy: Policy = USUAL) -> RampStage:
    """The first stage that gives the target more than it has now; the weights as they are become the way back.

    Raises:
        RampFault: it cannot begin, or the target cannot carry that stage; nothing was done.
    """
    terms = terms_of(ramp, sight.parameters)
    scene = scene_of(sight.board, route, target)
    fit(sight.board, scene)
    index = next((number for number, share in enumerate(terms.stages) if share > scene.share + 0.05), None)
    name = clean(target.name, 60)
    if index is None:
        raise RampFault(
            f"{name} has {scene.share:.3g} % of {clean(route.name, 60)} already, and no stage gives it more"
        )
    if terms.stages[-1] >= WHOLE and (why := unable(sight.board, scene)):
        raise RampFault(why)
    stage = RampStage(
        route=route,
        target=target,
        index=index,
        shares=terms.stages,
        began_at=sight.now,
        wanted_s=terms.hold_s,
        wanted_requests=terms.requests,
        patience_s=max(terms.patience_s, terms.hold_s),
        keep_s=terms.keep_s,
        saved={slot.name: slot.weight or 0.0 for slot in scene.places},
        held={slot.name: until for slot in scene.places if (until := _held_until(sight, scene, slot.name)) is not None},
    )
    return _next(stage, sight, policy)


def intents(
    ramp: Ramp, stage: RampStage, key: str, reason: str, policy: Policy = USUAL, via: str = "runbook"
) -> tuple[Intent, ...]:
    """What sets a stage, in order: one intent for each side effect, each with a key of its own under `key`.

    The same stage gives the same intents, whatever the board shows meanwhile. Each outlives the rest of the ramp.
    """
    left = sum(1 for share in stage.shares if share >= stage.shares[stage.index])
    ttl = min(policy.longest_s - LATER_S, left * stage.patience_s + stage.keep_s)
    under = f"{key}/{stage.index}.{stage.round}"
    if stage.switch and not stage.sets:
        return ()
    if stage.switch:
        to = Switch(to=stage.target.name, mechanism=stage.switch)
        return (_intent(stage.route, to, ttl, reason, via, f"{under}-0"),)
    return tuple(
        _intent(
            Ref(stage.target.source, stage.target.kind, name),
            SetWeight(stage.weights[name]),
            ttl + (LATER_S if name == stage.target.name else 0.0),
            reason,
            via,
            f"{under}-{number}",
        )
        for number, name in enumerate(stage.sets)
    )


def shown(stage: RampStage, now: float) -> RampStage:
    """The stage once every replica has shown what it sets: it is held, and counted, from `now` (unix seconds) on."""
    return msgspec.structs.replace(stage, since=now, at=now, requests=0.0, errors=0.0)


def judge(
    ramp: Ramp, stage: RampStage, sight: Sight, policy: Policy = USUAL, answered: AnsweredBy = nobody_tells
) -> tuple[RampStage, Judged]:
    """How a stage that was `shown` stands now, and the stage with what was counted; with GO the next one."""
    try:
        scene = scene_of(sight.board, stage.route, stage.target)
    except RampFault as fault:
        return _said(stage, Result.UNCLEAR, fault.words)
    if sight.board.freshness(stage.target) is not Freshness.FRESH:
        return _stale(stage, sight)
    stage = counted(stage, scene, sight)
    words = standing(stage, scene, sight, answered)
    if why := harm(ramp, stage, scene, sight, answered):
        return _said(stage, Result.ABORT, f"{why} ({words})")
    if why := strange(scene, stage):
        return _other_hand(stage, sight, why)
    if not held_out(stage, sight.now):
        if sight.now - stage.since < stage.patience_s:
            return _said(stage, Result.HOLD, words)
        return _said(stage, Result.UNCLEAR, f"it could not be judged within {words_of(stage.patience_s)}: {words}")
    if why := unheeded(stage, scene, sight) or _incomparable(stage, scene):
        return _said(stage, Result.UNCLEAR, f"{why} ({words})")
    return _onward(stage, sight, policy, words)


def resumed(stage: RampStage, sight: Sight, policy: Policy = USUAL) -> RampStage:
    """The stage, to be set once more after a pause, under keys of its own; what it saved at its beginning stays.

    Raises:
        RampFault: weights do not decide any more, or the target cannot carry it now.
    """
    again = msgspec.structs.replace(stage, round=stage.round + 1, since=0.0, at=0.0, requests=0.0, errors=0.0)
    if not strange(scene_of(sight.board, stage.route, stage.target), stage):
        if again.switch:  # it stands, and a gateway refuses to switch to where it is
            return msgspec.structs.replace(again, sets=())
        return again  # as it was: to set it once more gives its overrides their whole time again
    return _next(again, sight, policy)


def back(stage: RampStage, sight: Sight, key: str, reason: str, via: str = "runbook") -> tuple[Intent, ...]:
    """What brings the saved weights back; empty when they are there. Each has a key of its own under `key`."""
    return way_back(sight.board, stage, sight.now, key, reason, via)


def ending(stage: RampStage, sight: Sight) -> str:
    """What holds after the ramp, and until when: what an operator has to know at its end."""
    over = holds(sight.board, stage)
    lasting = [item for item in over if item.expires_at is not None]
    name, route = clean(stage.target.name, 60), clean(stage.route.name, 60)
    share = f"{name} has {stage.shares[-1]:g} % of {route}"
    if not lasting:
        return f"{share}; " + ("it stays until somebody restores it" if over else "no override holds it any more")
    ends = "; ".join(f"{named(item)} in {words_of((item.expires_at or 0.0) - sight.now)}" for item in lasting)
    return f"{share}. It is held by overrides, and what was before comes back when they end: {ends}"


# ---- verdicts


def _onward(stage: RampStage, sight: Sight, policy: Policy, words: str) -> tuple[RampStage, Judged]:
    if stage.index + 1 >= len(stage.shares):
        return _said(stage, Result.DONE, words)
    following = msgspec.structs.replace(stage, index=stage.index + 1, round=0)
    try:
        following = _next(following, sight, policy)
    except RampFault as fault:
        return _said(stage, Result.UNCLEAR, f"{fault.words} ({words})")
    return following, Judged(Result.GO, f"{words}: on to {following.shares[following.index]:g} %")


def _next(stage: RampStage, sight: Sight, policy: Policy) -> RampStage:
    found = planned(sight.board, stage)
    if why := room.tight(found, scene_of(sight.board, stage.route, stage.target), sight, policy):
        raise RampFault(why, passes=True)
    return found


def _stale(stage: RampStage, sight: Sight) -> tuple[RampStage, Judged]:
    """Nothing is said of a picture of the past, and nothing is counted; for a short while that is borne."""
    source = sight.board.source(stage.target.source)
    since = source.since if source is not None else None
    words = f"{stage.target.source} is stale: how {clean(stage.target.name, 60)} does is not known"
    if since is not None and sight.now - since < BORNE_STALE_S:
        return _said(stage, Result.HOLD, words)
    return _said(stage, Result.UNCLEAR, words)


def _other_hand(stage: RampStage, sight: Sight, why: str) -> tuple[RampStage, Judged]:
    if sight.now - stage.since < SETTLES_S:
        return _said(stage, Result.HOLD, f"{why}: not seen yet")
    words = f"{why} as this stage has set it: another hand has changed it, or its override has ended"
    return _said(stage, Result.UNCLEAR, f"{words}. Resume sets the stage again, abort brings the saved weights back")


def _incomparable(stage: RampStage, scene: Scene) -> str:
    """What keeps a stage that was held from being judged; empty when nothing does."""
    if stage.others_requests <= 0 and stage.shares[stage.index] < WHOLE:
        return "the others had no requests: there is nothing to compare with"
    latency = scene.target.latency
    if stage.others_p95_s is not None and (latency is None or latency.p95_s is None):
        return "its response times are not known, and the others' are"
    return ""


def _said(stage: RampStage, result: Result, words: str) -> tuple[RampStage, Judged]:
    text = clean(words, 400)
    return msgspec.structs.replace(stage, words=text), Judged(result, text)


# ---- small things


def _intent(target: Ref, action: SetWeight | Switch, ttl: float, reason: str, via: str, key: str) -> Intent:
    return Intent(target=target, action=action, reason=reason, ttl_s=ttl, on_expiry=OnExpiry.REVERT, via=via, key=key)


def _held_until(sight: Sight, scene: Scene, name: str) -> float | None:
    """Until when an override holds a deployment (0 without an end); None when none does."""
    over = sight.board.overrides_of(scene.ref(name))
    if not over:
        return None
    ends = over[-1].expires_at
    return ends if ends is not None and math.isfinite(ends) else 0.0
