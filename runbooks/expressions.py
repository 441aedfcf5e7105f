"""Conditions over the board, judged: true, false, or why it cannot be said.

A value that is stale or missing makes a function fail, CEL carries the failure through every operator, and the
condition holds neither true nor false: it cannot be said, and says why. Only where the rest decides alone
(`false && …`, `true || …`) it is decided.
"""

import logging
from collections.abc import Callable
from typing import Any

from console.domain.runbooks import Condition, Seen
from console.domain.text import clean
from runbooks.cel_library import without_command_line
from runbooks.compiling import VARIABLES, Compiled, ExpressionFault, compiled
from runbooks.functions import Function, called
from runbooks.looking import Look, Past, Scope, Unsaid

__all__ = ["VARIABLES", "Compiled", "ExpressionFault", "Past", "Scope", "compiled", "find", "judge"]

SEEN_MOST = 24
"""Values that a condition shows."""


def judge(role: str, text: str, scope: Scope, words: str = "") -> Condition:
    """Evaluate a condition. It never raises: what fails is a condition of which nothing can be said.

    Args:
        role: what it is for, as `Condition.role` lists.
        text: the expression.
        scope: what it is judged by.
        words: what it means, for a person; said unless the reason has to be.
    """
    look = Look(scope)
    holds, why = None, ""
    try:
        value = _evaluated(compiled(text), look)
        if isinstance(value, bool):
            holds = value
        else:
            why = f"it gives {clean(str(value), 60)}, neither true nor false"
    except ExpressionFault as fault:
        why = str(fault)
    except Unsaid as fault:
        why = str(fault)
    seen = tuple(Seen(name=name, words=shown) for name, shown in list(look.seen.items())[:SEEN_MOST])
    return Condition(role=role, text=text, holds=holds, seen=seen, words=clean(why or words, 300), at=scope.now)


def find(text: str, scope: Scope) -> str | float | None:
    """What an expression finds: a name or a number; None when it finds nothing, or cannot be said."""
    try:
        value = _evaluated(compiled(text), Look(scope))
    except (ExpressionFault, Unsaid):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return value or None if isinstance(value, str) else float(value)


def _evaluated(one: Compiled, look: Look) -> object:
    """Its value.

    Raises:
        Unsaid: there is none, and why.
    """
    without_command_line()
    import cel

    variables = _variables(look)
    missing = [name for name in one.variables if name not in variables]
    context = cel.Context(variables=variables, functions={one.name: _bind(one, look) for one in one.functions})
    _quiet()
    try:
        value = one.program.execute(context)
    except Exception as error:  # noqa: BLE001  of whatever kind, it is an answer that cannot be given
        raise Unsaid(_why(error, look, missing)) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Unsaid("it cannot be evaluated") from None
    for name in one.variables:
        if isinstance(shown := variables.get(name), str | float):
            look.seen.setdefault(name, clean(shown, 80) if isinstance(shown, str) else f"{shown:g}")
    return value


def _why(error: Exception, look: Look, missing: list[str]) -> str:
    if look.faults:
        return look.faults[-1]
    if missing:
        return "; ".join(_NOT_THERE.get(name, f"nothing is known of {clean(name, 60)}") for name in missing)
    if isinstance(error, KeyError):
        return f"nothing is known of {clean(str(error.args[0] if error.args else ''), 60)}"
    if isinstance(error, ZeroDivisionError):
        return "it divides by 0"
    return clean(str(error).partition(". ")[0] or "it cannot be evaluated", 200)


_NOT_THERE = {
    "alert": "it was not begun from an alert that is still on the board",
    "incident": "it was not begun from an incident that is still on the board",
}


def _bind(one: Function, look: Look) -> Callable[..., Any]:
    def call(*arguments: object) -> Any:
        return called(one, look, arguments)

    return call


def _variables(look: Look) -> dict[str, Any]:
    scope = look.scope
    found: dict[str, Any] = {
        name: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for name, value in scope.extra.items()
        if isinstance(value, str | int | float | bool)
    }
    if (alert := scope.alert) is not None:
        fields = {"name": look.name(alert.ref) if alert.ref in scope.board.readings else alert.ref.name}
        fields |= {"kind": str(alert.ref.kind), "source": alert.ref.source, "rule": alert.rule}
        fields |= {"severity": str(alert.severity), "aspect": str(alert.aspect)}
        known = {} if alert.value is None else {"value": float(alert.value)}
        found["alert"] = {**fields, **known, "age": max(0.0, scope.now - alert.since)}
    if (incident := scope.incident) is not None:
        blame = incident.blame
        found["incident"] = {
            "culprit": "" if blame is None else blame.name,
            "culprit_kind": "" if blame is None else str(blame.dimension),
            "severity": str(incident.severity),
            "title": incident.title,
            "age": max(0.0, scope.now - incident.since),
        }
    found |= {name: value if isinstance(value, str) else float(value) for name, value in scope.parameters.items()}
    return found


_silent = logging.NullHandler()


def _quiet() -> None:
    """The library logs a warning for every function that fails; ours fail whenever something cannot be said."""
    logger = logging.getLogger("cel")
    if logger.propagate:
        logger.propagate = False
        logger.addHandler(_silent)
