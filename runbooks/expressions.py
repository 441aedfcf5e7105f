"""Conditions in CEL over the board: compiled once, bounded in what they cost, and never guessed.

A value that is stale or missing makes a function fail, CEL carries the failure through every operator, and the
condition holds neither true nor false: it cannot be said, and says why. Only where the rest decides alone
(`false && …`, `true || …`) it is decided.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.domain.runbooks import Condition, Seen
from console.domain.text import clean
from runbooks.functions import FUNCTIONS, Function, called
from runbooks.looking import Look, Past, Scope, Unsaid
from runbooks.tokens import MACROS, alike, calls, tokens, too_much

if TYPE_CHECKING:
    import cel

__all__ = ["PLAIN", "VARIABLES", "Compiled", "ExpressionFault", "Past", "Scope", "compiled", "find", "judge"]

VARIABLES: Mapping[str, str] = {
    "alert": "the alert that it was begun from: `alert.name` (of its object), `.kind`, `.source`, `.rule`, "
    "`.severity`, `.aspect`, `.value`, `.age` (s)",
    "incident": "the incident that it was begun from: `incident.culprit`, `.culprit_kind`, `.severity`, `.title`, "
    "`.age` (s)",
    "run_s": "seconds since the run began",
    "step_s": "seconds since the step began",
}
"""Variables beside the parameters, and what they are."""
FIELDS: Mapping[str, frozenset[str]] = {
    "alert": frozenset({"name", "kind", "source", "rule", "severity", "aspect", "value", "age"}),
    "incident": frozenset({"culprit", "culprit_kind", "severity", "title", "age"}),
}
PLAIN: Mapping[str, str] = {
    "contains": "`text.contains(part)`",
    "startsWith": "`text.startsWith(part)`",
    "endsWith": "`text.endsWith(part)`",
    "has": "`has(alert.value)`: whether a field is known",
    "size": "as `count`",
    "duration": "as `seconds`",
    **dict.fromkeys(sorted(MACROS), "`list.all(x, …)`, `.exists`, `.exists_one`, `.filter`: over a list of names"),
}
"""What CEL itself brings of functions; everything else of it is refused."""

_DECIDING = frozenset(
    {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "!_", "_&&_", "_||_", "@in", "true", "false", "contains"}
    | {"startsWith", "endsWith", "has", "all", "exists", "exists_one"}
)
"""Operators, functions and words that make something true or false."""
SEEN_MOST = 24
_KEPT = 2000
"""Compiled expressions that are remembered."""
_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class ExpressionFault(Exception):
    """An expression cannot be used; `column` (from 1) and `line` (from 1, in the expression) say where."""

    def __init__(self, words: str, column: int = 1, line: int = 1) -> None:
        self.words = clean(words, 300)
        self.column = column
        self.line = line
        super().__init__(
            f"column {column}: {self.words}" if line == 1 else f"line {line}, column {column}: {self.words}"
        )


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression, ready to be evaluated any number of times."""

    text: str
    functions: tuple[Function, ...]
    """Ours that it calls."""
    variables: tuple[str, ...]
    """That it names, without those that a walk over a list binds."""
    boolean: bool
    """Whether it can be true or false at all; a name alone is neither."""
    program: "cel.Program"


_compiled: dict[str, Compiled | ExpressionFault] = {}


def compiled(text: str) -> Compiled:
    """Compile it, or remember that.

    Raises:
        ExpressionFault: it is no CEL, could cost too much, or calls what there is not.
    """
    found = _compiled.get(text)
    if found is None:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        try:
            found = _compile(text)
        except ExpressionFault as fault:
            found = fault
        if len(text) <= 4096:
            _compiled[text] = found
    if isinstance(found, ExpressionFault):
        raise found.with_traceback(None)
    return found


def _compile(text: str) -> Compiled:
    if (fault := too_much(text)) is not None:
        raise _at(text, *fault)
    whole = _parsed(text)
    found = tokens(text)
    named = calls(found, len(text))
    for place, token in enumerate(found):
        if token.kind == "sign" and token.text in ("%", "`"):
            raise _at(text, f"there is no {token.text} here", token.at)
        before = found[place - 2].text if place > 1 and found[place - 1].text == "." else ""
        if before in FIELDS and token.kind == "name" and (place < 3 or found[place - 3].text != "."):
            _known_field(text, before, token.text, token.at)
    for call in named:
        _known_call(text, call.name, call.arguments, call.at, method=call.method)
    names = {name for name in whole.references()["functions"] if name.isidentifier()}
    for name in sorted(names - FUNCTIONS.keys() - PLAIN.keys()):
        raise ExpressionFault(f"there is no function {clean(name, 60)}; `switchgear runbook functions` lists them")
    program = _parsed(alike(text))
    used = program.references()
    bound = set(_bound(text))
    variables = {name for name in (*used["variables"], *whole.references()["variables"]) if not name.startswith("@")}
    ours = tuple(FUNCTIONS[name] for name in used["functions"] if name in FUNCTIONS)
    words = {token.text for token in found if token.kind == "name"}
    boolean = bool(_DECIDING & {*used["functions"], *words}) or any(one.unit == "bool" for one in ours)
    return Compiled(text, ours, tuple(sorted(variables - bound)), boolean, program)


def _known_call(text: str, name: str, arguments: int, at: int, *, method: bool) -> None:
    one = FUNCTIONS.get({"size": "count", "duration": "seconds"}.get(name, name))
    if (method and name in MACROS) or (one is None and name in PLAIN):
        return
    if one is None:
        import difflib

        near = difflib.get_close_matches(name, [*FUNCTIONS, *PLAIN], n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else "; `switchgear runbook functions` lists them"
        raise _at(text, f"there is no function {clean(name, 60)}{hint}", at)
    if not one.least <= arguments <= one.most:
        raise _at(text, f"{one.name} is called with {arguments} arguments; it is {one.signature}", at)


def _known_field(text: str, variable: str, field: str, at: int) -> None:
    if field not in FIELDS[variable] and field not in PLAIN:
        raise _at(text, f"{variable} has no {clean(field, 60)}; it has {', '.join(sorted(FIELDS[variable]))}", at)


def _bound(text: str) -> list[str]:
    """The names that walks over lists give to what they walk over."""
    found = tokens(text)
    return [
        found[place + 2].text
        for place, token in enumerate(found[:-2])
        if token.text in MACROS and place and found[place - 1].text == "." and found[place + 1].text == "("
    ]


def _at(text: str, words: str, place: int) -> ExpressionFault:
    before = text[:place]
    return ExpressionFault(words, place - (before.rfind("\n") + 1) + 1, before.count("\n") + 1)


def _parsed(text: str) -> "cel.Program":
    import cel

    try:
        return cel.compile(text)
    except Exception as error:  # noqa: BLE001  whatever the parser says, it is the text's fault
        said = str(error)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        said = "the parser cannot read it"
    place = _PLACE.search(said)
    if place is None:
        raise ExpressionFault("it is no whole expression")
    words = re.sub(r" expecting \{.*", "", place[3])
    raise ExpressionFault(words or "it is no CEL", int(place[2]), int(place[1]))


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
