"""A page of lines of which Enter opens one: a part that folds, a value, a request."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from console.ui.lazy import Lazy
from console.ui.view.folding import Rest
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

    def action_page(self, step: int) -> None:
        """Go one page down (1) or up (-1), but not past the line that stands for the rest of a text."""
        was = self.cursor_index
        super().action_page(step)
        now = self.cursor_index
        if was is None or now is None:
            return
        keys = self._lines.keys if isinstance(self._lines, Lazy) else [line.key for line in self._lines]
        passed = next((key for key in keys[was + 1 : now] if isinstance(key, Rest)), None)
        if passed is not None:
            self.select(passed)

    def action_open(self) -> None:
        """Say which line is under the cursor."""
        if self.cursor is not None:
            self.post_message(self.Opened(self, self.cursor))
