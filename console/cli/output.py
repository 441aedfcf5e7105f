"""What commands print: plain lines, and tables that are plain text when piped."""

import sys
from collections.abc import Iterable, Sequence

from console.domain.text import clean

PIPED_WIDTH = 10_000
"""Columns of a table that nobody sees: never a reason to cut a cell."""


def say(words: str = "") -> None:
    """One line, or several, on standard output."""
    print(words)


def note(words: str) -> None:
    """Something beside the answer, on standard error."""
    print(f"switchgear: {words}", file=sys.stderr)


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
