"""From what somebody typed to the object and the action that are meant."""

import difflib
from typing import TypeVar

from console.domain.actions import (
    Action,
    Replay,
    Requeue,
    SetWeight,
    Stage,
    Switch,
    Verb,
)
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import PLAIN

_KIND = {
    **dict.fromkeys((Verb.TRIP, Verb.RESET, Verb.WEIGHT, Verb.REISSUE), Kind.DEPLOYMENT),
    Verb.SWITCH: Kind.ROUTE,
}
"""What a verb acts on; every other one acts on a queue."""


def target_of(board: Board, verb: Verb, text: str) -> tuple[Ref, str]:
    """The object that `text` names, and the id of the override to restore or of the action to stop (else empty).

    Raises:
        Refusal: nothing of that name is on the board, or several are; the text lists what there is.
    """
    if verb is Verb.RESTORE:
        return _override(board, text)
    if verb is Verb.STOP:
        return _under_way(board, text)
    kind = _KIND.get(verb, Kind.QUEUE)
    of_kind = [ref for ref in board.readings if ref.kind is kind]
    found = [ref for ref in of_kind if text in (ref.name, str(ref))]
    if len(found) == 1:
        return found[0], ""
    if found:
        raise Refusal(
            f"several are called {clean(text)}: {', '.join(map(str, found))}; give one of them whole", code=400
        )
    near = difflib.get_close_matches(text, [ref.name for ref in of_kind], n=3, cutoff=0.5)
    names = near or sorted(ref.name for ref in of_kind)[:10]
    hint = "did you mean" if near else f"some {kind}s are"
    listed = ", ".join(clean(name) for name in names)
    raise Refusal(f"there is no {kind} {clean(text)!r}" + (f"; {hint} {listed}" if listed else ""), code=404)


def store_of(board: Board, source: str) -> str:
    """The trace store that is meant: the one that was named, or the only one.

    Raises:
        Refusal: there is none, or there are several and none was named.
    """
    stores = sorted({ref.source for ref in board.readings if ref.kind in (Kind.REQUEST, Kind.SERVICE)})
    if source:
        return source
    if len(stores) != 1:
        raise Refusal(f"name a trace store with --source; there are: {', '.join(stores) or 'none'}", code=400)
    return stores[0]


def _override(board: Board, text: str) -> tuple[Ref, str]:
    active = list(board.overrides.values())
    found = [o for o in active if text in (o.id, o.target.name, str(o.target))]
    if found:
        newest = max(found, key=lambda override: override.created_at)
        return newest.target, newest.id
    listed = ", ".join(f"{o.id} ({o.action.verb} {clean(str(o.target))})" for o in active) or "none"
    raise Refusal(f"no active override is or belongs to {clean(text)!r}; active are: {listed}", code=404)


def _under_way(board: Board, text: str) -> tuple[Ref, str]:
    going = [item for item in board.receipts.values() if item.stage is not Stage.DONE and item.progress is not None]
    found = [item for item in going if text in (item.id, item.intent.target.name, str(item.intent.target))]
    if found:
        return found[-1].intent.target, found[-1].id
    listed = ", ".join(f"{item.id} ({item.intent.action.verb} {clean(str(item.intent.target))})" for item in going)
    raise Refusal(f"no action that can be stopped is or is on {clean(text)!r}; under way: {listed or 'none'}", code=404)


def action_of(verb: Verb, argument: str, mechanism: str) -> Action:
    """The action of a verb with its argument: where to, a weight, or messages a second.

    Raises:
        Refusal: the argument is missing, none that the verb takes, or one too many.
    """
    match verb:
        case Verb.SWITCH if argument:
            return Switch(argument, mechanism)
        case Verb.SWITCH:
            raise Refusal("switch takes where to, as in `act switch ROUTE OTHER`", code=400)
        case Verb.WEIGHT:
            return _sound(SetWeight(_number(verb, argument)))
        case Verb.REPLAY:
            return _sound(Replay(_number(verb, argument) if argument else None))
        case Verb.REQUEUE:
            return _sound(Requeue(_number(verb, argument) if argument else None))
    if argument:
        raise Refusal(f"{verb} takes an object and nothing else; not {clean(argument)!r}", code=400)
    return PLAIN[verb]


_Numbered = TypeVar("_Numbered", SetWeight, Replay, Requeue)


def _sound(action: _Numbered) -> _Numbered:
    if action.fault:
        raise Refusal(action.fault, code=400)
    return action


def _number(verb: Verb, argument: str) -> float:
    try:
        return float(argument)
    except ValueError:
        words = f"{verb} takes a number, as in `act {verb} NAME 20`; not {clean(argument)!r}"
        raise Refusal(words, code=400) from None
