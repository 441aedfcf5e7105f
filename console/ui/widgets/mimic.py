"""The mimic panel: what is wrong on top, the money beside it, routes with their breakers and flows beneath.

Three canvases and one cursor: going up or down past the end of one goes on in the next.
"""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from console.domain.refs import Ref
from console.ui.view.mimic import Spot
from console.ui.view.overview import Page
from console.ui.widgets.canvas import Canvas


class Linked(Canvas):
    """A canvas that hands the cursor on at its ends."""

    @dataclass
    class Edge(Message):
        """The cursor was to go past an end."""

        canvas: "Linked"
        step: int
        """-1 up, 1 down."""

    @dataclass
    class Moved(Message):
        """The operator moved the cursor here."""

        canvas: "Linked"

    def action_cursor(self, step: int) -> None:
        """Go on to the next line, or to the next canvas."""
        self.post_message(self.Moved(self))
        before = self.cursor_index
        super().action_cursor(step)
        if before is not None and self.cursor_index == before:
            self.post_message(self.Edge(self, step))


class MimicPanel(Container):
    """Shows a `Page`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._worst = Linked(id="worst")
        self._money = Linked(id="money")
        self._body = Linked(id="panel")
        self._touched = False

    def compose(self) -> ComposeResult:
        """What is wrong, the money, the panel."""
        yield self._worst
        yield self._money
        yield self._body

    def show(self, page: Page) -> None:
        """Show a page. Until the operator moves the cursor it stands on the worst finding, if there is one."""
        self._worst.show(page.worst[1:], fixed=page.worst[:1])
        money_has_heading = len(page.money) > 2
        self._money.show(page.money[money_has_heading:], fixed=page.money[:money_has_heading])
        self._body.show(page.body, fixed=[page.heading], keys=page.body.keys)
        wrong = self._worst.cursor is not None
        if self._worst.has_focus and not wrong:
            self._body.focus()
        elif self._body.has_focus and wrong and not self._touched:
            self._worst.focus()

    def says_lost(self, lost: bool) -> None:
        """Keep the upper part bright while it says why the engine is lost."""
        if lost:
            self._worst.stale = False

    @property
    def body_size(self) -> tuple[int, int]:
        """Columns and lines of the scrolling part, without its heading."""
        return self._body.page_width, self._body.size.height - 1

    def refs_in_sight(self) -> tuple[Ref, ...]:
        """The objects of the scrolling part's lines that are seen."""
        spots = self._body.keys_in_sight()
        return tuple(spot.ref for spot in spots if isinstance(spot, Spot) and spot.ref is not None)

    @property
    def spot(self) -> Spot | None:
        """The line under the cursor, in the part that has the focus (the panel when none has)."""
        focused = next((part for part in self._parts if part.has_focus), self._body)
        return focused.cursor if isinstance(focused.cursor, Spot) else None

    @property
    def _parts(self) -> tuple[Linked, ...]:
        return self._worst, self._money, self._body

    def on_linked_moved(self) -> None:
        """From now on the cursor is the operator's."""
        self._touched = True

    def on_linked_edge(self, event: Linked.Edge) -> None:
        """Go on in the next part that has a line for the cursor."""
        event.stop()
        order = [part for part in self._parts if part is event.canvas or part.cursor is not None]
        at = order.index(event.canvas) + event.step
        if 0 <= at < len(order):
            order[at].focus()
            order[at].action_edge(0 if event.step > 0 else -1)
