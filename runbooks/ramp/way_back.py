"""The way back of a ramp: to the weights as they were saved, whatever has been laid over them meanwhile."""

from console.domain.actions import Intent, Override, OverrideState, Restore, SetWeight, Switch
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.runbooks import RampStage
from console.domain.text import clean

SHORTEST_S = 60.0
"""An override that goes on for what was here before the ramp lasts at least so long."""


def way_back(board: Board, stage: RampStage, now: float, key: str, reason: str, via: str) -> tuple[Intent, ...]:
    """What brings the saved weights back: a switch first, then the others' weights, then the target's.

    An override that holds nothing but the ramp's own weight is restored and so ends. Where an operator's hand was or is
    on the same object (a weight from before, a trip), only the weight is set to what it was, and that hand stays.
    """
    found: list[Intent] = []
    switched = _last(board, stage.route)
    if stage.switch and switched is not None and isinstance(switched.action, Switch):
        found.append(Intent(target=stage.route, action=Restore(switched.id), reason=reason, via=via, key=f"{key}/0"))
    names = [*(name for name in stage.saved if name != stage.target.name), stage.target.name]
    for number, name in enumerate(names, 1):
        intent = _weight_back(board, stage, name, now)
        if intent is not None:
            found.append(_told(intent, f"{key}/{number}", reason, via))
    return tuple(found)


def _weight_back(board: Board, stage: RampStage, name: str, now: float) -> Intent | None:
    ref = Ref(stage.target.source, stage.target.kind, name)
    saved, over = stage.saved[name], _last(board, ref)
    touched = name == stage.target.name or (name in stage.sets and stage.weights.get(name) != saved)
    if over is not None and touched and name not in stage.held and _only_weight(over):
        return Intent(target=ref, action=Restore(over.id))
    reading = board.readings.get(ref)
    weight = getattr(reading, "weight", None) or 0.0
    if not touched or abs(weight - saved) <= 1e-9:
        return None
    until = stage.held.get(name) or (over.expires_at if over is not None else None)
    return Intent(target=ref, action=SetWeight(saved), ttl_s=max(SHORTEST_S, until - now) if until else None)


def _told(intent: Intent, key: str, reason: str, via: str) -> Intent:
    from msgspec.structs import replace

    return replace(intent, key=key, reason=reason, via=via)


def _last(board: Board, ref: Ref) -> Override | None:
    held = [item for item in board.overrides_of(ref) if item.state is not OverrideState.ENDED]
    return held[-1] if held else None


def _only_weight(over: Override) -> bool:
    """Whether an override holds one weight and nothing else."""
    fields = {(one.ref, one.field) for one in (*over.plan.expects, *over.plan.undo_expects)}
    return isinstance(over.action, SetWeight) and len(fields) == 1


def holds(board: Board, stage: RampStage) -> list[Override]:
    """The overrides that make up what a ramp has set, those that end first first."""
    refs = [stage.route] if stage.switch else []
    refs += [Ref(stage.target.source, stage.target.kind, name) for name in stage.saved]
    found = [over for ref in refs if (over := _last(board, ref)) is not None and over.created_at >= stage.began_at]
    return sorted(found, key=lambda over: over.expires_at or float("inf"))


def named(over: Override) -> str:
    """`the weight of chat-azure`, `the switch of chat`."""
    what = "switch" if isinstance(over.action, Switch) else "weight"
    return f"the {what} of {clean(over.target.name, 60)}"
