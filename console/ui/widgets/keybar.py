"""The line at the bottom: the keys that work here, or the last thing that the console had to say."""

from collections.abc import Mapping

from console.domain.text import clean
from console.ui.cells import Cell, Line, width_of
from console.ui.commands import COMMANDS
from console.ui.desk import Desk
from console.ui.keymap import key_of, spell
from console.ui.widgets.canvas import Canvas


class KeyBar(Canvas, can_focus=False):
    """One line. `words` stand instead of the keys until they are taken back."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; background: $panel; overflow-y: hidden; scrollbar-gutter: auto; }
    """


def key_line(desk: Desk, keymap: Mapping[str, str], filter_words: str, width: int) -> Line:
    """The filter that hides something, then the keys: bright where they work now, faded where they do not."""
    cells: list[Cell] = [Cell(" ")]
    if filter_words:
        cells += [Cell(f"/{clean(filter_words, 24)}", "warn"), Cell(" Esc shows all  ", "muted")]
    room = width - sum(width_of(cell.text) for cell in cells)
    for command in COMMANDS:
        key = key_of(command, keymap)
        if not command.bar or not key:
            continue
        works = not command.why_not(desk)
        label = spell(key)
        size = width_of(label) + 1 + width_of(command.title) + 2
        if size > room + 2:
            break
        cells += [Cell(label, "key" if works else "muted"), Cell(f" {command.title}  ", "" if works else "muted")]
        room -= size
    return Line(tuple(cells))


def say_line(words: str, style: str) -> Line:
    """Something said, in one line."""
    return Line((Cell(" " + clean(words, 400), style),))
