"""The screen's process: attaches to an engine, keeps a board, and gives every screen one coalesced message.

The frame that screens build on:

- A screen is a `room.Room` (`NAME`, `compose_body`, `show(board)`, `selected()`).
- `app.board` is the latest of everything; `app.lost` says why it may no longer be true (empty: it is live).
- `app.api` is the engine, `app.hello` its first words, `app.glyphs` the signs that this terminal can show.
- `app.perform(coroutine)` runs what waits for the engine; what it raises is said at the bottom, never fatal.
- `app.say(words, style)` puts one line in the place of the key bar.
- Dialogs get `BoardChanged` too, so that a receipt is seen as it comes.

Every key, palette entry and `:` line goes through `app.command(name, argument)` and so through `commands.py`.
What acts opens a dialog in `screens/flows.py`; whether it may is decided in the engine.
"""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from console.domain.actions import Verb
from console.domain.board import Board
from console.domain.errors import EngineLost, Refusal
from console.domain.ports import EngineApi
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Access, AccessLevel, AccessRequest, AlertMark, Change, Event, Heartbeat, Hello
from console.ui import commands, keymap, preferences, themes
from console.ui.cells import Sort
from console.ui.driver import DiffDriver
from console.ui.glyphs import choose
from console.ui.link import follow
from console.ui.pace import Pace
from console.ui.room import Room
from console.ui.widgets.header import Standing

if TYPE_CHECKING:
    from textual.command import Provider


DRAIN_S = 0.1
"""How soon to look again whether a busy line has taken the last frame."""


class BoardChanged(Message, bubble=False):
    """The board or the link to the engine is different now. Several become one."""

    def can_replace(self, message: Message) -> bool:
        """A later one says everything that an earlier one did."""
        return isinstance(message, BoardChanged)


def _provider() -> "type[Provider]":
    from console.ui.palette import RegistryProvider

    return RegistryProvider


def _overview() -> Screen[None]:
    from console.ui.screens.overview import OverviewScreen

    return OverviewScreen()


def _providers() -> Screen[None]:
    from console.ui.screens.providers import ProvidersScreen

    return ProvidersScreen()


def _spend() -> Screen[None]:
    from console.ui.screens.spend import SpendScreen

    return SpendScreen()


def _log() -> Screen[None]:
    from console.ui.screens.log import LogScreen

    return LogScreen()


