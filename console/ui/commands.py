"""Everything that an operator can ask of the screen, once: the keys, the palette, `:` and `?` are made from this.

A command is plain data with a function that is given the `Desk`, what a command may use of the screen.
Nothing here knows Textual, so the key table of the README comes from here too.
"""

from collections.abc import Callable, Mapping, Sequence

from console.domain.actions import Verb
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind
from console.ui.alarm_commands import ALARM_ACTS, ALARM_LOOKS
from console.ui.command import Command, can, do
from console.ui.desk import Desk
from console.ui.queue_commands import QUEUE_ACTS
from console.ui.run_commands import RUN_COMMANDS
from console.ui.targets import last_override, target_of
from console.ui.trace_commands import TRACE_COMMANDS


def _undo(desk: Desk, _: str) -> None:
    override = last_override(desk.board, desk.selected())
    if override is not None:
        desk.act(override.target, Verb.RESTORE, override.id)


def _cannot_undo(desk: Desk) -> str:
    if desk.lost:
        return desk.lost
    return "" if last_override(desk.board, desk.selected()) else "no override is standing"


def _places(desk: Desk) -> Sequence[str]:
    target = target_of(desk.board, desk.selected(), Verb.SWITCH).ref
    route = desk.board.readings.get(target) if target else None
    return [option.to for option in route.switch_options] if isinstance(route, Route) else ()


def _weight_now(desk: Desk) -> Sequence[str]:
    target = target_of(desk.board, desk.selected(), Verb.WEIGHT).ref
    reading = desk.board.readings.get(target) if target else None
    return [f"{reading.weight:g}"] if isinstance(reading, Deployment) and reading.weight is not None else ()


def _filterable(desk: Desk) -> str:
    return "" if desk.has("filter") else "nothing to filter on this screen"


def _sortable(desk: Desk) -> str:
    return "" if desk.has("table") else "no table on this screen"


def _selection(desk: Desk) -> str:
    return "" if desk.selected() or desk.incident() else "select an object first"


def _drill(desk: Desk, _: str) -> None:
    incident, ref = desk.incident(), desk.selected()
    if incident is not None:
        desk.open_incident(incident)
        return
    if ref is not None:
        desk.drill(ref)


def _subjects(desk: Desk) -> Sequence[str]:
    kinds = (Kind.PROVIDER, Kind.ROUTE, Kind.DEPLOYMENT, Kind.SERVICE)
    return sorted({ref.name for ref in desk.board.readings if ref.kind in kinds})


def _room(name: str) -> Callable[[Desk, str], None]:
    return lambda desk, _: desk.go(name)


ROOMS: Mapping[str, str] = {
    "overview": "Overview",
    "providers": "Providers",
    "spend": "Spend",
    "log": "Log",
    "queues": "Queues",
    "requests": "Requests",
}
"""The screens that a digit opens, in the order of their digits: name → title."""

_ACTS = (
    Command(
        "trip",
        "Trip",
        "Keep requests away from the deployment under the cursor, for a limited time.",
        do(Verb.TRIP),
        "t",
        why_not=can(Verb.TRIP),
        group="Act",
        bar=True,
    ),
    Command(
        "reset",
        "Reset",
        "Let requests reach the deployment again: ends a trip or a cooldown.",
        do(Verb.RESET),
        "r",
        why_not=can(Verb.RESET),
        group="Act",
        bar=True,
    ),
    Command(
        "switch",
        "Switch",
        "Send the route under the cursor somewhere else.",
        do(Verb.SWITCH),
        "s",
        argument="[TO]",
        why_not=can(Verb.SWITCH),
        choices=_places,
        group="Act",
        bar=True,
    ),
    Command(
        "weight",
        "Weight",
        "Give the deployment under the cursor another share of its route.",
        do(Verb.WEIGHT),
        "w",
        argument="[WEIGHT]",
        why_not=can(Verb.WEIGHT),
        choices=_weight_now,
        group="Act",
        bar=True,
    ),
    Command(
        "undo",
        "Undo",
        "Restore what the last override had replaced: the selected object's own, otherwise the newest.",
        _undo,
        "u",
        why_not=_cannot_undo,
        group="Act",
        bar=True,
    ),
    Command(
        "operate",
        "Operate",
        "Ask for the right to act, with a reason and for a limited time.",
        lambda desk, reason: desk.ask_operate(reason),
        "o",
        argument="[REASON]",
        why_not=lambda desk: desk.lost or ("operate is already yours" if desk.operating else ""),
        group="Act",
        bar=True,
    ),
    Command(
        "read-only",
        "Read-only",
        "Give the right to act back before its time is over.",
        lambda desk, _: desk.give_back(),
        why_not=lambda desk: desk.lost or ("" if desk.operating else "access is read-only already"),
        group="Act",
    ),
)

