"""What every screen has in common: header, its own body, the key bar; and how it gets what it shows.

A screen is a subclass with a `NAME`, a `compose_body` and a `show`. It is given the board when it has changed and is
on top, never otherwise; it makes lines or rows from it with pure functions and hands them to its widgets.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from console.domain.alerts import Alert, AlertState
from console.domain.board import Board
from console.domain.refs import Ref
from console.ui.cells import Line, Sort
from console.ui.preferences import RoomPreferences
from console.ui.view import doing
from console.ui.view.incidents import alerts_of
from console.ui.view.judged import Judgements
from console.ui.widgets.canvas import Canvas
from console.ui.widgets.header import Header, header_lines
from console.ui.widgets.keybar import KeyBar, key_line, say_line
from console.ui.widgets.table import Table

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp
    from console.ui.widgets.prompt import Prompt


PAINTED_AT_ONCE = 20
"""Lines of data that are painted without a break: two to four milliseconds."""
SAID_FOR_S = 10.0
"""How long the last thing that was said stands in the place of the key bar, unless a command is given before."""


class Room(Screen[None]):
    """One screen that a digit opens."""

    NAME: ClassVar[str] = ""
    """Its name in `commands.ROOMS`."""
    FILTERS: ClassVar[bool] = True
    """Whether `/` works here; then `show` minds `filter_words`."""

    FAILURES: ClassVar[bool] = False
    """Whether it can show only what failed; then `show` minds `failed_only`."""

    PAGES: ClassVar[int] = 1
    """How many pages it has; with more than one, `turn` goes on to the next."""

    FIRST: ClassVar[tuple[str, ...]] = ()
    """Commands that the key bar shows before all others here."""

    AUTO_FOCUS = "Canvas:can-focus, Table"

    def __init__(self) -> None:
        super().__init__()
        self.filter_words = ""
        """What `/` was given; tables filter by themselves."""
        self.failed_only = False
        """Whether only what failed is to be shown."""
        self._bar_due = False
        self._said: Line | None = None
        self._hush: Timer | None = None
        self._ending: Timer | None = None
        self._before_prompt = ""
        self._body_focus: Widget | None = None
        self._table: Table | None = None

    # What a screen fills in

    def compose_body(self) -> ComposeResult:
        """The widgets between header and key bar."""
        raise NotImplementedError

    def show(self, board: Board) -> None:
        """Show the board: called when it has changed, when this screen comes to the top, and when `/` changes.

        `board` stands still (`desk.sight.board`), and `desk.sight.judged` holds the judgements of all on it. Keys have
        to wait for what is done here: make lines and rows lazily (`lazy.Lazy`), and keep what did not change.
        """
        raise NotImplementedError

    def prepare(self, board: Board, judged: Judgements) -> Iterator[None]:
        """Make what `show` is going to need of a large board, and keep it with the board that it is of.

        Keys are answered at each `yield`, so a step should take a few milliseconds at the most. Nothing of it may be
        seen before `show` is given that board; `show` may be given one that was not prepared, too.
        """
        return iter(())

    def selected(self) -> Ref | None:
        """The object that keys act on: the focused widget's cursor, when its key is a reference."""
        focused = self.focused if self.prompt is None else self._body_focus
        key = focused.cursor if isinstance(focused, Canvas) else None
        return key if isinstance(key, Ref) else None

    def incident(self) -> str | None:
        """The id of the incident that the cursor's line, or the whole screen, is about."""
        return None

    def followed(self) -> str | None:
        """The id of the run whose page this is."""
        return None

    def alarms(self, board: Board) -> list[Alert]:
        """The firing alerts that the cursor's line is about: an incident's, otherwise those of the object."""
        incident = board.incidents.get(self.incident() or "")
        ref = self.selected()
        found = alerts_of(board, incident) if incident is not None else board.alerts_of(ref) if ref is not None else []
        return [alert for alert in found if alert.state is AlertState.FIRING]

    def in_sight(self) -> tuple[Ref, ...]:
        """The queues that are seen here; sources may read these in more detail."""
        return ()

    # The frame

    @property
    def desk(self) -> "SwitchgearApp":
        """The app, by its own type."""
        return cast("SwitchgearApp", self.app)

    @property
    def table(self) -> Table | None:
        """The table that sort and column commands are about: the first one of the body."""
        return self._table

    def compose(self) -> ComposeResult:
        """Header, body, key bar."""
        yield Header()
        yield from self.compose_body()
        yield KeyBar()

    def on_mount(self) -> None:
        """Arrange the screen as the operator left it."""
        self._header = self.query_one(Header)
        self._bar = self.query_one(KeyBar)
        self._table = next(iter(self.query(Table)), None)
        mine = self.desk.preferences.room(self.NAME)
        self.filter_words = mine.filter if self.FILTERS else ""
        self.failed_only = mine.failed and self.FAILURES
        if self._table is not None:
            self._table.sort = Sort(mine.sort, mine.descending)
            self._table.hidden = frozenset(mine.hidden)
            self._table.filter = self.filter_words

    def on_screen_resume(self) -> None:
        """Catch up with what was missed while another screen was on top."""
        self.update_board(anew=True)

    def on_resize(self) -> None:
        """The frame is as wide as the terminal."""
        self.update_frame()

    def update_board(self, *, anew: bool = False) -> None:
        """Show the board as it was last looked at, header included; `anew` looks at it before."""
        if anew and self.is_mounted:
            self._guarded(self.desk.sight.look)
        for _ in self.updating():
            pass

    def updating(self) -> Iterator[None]:
        """Show the board in steps, between which keys are answered: what differs is painted a few lines at a time."""
        if not self.is_mounted:
            return
        canvases = list(self.query(Canvas))
        for canvas in canvases:
            canvas.hold()
        self._guarded(partial(self.show, self.desk.sight.board))
        differing = [(canvas.region.y, canvas, canvas.release()) for canvas in canvases]
        lines = [(top + region.y, canvas, region) for top, canvas, regions in differing for region in regions]
        lines.sort(key=itemgetter(0))  # lines side by side cost little more than one
        yield
        self.update_frame()
        self.update_gaze()
        for at in range(0, len(lines), PAINTED_AT_ONCE):
            yield
            for _, canvas, region in lines[at : at + PAINTED_AT_ONCE]:
                canvas.refresh(region)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - what no test has thought of must not take the screen away
            self.desk.fault(error)

    def update_gaze(self) -> None:
        """Tell what is in sight now."""
        if self.is_mounted:
            self.desk.gaze.at(self.in_sight())

    def update_frame(self) -> None:
        """Show header and key bar as they are now."""
        if not self.is_mounted:
            return
        desk, width = self.desk, self.app.size.width
        self._header.show_all(header_lines(desk.sight.board, desk.sight.judged, desk.standing(), desk.glyphs, width))
        self._forget_ended()
        self.update_bar()
        for canvas in self.query(Canvas):
            if canvas is not self._header and canvas is not self._bar:
                canvas.stale = bool(desk.lost)

    def _forget_ended(self) -> None:
        """Take the end of a long action out of the header when it is no news any more, though nothing else happens."""
        if self._ending is not None:
            self._ending.stop()
        left = doing.told_for_s(self.desk.sight.board)
        self._ending = None if left is None else self.set_timer(left + 0.1, self.update_frame)

    def on_canvas_highlighted(self) -> None:
        """Other keys work on another object: that is said once the paint that answers this key is done."""
        if not self._bar_due:
            self._bar_due = True
            self.call_after_refresh(self.update_bar)

    def update_bar(self) -> None:
        """Show the key bar as it is now."""
        self._bar_due = False
        if self.is_mounted:
            desk, width = self.desk, self.app.size.width
            keys = self._said or key_line(desk, desk.preferences.keymap, self.filter_words, width, self.FIRST)
            self._bar.show((keys,))

    def say(self, words: str, style: str = "strong") -> None:
        """Put one line in the place of the key bar; empty words bring the keys back."""
        self._said = say_line(words, style) if words else None
        if self._hush is not None:
            self._hush.stop()
        self._hush = self.set_timer(SAID_FOR_S, lambda: self.say("")) if words else None
        self.update_bar()

    # The prompt

    def open_prompt(self, text: str) -> None:
        """Ask for a line at the bottom; it begins with `:` or `/`."""
        from console.ui.widgets.prompt import Prompt

        if self.query("#prompt"):
            return
        self._before_prompt = self.filter_words
        self._body_focus = self.focused
        self._bar.display = False
        prompt = Prompt(self.desk, text)
        self.mount(prompt)
        self.set_focus(prompt)  # at once: what is typed right behind the sign is the prompt's

    @property
    def prompt(self) -> "Prompt | None":
        """The prompt, when it is open and has the keys."""
        focused = self.focused
        return cast("Prompt", focused) if focused is not None and focused.id == "prompt" else None

    def on_prompt_typed(self, event: "Prompt.Typed") -> None:
        """Show what the filter would leave."""
        self.narrow(event.words)

    def on_prompt_cancelled(self) -> None:
        """Put the filter back as it was."""
        self._close_prompt()
        if self.filter_words != self._before_prompt:
            self.narrow(self._before_prompt)

    def on_prompt_done(self, event: "Prompt.Done") -> None:
        """Do what was asked."""
        self._close_prompt()
        if event.text.startswith("/"):
            self.desk.narrow(event.text[1:].strip())
        elif event.text.strip(": "):
            self.desk.obey(event.text)

    def _close_prompt(self) -> None:
        self.query("#prompt").remove()
        self._bar.display = True
        if self._body_focus is not None:
            self.set_focus(self._body_focus)

    # What commands do here

    def narrow(self, words: str) -> None:
        """Filter by `words`; empty shows all."""
        self.filter_words = words
        if self._table is not None:
            self._table.filter = words
        self.update_board()

    def pick_failed(self) -> None:
        """Show only what failed, or all again."""
        self.failed_only = not self.failed_only
        self.update_board()

    def turn(self) -> None:
        """Show the next page."""

    def arrangement(self) -> RoomPreferences:
        """This screen as the operator has arranged it."""
        sort = self._table.sort if self._table is not None else Sort()
        hidden = tuple(sorted(self._table.hidden)) if self._table is not None else ()
        return RoomPreferences(
            sort=sort.column,
            descending=sort.descending,
            hidden=hidden,
            filter=self.filter_words,
            failed=self.failed_only,
        )
