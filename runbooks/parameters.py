"""A runbook's parameters: what was given, what the board tells, what is missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from console.domain.board import Board
from console.domain.durations import parse_duration
from console.domain.refs import Ref
from console.domain.text import clean
from runbooks.expressions import find
from runbooks.looking import NAMED, Scope, refs_named
from runbooks.schema import Parameter, Runbook

TEXT_MOST = 500

Values = dict[str, str | float]
"""Parameter → value: durations (in seconds) and numbers as numbers, everything else as text."""


@dataclass(slots=True)
class Bound:
    """What is known of all parameters of a runbook."""

    values: Values = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Those of which nothing is known: they are asked for."""
    faults: list[str] = field(default_factory=list)
    """What was given and cannot be, in words."""


def types_of(runbook: Runbook) -> dict[str, str]:
    """Parameter → its type."""
    return {name: one.type for name, one in runbook.parameters.items()}


def bind(runbook: Runbook, given: Mapping[str, str], scope: Scope) -> Bound:
    """Give every parameter a value: what was given, else what its `from` finds, else its default.

    `scope` has the board, and the alert and incident that it is begun from; parameters are looked for in the order of
    the file, and a `from` knows those before it. A name has to be on the board, or it is a fault.
    """
    found = Bound()
    for name in given:
        if name not in runbook.parameters:
            found.faults.append(f"there is no parameter {clean(name, 40)}")
    types = types_of(runbook)
    for name, one in runbook.parameters.items():
        text = given.get(name, "")
        value = text if text != "" else _told(one, replace(scope, parameters=dict(found.values), types=types))
        if value is None:
            found.missing.append(name)
            continue
        try:
            found.values[name] = typed(one, value, scope.board)
        except ValueError as fault:
            if text == "" and one.default is None:
                found.missing.append(name)
            else:
                found.faults.append(f"{name}: {fault}")
    return found


def _told(one: Parameter, scope: Scope) -> str | float | None:
    if one.source is not None and (seen := find(one.source, scope)) is not None:
        return seen
    return one.default


def typed(one: Parameter, value: str | float, board: Board | None) -> str | float:
    """A value as its parameter's type wants it; a name in the shortest form that the board knows.

    Raises:
        ValueError: it is none, or (with a board) there is no such object, or there are several.
    """
    if one.type in ("number", "duration"):
        return _amount(one, value)
    text = value if isinstance(value, str) else f"{value:g}"
    if len(text) > TEXT_MOST:
        raise ValueError(f"it has {len(text):,} characters, and may have {TEXT_MOST}")
    if one.type == "choice" and text not in one.choices:
        raise ValueError(f"it is one of {', '.join(one.choices)}; not {clean(text, 60)!r}")
    if one.type in NAMED and board is not None:
        return _name(one.type, text, board)
    return text


def _amount(one: Parameter, value: str | float) -> float:
    if isinstance(value, str) and one.type == "duration":
        amount = parse_duration(value)
    else:
        try:
            amount = float(value)
        except (ValueError, OverflowError):
            raise ValueError(f"it is a number; not {clean(str(value), 60)!r}") from None
    if not math.isfinite(amount):
        raise ValueError("it is a number that ends")
    if (one.minimum is not None and amount < one.minimum) or (one.maximum is not None and amount > one.maximum):
        least = "" if one.minimum is None else f" at least {one.minimum:g}"
        most = "" if one.maximum is None else f" at most {one.maximum:g}"
        raise ValueError(f"it is{least}{' and' if least and most else ''}{most}; not {amount:g}")
    return amount


def _name(kind: str, text: str, board: Board) -> str:
    found = refs_named(board, text, (NAMED[kind],))
    if len(found) == 1:
        return _shortest(found[0], board)
    if not found:
        raise ValueError(f"there is no {kind} {clean(text, 80)!r} on the board")
    raise ValueError(f"several are called {clean(text, 80)!r}: {', '.join(clean(str(ref), 80) for ref in found[:4])}")


def _shortest(ref: Ref, board: Board) -> str:
    return ref.name if len(refs_named(board, ref.name, (ref.kind,))) == 1 else str(ref)


def written(values: Mapping[str, str | float]) -> dict[str, str]:
    """Values as a `Run` and an `Offer` have them; `bind` reads them back. A measured number keeps four digits."""
    return {name: value if isinstance(value, str) else _number(value) for name, value in values.items()}


def _number(value: float) -> str:
    return f"{value:.12g}" if value.is_integer() else f"{value:.4g}"


def choices_of(one: Parameter, board: Board) -> tuple[str, ...]:
    """What there is to choose from now: at most 200 names, in order."""
    if one.type == "choice":
        return one.choices
    kind = NAMED.get(one.type)
    found = sorted(_shortest(ref, board) for ref in board.readings if kind is not None and ref.kind is kind)
    return tuple(found[:200])
