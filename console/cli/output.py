"""What commands print: plain lines, and tables that are plain text when piped. Nothing here lets an escape through."""

import io
import re
import sys
from collections.abc import Iterable, Sequence

from console.domain.text import clean, printable
from console.domain.wire import encode

PIPED_WIDTH = 10_000
"""Columns of a table that nobody sees: never a reason to cut a cell."""


def say(words: str = "") -> None:
    """One line, or several, on standard output."""
    print(printable(words))


def say_json(thing: object) -> None:
    """One JSON value in one line of ASCII: whatever it holds is escaped, for a terminal obeys U+009B in JSON too."""
    print(_NOT_ASCII.sub(_escaped, encode(thing).decode()))


def note(words: str) -> None:
    """Something beside the answer, on standard error."""
    print(f"switchgear: {printable(words)}", file=sys.stderr)


def any_encoding() -> None:
    """Let `?` stand for what the terminal's encoding (LANG) has no sign for, instead of ending in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, styles: Sequence[str] = ()) -> None:
    """Print rows under headers. Cells are data: cleaned, never markup. Colours only on a terminal that wants them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else PIPED_WIDTH, highlight=False)
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for header in headers:
        shown.add_column(header, overflow="fold")
    for index, row in enumerate(rows):
        style = styles[index] if index < len(styles) else ""
        shown.add_row(*(Text(clean(cell, 400)) for cell in row), style=style)
    with console.capture() as captured:
        console.print(shown)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")
    sys.stdout.flush()


_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON writes it in ASCII: one UTF-16 unit, or two."""
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
