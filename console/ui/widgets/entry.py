"""A line of input in which every key does its work in the order in which it was typed."""

from textual.events import Key
from textual.widgets import Input


class Entry(Input):
    """An input for hands that are quicker than the screen, and for a line that comes at once from a clipboard.

    Textual hands a key that edits or submits all the way up to the app before it does anything, and a letter typed
    after it gets in first: what was cleared and typed anew would be cleared with it, and what was submitted would hold
    the letters behind it.
    """

    async def on_key(self, event: Key) -> None:
        """Do at once what an editing key is bound to."""
        if event.is_printable:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
