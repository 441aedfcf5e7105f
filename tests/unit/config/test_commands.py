"""The commands of an environment: what the config may name, and where a mistake stands."""

from pathlib import Path

import pytest

from console.config.reader import load
from tests.unit.config.test_reader import faults, write

HEAD = """\
schemaVersion: 1
environments:
  prod:
    sources: {}
    commands:
      index:
"""


def config(*lines: str) -> str:
    return HEAD + "".join(f"        {line}\n" for line in lines)


def test_a_command_is_read(tmp_path: Path) -> None:
    text = config("argv: [/opt/index, roll]", "arguments: 2", "patterns: ['v[0-9]+']", "timeout: 2m")
    command = load(write(tmp_path, text)).environments["prod"].commands["index"]
    assert (command.argv, command.arguments, command.timeout) == (["/opt/index", "roll"], 2, 120)
    assert (command.patterns, command.dashes, command.environment) == (["v[0-9]+"], False, [])


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["argv: [index]"], "config.yaml:7: environments.prod.commands.index.argv: 'index' is looked up nowhere"),
        (["argv: []"], "config.yaml:7"),
        (["argv: /opt/index roll"], "config.yaml:7"),
        (["argv: [/opt/index]", "arguments: 1", "patterns: ['(']"], "config.yaml:9"),
        (["argv: [/opt/index]", "patterns: ['a']"], "there are 1 patterns for 0 arguments"),
        (["argv: [/opt/index]", "timeout: 2h"], "config.yaml:8"),
        (["argv: [/opt/index]", "shell: true"], "unknown key"),
        (["argv: [/opt/index]", "environment: ['A=b']"], "config.yaml:8"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, lines: list[str], words: str) -> None:
    (fault,) = faults(tmp_path, config(*lines))
    assert words in fault
