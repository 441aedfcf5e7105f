"""What is wrong with a runbook beyond its shape: names that do not exist, ways back, verbs without what they need.

It goes through the document as it was read, so that what has a wrong shape elsewhere hides nothing.
"""

import math
from collections.abc import Iterator
from typing import Any

from console.domain.incidents import Dimension
from console.domain.refs import Kind
from console.domain.verbs import Replay, Verb
from runbooks.compiling import VARIABLES, ExpressionFault, compiled
from runbooks.looking import NAMED
from runbooks.parameters import typed
from runbooks.schema import Parameter, kinds_fault
from runbooks.targets import ACTS_ON, PLACEHOLDER

Location = tuple[str | int, ...]
Fault = tuple[Location, str]

EXPRESSIONS = frozenset({"when", "condition", "check", "until", "successCondition", "failureCondition"})
"""Keys whose value is an expression, wherever they stand; `from` of a parameter is one too."""
END = "end"
ON_FAILURE = ("abort", "rollback", "pause", "continue")
RESERVED = frozenset({END, *ON_FAILURE})
"""What no step can be called."""
WORDS = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    }
)
"""What no parameter can be called: CEL's own words."""
RULE_MOST = 3
OPEN = "${"
STAGES_MOST = 50
ARGUMENTS_MOST = 32
"""As in the config (`commands.NAME.arguments`)."""
GIVEN = {"hold": "duration", "patience": "duration", "keep": "duration", "requests": "number", "stages": "text"}
"""Keys of a ramp that may be a parameter, and of which type."""


def faults_in(data: Any) -> list[Fault]:
    """Every fault, with the place of what is at fault."""
    if not isinstance(data, dict):
        return []
    raw = data.get("parameters")
    parameters = raw if isinstance(raw, dict) else {}
    types = {str(name): str(_at(one, "type") or "") for name, one in parameters.items()}
    steps = data.get("steps") if isinstance(data.get("steps"), list) else []
    return [
        *_parameters(parameters),
        *_matches(data.get("match")),
        *_expressions(data, types),
        *_placeholders(data, types),
        *_steps(steps or [], types),
    ]


def _at(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, dict) else None


def _parameters(parameters: dict[Any, Any]) -> Iterator[Fault]:
    known: set[str] = set()
    for name, one in parameters.items():
        place: Location = ("parameters", str(name))
        if str(name) in WORDS or str(name) in VARIABLES:
            yield place, f"no parameter can be called {name}: expressions know another thing by that word"
        source = _at(one, "from")
        if isinstance(source, str):
            yield from _expression((*place, "from"), source, known | {"alert", "incident"}, decides=False)
        yield from _default(place, one)
        known.add(str(name))


def _default(place: Location, one: Any) -> Iterator[Fault]:
    try:
        parameter = Parameter.model_validate(one)
    except ValueError:
        return
    if parameter.hidden and parameter.default is None:
        yield (*place, "hidden"), "what is asked of nobody has a `default`, for when `from` finds nothing"
    if isinstance(_at(one, "default"), bool):
        yield (*place, "default"), "true and false are no values here; write a number, or a text in quotes"
    for key in ("minimum", "maximum"):
        if not math.isfinite(getattr(parameter, key) or 0.0):
            yield (*place, key), "it is a number that ends"
    if parameter.type == "choice" and not parameter.choices:
        yield place, "a choice has `choices`"
    if parameter.type != "choice" and parameter.choices:
        yield (*place, "choices"), f"only a choice has choices, and this is a {parameter.type}"
    least, most = parameter.minimum, parameter.maximum
    if least is not None and most is not None and least > most:
        yield (*place, "minimum"), f"the minimum ({least:g}) is above the maximum ({most:g})"
    elif parameter.default is not None and (parameter.type != "choice" or parameter.choices):
        try:
            typed(parameter, parameter.default, None)
        except ValueError as fault:
            yield (*place, "default"), str(fault)


