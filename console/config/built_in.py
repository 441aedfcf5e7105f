"""Environments that need no config file: the simulator, a game day, and requests out of a file."""

import re

from console.config.game import game_day
from console.config.model import Environment, SourceConfig
from console.config.reader import demo
from console.places import OPENED, opened_path

_OPENED_NAME = re.compile(rf"{OPENED}-[0-9a-f]{{12}}")


def built_in(name: str) -> Environment | None:
    """The built-in environment of that name, or None when it is none of them."""
    return demo(name) or opened(name) or game_day(name)


def opened(name: str) -> Environment | None:
    """The environment of a file that `switchgear open` has put in its place; nothing can be done in it."""
    if not _OPENED_NAME.fullmatch(name):
        return None
    source = SourceConfig(adapter="bundle", interval=5.0, options={"file": str(opened_path(name))})
    return Environment(access="read-only", operators=[], sources={"file": source})