class SwitchgearApp(App[int]):
    """The console's screens on one environment's engine."""

    TITLE = "Switchgear"
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "overview": _overview,
        "providers": _providers,
        "spend": _spend,
        "log": _log,
    }
    COMMANDS: ClassVar[set[type["Provider"] | Callable[[], type["Provider"]]]] = {_provider}
    COMMAND_PALETTE_BINDING = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(command.key, f"command('{command.name}')", command.title, show=False, id=command.name)
        for command in commands.COMMANDS
        if command.key
    ]

    def __init__(
        self,
        api: EngineApi,
        environment: str,
        preferences_path: Path | None = None,
        *,
        operate: str = "",
    ) -> None:
        """Make the app; it attaches after its first paint.

        Args:
            api: the engine, by socket or in memory.
            environment: its name, shown until the engine says its own.
            preferences_path: where the operator's arrangement is kept; None keeps nothing.
            operate: the reason with which to ask for `operate` once attached; empty does not ask.
        """
        self.preferences, complaint = preferences.load(preferences_path)
        theme = themes.choose(self.preferences.theme)
        super().__init__(driver_class=DiffDriver, ansi_color=True if themes.is_ansi(theme) else None)
        for own in themes.THEMES:
            self.register_theme(own)
        self.theme = theme
        self.ansi_color = None
        self.api = api
        """The engine."""
        self.glyphs = choose()
        """The signs that this terminal can show."""
        self.hello: Hello | None = None
        """The engine's first words; None before it has answered."""
        self.access: Access | None = None
        """What this operator may do now."""
        self.pace = Pace()
        """How often data may be painted."""
        self._board = Board()
        self._board.environment = environment
        self._lost = ""
        self._path = preferences_path
        self._reason = operate
        self._complaint = complaint
        self._painted_at = float("-inf")
        self._paint_planned = False
        self._output: DiffDriver | None = None
        self._busy_s = 0.0
        self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colour variables, where a theme does not set them."""
        return themes.INKS

    # The engine

    @property
    def board(self) -> Board:
        """The latest of everything."""
        return self._board

    @property
    def lost(self) -> str:
        """Why the engine cannot be reached; empty when it can."""
        return self._lost

    @property
    def operating(self) -> bool:
        """Whether this operator holds `operate` now."""
        return self.access is not None and self.access.level is AccessLevel.OPERATE

    def standing(self) -> Standing:
        """What the header tells of, besides the board."""
        room = self.room
        return Standing(self._board.environment, room.NAME if room else "", self.access, self._lost)

    def on_mount(self) -> None:
        """Keys as the operator chose them; attach once the first paint is done."""
        self.set_keymap(self.preferences.keymap)
        self.call_after_refresh(self._connect)

    def _connect(self) -> None:
        wrong = [self._complaint, *keymap.problems(self.preferences.keymap)]
        if any(wrong):
            self.say("; ".join(filter(None, wrong)), "warn")
        self.run_worker(follow(self.api, self), name="engine", exit_on_error=False)

    def attached(self, hello: Hello) -> None:
        """The engine answered (`link.Listener`)."""
        self.hello, self.access = hello, hello.access
        self._board.environment = hello.environment
        self._lost = ""
        if self._reason:
            reason, self._reason = self._reason, ""
            self.ask_operate(reason)

    def heard(self, event: Event) -> None:
        """One event of the engine (`link.Listener`)."""
        self._board.apply(event)
        if isinstance(event, Heartbeat) or (isinstance(event, Change) and not _shows(event)):
            return
        if isinstance(event, Change) and event.access is not None:
            self.perform(self._ask_who_i_am())
        self._plan_paint()

    def detached(self, why: str) -> None:
        """The engine is lost (`link.Listener`)."""
        if why != self._lost:
            self._lost = why
            self._plan_paint()

    def output_opened(self, output: DiffDriver) -> None:
        """The terminal's driver is here (called by itself; never in tests without a terminal)."""
        self._output = output

    def on_resize(self) -> None:
        """A terminal that changed its size may show anything."""
        if self._output is not None:
            self._output.forget()

    async def _ask_who_i_am(self) -> None:
        self.access = (await self.api.hello()).access
        self._plan_paint()

    # Painting what the engine sends

    def _plan_paint(self) -> None:
        """Paint now, or when the line has had its rest; whatever comes meanwhile is in the same paint."""
        if self._paint_planned:
            return
        self._paint_planned = True
        wait = self._painted_at + self.pace.interval_s - self._now()
        if wait <= 0:
            self._announce()
        else:
            self.set_timer(wait, self._announce)

    def _announce(self) -> None:
        if self._output is not None:
            if self._output.meter.waiting > 0:
                self.set_timer(DRAIN_S, self._announce)
                return
            self.pace.sent(self._output.meter.busy_s - self._busy_s)
            self._busy_s = self._output.meter.busy_s
        self._paint_planned = False
        self._painted_at = self._now()
        self.post_message(BoardChanged())

    def _now(self) -> float:
        import asyncio

        return asyncio.get_running_loop().time()

    def on_board_changed(self) -> None:
        """Give the board to the screen on top, and to the dialogs above it."""
        for screen in self.screen_stack:
            if isinstance(screen, Room):
                if screen is self.screen or self.screen.is_modal:
                    screen.update_board()
            else:
                screen.post_message(BoardChanged())

    @property
    def room(self) -> Room | None:
        """The screen that is on top, dialogs aside; one that is just being opened does not count before it is ready."""
        if not self.screen_stack_is_ready:
            return None
        stack = reversed(self.screen_stack)
        return next((screen for screen in stack if isinstance(screen, Room) and screen.is_mounted), None)

    @property
    def screen_stack_is_ready(self) -> bool:
        """Whether there is any screen yet."""
        from textual.app import ScreenStackError

        try:
            return bool(self.screen_stack)
        except (KeyError, ScreenStackError):
            return False

    # Commands: one door for keys, palette and prompt

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
            self.log.error(error)
            self.say(f"that went wrong inside the console: {type(error).__name__}: {clean(str(error))}", "bad")

    # What commands may use (`desk.Desk`)

    def selected(self) -> Ref | None:
        """The object under the cursor."""
        room = self.room
        return room.selected() if room is not None else None

    def has(self, part: str) -> bool:
        """Whether the present screen has a `table`, anything to `filter`, or several `pages`."""
        room = self.room
        if room is None:
            return False
        if part == "pages":
            return room.PAGES > 1
        return room.table is not None if part == "table" else room.FILTERS

    def columns(self) -> Sequence[str]:
        """Names of the present table's columns."""
        table = self.room.table if self.room is not None else None
        return [column.name for column in table.columns] if table is not None else ()

    def themes(self) -> Sequence[str]:
        """Names of the themes."""
        return themes.NAMES

    def go(self, room: str) -> None:
        """Show another screen."""
        if self.current_mode != room:
            self.switch_mode(room)

    def back(self) -> None:
        """Leave what was opened last: a page above the room, then the filter."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.room is not None and self.room.filter_words:
            self.narrow("")

    def act(self, target: Ref, verb: Verb, argument: str) -> None:
        """Open the dialog of one action."""
        from console.ui.screens import flows

        self.perform(flows.act(self, target, verb, argument))

    def drill(self, ref: Ref) -> None:
        """Show everything about one object."""
        from console.ui.screens import flows

        self.perform(flows.drill(self, ref))

    def ask_operate(self, reason: str) -> None:
        """Ask for `operate`; without a reason, ask the operator for one."""
        if reason:
            self.perform(self._request(AccessRequest(level=AccessLevel.OPERATE, reason=reason)))
            return
        from console.ui.screens import flows

        self.perform(flows.operate(self))

    def give_back(self) -> None:
        """Go back to read-only."""
        self.perform(self._request(AccessRequest(level=AccessLevel.READ_ONLY)))

    async def _request(self, request: AccessRequest) -> None:
        self.access = await self.api.access(request)
        self._plan_paint()

    def acknowledge(self, ref: Ref) -> None:
        """Acknowledge the alerts of one object."""
        self.perform(self._acknowledge(ref))

    async def _acknowledge(self, ref: Ref) -> None:
        for alert in self._board.alerts_of(ref):
            if not alert.acknowledged_by:
                await self.api.mark(AlertMark(alert_id=alert.id))

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

        self.perform(flows.help_page(self))

    def palette(self) -> None:
        """Open the command palette."""
        self.action_command_palette()

    def redraw(self) -> None:
        """Send the whole screen again, whatever the terminal shows."""
        if self._output is not None:
            self._output.forget()
        self.refresh(layout=True)

    def leave(self) -> None:
        """End the console; the engine and every override stay."""
        self.exit(0)

    def _remember_room(self) -> None:
        room = self.room
        if room is not None:
            self._remember(self.preferences.with_room(room.NAME, room.arrangement()))

    def _remember(self, chosen: preferences.Preferences) -> None:
        self.preferences = chosen
        if complaint := preferences.save(self._path, chosen):
            self.say(complaint, "warn")


def _shows(change: Change) -> bool:
    """Whether a change has anything that a screen shows (a newer look at the same values has not)."""
    return bool(
        change.readings
        or change.removed
        or change.alerts
        or change.overrides
        or change.receipts
        or change.log
        or change.access is not None
    )
