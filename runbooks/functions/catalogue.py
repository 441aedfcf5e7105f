"""The functions that expressions have, each with what it takes, what it gives and in which unit."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from console.domain.durations import words_of
from console.domain.text import clean
from runbooks.looking import Look, Unsaid

Value = str | float | bool | None | list[str]
"""What a function gives."""
Body = Callable[..., Value]
"""(look, arguments…) → value; raises `Unsaid` when it cannot be said."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function."""

    name: str
    signature: str
    """`mean(x, metric, window)`; what may be left out stands in brackets: `share(d[, route])`."""
    unit: str
    """Of what it gives: `s`, `/min`, `part` (0 to 1), `$/h`, `$`, `bool`, `name`, `names`, `word`, or empty for a
    plain number."""
    docs: str
    group: str
    least: int
    most: int
    body: Body


FUNCTIONS: dict[str, Function] = {}
"""All of them, by name, in the order in which they are documented."""


def function(signature: str, unit: str, docs: str, group: str) -> Callable[[Body], Body]:
    """Make a body one of the functions."""
    name, _, rest = signature.rstrip(")").partition("(")
    needed, _, optional = rest.partition("[")
    least = len([part for part in needed.split(",") if part.strip()])
    most = least + len([part for part in optional.rstrip("]").split(",") if part.strip()])

    def keep(body: Body) -> Body:
        FUNCTIONS[name] = Function(name, signature, unit, docs, group, least, most, body)
        return body

    return keep


def called(one: Function, look: Look, arguments: tuple[object, ...]) -> Value:
    """Call it, and keep what was seen.

    Raises:
        Unsaid: it cannot be said; the reason is among the look's faults too.
    """
    key = (one.name, *map(_key, arguments))
    try:
        value = _kept(look, key) if key in look.known else _asked(one, look, arguments)
        look.work(_cost(value))
    except Unsaid as fault:
        shown = _shown(one, arguments)
        look.known[key] = fault
        look.faults.append(f"{shown}: {fault}")
        look.seen[shown] = "–"
        raise
    if key not in look.known:
        look.known[key] = value
        look.seen[_shown(one, arguments)] = words_for(value, one.unit)
    return value


def _kept(look: Look, key: tuple[object, ...]) -> Value:
    kept = look.known[key]
    if isinstance(kept, Unsaid):
        raise Unsaid(str(kept))
    return cast("Value", kept)


def _asked(one: Function, look: Look, arguments: tuple[object, ...]) -> Value:
    if not one.least <= len(arguments) <= one.most:
        raise Unsaid(f"it is called with {len(arguments)} arguments; it is {one.signature}")
    try:
        return _number(one.body(look, *arguments))
    except (TypeError, ValueError, AttributeError, ArithmeticError) as fault:
        raise Unsaid(f"it takes other arguments: {one.signature}") from fault


def _shown(one: Function, arguments: tuple[object, ...]) -> str:
    return f"{one.name}({', '.join(_argument(value) for value in arguments)})"


def _key(argument: object) -> object:
    return (type(argument), argument) if isinstance(argument, str | float | bool) else repr(argument)


def _cost(value: object) -> int:
    """Each name in a list is made anew for whoever goes on with it."""
    return 1 + len(value) // 2 if isinstance(value, list) else 1


def _number(value: Value) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if math.isnan(value):
        raise Unsaid("it is no number")
    return float(value)


def _argument(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else clean(str(value), 60)


def words_for(value: Value, unit: str) -> str:
    """A value as a person reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return clean(value, 80)
    if isinstance(value, list):
        shown = ", ".join(clean(one, 40) for one in value[:6])
        return f"{shown} and {len(value) - 6} more" if len(value) > 6 else shown or "none"
    return _amount(value, unit)


def _amount(value: float, unit: str) -> str:
    if math.isinf(value):
        return "never" if unit == "s" else f"{value:g}"
    if unit == "s":
        return words_of(value) if abs(value) >= 120 else f"{value:.3g} s"
    if unit == "part":
        return f"{100 * value:.3g} %"
    if unit in ("$", "$/h"):
        return f"${value:,.2f}{unit[1:]}"
    shown = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
    return f"{shown}{unit}" if unit.startswith("/") else shown