def _matches(match: Any) -> Iterator[Fault]:
    for index, one in enumerate(match if isinstance(match, list) else ()):
        place: Location = ("match", index)
        rule, kind, culprit = (_at(one, key) for key in ("rule", "kind", "culprit"))
        if isinstance(rule, str) and (not rule or rule.count("*") > RULE_MOST):
            yield (*place, "rule"), f"a rule has 1 to {RULE_MOST} * for any part: `latency`, `finish/*`"
        if isinstance(kind, str) and kind and kind not in set(Kind):
            yield (*place, "kind"), f"there is no kind {kind!r}; there are: {', '.join(Kind)}"
        dimension = culprit.partition("/")[0] if isinstance(culprit, str) else ""
        if dimension and dimension != "*" and dimension not in set(Dimension):
            yield (*place, "culprit"), f"a culprit is a {', '.join(Dimension)}, or one of those with a name behind a /"


def _expressions(data: Any, types: dict[str, str]) -> Iterator[Fault]:
    known = {*types, *VARIABLES}
    for place, key, text in texts(data, ()):
        if key in EXPRESSIONS and place[0] != "parameters":
            before = {*types, "alert", "incident"} if place[0] == "match" else known
            yield from _expression(place, text, before)


def _expression(place: Location, text: str, known: set[str], *, decides: bool = True) -> Iterator[Fault]:
    try:
        found = compiled(text)
    except ExpressionFault as fault:
        yield place, str(fault)
        return
    if decides and not found.boolean:
        yield place, "it gives a value, and has to be true or false; compare it with something"
    for name in found.variables:
        if name not in known:
            yield place, f"nothing here is called {name}; there are: {', '.join(sorted(known))}"


def _placeholders(data: Any, types: dict[str, str]) -> Iterator[Fault]:
    for place, key, text in texts(data, ()):
        if key in EXPRESSIONS or (key == "from" and place[0] == "parameters"):
            if PLACEHOLDER.search(text):
                yield place, "an expression names a parameter as it is, without ${…}"
            continue
        if place[0] == "parameters" and key == "default" and PLACEHOLDER.search(text):
            yield place, "a default is taken as it is: nothing is filled in"
            continue
        if OPEN in PLACEHOLDER.sub("", text):
            yield place, f"`{OPEN}` begins the name of a parameter, and here nothing ends it with `}}`"
        for found in PLACEHOLDER.finditer(text):
            name = found[1].strip()
            if name not in types:
                there = f"; there are: {', '.join(types)}" if types else "; there are none"
                yield place, f"there is no parameter {name!r}{there}"


def texts(node: Any, place: Location) -> Iterator[tuple[Location, str, str]]:
    """(place, key, text) of every text in a part of a document that stands at `place`."""
    if isinstance(node, dict):
        pairs = [(str(key), value) for key, value in node.items()]
    elif isinstance(node, list):
        pairs = list(enumerate(node))  # type: ignore[arg-type]
    else:
        return
    for key, value in pairs:
        if isinstance(value, str):
            yield (*place, key), key if isinstance(key, str) else str(place[-1] if place else ""), value
        else:
            yield from texts(value, (*place, key))


def _steps(steps: list[Any], types: dict[str, str]) -> Iterator[Fault]:
    ids = [str(_at(step, "id") or "") for step in steps]
    for index, step in enumerate(steps):
        place: Location = ("steps", index)
        if ids[index] in ids[:index]:
            yield (*place, "id"), f"the step {ids[index]} is there twice"
        if isinstance(step, dict) and (fault := kinds_fault(step)):
            yield place, fault
        if ids[index] in RESERVED:
            yield (*place, "id"), f"no step can be called {ids[index]}"
        yield from _lists(place, step)
        yield from _ways(place, step, index, ids)
        for key in ("action", "rollback"):
            if isinstance(_at(step, key), dict):
                yield from _action((*place, key), step[key], types)
        ramp = _at(step, "ramp")
        for key, kind in (("route", Kind.ROUTE), ("to", Kind.DEPLOYMENT)):
            if isinstance(_at(ramp, key), str):
                yield from _target((*place, "ramp", key), ramp[key], types, (kind,))
        for key, wanted in GIVEN.items():
            whole = PLACEHOLDER.fullmatch(str(_at(ramp, key)).strip())
            given = types.get(whole[1].strip(), wanted) if whole is not None else wanted
            if given != wanted:
                yield (*place, "ramp", key), f"{_at(ramp, key)} is a {given}, and a {wanted} is wanted"


