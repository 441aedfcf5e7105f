"""A table into which rows come at the top: the cursor stays on its row, and its row stays in sight."""

from collections.abc import Hashable, Sequence

from console.ui.cells import Line
from console.ui.widgets.table import Table


class Stream(Table):
    """While its top is in sight new rows push the others down, until they would push the cursor out.

    From then on, and when it was scrolled, new rows come in above what is seen, and nothing moves under the eye.
    """

    def show(
        self, lines: Sequence[Line], *, fixed: Sequence[Line] = (), keys: Sequence[Hashable | None] | None = None
    ) -> None:
        """Replace the page (`Canvas.show`), and scroll as far as the cursor's row has moved."""
        was, on, top = self.cursor_index, self.cursor, int(self.scroll_offset.y)
        super().show(lines, fixed=fixed, keys=keys)
        now = self.cursor_index
        if was is None or now is None or was == now or self.cursor != on:
            return
        if top > 0 or now >= self.size.height - len(fixed):
            self.scroll_to(y=max(0, top + now - was), animate=False, immediate=True)