_LOOKS = (
    Command(
        "drill",
        "Drill",
        "Show the incident under the cursor, or the history, failures, overrides and alerts of the object there.",
        _drill,
        "enter",
        why_not=_selection,
        group="Look",
        bar=True,
    ),
    Command(
        "filter",
        "Filter",
        "Show only what contains these words; Esc shows all again.",
        lambda desk, words: desk.narrow(words) if words else desk.ask("/"),
        "slash",
        argument="[WORDS]",
        why_not=_filterable,
        choices=_subjects,
        group="Look",
        bar=True,
    ),
    Command(
        "sort",
        "Sort",
        "Sort by the next column, or by the one that is named; the same column again turns the order round.",
        lambda desk, column: desk.order(column),
        "greater_than_sign",
        argument="[COLUMN]",
        why_not=_sortable,
        choices=lambda desk: desk.columns(),
        group="Look",
    ),
    Command(
        "column",
        "Column",
        "Hide a column of this table, or show it again.",
        lambda desk, column: desk.toggle_column(column) if column else desk.ask("column "),
        "c",
        argument="COLUMN",
        why_not=_sortable,
        choices=lambda desk: desk.columns(),
        group="Look",
    ),
    Command(
        "audit",
        "Audit",
        "Show the audit log instead of the timeline, or the other way round.",
        lambda desk, _: desk.turn(),
        "v",
        why_not=lambda desk: "" if desk.has("pages") else "the audit log stands on the Log screen",
        group="Look",
    ),
    Command(
        "failed",
        "Failed",
        "Show only the requests that failed, or all again.",
        lambda desk, _: desk.only_failed(),
        "f",
        why_not=lambda desk: "" if desk.has("failures") else "requests stand on the Requests screen",
        group="Look",
        bar=True,
    ),
    Command(
        "back",
        "Back",
        "Leave the filter, or the page that was opened last.",
        lambda desk, _: desk.back(),
        "escape",
        group="Look",
    ),
)

_SCREENS = tuple(
    Command(name, title, f"Show the {title} screen.", _room(name), str(digit), group="Screens")
    for digit, (name, title) in enumerate(ROOMS.items(), 1)
)

_DESK = (
    Command(
        "help",
        "Help",
        "List what works here, and why the rest does not.",
        lambda desk, _: desk.help(),
        "question_mark",
        bar=True,
    ),
    Command("prompt", "Command", "Type a command with its argument.", lambda desk, _: desk.ask(""), "colon"),
    Command("palette", "Palette", "Find a command by its words.", lambda desk, _: desk.palette(), "ctrl+p"),
    Command(
        "theme",
        "Theme",
        "Change the colours: the next theme, or the one that is named.",
        lambda desk, name: desk.paint(name),
        argument="[NAME]",
        choices=lambda desk: desk.themes(),
    ),
    Command("redraw", "Redraw", "Send the whole screen again.", lambda desk, _: desk.redraw(), "ctrl+l"),
    Command(
        "quit",
        "Quit",
        "Leave the console. The engine ends by itself when nothing is pending; every override keeps its expiry.",
        lambda desk, _: desk.leave(),
        "q",
        bar=True,
    ),
)

COMMANDS: tuple[Command, ...] = (
    *_ACTS,
    *ALARM_ACTS,
    *QUEUE_ACTS,
    *ALARM_LOOKS,
    *_LOOKS,
    *TRACE_COMMANDS,
    *RUN_COMMANDS,
    *_SCREENS,
    *_DESK,
)
"""All of them, in the order of the help."""

BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}
"""All of them by name."""


class UnknownCommand(ValueError):
    """No command has that name; the text says which are near."""


def parse(text: str) -> tuple[Command, str]:
    """Read a line of the `:` prompt: a command's name, or the only one that begins so, and its argument.

    Raises:
        UnknownCommand: none or several begin so.
    """
    name, _, argument = text.strip().lstrip(":").strip().partition(" ")
    exact = BY_NAME.get(name)
    if exact is not None:
        return exact, argument.strip()
    near = [command for command in COMMANDS if name and command.name.startswith(name)]
    if len(near) == 1:
        return near[0], argument.strip()
    if near:
        raise UnknownCommand(f"{name}: which one? " + ", ".join(command.name for command in near))
    raise UnknownCommand(f"no command {name!r}; ? lists what works here")


def completions(text: str, desk: Desk) -> list[str]:
    """Whole lines that `text` could become: names that work here first, then arguments."""
    name, blank, argument = text.lstrip().partition(" ")
    if not blank:
        fitting = [command for command in COMMANDS if command.name.startswith(name)]
        fitting.sort(key=lambda command: bool(command.why_not(desk)))
        return [command.name for command in fitting]
    command = BY_NAME.get(name)
    if command is None:
        return []
    start = argument.lstrip().casefold()
    return [f"{name} {choice}" for choice in command.choices(desk) if choice.casefold().startswith(start)]
