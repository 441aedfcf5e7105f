"""Everything is green and the answers are wrong, or the other way round: what the two kinds of health say together."""

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.board import Board
from console.domain.health.columns import Columns, all_columns
from console.domain.health.levels import Health, Level
from console.domain.refs import Kind, Ref
from console.domain.text import clean

_RANK = {Kind.DEPLOYMENT: 0, Kind.SERVICE: 1, Kind.PROVIDER: 2, Kind.ROUTE: 3, Kind.CONVERSATION: 4}


class Disagreement(NamedTuple):
    """Transport says one thing and the answers another."""

    hidden: bool
    """True: requests get through and what comes back is wrong. False: requests fail, and what comes back is right."""
    refs: tuple[Ref, ...]
    """The objects of which it is true, the worst first, causes before effects."""
    words: str
    """One line for a banner; clean."""


def disagreement(board: Board, known: Mapping[Ref, Columns] | None = None) -> Disagreement | None:
    """Where transport and answers disagree; None where they do not, or where nobody tells what is answered.

    What is hidden is said first: what ordinary monitoring does not see. `known` are `all_columns` of the same board.
    """
    found = all_columns(board) if known is None else known
    wrong = [ref for ref, one in found.items() if _ill(one.answers)]
    hidden = [ref for ref in wrong if _well(found[ref].transport)]
    if hidden:
        ordered = _ordered(hidden, {ref: found[ref].answers for ref in hidden})
        return Disagreement(True, ordered, _hidden_words(ordered, found))
    if wrong:
        return None
    failing = [ref for ref, one in found.items() if ref.kind in _RANK and one.transport.level is Level.BAD]
    right = [ref for ref in failing if found[ref].answers == (Level.OK, "ok", "")]
    if not right:
        return None
    ordered = _ordered(right, {ref: found[ref].transport for ref in right})
    more = f" and {len(ordered) - 1} more" if len(ordered) > 1 else ""
    return Disagreement(False, ordered, f"requests fail at {_name(ordered[0])}{more}; what does come back is right")


def _ill(health: Health) -> bool:
    return health.level in (Level.WARN, Level.BAD)


def _well(health: Health) -> bool:
    return health.level <= Level.NOTICE


def _ordered(refs: list[Ref], judged: Mapping[Ref, Health]) -> tuple[Ref, ...]:
    return tuple(sorted(refs, key=lambda ref: (-judged[ref].level, _RANK.get(ref.kind, 9), str(ref))))


def _hidden_words(refs: tuple[Ref, ...], found: Mapping[Ref, Columns]) -> str:
    """What is wrong with the first, and of how many more that is true; a route repeats what its deployment says."""
    first = found[refs[0]].answers
    effects = (Kind.PROVIDER, Kind.ROUTE)
    others = [ref for ref in refs[1:] if ref.kind not in effects or refs[0].kind in effects]
    more = f", and {len(others)} more" if others else ""
    return f"transport is ok, answers are not: {_name(refs[0])}: {first.why or first.word}{more}"


def _name(ref: Ref) -> str:
    return f"{ref.kind} {clean(ref.name, 60)}"
