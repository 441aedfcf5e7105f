"""From what somebody typed to the object and the action that are meant."""

import difflib

from console.domain.actions import Reset, SetWeight, Switch, Trip, Verb
from console.domain.board import Board
from console.domain.errors import Refusal
from console.domain.refs import Kind, Ref
from console.domain.text import clean

_KIND = {Verb.TRIP: Kind.DEPLOYMENT, Verb.RESET: Kind.DEPLOYMENT, Verb.WEIGHT: Kind.DEPLOYMENT, Verb.SWITCH: Kind.ROUTE}


def target_of(board: Board, verb: Verb, text: str) -> tuple[Ref, str]:
    """The object that `text` names for `verb`, and for a restore the override's id (else empty).

    Raises:
        Refusal: nothing of that name is on the board, or several are; the text lists what there is.
    """
    if verb is Verb.RESTORE:
        return _override(board, text)
    kind = _KIND[verb]
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


def _override(board: Board, text: str) -> tuple[Ref, str]:
    active = list(board.overrides.values())
    found = [o for o in active if text in (o.id, o.target.name, str(o.target))]
    if found:
        newest = max(found, key=lambda override: override.created_at)
        return newest.target, newest.id
    listed = ", ".join(f"{o.id} ({o.action.verb} {clean(str(o.target))})" for o in active) or "none"
    raise Refusal(f"no active override is or belongs to {clean(text)!r}; active are: {listed}", code=404)


def action_of(verb: Verb, argument: str, mechanism: str) -> Trip | Reset | SetWeight | Switch:
    """The action of a verb with its argument.

    Raises:
        Refusal: the argument is missing or none that the verb takes.
    """
    match verb:
        case Verb.TRIP:
            return Trip()
        case Verb.RESET:
            return Reset()
        case Verb.SWITCH if argument:
            return Switch(argument, mechanism)
        case Verb.WEIGHT:
            try:
                action = SetWeight(float(argument))
            except ValueError:
                raise Refusal(
                    f"weight takes a number, as in `act weight NAME 20`; not {clean(argument)!r}", code=400
                ) from None
            if action.fault:
                raise Refusal(action.fault, code=400)
            return action
    raise Refusal("switch takes where to, as in `act switch ROUTE OTHER`", code=400)
