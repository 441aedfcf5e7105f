"""A small dialog that asks for one or two lines of text, and one that offers a choice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label

from console.ui.cells import Line
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.entry import Entry

GOES_ON = "Enter goes on, Esc leaves everything as it is"
SPACED = 2
"""Fields that stand a line apart; more stand close together."""
CHOICES_SHOWN = 8
"""Choices of a field that are listed beneath the form; the arrows go through all."""


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form."""

    label: str
    value: str = ""
    hint: str = ""
    """Shown while nothing is typed."""
    wrong: Callable[[str], str] = lambda _: ""
    """What is wrong with a text; empty when nothing is."""
    choices: tuple[str, ...] = ()
    """What there is to choose from, clean: completed while typing, and gone through with the arrows."""


class FormScreen(ModalScreen[tuple[str, ...] | None]):
    """Asks; answers with the fields' texts, or None after Esc."""

    CSS_PATH = "forms.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("down", "choose(1)", "Next choice", show=False),
        Binding("up", "choose(-1)", "Last choice", show=False),
    ]

    def __init__(
        self,
        title: str,
        said: Sequence[str],
        fields: Sequence[Field],
        *,
        first: int = 0,
        hint: str = GOES_ON,
        wrong: str = "",
    ) -> None:
        """Make a form.

        Args:
            title: what it is about; clean.
            said: lines that explain it; clean.
            fields: what is asked for.
            first: the place of the field that has the keys at first.
            hint: what Enter and Esc do here.
            wrong: why it is asked once more; clean.
        """
        super().__init__()
        self._hint = hint
        self._wrong = wrong
        self._first = first
        self._title = title
        self._said = said
        self._fields = fields

    def compose(self) -> ComposeResult:
        """Title, words, fields."""
        with Vertical(classes="dialog dense" if len(self._fields) > SPACED else "dialog"):
            yield Label(self._title, markup=False, classes="dialog-title")
            for words in self._said:
                yield Label(words, markup=False, classes="dialog-words")
            for at, field in enumerate(self._fields):
                with Horizontal(classes="field"):
                    yield Label(field.label, markup=False, classes="field-label")
                    suggester = SuggestFromList(field.choices) if field.choices else None
                    entry = Entry(
                        field.value, placeholder=field.hint, id=f"field-{at}", compact=True, suggester=suggester
                    )
                    entry.cursor_blink = False
                    yield entry
            yield Label(self._wrong, markup=False, id="wrong")
            if any(field.choices for field in self._fields):
                yield Label("", markup=False, id="note")
            yield Label(self._hint, markup=False, classes="dialog-hint")

    def on_mount(self) -> None:
        """The first field has the keys from the first paint on: what is typed at once is not lost."""
        self.set_focus(self.query_one(f"#field-{self._first}", Input))

    def on_descendant_focus(self) -> None:
        """Say what there is to choose from in this field, once its line has a width to be wrapped to."""
        self.call_after_refresh(self._tell_choices)

    def _tell_choices(self) -> None:
        for note in self.query("#note").results(Label):
            found = self._choices()
            more = f" and {len(found) - CHOICES_SHOWN} more" if len(found) > CHOICES_SHOWN else ""
            note.update(f"up and down choose: {', '.join(found[:CHOICES_SHOWN])}{more}" if found else "")

    def _choices(self) -> tuple[str, ...]:
        focused = self.focused
        at = (focused.id or "").removeprefix("field-") if isinstance(focused, Input) else ""
        return self._fields[int(at)].choices if at.isdecimal() else ()

    def action_choose(self, step: int) -> None:
        """Take the next (1) or the last (-1) of the field's choices."""
        found, entry = self._choices(), self.focused
        if not found or not isinstance(entry, Input):
            return
        now = found.index(entry.value) if entry.value in found else -1 if step > 0 else 0
        entry.value = found[(now + step) % len(found)]
        entry.cursor_position = len(entry.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next field, or answer after the last one."""
        event.stop()
        entries = [self.query_one(f"#field-{at}", Input) for at in range(len(self._fields))]
        # What was typed behind Enter is in no answer.
        texts = [(event.value if entry is event.input else entry.value).strip() for entry in entries]
        for entry, field, text in zip(entries, self._fields, texts, strict=True):
            wrong = field.wrong(text)
            if wrong:
                self.query_one("#wrong", Label).update(wrong)
                entry.focus()
                return
            if entry is event.input and entry is not entries[-1]:
                entries[entries.index(entry) + 1].focus()
                return
        self.dismiss(tuple(texts))

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)


TAKES = "Enter takes it and shows what it would do; Esc goes back"
"""What a choice that leads to an action says at its end."""


class ChoiceScreen(ModalScreen[str | None]):
    """Offers lines; answers with the key of the one that was taken, or None after Esc."""

    CSS_PATH = "forms.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("enter", "take", "Take", show=False),
    ]

    def __init__(
        self, title: str, heading: Line, lines: Sequence[Line], notes: Mapping[str, str], *, hint: str = TAKES
    ) -> None:
        """Make a choice.

        Args:
            title: what it is about; clean.
            heading: the line above the choices.
            lines: the choices; their keys are texts.
            notes: key → what the choice means, said while the cursor is on it; clean.
            hint: what Enter and Esc do here.
        """
        super().__init__()
        self._title = title
        self._heading = heading
        self._choices = lines
        self._notes = notes
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Title, choices."""
        with Vertical(classes="dialog"):
            yield Label(self._title, markup=False, classes="dialog-title")
            yield Canvas(id="choices")
            yield Label("", markup=False, id="note")
            yield Label(self._hint, markup=False, classes="dialog-hint")

    def on_mount(self) -> None:
        """Show the choices."""
        choices = self.query_one(Canvas)
        choices.styles.height = min(len(self._choices) + 1, 14)
        choices.show(list(self._choices), fixed=[self._heading])
        choices.focus()

    def on_canvas_highlighted(self, event: Canvas.Highlighted) -> None:
        """Say what the choice under the cursor means."""
        self.query_one("#note", Label).update(self._notes.get(str(event.key), ""))

    def action_take(self) -> None:
        """Answer with the line under the cursor."""
        key = self.query_one(Canvas).cursor
        self.dismiss(key if isinstance(key, str) else None)

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)
