"""Which key runs which command, and how keys are written for people. Nothing here knows Textual."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from console.ui.command import Command
from console.ui.commands import BY_NAME, COMMANDS

_SIGNS = {
    "slash": "/",
    "exclamation_mark": "!",
    "colon": ":",
    "question_mark": "?",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "equals_sign": "=",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "comma": ",",
    "full_stop": ".",
}


class KeyRow(NamedTuple):
    """One line of the key table."""

    key: str
    """As a person reads it: `t`, `Ctrl+P`, or empty when the command has none."""
    name: str
    """As `:` takes it, with its argument: `weight [WEIGHT]`."""
    help: str
    group: str


def spell(key: str) -> str:
    """A key of Textual's spelling as a person reads it: `question_mark` is `?`, `ctrl+p` is `Ctrl+P`."""
    words = []
    for one in key.split(","):
        *modifiers, last = one.strip().split("+")
        name = _SIGNS.get(last, last.upper() if modifiers else last)
        words.append("+".join([*(modifier.capitalize() for modifier in modifiers), name]))
    return " ".join(words)


def key_of(command: Command, overrides: Mapping[str, str]) -> str:
    """The key of a command in Textual's spelling, with the operator's own choice before the default."""
    return overrides.get(command.name, command.key)


def rows(overrides: Mapping[str, str] | None = None) -> list[KeyRow]:
    """Every command with its key, in the order of the help."""
    chosen = overrides or {}
    return [
        KeyRow(
            spell(key_of(command, chosen)) if key_of(command, chosen) else "",
            f"{command.name} {command.argument}".strip(),
            command.help,
            command.group,
        )
        for command in COMMANDS
    ]


def problems(overrides: Mapping[str, str]) -> list[str]:
    """What is wrong with an operator's own keymap: commands that do not exist, keys that are taken twice."""
    found = [f"no command {name!r}" for name in overrides if name not in BY_NAME]
    taken: dict[str, str] = {}
    for command in COMMANDS:
        for key in filter(None, key_of(command, overrides).split(",")):
            other = taken.setdefault(key.strip(), command.name)
            if other != command.name:
                found.append(f"{spell(key)} is given to {other} and to {command.name}")
    return found


def markdown() -> str:
    """The key table of the README."""
    lines = ["| key | `:` command | what it does |", "|---|---|---|"]
    for row in rows():
        key = f"`{row.key}`" if row.key else ""
        lines.append(f"| {key} | `{row.name}` | {row.help} |")
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"
"""Between these lines of the README stands the key table."""


def fill(text: str) -> str:
    """A page with its key table written anew.

    Raises:
        ValueError: the page lacks one of the two marks.
    """
    before, begin, rest = text.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return before + begin + markdown() + end + after


def main(paths: Sequence[str]) -> None:
    """Write the key table into the pages: `python -m console.ui.keymap README.md`."""
    for path in map(Path, paths):
        path.write_text(fill(path.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
