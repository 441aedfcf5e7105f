"""The app's half that commands on recorded requests use: looking into one, playing it back, comparing two."""

from abc import abstractmethod
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual.app import App

from console.domain.alerts import AlertState
from console.domain.board import Board
from console.domain.ports import EngineApi
from console.domain.readings import Request
from console.domain.refs import Kind, Ref
from console.domain.spans import LaneFilter
from console.ui import format as fmt
from console.ui.room import Room
from console.ui.traced import TracedRoom

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp


class TracesDesk(App[int]):
    """What commands may use on recorded requests."""

    api: EngineApi
    _marked: Ref | None = None

    @property
    @abstractmethod
    def board(self) -> Board:
        """The latest of everything."""

    @property
    @abstractmethod
    def room(self) -> Room | None:
        """The screen that is on top, dialogs aside."""

    @abstractmethod
    def say(self, words: str, style: str = "strong") -> None:
        """Put one line at the bottom."""

    @abstractmethod
    def perform(self, work: Coroutine[Any, Any, object]) -> None:
        """Run what waits for a screen."""

    @property
    def _console(self) -> "SwitchgearApp":
        return cast("SwitchgearApp", self)

    @property
    def marked(self) -> Ref | None:
        """The request that others are compared with; None when none is marked."""
        return self._marked

    def request(self, ref: Ref) -> Request | None:
        """A request in a line, when the board or the present screen has it."""
        reading = self.board.readings.get(ref)
        if isinstance(reading, Request):
            return reading
        return self.room.request(ref) if isinstance(self.room, TracedRoom) else None

    def conversation(self) -> Ref | None:
        """The conversation at the cursor, or the newest one in which services disagree."""
        ref = self.room.selected() if self.room is not None else None
        if ref is not None and ref.kind is Kind.CONVERSATION:
            return ref
        if ref is not None and ref.kind is Kind.REQUEST:
            known = self.request(ref)
            return Ref(ref.source, Kind.CONVERSATION, known.conversation) if known and known.conversation else None
        firing = (
            alert
            for alert in self.board.alerts.values()
            if alert.ref.kind is Kind.CONVERSATION and alert.state is AlertState.FIRING
        )
        newest = max(firing, key=lambda alert: alert.since, default=None)
        return newest.ref if newest is not None else None

    def look_into(self, request: Ref, view: str) -> None:
        """Show one request in a view: `stages`, `tree` or `lanes`."""
        room = self.room
        if isinstance(room, TracedRoom) and room.VIEWS and room.selected() == request:
            room.turn_to(view)
            return
        from console.ui.screens import trace_flows

        self.perform(trace_flows.request(self._console, request, view))

    def step(self, by: int) -> None:
        """Play the present request back: the next (1) or the previous (-1) recorded step."""
        if isinstance(self.room, TracedRoom):
            self.room.step(by)

    def mark(self, request: Ref) -> None:
        """Mark a request to compare others with, or take the mark away."""
        if self._marked == request:
            self._marked = None
            self.say("the mark is taken away")
            return
        self._marked = request
        known = self.request(request)
        what = fmt.name(known.name, 40) if known is not None and known.name else request.name[:8]
        at = f" of {fmt.clock(known.started_at)}" if known is not None else ""
        self.say(f"marked {what}{at}: go to another request and compare it with this one")

    def compare(self, request: Ref, against: Ref | None) -> None:
        """Show how a request differs from another one; None takes the last good one like it."""
        from console.ui.screens import trace_flows

        self.perform(trace_flows.compare(self._console, request, against))

    def reissue(self, request: Ref) -> None:
        """Send a model call of a request once more, to a deployment that is asked for."""
        from console.ui.screens.reissue_flow import reissue

        self.perform(reissue(self._console, request))

    def converse(self, conversation: Ref) -> None:
        """Show one conversation."""
        from console.ui.screens import trace_flows

        self.perform(trace_flows.conversation(self._console, conversation))

    def find_lane(self, words: str) -> None:
        """Show only requests in one of whose lanes this stands: `prompts=chat@3`."""
        from console.ui.screens import trace_flows

        self.perform(trace_flows.find_lane(self._console, words))

    def narrow_lane(self, lane: LaneFilter) -> None:
        """Show only requests in one of whose lanes this holds."""
        from console.ui.screens import trace_flows

        self.perform(trace_flows.narrow_lane(self._console, lane))
