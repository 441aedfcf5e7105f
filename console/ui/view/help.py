"""The help page as lines: every command of the registry, its key, and why it does not work here when it does not."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from textwrap import wrap

from console.ui.cells import Cell, Line, fit
from console.ui.commands import COMMANDS
from console.ui.desk import Desk
from console.ui.glyphs import Glyphs
from console.ui.view.facts import heading

_KEY, _NAME = 8, 20


def help_lines(desk: Desk, keys: Mapping[str, str], width: int, glyphs: Glyphs) -> list[Line]:
    """What works here by group; at the end what does not, with the reason."""
    reasons = {command.name: command.why_not(desk) for command in COMMANDS}
    found: list[Line] = []
    for group, commands in groupby((item for item in COMMANDS if not reasons[item.name]), lambda item: item.group):
        found.append(heading(group, width, glyphs))
        for command in commands:
            name = f"{command.name} {command.argument}".strip()
            found += _lines(keys.get(command.name, ""), name, command.help, "", width)
    not_now = [command for command in COMMANDS if reasons[command.name]]
    if not_now:
        found.append(heading("Not here, not now", width, glyphs))
        for item in not_now:
            found += _lines(keys.get(item.name, ""), item.name, reasons[item.name], "muted", width)
    return [*found, heading("In a list", width, glyphs), *_moving()]


def _lines(key: str, name: str, text: str, style: str, width: int) -> Iterator[Line]:
    """A command with its sentence, which goes on beneath when it is long."""
    for at, part in enumerate(wrap(text, max(20, width - _KEY - _NAME - 2)) or [""]):
        head = (key, f":{name}") if at == 0 else ("", "")
        yield Line(
            (Cell(" " + fit(head[0], _KEY), style or "key"), Cell(fit(head[1], _NAME), style), Cell(part, style))
        )


def _moving() -> list[Line]:
    keys = (
        ("Up Down", "j k", "one line; from the top of one part into the next"),
        ("PgUp Dn", "space", "one page"),
        ("Home End", "g G", "first and last line"),
    )
    return [
        Line((Cell(" " + fit(key, _KEY + 1), "key"), Cell(fit(other, _NAME - 1), "key"), Cell(text)))
        for key, other, text in keys
    ]
