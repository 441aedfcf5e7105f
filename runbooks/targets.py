"""From a runbook's words to what is meant: `${name}` filled in, the object on the board, the intent."""

import re
from collections.abc import Mapping

from console.domain.actions import Intent, OnExpiry, OverrideState, Stage
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import (
    PLAIN,
    Action,
    Replay,
    Requeue,
    Restore,
    SetWeight,
    Stop,
    Switch,
    Verb,
)
from runbooks import schema
from runbooks.looking import NAMED, refs_named

PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
"""`${name}`; what stands in a value is not filled in again."""
ACTS_ON: Mapping[Verb, tuple[Kind, ...]] = {
    **dict.fromkeys((Verb.TRIP, Verb.RESET, Verb.WEIGHT), (Kind.DEPLOYMENT,)),
    Verb.SWITCH: (Kind.ROUTE,),
    **dict.fromkeys((Verb.RESTORE, Verb.STOP), (Kind.DEPLOYMENT, Kind.ROUTE, Kind.QUEUE)),
    **dict.fromkeys(
        (Verb.PAUSE, Verb.RESUME, Verb.PARK, Verb.REPLAY, Verb.FINISH, Verb.REQUEUE, Verb.ISOLATE, Verb.PURGE),
        (Kind.QUEUE,),
    ),
}
"""Which verbs a runbook has, and what each acts on."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~])")
_WITH_PREPOSITION = re.compile(r"(?:\s*\b(?:at|by|for|from|in|of|on|to|with))?\s*\$\{([^{}]*)\}")
NAMED_KINDS = tuple(NAMED.values())


def filled(text: str, parameters: Mapping[str, str | float]) -> str:
    """`text` with every `${name}` as the parameter's value, as it is: for names and arguments, not for a screen.

    Raises:
        Refusal: a parameter has no value.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in parameters:
            raise Refusal(f"nothing is known of the parameter {clean(name, 40)}", code=400)
        return _written(parameters[name])

    return PLACEHOLDER.sub(value, text)


def shown(text: str, parameters: Mapping[str, str | float], *, markdown: bool = False) -> str:
    """`text` for a person: values are cleaned, and in Markdown they are never markup; what has no value stays.

    In a line (no Markdown) an empty value is left out with the preposition before it: `Move chat` for a move that
    leads nowhere.
    """

    def left_out(found: re.Match[str]) -> str:
        return "" if parameters.get(found[1].strip()) == "" else found[0]

    def value(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name not in parameters:
            return found[0]
        words = clean(_written(parameters[name]))
        return _MARKDOWN.sub(r"\\\1", words) if markdown else words

    line = text if markdown else _WITH_PREPOSITION.sub(left_out, text).strip()
    return PLACEHOLDER.sub(value, line)


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def ref_of(
    text: str,
    parameters: Mapping[str, str | float],
    types: Mapping[str, str],
    board: Board,
    kinds: tuple[Kind, ...] = NAMED_KINDS,
) -> Ref:
    """The object on the board that a target means: `${route}`, `KIND/NAME` or `SOURCE:KIND/NAME`.

    `types` says of what kind a parameter's value is, `kinds` what may be meant at all.

    Raises:
        Refusal: nothing like that is on the board, or several are.
    """
    name = filled(text, parameters)
    whole = PLACEHOLDER.fullmatch(text.strip())
    kind = NAMED.get(types.get(whole[1].strip(), "")) if whole else None
    found = refs_named(board, name, kinds if kind is None else (kind,))
    if kind is not None and kind not in kinds:
        raise Refusal(f"{clean(name, 80)} is a {kind}, and a {' or '.join(kinds)} is wanted", code=400)
    if len(found) == 1:
        return found[0]
    what = " or ".join(kinds if kind is None else (kind,))
    if not found:
        raise Refusal(f"there is no {what} {clean(name, 80)!r} on the board", code=404)
    several = ", ".join(clean(str(ref), 80) for ref in found[:6])
    raise Refusal(f"several are called {clean(name, 80)!r}: {several}; name one as SOURCE:KIND/NAME", code=400)


def intent_of(
    action: schema.Action,
    parameters: Mapping[str, str | float],
    types: Mapping[str, str],
    board: Board,
    *,
    reason: str = "",
    key: str = "",
) -> Intent:
    """What a step's action asks for, with the parameters filled in.

    Args:
        action: as the file has it.
        parameters: values; numbers and durations as numbers.
        types: parameter → its type.
        board: where the target is looked for.
        reason: for the audit log, where the file gives none.
        key: the idempotency key.

    Raises:
        Refusal: the target is not on the board or there are several, or a value is none that the verb takes.
    """
    if action.verb not in ACTS_ON:
        raise Refusal(f"a runbook has no {action.verb}", code=400)
    target = ref_of(action.target, parameters, types, board, ACTS_ON[action.verb])
    return Intent(
        target=target,
        action=_action(action, parameters, target, board),
        reason=shown(action.reason, parameters) or reason,
        ttl_s=action.ttl,
        on_expiry=OnExpiry(action.on_expiry),
        via="runbook",
        key=key,
    )


def _action(action: schema.Action, parameters: Mapping[str, str | float], target: Ref, board: Board) -> Action:
    verb = action.verb
    match verb:
        case Verb.WEIGHT:
            weighed = SetWeight(_number(verb, action.weight, parameters))
            return _sound(weighed, weighed.fault)
        case Verb.SWITCH:
            to = filled(action.to, parameters)
            if not to:
                raise Refusal("a switch has to say where to (`to`)", code=400)
            return Switch(_plain_name(to))
        case Verb.REPLAY | Verb.REQUEUE:
            rate = None if action.per_s == "" else _number(verb, action.per_s, parameters)
            moved = Replay(rate) if verb is Verb.REPLAY else Requeue(rate)
            return _sound(moved, moved.fault)
        case Verb.RESTORE:
            return Restore(_override(target, board))
        case Verb.STOP:
            return Stop(_under_way(target, board))
    return PLAIN[verb]


def _sound(action: Action, fault: str) -> Action:
    if fault:
        raise Refusal(fault, code=400)
    return action


def _plain_name(to: str) -> str:
    """Where a switch goes is the backend's own name; a reference is taken for its name."""
    try:
        return Ref.parse(to).name
    except ValueError:
        kind, slash, name = to.partition("/")
        return name if slash and name and kind in set(Kind) else to


def _number(verb: Verb, value: str | float, parameters: Mapping[str, str | float]) -> float:
    text = filled(value, parameters) if isinstance(value, str) else value
    try:
        return float(text)
    except ValueError:
        raise Refusal(f"{verb} takes a number, not {clean(str(text), 60)!r}", code=400) from None


def _override(target: Ref, board: Board) -> str:
    held = [one for one in board.overrides_of(target) if one.state is not OverrideState.ENDED]
    if not held:
        raise Refusal(f"no hand is on {clean(str(target), 80)}: there is nothing to restore", code=409)
    return max(held, key=lambda one: one.created_at).id


def _under_way(target: Ref, board: Board) -> str:
    going = [
        one
        for one in board.receipts.values()
        if one.stage is not Stage.DONE and one.progress is not None and one.intent.target == target
    ]
    if not going:
        raise Refusal(f"nothing that can be stopped is under way on {clean(str(target), 80)}", code=409)
    return going[-1].id
