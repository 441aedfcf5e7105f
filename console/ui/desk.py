"""What a command may use of the screen; the app is the only one that is all of it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from console.domain.actions import Verb
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.runbooks import Run, RunOrder
from console.domain.wire import Access


class Desk(Protocol):
    """What a command may use of the screen."""

    @property
    def board(self) -> Board:
        """The latest of everything."""
        ...

    @property
    def lost(self) -> str:
        """Why the engine cannot be reached; empty when it can."""
        ...

    @property
    def operating(self) -> bool:
        """Whether this operator holds `operate` now."""
        ...

    def selected(self) -> Ref | None:
        """The object under the cursor."""
        ...

    def has(self, part: str) -> bool:
        """Whether the present screen has a part: a `table`, a `filter`, `pages`, `failures` to pick, `views`."""
        ...

    def columns(self) -> Sequence[str]:
        """Names of the present table's columns."""
        ...

    def keys(self) -> Mapping[str, str]:
        """Command name → its key as this operator has set it, as a person reads it; one without a key is missing."""
        ...

    def themes(self) -> Sequence[str]:
        """Names of the themes."""
        ...

    def go(self, room: str) -> None:
        """Show another screen."""
        ...

    def back(self) -> None:
        """Leave what was opened last: a filter, a drill."""
        ...

    def act(self, target: Ref, verb: Verb, argument: str) -> None:
        """Open the dialog of one action."""
        ...

    def choose(self, queue: Ref) -> None:
        """Offer what can become of the work that waits in a queue."""
        ...

    def drill(self, ref: Ref) -> None:
        """Show everything about one object."""
        ...

    def ask_operate(self, reason: str) -> None:
        """Ask for `operate`; without a reason, ask the operator for one."""
        ...

    def give_back(self) -> None:
        """Go back to read-only."""
        ...

    def incident(self) -> str | None:
        """The id of the incident under the cursor, or of the one whose page is open; None elsewhere."""
        ...

    def alarms(self) -> Sequence[str]:
        """Ids of the alerts that the cursor's line is about, an incident's or an object's; those that are firing."""
        ...

    def acknowledge(self) -> None:
        """Acknowledge what `alarms` names."""
        ...

    def silence(self, time: str) -> None:
        """Silence what `alarms` names for a while, as in `15m`; an empty one asks for how long."""
        ...

    def open_incident(self, incident: str) -> None:
        """Show one incident."""
        ...

    def detectors(self) -> None:
        """Show what is watched, and what cannot be judged yet."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether this is the demo, which can begin anew with another incident."""
        ...

    @property
    def scenarios(self) -> Sequence[str]:
        """Names of those incidents, as far as they are known by now."""
        ...

    def pick_scenario(self, name: str) -> None:
        """Begin the simulated world anew with an incident; without a name, ask for one."""
        ...

    @property
    def access(self) -> Access | None:
        """What this operator may do now; None before the engine has answered."""
        ...

    def followed(self) -> Run | None:
        """The run whose page is open, as the board has it."""
        ...

    def foremost(self) -> Run | None:
        """The run to come back to: one that awaits this operator, another that goes on, otherwise the last."""
        ...

    def open_run(self, run_id: str) -> None:
        """Show a run; without an id the foremost one."""
        ...

    def pick_runbook(self, name: str, *, dry: bool) -> None:
        """Offer the runbooks, or ask at once for what one of that name needs; then begin it."""
        ...

    def tell_run(self, order: RunOrder, reason: str) -> None:
        """Say something to the run whose page is open; what is still missing is asked for."""
        ...

    def ask(self, text: str) -> None:
        """Open the `:` prompt with `text` in it, or the filter's when it begins with `/`."""
        ...

    def narrow(self, words: str) -> None:
        """Filter the present screen."""
        ...

    def order(self, column: str) -> None:
        """Sort the present table by a column; the same one again turns it round, none takes the next."""
        ...

    def toggle_column(self, column: str) -> None:
        """Hide or show a column of the present table."""
        ...

    def only_failed(self) -> None:
        """Show only the requests that failed, or all again."""
        ...

    def turn(self) -> None:
        """Show the present screen's other page."""
        ...

    @property
    def marked(self) -> Ref | None:
        """The request that others are compared with; None when none is marked."""
        ...

    def look_into(self, request: Ref, view: str) -> None:
        """Show one request in a view: `stages`, `tree` or `lanes`."""
        ...

    def step(self, by: int) -> None:
        """Play the present request back: the next (1) or the previous (-1) recorded step."""
        ...

    def mark(self, request: Ref) -> None:
        """Mark a request to compare others with, or take the mark away."""
        ...

    def compare(self, request: Ref, against: Ref | None) -> None:
        """Show how a request differs from another one; None takes the last good one like it."""
        ...

    def reissue(self, request: Ref) -> None:
        """Send a model call of a request once more, to a deployment that is asked for."""
        ...

    def conversation(self) -> Ref | None:
        """The conversation at the cursor, or the newest one in which services disagree."""
        ...

    def converse(self, conversation: Ref) -> None:
        """Show one conversation."""
        ...

    def find_lane(self, words: str) -> None:
        """Show only requests in one of whose lanes this stands: `prompts=chat@3`."""
        ...

    def paint(self, theme: str) -> None:
        """Change the theme; none takes the next."""
        ...

    def help(self) -> None:
        """Show what works here."""
        ...

    def palette(self) -> None:
        """Open the command palette."""
        ...

    def redraw(self) -> None:
        """Send the whole screen again."""
        ...

    def leave(self) -> None:
        """End the console; the engine and every override stay."""
        ...
