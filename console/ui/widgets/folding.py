"""A page of lines of which Enter opens one: a part that folds, a value, a request."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from console.ui.widgets.canvas import Canvas


class FoldingCanvas(Canvas):
    """Says which line Enter was pressed on; the key is that of the `drill` command, as the operator has set it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", show=False, id="drill")]

    @dataclass
    class Opened(Message):
        """Enter was pressed on a line."""

        canvas: "FoldingCanvas"
        key: Hashable
        """The line's key."""

        @property
        def control(self) -> "FoldingCanvas":
            """The canvas on which it was."""
            return self.canvas

    def action_open(self) -> None:
        """Say which line is under the cursor."""
        if self.cursor is not None:
            self.post_message(self.Opened(self, self.cursor))