def _lists(place: Location, step: Any) -> Iterator[Fault]:
    """Lists that are too short or too long to mean something."""
    stages = _at(_at(step, "ramp"), "stages")
    if isinstance(stages, list) and len(stages) > STAGES_MOST:
        yield (*place, "ramp", "stages"), f"a ramp has at most {STAGES_MOST} stages, and here are {len(stages):,}"
    if _at(step, "branch") == []:
        yield (*place, "branch"), "a branch has at least one turn"
    args = _at(_at(step, "command"), "args")
    if isinstance(args, list) and len(args) > ARGUMENTS_MOST:
        yield (*place, "command", "args"), f"a config lets a runbook add {ARGUMENTS_MOST} arguments at the most"


def _ways(place: Location, step: Any, index: int, ids: list[str]) -> Iterator[Fault]:
    """Ways on lead to later steps, so that every run ends."""
    turns = _at(step, "branch")
    for number, turn in enumerate(turns if isinstance(turns, list) else ()):
        goto = _at(turn, "goto")
        if isinstance(goto, str) and goto != END:
            yield from _way((*place, "branch", number, "goto"), goto, index, ids)
    failing = _at(step, "onFailure")
    if isinstance(failing, str) and failing not in ON_FAILURE:
        yield from _way((*place, "onFailure"), failing, index, ids)


def _way(place: Location, goto: str, index: int, ids: list[str]) -> Iterator[Fault]:
    if goto not in ids:
        later = ", ".join(one for one in ids[index + 1 :] if one)
        yield place, f"there is no step {goto!r}; later ones are: {later or 'none'}"
    elif goto not in ids[index + 1 :]:
        yield place, f"{goto} does not come later: a run goes on, never back"


def _action(place: Location, action: dict[Any, Any], types: dict[str, str]) -> Iterator[Fault]:
    verb = next((one for one in Verb if one == action.get("verb")), None)
    if verb is None:
        return
    if verb not in ACTS_ON:
        yield (*place, "verb"), f"a runbook has no {verb}; there are: {', '.join(ACTS_ON)}"
        return
    takes = {Verb.SWITCH: "to", Verb.WEIGHT: "weight"}
    needed = takes.get(verb)
    if needed is not None and action.get(needed) in (None, ""):
        yield place, f"{verb} needs `{needed}`"
    for key, verbs in (("to", [Verb.SWITCH]), ("weight", [Verb.WEIGHT]), ("per_s", [Verb.REPLAY, Verb.REQUEUE])):
        if action.get(key) not in (None, "") and verb not in verbs:
            yield (*place, key), f"{verb} takes no `{key}`"
    if verb is Verb.WEIGHT and (amount := _amount(action.get("weight"))) is not None and not 0 <= amount < 1e9:
        yield (*place, "weight"), "a weight is a number, 0 or more and less than 1,000,000,000; or a parameter"
    if (rate := _amount(action.get("per_s"))) is not None and (words := Replay(rate).fault):
        yield (*place, "per_s"), words
    if isinstance(action.get("target"), str):
        yield from _target((*place, "target"), action["target"], types, ACTS_ON[verb])


def _amount(value: Any) -> float | None:
    """A number that the file itself gives; NaN when it is none, None when a parameter says it, or nothing does."""
    if value in (None, "") or (isinstance(value, str) and PLACEHOLDER.search(value)):
        return None
    try:
        return math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _target(place: Location, text: str, types: dict[str, str], kinds: tuple[Kind, ...]) -> Iterator[Fault]:
    wanted = " or ".join(kinds)
    whole = PLACEHOLDER.fullmatch(text.strip())
    if whole is not None:
        given = types.get(whole[1].strip(), "")
        if given and given != "text" and NAMED.get(given) not in kinds:
            yield place, f"{whole[1].strip()} is a {given}, and a {wanted} is wanted"
        return
    kind, slash, name = text.rpartition(":")[2].partition("/")
    if not slash or not name:
        if len(kinds) > 1 or PLACEHOLDER.search(text) is None:
            yield place, f"{text!r} does not say what it is; write KIND/NAME, as in {kinds[0]}/NAME"
    elif kind not in kinds and PLACEHOLDER.search(kind) is None:
        yield place, f"{kind!r} is no {wanted}"
