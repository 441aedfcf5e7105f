"""Conditions in CEL, compiled: what there is to name and to call, what it may cost, and where a fault stands."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.domain.text import clean
from runbooks.cel_library import without_command_line
from runbooks.functions import FUNCTIONS, Function
from runbooks.functions.past import METRICS, OF_METRICS
from runbooks.tokens import MACROS, SAME, Call, alike, calls, tokens, too_much

if TYPE_CHECKING:
    import cel

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
        _known_call(text, call)
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


def _known_call(text: str, call: Call) -> None:
    one = FUNCTIONS.get(SAME.get(call.name, call.name))
    if (call.method and call.name in MACROS) or (one is None and call.name in PLAIN):
        return
    if one is None:
        near = difflib.get_close_matches(call.name, [*FUNCTIONS, *PLAIN], n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else "; `switchgear runbook functions` lists them"
        raise _at(text, f"there is no function {clean(call.name, 60)}{hint}", call.at)
    given = len(call.arguments)
    if not one.least <= given <= one.most:
        raise _at(text, f"{one.name} is called with {given} arguments; it is {one.signature}", call.at)
    if one.name in OF_METRICS:
        _known_metric(text, call)


def _known_metric(text: str, call: Call) -> None:
    """A metric that stands there as a text has to be one."""
    token = call.arguments[1] if len(call.arguments) > 1 else None
    if token is not None and token.kind == "string" and token.text.strip("'\"") not in METRICS:
        words = f"{clean(token.text, 40)} is no metric; there are: {', '.join(METRICS)}"
        raise _at(text, words, token.at)


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
    without_command_line()
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
    raise ExpressionFault(_plain(place[3]), int(place[2]), int(place[1]))


def _plain(said: str) -> str:
    """What the parser says, as a person would."""
    words = re.sub(r" expecting \{.*", "", said)
    sign = re.match(r"token recognition error at: '(.*?) *'", words)
    if sign is not None:
        return f"{sign[1]} means nothing here{'; == compares' if sign[1].startswith('=') else ''}"
    if "<EOF>" in words:
        return "it ends before it is whole"
    return "it is no whole expression" if "ExprContext" in words or not words else words
