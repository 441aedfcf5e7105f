"""The screen's process: attaches to an engine, keeps a board, and gives every screen one coalesced message.

The frame that screens build on:

- A screen is a `room.Room` (`NAME`, `compose_body`, `show(board)`, `selected()`).
- `app.board` is the latest of everything; `app.lost` says why it may no longer be true (empty: it is live).
- `app.sight` is what screens show: a copy of the board at one moment, `sight.board`, with `sight.judged`, what is to
  be thought of all on it. A screen neither judges nor keeps judgements of its own.
- `app.api` is the engine, `app.hello` its first words, `app.glyphs` the signs that this terminal can show.
- `app.perform(coroutine)` runs what waits for the engine; what it raises is said at the bottom, never fatal.
- `app.say(words, style)` puts one line in the place of the key bar.
- Dialogs get `BoardChanged` too, so that a receipt is seen as it comes.

Every key, palette entry and `:` line goes through `app.command(name, argument)` and so through `commands.py`.
What acts opens a dialog in `screens/flows.py`; whether it may is decided in the engine.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from console.domain.board import Board
from console.domain.ports import EngineApi
from console.domain.runbooks import Run
from console.domain.wire import Change, Event, Heartbeat, Hello, Snapshot
from console.ui import collector, commands, keymap, preferences, themes
from console.ui.desk_app import DeskApp
from console.ui.driver import DiffDriver
from console.ui.gaze import Gaze
from console.ui.glyphs import choose
from console.ui.link import follow
from console.ui.pace import Pace
from console.ui.room import Room
from console.ui.screens.keys import spelled
from console.ui.sight import Sight
from console.ui.staging import Staging
from console.ui.turns import BREATH_S, FRAME_S, Turns
from console.ui.view.judged import Judgements
from console.ui.widgets.header import Standing

if TYPE_CHECKING:
    from textual.command import Provider


SOON_S = 0.02
"""How long a paint waits for more of the same: a burst is one paint."""
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


def _queues() -> Screen[None]:
    from console.ui.screens.queues import QueuesScreen

    return QueuesScreen()


def _requests() -> Screen[None]:
    from console.ui.screens.requests import RequestsScreen

    return RequestsScreen()


class SwitchgearApp(DeskApp):
    """The console's screens on one environment's engine."""

    TITLE = "Switchgear"
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "overview": _overview,
        "providers": _providers,
        "spend": _spend,
        "log": _log,
        "queues": _queues,
        "requests": _requests,
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
        first: str = "",
        staging: Staging | None = None,
    ) -> None:
        """Make the app; it attaches after its first paint.

        Args:
            api: the engine, by socket or in memory.
            environment: its name, shown until the engine says its own.
            preferences_path: where the operator's arrangement is kept; None keeps nothing.
            operate: the reason with which to ask for `operate` once attached; empty does not ask.
            first: the screen to begin with; empty is the Overview.
            staging: the incidents that can be begun with; None where the platform is a real one.
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
        self.access = None
        """What this operator may do now."""
        self.pace = Pace()
        """How often data may be painted."""
        self._board = Board()
        self._board.environment = environment
        self.sight = Sight(self._board, self._prepare)
        """The board as the screens show it."""
        self.turns = Turns()
        """Keys go before data."""
        self.gaze = Gaze(self)
        """Which queues are in sight."""
        self._lost = ""
        self.preferences_path = preferences_path
        self._reason = operate
        self._first = first
        self.staging = staging
        """The demo's incidents; None where the platform is a real one."""
        self._complaint = complaint
        self._painted_at = float("-inf")
        self._paint: Timer | None = None
        self._paint_due = 0.0
        self._looking = False
        self._look_again = False
        self.output = None
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

    def standing(self) -> Standing:
        """What the header tells of, besides the board."""
        room = self.room
        keys = spelled(self.preferences.keymap)
        return Standing(self._board.environment, room.NAME if room else "", self.access, self._lost, keys)

    def on_mount(self) -> None:
        """Keys as the operator chose them; attach once the first paint is done."""
        self.set_keymap(self.preferences.keymap)
        if self._first:
            self.switch_mode(self._first)
        self.call_after_refresh(self._connect)
        if self.staging is not None and self.staging.ask_first:
            self.call_after_refresh(self.pick_scenario, "")

    def _connect(self) -> None:
        collector.resume()
        wrong = [self._complaint, *keymap.problems(self.preferences.keymap)]
        if any(wrong):
            self.say("; ".join(filter(None, wrong)), "warn")
        self.run_worker(follow(self.api, self), name="engine", exit_on_error=False)

    def attached(self, hello: Hello) -> None:
        """The engine answered (`link.Listener`)."""
        self.hello = hello
        self.access = hello.access
        self._board.environment = hello.environment
        self._lost = ""
        if self._reason:
            reason, self._reason = self._reason, ""
            self.ask_operate(reason)

    def heard(self, event: Event) -> None:
        """One event of the engine (`link.Listener`)."""
        runs = dict(self._board.runs)
        self._board.apply(event)
        if isinstance(event, Change) and event.runs:
            self.picture_steps(runs)
        if isinstance(event, Heartbeat) or (isinstance(event, Change) and not _shows(event)):
            return
        if isinstance(event, Change) and event.access is not None:
            self.perform(self._ask_who_i_am())
        self.plan_paint(urgent=isinstance(event, Snapshot) or _answers(event) or _turned(event.runs, runs))

    def detached(self, why: str) -> None:
        """The engine is lost (`link.Listener`)."""
        if why != self._lost:
            self._lost = why
            self.plan_paint()

    def output_opened(self, output: DiffDriver) -> None:
        """The terminal's driver is here (called by itself; never in tests without a terminal)."""
        self.output = output
        output.turns = self.turns

    def on_resize(self) -> None:
        """A terminal that changed its size may show anything."""
        if self.output is not None:
            self.output.forget()

    async def _ask_who_i_am(self) -> None:
        self.access = (await self.api.hello()).access
        self.plan_paint()

    # Painting what the engine sends

    def plan_paint(self, *, urgent: bool = False) -> None:
        """Paint when the line has had its rest, or at once; whatever comes meanwhile is in the same paint.

        Urgent is what answers an operator: a receipt, an alert, access. Data waits for its turn.
        """
        rest = self.pace.urgent_s if urgent else self.pace.interval_s
        due = max(self._now() + SOON_S, self._painted_at + rest)
        if self._paint is not None:
            if due >= self._paint_due:
                return
            self._paint.stop()
        self._paint_due = due
        self._paint = self.set_timer(due - self._now(), self._announce)

    def _announce(self) -> None:
        if self._line_is_busy:
            self._paint_due = self._now() + DRAIN_S
            self._paint = self.set_timer(DRAIN_S, self._announce)
            return
        if self.output is not None:
            self.pace.sent(self.output.meter.busy_s - self._busy_s)
            self._busy_s = self.output.meter.busy_s
        self._paint = None
        self._painted_at = self._now()
        self.post_message(BoardChanged())

    @property
    def _line_is_busy(self) -> bool:
        """Whether the terminal has not taken the last frame yet: a key's answer would have to wait behind another."""
        return self.output is not None and self.output.meter.waiting > 0

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def on_board_changed(self) -> None:
        """Look at the board, then show it. Of a large one keys are answered between the steps of the look."""
        if self._looking:
            self._look_again = True
            return
        begun = self._now()
        if self._step():
            for _ in self._showing():
                pass
            self.pace.made(self._now() - begun)
            self.call_after_refresh(self._tidy)
        else:
            self._looking = True
            self.run_worker(self._look_on(), name="look", exit_on_error=False)

    def _step(self) -> bool:
        """One step of a look; True when there is no other."""
        try:
            return self.sight.step()
        except Exception as error:  # noqa: BLE001 - what no test has thought of must not take the screen away
            self.fault(error)
            return True

    async def _look_on(self) -> None:
        """Take the steps that are left and show what came of them; news that came meanwhile are for the next look."""
        took_s = 0.0
        try:
            for steps, rest_s in ((iter(self._step, True), BREATH_S), (self._showing(), FRAME_S)):
                done = False
                while not done:
                    await self.turns.pause(rest_s)
                    while self._line_is_busy:
                        await self.turns.pause(FRAME_S)
                    begun = self._now()
                    done = next(steps, self) is self
                    took_s += self._now() - begun
        finally:
            self._looking = False
        self.pace.made(took_s)
        self._tidy()
        if self._look_again:
            self._look_again = False
            self.plan_paint(urgent=True)

    def _tidy(self) -> None:
        collector.tidy(self.turns.rest_s(self._now()))

    def _prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        """What the screen on top makes of a board before it shows it."""
        room = self.room
        return room.prepare(board, judged) if room is not None else iter(())

    def _showing(self) -> Iterator[None]:
        """Give the new sight to the screen on top and the dialogs above it, in short steps."""
        for screen in self.screen_stack:
            if not isinstance(screen, Room):
                screen.post_message(BoardChanged())
            elif screen is self.screen or self.screen.is_modal:
                yield from screen.updating()


def _answers(change: Change) -> bool:
    """Whether a change is news that somebody waits for."""
    return bool(change.alerts or change.incidents or change.overrides or change.receipts or change.access is not None)


def _turned(runs: Sequence[Run], before: Mapping[str, Run]) -> bool:
    """Whether a run came to another step or state; what its conditions see meanwhile is data like any other."""
    known = ((run, before.get(run.id)) for run in runs)
    return any(was is None or (was.state, was.current) != (run.state, run.current) for run, was in known)


def _shows(change: Change) -> bool:
    """Whether a change has anything that a screen shows (a newer look at the same values has not)."""
    return bool(
        change.readings
        or change.removed
        or change.alerts
        or change.incidents
        or change.overrides
        or change.receipts
        or change.log
        or change.access is not None
        or change.runs
        or change.offers is not None
    )
