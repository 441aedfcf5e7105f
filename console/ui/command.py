"""What a command is: its name, its key, what it does, and why it cannot. The registry of all stands in `commands`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.domain.actions import Verb
from console.ui.desk import Desk
from console.ui.targets import target_of


def _always(_: Desk) -> str:
    return ""


def _nothing(_: Desk) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be asked for."""

    name: str
    """What `:` and the keymap of the preferences call it."""
    title: str
    """A few words, for the key bar and the palette."""
    help: str
    """One sentence, for `?` and the README."""
    run: Callable[[Desk, str], None]
    """Does it; the text is what was written after the name in the prompt."""
    key: str = ""
    """The default key in Textual's spelling; several are separated by commas."""
    argument: str = ""
    """What may follow the name in the prompt, for help: `WEIGHT`, `[WORDS]`."""
    why_not: Callable[[Desk], str] = _always
    """Why it does not work here and now; empty when it does."""
    choices: Callable[[Desk], Sequence[str]] = _nothing
    """Completions of the argument."""
    group: str = "Screen"
    """Heading in the help."""
    bar: bool = False
    """Whether the key bar at the bottom shows it."""


def can(verb: Verb) -> Callable[[Desk], str]:
    """Why a verb does not work on the object under the cursor, as a command's `why_not`."""

    def why_not(desk: Desk) -> str:
        return desk.lost or target_of(desk.board, desk.selected(), verb).why_not

    return why_not


def do(verb: Verb) -> Callable[[Desk, str], None]:
    """Opens the dialog of a verb on the object under the cursor, as a command's `run`."""

    def run(desk: Desk, argument: str) -> None:
        target = target_of(desk.board, desk.selected(), verb).ref
        if target is not None:
            desk.act(target, verb, argument)

    return run
