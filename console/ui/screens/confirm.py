"""The dialog of one action: what is done, what it changes, what the guard says; then, live, what came of it.

The focus is on Cancel. Nothing is confirmed that was not shown: another reason or another time is proposed again
before it can be confirmed.
"""

from typing import ClassVar, NamedTuple, cast

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from console.domain.actions import Intent, Proposal, Receipt, Stage
from console.domain.durations import parse_duration
from console.domain.errors import EngineLost, Refusal
from console.domain.wire import Confirm
from console.ui import format as fmt
from console.ui.app import SwitchgearApp
from console.ui.cells import Line
from console.ui.view import proposal as view
from console.ui.view.facts import words as wrapped
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.entry import Entry


class Decision(NamedTuple):
    """What became of the dialog."""

    receipt: Receipt | None
    """None when nothing was confirmed."""


class ConfirmScreen(ModalScreen[Decision]):
    """Shows a proposal, asks, and shows the receipt as it grows."""

    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        # First of all, so that what is typed right after it goes to the field that it leads to, on a slow line too.
        Binding("tab", "app.focus_next", "Next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Previous", show=False, priority=True),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-8)", "Page up", show=False),
        Binding("pagedown", "scroll(8)", "Page down", show=False),
        Binding("left", "app.focus_previous", "Left", show=False),
        Binding("right", "app.focus_next", "Right", show=False),
        Binding("o", "operate", "Operate", show=False),
    ]

    FIELDS: ClassVar[bool] = True
    """Whether reason and time are asked for."""

    def __init__(self, intent: Intent, ttl: str) -> None:
        """Make the dialog.

        Args:
            intent: what is wanted, with or without a reason.
            ttl: how long an override stays, as it is written: `30m`.
        """
        super().__init__()
        self._intent = intent
        self._timed = intent.action.verb in view.TIMED
        self._ttl = ttl if self._timed else ""
        self._proposal: Proposal | None = None
        self._receipt: Receipt | None = None
        self._asked: tuple[str, str] | None = None
        """Reason and time of the present proposal."""

    @property
    def desk(self) -> SwitchgearApp:
        """The app, by its own type."""
        return cast(SwitchgearApp, self.app)

    def compose(self) -> ComposeResult:
        """Title, plan, what has to be said, buttons."""
        with Vertical(id="dialog"):
            yield Label(self.heading(), markup=False, id="title")
            yield Canvas(id="plan")
            with Horizontal(classes="field", id="asked"):
                yield Label("reason", classes="field-label")
                yield self._entry(Entry(self._intent.reason, placeholder="why, for the audit log", id="reason"))
                yield Label(" for", classes="field-label", id="for")
                yield self._entry(Entry(self._ttl, id="ttl"))
            with Horizontal(classes="field", id="naming"):
                yield Label("type the name", classes="field-label")
                yield self._entry(Entry(placeholder=fmt.name(self._intent.target.name), id="typed"))
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self._verb(), id="confirm", compact=True, disabled=True)
                yield Button("Ask for operate", id="operate", compact=True)
                yield Button("Close", id="close", compact=True)
            yield Label("", markup=False, id="hint")

    def heading(self) -> str:
        """What it is about, in a line."""
        return view.title(self._intent.action.verb, self._intent.target.name)

    @staticmethod
    def _entry(entry: Input) -> Input:
        entry.compact = True
        entry.cursor_blink = False
        return entry

    def _verb(self) -> str:
        return str(self._intent.action.verb).capitalize()

    def on_mount(self) -> None:
        """Ask the engine what this would do."""
        self._plan = self.query_one("#plan", Canvas)
        self._plan.can_focus = False
        self.query_one("#naming").display = False
        self.query_one("#asked").display = self.FIELDS
        for id_ in ("for", "ttl"):
            self.query_one(f"#{id_}").display = self._timed
        self.query_one("#operate").display = False
        self.query_one("#close").display = False
        self._hint("asking the engine what this would do")
        self._propose()

    # Proposing

    @work(exclusive=True, exit_on_error=False)
    async def _propose(self, note: str = "") -> None:
        """Have what stands in the fields planned and judged, and show it; `note` is what led to asking again."""
        asked = self._fields()
        self._allow()
        try:
            ttl = parse_duration(asked[1]) if asked[1] else None
        except ValueError as error:
            self._hint(str(error), wrong=True)
            return
        intent = msgspec.structs.replace(self._intent, reason=asked[0], ttl_s=ttl)
        try:
            proposal = await self.proposed(intent)
        except (Refusal, EngineLost) as error:
            self._hint(str(error), wrong=True)
            return
        self._proposal, self._asked = proposal, asked
        self.query_one("#naming").display = proposal.verdict.needs_name
        self.query_one("#operate").display = not self.desk.operating
        self._draw()
        self._allow()
        self._hint(note or self._next(), wrong=bool(note))

    async def proposed(self, intent: Intent) -> Proposal:
        """The intent, planned and judged.

        Raises:
            Refusal: it cannot be.
            EngineLost: nobody can say.
        """
        return await self.desk.api.propose(intent)

    async def agreed(self, proposal: Proposal, name: str) -> Receipt | None:
        """Say yes to a proposal, with the typed name; None when what comes of it is told elsewhere.

        Raises:
            Refusal: it is not done.
            EngineLost: nobody can say whether it is.
        """
        return await self.desk.api.confirm(Confirm(proposal_id=proposal.id, typed_name=name))

    def _fields(self) -> tuple[str, str]:
        return self.query_one("#reason", Input).value.strip(), self.query_one("#ttl", Input).value.strip()

    def _allow(self) -> None:
        """Whether what is shown may be confirmed as it stands."""
        proposal = self._proposal
        named = proposal is not None and (
            not proposal.verdict.needs_name or self._typed() == proposal.intent.target.name
        )
        shown = proposal is not None and self._asked == self._fields()
        button = self.query_one("#confirm", Button)
        button.disabled = not (proposal is not None and proposal.verdict.allowed and shown and named)

    def _typed(self) -> str:
        return self.query_one("#typed", Input).value.strip()

    def _next(self) -> str:
        """What to do next, in one line."""
        proposal = self._proposal
        if proposal is None or self._asked != self._fields():
            return "Enter has it checked again; Esc leaves everything as it is"
        if not self.desk.operating:
            return "read-only: o asks for operate; Esc leaves everything as it is"
        if not proposal.intent.reason:
            return "Tab to the reason and say why; Esc leaves everything as it is"
        if not proposal.verdict.allowed:
            return "the guard says no: the reasons stand above; Esc goes back"
        if self.query_one("#confirm", Button).disabled:
            return "type the target's name to confirm; Esc leaves everything as it is"
        return f"Tab to {self._verb()}, Enter does it; Esc leaves everything as it is"

    def on_input_changed(self) -> None:
        """What was typed is not what was judged."""
        if self._receipt is None:
            self._allow()
            self._hint(self._next())

    def on_input_blurred(self) -> None:
        """Have a changed reason or time judged when the field is left."""
        if self._receipt is None and self._asked is not None and self._asked != self._fields():
            self._propose()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Leave the field; the focus goes to Cancel, so that a second Enter does nothing."""
        event.stop()
        self.query_one("#typed" if self._must_name(event.input) else "#cancel").focus()

    def _must_name(self, entry: Input) -> bool:
        return self._proposal is not None and self._proposal.verdict.needs_name and entry.id != "typed"

    # Deciding

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        event.stop()
        match event.button.id:
            case "confirm":
                self._confirm()
            case "operate":
                self.action_operate()
            case _:
                self.action_cancel()

    @work(exclusive=True, exit_on_error=False)
    async def _confirm(self) -> None:
        """Say yes to exactly what is shown."""
        proposal = self._proposal
        if proposal is None or self._receipt is not None:
            return
        self.query_one("#confirm", Button).disabled = True
        self._hint("sent; waiting for the backend")
        try:
            receipt = await self.agreed(proposal, self._typed())
        except Refusal as refusal:
            self._propose(f"not done: {refusal.words}")
            return
        except EngineLost as error:
            self._hint(
                f"the engine went away ({error}): whether it was done stands in the Log when it is back", wrong=True
            )
            return
        if receipt is None:
            self.action_cancel()
            return
        self._show(receipt)

    def _show(self, receipt: Receipt) -> None:
        """From now on the dialog is about what came of it."""
        self._receipt = receipt
        for id_ in ("asked", "naming", "cancel", "confirm", "operate"):
            self.query_one(f"#{id_}").display = False
        close = self.query_one("#close")
        close.display = True
        close.focus()
        self._draw()

    def on_board_changed(self) -> None:
        """A receipt grew, or the access changed."""
        if self._receipt is not None:
            newest = self.desk.board.receipts.get(self._receipt.id)
            if newest is not None and newest != self._receipt:
                self._receipt = newest
                self._draw()
        elif self._proposal is not None:
            self.query_one("#operate").display = not self.desk.operating

    def on_resize(self) -> None:
        """Wrap the words anew."""
        self._draw()

    def _draw(self) -> None:
        width = max(40, self._plan.size.width - 1)
        glyphs = self.desk.glyphs
        if self._receipt is not None:
            lines = view.progress(self._receipt, width, glyphs)
            done = self._receipt.stage is Stage.DONE
            lasting = self._receipt.progress is not None
            ending = "d then stop ends it early" if lasting else "u undoes it later"
            self._hint("" if done else f"Close leaves it running; {ending}")
        elif self._proposal is not None:
            lines = view.lines(self._proposal, width, glyphs)
        else:
            lines = list(wrapped("asking the engine what this would do", width, "muted"))
        self._plan.show([Line(line.cells) for line in lines])

    def _hint(self, text: str, *, wrong: bool = False) -> None:
        hint = self.query_one("#hint", Label)
        hint.update(fmt.name(text, 400))
        hint.set_class(wrong, "wrong")

    # Leaving

    def action_cancel(self) -> None:
        """Leave; what was confirmed goes on."""
        self.dismiss(Decision(self._receipt))

    def action_scroll(self, lines: int) -> None:
        """Scroll the plan, wherever the focus is."""
        self._plan.scroll_relative(y=lines, animate=False)

    @work(exit_on_error=False)
    async def action_operate(self) -> None:
        """Ask for operate, then have the action judged again."""
        from console.ui.screens.flows import operate

        if self._receipt is None and not self.desk.operating:
            try:
                await operate(self.desk)
            except (Refusal, EngineLost) as error:
                self._hint(str(error), wrong=True)
                return
            self._propose()
