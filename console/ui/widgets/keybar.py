"""The line at the bottom: the keys that work here, or the last thing that the console had to say."""

from collections.abc import Mapping, Sequence

from console.domain.text import clean
from console.ui.cells import Cell, Line, width_of
from console.ui.command import Command
from console.ui.commands import COMMANDS
from console.ui.desk import Desk
from console.ui.keymap import key_of, spell
from console.ui.widgets.canvas import Canvas

_ROOMY = 100
"""Columns from which on the keys stand two spaces apart."""


class KeyBar(Canvas, can_focus=False):
    """One line. `words` stand instead of the keys until they are taken back."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; background: $panel; overflow-y: hidden; scrollbar-gutter: auto; }
    """


def key_line(desk: Desk, keymap: Mapping[str, str], filter_words: str, width: int, first: Sequence[str] = ()) -> Line:
    """The filter that hides something, then the keys: bright where they work now, faded where they do not.

    What does not fit is left out, first what does not work, from the right; but never the way to the help, which has
    all of them. What is named in `first` stands first.
    """
    cells: list[Cell] = [Cell(" ")]
    if filter_words:
        cells += [Cell(f"/{clean(filter_words, 24)}", "warn"), Cell(" Esc shows all  ", "muted")]
    shown = [command for command in COMMANDS if command.bar and key_of(command, keymap)]
    shown.sort(key=lambda command: first.index(command.name) if command.name in first else len(first))
    gap = 2 if width >= _ROOMY else 1
    left = width - sum(width_of(cell.text) for cell in cells)
    sizes = {command.name: width_of(_label(command, keymap)) + gap for command in shown}
    works_now = {command.name: not command.why_not(desk) for command in shown}
    dropped = shown[::-1]
    dropped.sort(key=lambda command: works_now[command.name])
    while len(shown) > 1 and sum(sizes[command.name] for command in shown) > left + gap:
        shown.remove(next(command for command in dropped if command in shown and command.name != "help"))
    for command in shown:
        works = works_now[command.name]
        key = spell(key_of(command, keymap))
        cells += [
            Cell(key, "key" if works else "muted"),
            Cell(f" {command.title}" + " " * gap, "" if works else "muted"),
        ]
    return Line(tuple(cells))


def _label(command: Command, keymap: Mapping[str, str]) -> str:
    return f"{spell(key_of(command, keymap))} {command.title}"


def say_line(words: str, style: str) -> Line:
    """Something said, in one line."""
    return Line((Cell(" " + clean(words, 400), style),))
