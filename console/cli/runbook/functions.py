"""List the variables and functions that a runbook's conditions have, with what they give and in which unit."""

import argparse
from itertools import groupby

import msgspec

from console.cli.exits import Exit
from console.cli.output import say, table
from console.cli.runbook.asking import ask


class _Function(msgspec.Struct, frozen=True):
    signature: str
    unit: str
    docs: str
    group: str


class _Words(msgspec.Struct, frozen=True):
    variables: dict[str, str]
    functions: list[_Function]
    plain: dict[str, str]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    """Print them, a table a subject."""
    answer = ask("functions")
    if options.json:
        say(answer.decode().rstrip())
        return Exit.OK
    found = msgspec.json.decode(answer, type=_Words)
    table(("VARIABLE", "WHAT IT IS"), found.variables.items())
    for group, some in groupby(found.functions, key=lambda one: one.group):
        say()
        table((group.upper(), "GIVES", "WHAT IT IS"), [(one.signature, one.unit or "number", one.docs) for one in some])
    say()
    table(("OF CEL ITSELF", "HOW"), found.plain.items())
    return Exit.OK
