"""The demo's incidents: which there are, and the one that somebody wants to see next."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Staged(NamedTuple):
    """One incident that can be played."""

    name: str
    summary: str
    """One line."""
    kind: str = "incident"
    """`incident`, or `control`: a day on which nothing is broken."""


@dataclass(slots=True)
class Staging:
    """What the command that opened the screen knows of incidents, and what the screen answers to it."""

    ask: Callable[[], tuple[Staged, ...]]
    """Finds out which there are; it blocks for up to a second."""
    ask_first: bool = False
    """Whether to ask for one as soon as the screen is there."""
    known: tuple[Staged, ...] = ()
    """What `ask` has answered."""
    wanted: str = ""
    """The incident to begin anew with, once the screen is left; empty: none, it was only left."""
