"""The prompt at the bottom: `:` takes a command with its argument, `/` filters while it is typed."""

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from console.ui.commands import completions
from console.ui.desk import Desk
from console.ui.widgets.entry import Entry


class Completer(Suggester):
    """Suggests the first whole line that what is typed could become."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._desk = desk

    async def get_suggestion(self, value: str) -> str | None:
        """The line without its `:`, or None."""
        if not value.startswith(":"):
            return None
        text = value[1:]
        found = completions(text, self._desk)
        return ":" + found[0] if found and found[0] != text else None


class Prompt(Entry):
    """One line of input that says when it is done with; the screen opens and removes it."""

    DEFAULT_CSS = """
    Prompt { dock: bottom; height: 1; border: none; padding: 0 1; background: $panel; }
    Prompt:focus { border: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("tab", "complete", "Complete", show=False),
    ]

    @dataclass
    class Done(Message):
        """The operator pressed Enter."""

        text: str
        """With its first sign, `:` or `/`."""

    @dataclass
    class Typed(Message):
        """A filter was changed while typing."""

        words: str

    class Cancelled(Message):
        """The operator pressed Esc, or rubbed the first sign out."""

    def __init__(self, desk: Desk, text: str) -> None:
        super().__init__(text, suggester=Completer(desk), select_on_focus=False, id="prompt")
        self._desk = desk
        self.cursor_blink = False
        self._met: deque[Key] = deque(maxlen=64)

    async def on_key(self, event: Key) -> None:
        """Remember that it came here."""
        self._met.append(event)

    def missed(self, event: Key) -> bool:
        """Whether a key went past: typed before the prompt was there, and looked at after."""
        return not any(one is event for one in self._met)

    def catch_up(self, event: Key) -> None:
        """Take a key that went past."""
        self._forward_event(Key(event.key, event.character))

    def on_mount(self) -> None:
        """Begin at the end of what is there."""
        self.cursor_position = len(self.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter at every key; end when the sign is gone."""
        event.stop()
        if not event.value:
            self.post_message(self.Cancelled())
        elif event.value.startswith("/"):
            self.post_message(self.Typed(event.value[1:]))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the line over."""
        event.stop()
        self.post_message(self.Done(event.value))

    def action_cancel(self) -> None:
        """Leave without doing anything."""
        self.post_message(self.Cancelled())

    async def action_complete(self) -> None:
        """Take the suggestion."""
        found = await Completer(self._desk).get_suggestion(self.value) if self.value else None
        if found:
            self.value = found
            self.cursor_position = len(found)
