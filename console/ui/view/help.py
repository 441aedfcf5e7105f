"""The help page as lines: every command of the registry, its key, and why it does not work here when it does not."""

from collections.abc import Mapping
from itertools import groupby

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
            found.append(_line(keys.get(command.name, ""), name, command.help, "", width))
    not_now = [command for command in COMMANDS if reasons[command.name]]
    if not_now:
        found.append(heading("Not here, not now", width, glyphs))
        found += (_line(keys.get(item.name, ""), item.name, reasons[item.name], "muted", width) for item in not_now)
    return [*found, heading("In a list", width, glyphs), *_moving(width)]


def _line(key: str, name: str, text: str, style: str, width: int) -> Line:
    room = max(10, width - _KEY - _NAME - 2)
    return Line(
        (
            Cell(" " + fit(key, _KEY), style or "key"),
            Cell(fit(f":{name}", _NAME), style),
            Cell(fit(text, room).rstrip(), style),
        )
    )


def _moving(width: int) -> list[Line]:
    keys = (
        ("Up Down", "j k", "one line; from the top of one part into the next"),
        ("PgUp Dn", "space", "one page"),
        ("Home End", "g G", "first and last line"),
    )
    return [
        Line((Cell(" " + fit(key, _KEY + 1), "key"), Cell(fit(other, _NAME - 1), "key"), Cell(text)))
        for key, other, text in keys
    ]
