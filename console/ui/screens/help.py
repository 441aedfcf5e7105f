"""What works here, and why the rest does not: the registry, read for the object under the cursor."""

from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from console.ui.app import SwitchgearApp
from console.ui.screens.keys import spelled
from console.ui.view.help import help_lines
from console.ui.view.parts import label
from console.ui.widgets.canvas import Canvas


class HelpScreen(ModalScreen[None]):
    """One page; Esc or `?` closes it."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "close", "Close", show=False),
    ]

    def compose(self) -> ComposeResult:
        """A title and the page."""
        with Vertical(id="dialog"):
            yield Label("", markup=False, id="title")
            yield Canvas(id="help")

    def on_mount(self) -> None:
        """Write the page."""
        desk = cast(SwitchgearApp, self.app)
        selected = desk.selected()
        about = f"What works on {label(desk.board, selected, 40)}" if selected else "What works here"
        self.query_one("#title", Label).update(f"{about}   (Esc closes)")
        width = min(108, self.app.size.width) - 6
        lines = help_lines(desk, spelled(desk.preferences.keymap), width, desk.glyphs)
        # Headings have keys for pages with a cursor; this one only scrolls.
        self.query_one("#help", Canvas).show([line._replace(key=None) for line in lines])

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
