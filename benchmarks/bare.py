"""The bare Textual app that the console is measured against: a list with a cursor, nothing else."""

from textual.app import App, ComposeResult
from textual.widgets import OptionList


class Bare(App[None]):
    """One hundred options."""

    CSS = "OptionList { height: 1fr; border: none; }"

    def compose(self) -> ComposeResult:
        """Only the list."""
        yield OptionList(*(f"option {number}" for number in range(100)))


if __name__ == "__main__":
    Bare().run(mouse=False)
