"""The runbooks of an environment, as their files say, without its engine."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from console.cli.runbook.asking import ask
from console.cli.session import environment_of
from console.domain.runbooks import RunbookInfo
from console.places import config_path

if TYPE_CHECKING:
    from console.config import Environment


def known(environment: str) -> tuple[RunbookInfo, ...]:
    """The shipped ones and those of the environment's folders, the faulty ones last.

    Raises:
        ConfigError: the config cannot be read, or has no such environment.
        EngineLost: runbooks cannot be read at all.
    """
    return msgspec.json.decode(ask("list", *map(str, _folders(environment))), type=tuple[RunbookInfo, ...])


def around(environment: str) -> str:
    """What runbooks of an environment may name (its commands and objectives), as JSON; empty without a config.

    Raises:
        ConfigError: the config cannot be read, or has no such environment.
    """
    config = _config(environment)
    if config is None:
        return ""
    commands = {name: one.arguments for name, one in config.commands.items()}
    objectives = [one.name for one in config.objectives]
    return msgspec.json.encode({"commands": commands, "objectives": objectives}).decode()


def _folders(environment: str) -> list[Path]:
    config = _config(environment)
    return [Path(one) for one in config.runbooks] if config else []


def _config(environment: str) -> "Environment | None":
    """The settings of an environment; None where no file has them."""
    path = config_path()
    name = environment_of(environment or None)
    if not path.exists():
        return None
    from console.config.reader import demo, load_with_lines

    return None if demo(name) is not None else load_with_lines(path).environment(name)
