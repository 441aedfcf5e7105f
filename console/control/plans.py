"""Plans made of plans: the way back of an override, and several overrides of one object as one."""

from collections.abc import Collection, Iterable

import msgspec

from console.control.rows import Held
from console.domain.actions import Expectation, ExpiryHome, OverrideState, Plan, Step, Verb
from console.domain.refs import Ref
from console.domain.text import clean

Field = tuple[Ref, str]


def restore_plan(held: Held) -> Plan:
    """The plan that puts back what an override had replaced.

    It has no way back of its own: a restore that fails half-way is tried again, not undone.
    """
    plan = held.override.plan
    return Plan(
        target=plan.target,
        verb=Verb.RESTORE,
        steps=plan.undo[held.done :],
        expects=plan.undo_expects,
        undo_expects=plan.expects,
        before=plan.after,
        after=plan.before,
        expiry_home=ExpiryHome.NOBODY,
        replicas=plan.replicas,
        converge_s=plan.converge_s,
        words=f"put back what was there before: {plan.words}",
        notes=plan.notes,
        tidy=plan.tidy,
    )


def touched(plan: Plan) -> set[Ref]:
    """Every object that a plan changes: the target, and whatever it expects something of; a model call changes none."""
    if plan.verb is Verb.REISSUE:
        return set()
    return {plan.target} | {expectation.ref for expectation in plan.expects}


def fields(plan: Plan) -> set[Field]:
    """Every field that a plan changes."""
    return {(e.ref, e.field) for e in (*plan.expects, *plan.undo_expects)}


def compose(parts: tuple[Plan, ...]) -> Plan:
    """Plans that were carried out one after the other, oldest first, as one whose way back undoes them all.

    The way back runs from the newest to the oldest and leaves out what an older part puts back anyway, so that
    what was there before the first of them is there again at its end.
    """
    newest = parts[-1]
    if len(parts) == 1:
        return newest
    return msgspec.structs.replace(
        newest,
        steps=tuple(step for part in parts for step in part.steps),
        undo=_way_back(parts),
        expects=_expects(parts),
        undo_expects=_merged(part.undo_expects for part in reversed(parts)),
        before={key: value for part in reversed(parts) for key, value in part.before.items()},
        after={key: value for part in parts for key, value in part.after.items()},
        expiry_home=_home({part.expiry_home for part in parts}),
        replicas=tuple(dict.fromkeys(name for part in parts for name in part.replicas)),
        converge_s=max(part.converge_s for part in parts),
        words="; ".join(part.words for part in parts),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        tidy=_each_once(parts),
    )


def _home(homes: set[ExpiryHome]) -> ExpiryHome:
    """Who ends it all: as each part says when they agree, otherwise the engine."""
    return homes.pop() if len(homes) == 1 else ExpiryHome.ENGINE


def _each_once(parts: tuple[Plan, ...]) -> tuple[Step, ...]:
    found: list[Step] = []
    for part in parts:
        found += [step for step in part.tidy if step not in found]
    return tuple(found)


def _way_back(parts: tuple[Plan, ...]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for number in range(len(parts) - 1, -1, -1):
        mine = fields(parts[number])
        if not (mine and any(mine <= fields(older) and older.undo for older in parts[:number])):
            steps += parts[number].undo
    return tuple(steps)


def _expects(parts: tuple[Plan, ...]) -> tuple[Expectation, ...]:
    """What all parts together show; an older part that the backend ends by itself is not counted on."""
    lasting = [part for part in parts[:-1] if part.expiry_home is not ExpiryHome.BACKEND]
    return _merged(part.expects for part in (*lasting, parts[-1]))


def _merged(groups: Iterable[tuple[Expectation, ...]]) -> tuple[Expectation, ...]:
    """One expectation a field: that of the last group that names it."""
    found: dict[Field, Expectation] = {}
    for group in groups:
        found.update({(e.ref, e.field): e for e in group})
    return tuple(found.values())


def extended(former: Held | None, plan: Plan) -> tuple[Plan, ...]:
    """The parts of an override that takes over from `former` with one more plan."""
    if former is None:
        return (plan,)
    wanted, parts = fields(plan), former.parts
    kept = [part for number, part in enumerate(parts) if not _replaced(part, parts[:number], wanted)]
    return (*kept, plan)


def _replaced(part: Plan, older: tuple[Plan, ...], wanted: set[Field]) -> bool:
    """Whether a part has nothing left to show nor to put back once a plan that changes `wanted` has come."""
    mine = fields(part)
    return bool(mine) and mine <= wanted and any(mine <= fields(other) for other in older)


def without(held: Held, verbs: Collection[Verb], *, by: str) -> Held:
    """The override after everything that `verbs` had done to it was undone: shorter, or ended when nothing is left."""
    parts = tuple(part for part in held.parts if part.verb not in verbs)
    if not parts:
        return ended(held, by=by)
    return Held(override=msgspec.structs.replace(held.override, plan=compose(parts)), parts=parts)


def ended(held: Held, *, by: str, words: str = "") -> Held:
    """The override, over. `ended_at` is filled in when that is written down."""
    return changed(held, state=OverrideState.ENDED, ended_by=by, words=words)


def stuck(held: Held, plan: Plan, done: int, words: str, *, by_hand: bool = False) -> Held:
    """The override that could not be put back, with `plan`'s way back, of which `done` steps need not be done again."""
    parts = held.parts if plan is held.override.plan else (plan,)
    override = msgspec.structs.replace(
        held.override, state=OverrideState.STUCK, plan=plan, words=clean(words, 300)
    )  # fmt: skip
    return Held(override=override, parts=parts, done=done, by_hand=by_hand, partial=held.partial)


def changed(held: Held, **values: object) -> Held:
    """The override with other fields."""
    return msgspec.structs.replace(held, override=msgspec.structs.replace(held.override, **values))
