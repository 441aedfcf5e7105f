"""What a runbook names that stands outside its file: commands of the config, and rules of alerts.

Only `lint` holds them against a file. An engine does not: a config may come later than the runbook, and one whose rule
nothing tells is still begun by name.
"""

import difflib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from console.config import Environment
from console.domain.conversations import DivergenceKind
from console.domain.text import clean
from console.engine.detectors.burn import BurnRate
from console.engine.detectors.catalogue import detectors
from console.engine.detectors.divergence import Divergent
from console.engine.detectors.finish import FinishReasons
from console.engine.detectors.workflows import StuckWorkflow
from runbooks.functions.alarms import fits
from runbooks.linting import EXPRESSIONS, Fault, Location, texts
from runbooks.tokens import calls, tokens

ANY = "/*"
"""How the name of a rule ends of whose parts nobody has a list."""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """An environment, as far as runbooks name it."""

    commands: dict[str, int] | None = None
    """Name → how many arguments a runbook may add; None: no config is known."""
    objectives: tuple[str, ...] | None = None
    """Names of its objectives, each of which has a rule; None: no config is known."""


def rules(around: Around) -> tuple[str, ...]:
    """The rules of all alerts that there can be, by name."""
    parted = (BurnRate.name, Divergent.name, FinishReasons.name, StuckWorkflow.name)
    names = {one.name for one in detectors(Environment(sources={}))}.difference(parted)
    kinds = [f"{Divergent.name}/{kind.replace(' ', '-')}" for kind in DivergenceKind]
    objectives = ("*",) if around.objectives is None else around.objectives
    burning = [f"{BurnRate.name}/{name}" for name in objectives]
    return tuple(sorted({*names, *kinds, *burning, *FinishReasons.rules, StuckWorkflow.name + ANY}))


def faults_in(data: Any, around: Around) -> list[Fault]:
    """Every name in a runbook that its surroundings do not have, with its place."""
    if not isinstance(data, dict):
        return []
    known = rules(around)
    return [*_matches(data, known), *_fired(data, known), *_commands(data, around)]


def _matches(data: dict[Any, Any], known: Sequence[str]) -> Iterator[Fault]:
    for index, one in enumerate(_list(data.get("match"))):
        rule = one.get("rule") if isinstance(one, dict) else None
        if isinstance(rule, str) and (words := _unknown(rule, known)):
            yield ("match", index, "rule"), words


def _fired(data: dict[Any, Any], known: Sequence[str]) -> Iterator[Fault]:
    """Rules that conditions ask for by name: one that does not exist never fires."""
    for place, key, text in texts(data, ()):
        if key not in EXPRESSIONS and not (key == "from" and place[0] == "parameters"):
            continue
        for call in calls(tokens(text), len(text)):
            first = call.arguments[0] if call.arguments else None
            if call.name not in ("firing", "firing_for") or first is None or first.text[0] not in "'\"":
                continue
            if words := _unknown(first.text.strip("'\""), known):
                yield place, f"column {first.at + 1}: {words}"


def _commands(data: dict[Any, Any], around: Around) -> Iterator[Fault]:
    if around.commands is None:
        return
    for index, step in enumerate(_list(data.get("steps"))):
        command = step.get("command") if isinstance(step, dict) else None
        name = command.get("name") if isinstance(command, dict) else None
        if not isinstance(command, dict) or not isinstance(name, str):
            continue
        place: Location = ("steps", index, "command")
        if name not in around.commands:
            there, near = ", ".join(sorted(around.commands)) or "none", _near(name, tuple(around.commands))
            yield (*place, "name"), f"the config has no command {clean(name, 60)!r}{near}; it has: {there}"
        elif (given := len(_list(command.get("args")))) > around.commands[name]:
            most = around.commands[name]
            yield (*place, "args"), f"the config lets a runbook add {most} arguments to {name}, and here are {given}"


def _unknown(rule: str, known: Sequence[str]) -> str:
    """What is wrong with the name of a rule; empty when an alert can have it."""
    if any(rule == "*" or fits(rule, one) or (one.endswith(ANY) and _opens(rule, one)) for one in known):
        return ""
    return f"no alert has the rule {clean(rule, 60)!r}{_near(rule, known)}; there are: {', '.join(known)}"


def _opens(rule: str, one: str) -> bool:
    """Whether a rule is a part of one of whose parts nobody has a list."""
    return fnmatchcase(one.removesuffix(ANY), rule.partition("/")[0])


def _near(name: str, known: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
