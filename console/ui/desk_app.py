"""The app's half that commands use: one door for keys, palette and prompt, and what lies behind it (`desk.Desk`)."""

from abc import abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.app import ScreenStackError
from textual.events import Key

from console.domain.actions import Verb
from console.domain.board import Board
from console.domain.errors import EngineLost, Refusal
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import AccessLevel, AccessRequest
from console.ui import commands, themes
from console.ui.cells import Sort
from console.ui.desk_runs import RunsDesk
from console.ui.driver import DiffDriver
from console.ui.preferences import Preferences, save
from console.ui.room import Room
from console.ui.screens.keys import spelled
from console.ui.traced import TracedRoom

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp


class DeskApp(RunsDesk):
    """What commands may use of the screen; `app.SwitchgearApp` adds the engine's side."""

    preferences: Preferences
    preferences_path: Path | None
    output: DiffDriver | None

    @property
    @abstractmethod
    def board(self) -> Board:
        """The latest of everything."""

    @property
    @abstractmethod
    def lost(self) -> str:
        """Why the engine cannot be reached; empty when it can."""

    @property
    def operating(self) -> bool:
        """Whether this operator holds `operate` now."""
        return self.access is not None and self.access.level is AccessLevel.OPERATE

    @property
    def _whole(self) -> "SwitchgearApp":
        return cast("SwitchgearApp", self)

    @abstractmethod
    def plan_paint(self, *, urgent: bool = False) -> None:
        """Paint the board soon; urgent is what answers an operator."""

    @property
    def room(self) -> Room | None:
        """The screen that is on top, dialogs aside; one that is just being opened does not count before it is ready."""
        try:
            stack = reversed(self.screen_stack)
        except (KeyError, ScreenStackError):
            return None
        return next((screen for screen in stack if isinstance(screen, Room) and screen.is_mounted), None)

    # Commands: one door for keys, palette and prompt

    def on_key(self, event: Key) -> None:
        """A key that was typed behind `:` or `/` while that was still being opened is the prompt's, and no command."""
        prompt = self.room.prompt if self.room is not None else None
        if prompt is not None and prompt.missed(event):
            event.prevent_default()
            event.stop()
            prompt.catch_up(event)

    def action_command(self, name: str) -> None:
        """Run a command without an argument: what every key is bound to."""
        self.command(name)

    def command(self, name: str, argument: str = "") -> None:
        """Run a command by name, or say why it does not work here."""
        command = commands.BY_NAME[name]
        if why := command.why_not(self):
            self.say(f"{command.title.lower()}: {why}", "warn")
            return
        self.say("")
        command.run(self, argument)

    def obey(self, line: str) -> None:
        """Run a line of the `:` prompt."""
        try:
            command, argument = commands.parse(line)
        except commands.UnknownCommand as error:
            self.say(str(error), "warn")
            return
        self.command(command.name, argument)

    def say(self, words: str, style: str = "strong") -> None:
        """Put one line at the bottom, in the place of the key bar; empty words bring the keys back."""
        if self.room is not None:
            self.room.say(words, style)

    def perform(self, work: Coroutine[Any, Any, object]) -> None:
        """Run what waits for the engine or for a dialog; a refusal, a lost engine or a fault is said, never fatal."""
        self.run_worker(self._performed(work), exit_on_error=False)

    async def _performed(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Refusal as refusal:
            self.say(refusal.words, "warn")
        except EngineLost as error:
            self.say(f"the engine is lost: {error}", "bad")
        except Exception as error:  # noqa: BLE001 - a fault in one dialog must not take the screen away
            self.fault(error)

    def fault(self, error: Exception) -> None:
        """Say that something failed in the console itself; the rest of the screen goes on."""
        self.log.error(error)
        self.say(f"that went wrong inside the console: {type(error).__name__}: {clean(str(error))}", "bad")

    # What commands may use (`desk.Desk`)

    def selected(self) -> Ref | None:
        """The object under the cursor."""
        room = self.room
        return room.selected() if room is not None else None

    def has(self, part: str) -> bool:
        """Whether the present screen has a part: a `table`, a `filter`, `pages`, `failures` to pick, `views`."""
        room = self.room
        if room is None:
            return False
        if part == "pages":
            return room.PAGES > 1
        if part == "failures":
            return room.FAILURES
        if part == "views":
            return isinstance(room, TracedRoom) and room.VIEWS
        return room.table is not None if part == "table" else room.FILTERS

    def columns(self) -> Sequence[str]:
        """Names of the present table's columns."""
        table = self.room.table if self.room is not None else None
        return [column.name for column in table.columns] if table is not None else ()

    def keys(self) -> Mapping[str, str]:
        """Command name → its key, as a person reads it."""
        return spelled(self.preferences.keymap)

    def themes(self) -> Sequence[str]:
        """Names of the themes."""
        return themes.NAMES

    def go(self, room: str) -> None:
        """Show another screen."""
        if self.current_mode != room:
            self.switch_mode(room)

    def back(self) -> None:
        """Leave what was opened last: something of the screen's own, a page above the room, then the filter."""
        if isinstance(self.room, TracedRoom) and self.room.leave():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.room is not None and self.room.filter_words:
            self.narrow("")

    def act(self, target: Ref, verb: Verb, argument: str) -> None:
        """Open the dialog of one action."""
        from console.ui.screens import flows

        self.perform(flows.act(self._whole, target, verb, argument))

    def choose(self, queue: Ref) -> None:
        """Offer what can become of the work that waits in a queue."""
        from console.ui.screens import queue_flows

        self.perform(queue_flows.choose(self._whole, queue))

    def drill(self, ref: Ref) -> None:
        """Show everything about one object."""
        from console.ui.screens import flows

        self.perform(flows.drill(self._whole, ref))

    def ask_operate(self, reason: str) -> None:
        """Ask for `operate`; without a reason, ask the operator for one."""
        if reason:
            self.perform(self._request(AccessRequest(level=AccessLevel.OPERATE, reason=reason)))
            return
        from console.ui.screens import flows

        self.perform(flows.operate(self._whole))

    def give_back(self) -> None:
        """Go back to read-only."""
        self.perform(self._request(AccessRequest(level=AccessLevel.READ_ONLY)))

    async def _request(self, request: AccessRequest) -> None:
        self.access = await self.api.access(request)
        self.plan_paint(urgent=True)

    def ask(self, text: str) -> None:
        """Open the prompt: for a command, or for a filter when the text begins with `/`."""
        room = self.room
        if room is not None:
            room.open_prompt(text if text.startswith("/") else ":" + text)

    def narrow(self, words: str) -> None:
        """Filter the present screen, and remember it."""
        if self.room is not None:
            self.room.narrow(words)
            self._remember_room()

    def order(self, column: str) -> None:
        """Sort the present table by a column; the same one again turns it round, none takes the next."""
        table = self.room.table if self.room is not None else None
        if table is None:
            return
        names = [item.name for item in table.columns if item.name not in table.hidden]
        now = table.sort
        if column and column not in names:
            self.say(f"no column {column!r}: " + ", ".join(names), "warn")
            return
        if not column:
            cycle = ["", *names]
            column = cycle[(cycle.index(now.column) + 1) % len(cycle)] if now.column in cycle else names[0]
        right = next((item.right for item in table.columns if item.name == column), False)
        table.sort = Sort(column, not now.descending if column == now.column else right)
        self._remember_room()

    def toggle_column(self, column: str) -> None:
        """Hide or show a column of the present table."""
        table = self.room.table if self.room is not None else None
        if table is None or column not in self.columns():
            self.say(f"no column {column!r}: " + ", ".join(self.columns()), "warn")
            return
        hidden = table.hidden ^ {column}
        if len(hidden) < len(table.columns):
            table.hidden = hidden
            self._remember_room()

    def only_failed(self) -> None:
        """Show only the requests that failed, or all again, and remember it."""
        if self.room is not None:
            self.room.pick_failed()
            self._remember_room()

    def turn(self) -> None:
        """Show the present screen's other page."""
        if self.room is not None:
            self.room.turn()

    def paint(self, theme: str) -> None:
        """Change the theme; none takes the next."""
        if theme and theme not in themes.NAMES:
            self.say(f"no theme {theme!r}: " + ", ".join(themes.NAMES), "warn")
            return
        names = [name for name in themes.NAMES if themes.is_ansi(name) or not self.no_color]
        place = names.index(self.theme) if self.theme in names else -1
        self.theme = theme or names[(place + 1) % len(names)]
        self._remember(self.preferences.with_theme(self.theme))
        self.say(f"theme {self.theme}")

    def help(self) -> None:
        """Show what works here."""
        from console.ui.screens import flows

        self.perform(flows.help_page(self._whole))

    def palette(self) -> None:
        """Open the command palette."""
        self.action_command_palette()

    def redraw(self) -> None:
        """Send the whole screen again, whatever the terminal shows."""
        if self.output is not None:
            self.output.forget()
        self.refresh(layout=True)

    def leave(self) -> None:
        """End the console; the engine and every override stay."""
        self.exit(0)

    def _remember_room(self) -> None:
        room = self.room
        if room is not None:
            self._remember(self.preferences.with_room(room.NAME, room.arrangement()))

    def _remember(self, chosen: Preferences) -> None:
        self.preferences = chosen
        if complaint := save(self.preferences_path, chosen):
            self.say(complaint, "warn")
