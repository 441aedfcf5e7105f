"""The environment of a game day: a simulated platform whose incident nobody names."""

import re
from typing import Any

from console.config.model import Environment, SourceConfig
from console.domain.errors import ConfigError
from console.domain.games import Game
from console.domain.wire import decode
from console.places import GAMEDAY, game_path

_NAME = re.compile(rf"{GAMEDAY}-[0-9a-f]{{8}}")
PARTS = {"gateway": "gateway", "jobs": "queues", "traces": "traces"}
"""Source → what it shows of the simulated platform."""


def is_game(name: str) -> bool:
    """Whether an environment of that name is a game day."""
    return _NAME.fullmatch(name) is not None


def read_game(name: str) -> Game:
    """What is played in an environment.

    Raises:
        ConfigError: there is no such game, or its file is broken.
    """
    path = game_path(name)
    try:
        return decode(path.read_bytes(), Game)
    except OSError as error:
        raise ConfigError(f"there is no game {name!r} ({error.strerror}); `switchgear gameday` begins one") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}; `switchgear gameday` begins another one") from None


def game_day(name: str) -> Environment | None:
    """The environment of a game that `switchgear gameday` has put in its place; None where the name is none's."""
    if not is_game(name):
        return None
    game = read_game(name)
    options: dict[str, Any] = {
        "world": GAMEDAY, "scenario": game.scenario, "seed": game.seed, "speed": game.speed, "told": False
    }  # fmt: skip
    sources = {
        source: SourceConfig(adapter="simulator", interval=1.0, timeout=0.9, options={**options, "part": part})
        for source, part in PARTS.items()
    }
    return Environment(access="operate", sources=sources)
