"""The runbooks of an environment, as their files say, without its engine."""

from pathlib import Path

import msgspec

from console.cli.runbook.asking import ask
from console.cli.session import environment_of
from console.domain.runbooks import RunbookInfo
from console.places import config_path


def known(environment: str) -> tuple[RunbookInfo, ...]:
    """The shipped ones and those of the environment's folders, the faulty ones last.

    Raises:
        ConfigError: the config cannot be read, or has no such environment.
        EngineLost: runbooks cannot be read at all.
    """
    return msgspec.json.decode(ask("list", *map(str, _folders(environment))), type=tuple[RunbookInfo, ...])


def _folders(environment: str) -> list[Path]:
    path = config_path()
    name = environment_of(environment or None)
    if not path.exists():
        return []
    from console.config.reader import demo, load_with_lines

    return [] if demo(name) is not None else [Path(one) for one in load_with_lines(path).environment(name).runbooks]
