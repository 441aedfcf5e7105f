"""What a judgement is made of: a level, a word, and why."""

from enum import IntEnum
from typing import NamedTuple

from console.domain.refs import Ref


class Level(IntEnum):
    """How bad, in order."""

    OK = 0
    NOTICE = 1
    """Not as usual, but somebody meant it: an override, a paused queue."""
    WARN = 2
    STALE = 3
    """Nobody knows. Worse than a warning, because it may hide anything."""
    BAD = 4


class Health(NamedTuple):
    """A judgement: its level, one word for the state column, and why."""

    level: Level
    word: str
    why: str = ""


class Finding(NamedTuple):
    """One thing that is wrong."""

    ref: Ref
    health: Health


OK = Health(Level.OK, "ok")


def worst(first: Health, *others: Health) -> Health:
    """The worst one; of equals the first."""
    for health in others:
        if health.level > first.level:
            first = health
    return first
