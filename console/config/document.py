"""The config file as YAML with line numbers, before anybody asks what it means.

Light on purpose: `switchgear` without a name needs the default environment before its first paint.
"""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.domain.errors import ConfigError
from console.domain.text import printable

DEMO = "demo"
"""The built-in environment; `demo-SCENARIO-xSPEED-sSEED`, each part as one likes, are its variants."""


LARGEST = 1_000_000
"""Bytes of a config file."""
CONFIG = "`schemaVersion: 1` and `environments:`; see `switchgear init`"
"""What a config has to hold."""
MOST_MERGES = 20
"""Merges (`<<`) in a file: the parser takes the square of their number."""
MOST_VALUES = 100_000
"""Values in a config, every alias written out."""


_LONG_NUMBER = re.compile(r"\d{400}")
"""Digits that no number of a file has."""
_DEEP = re.compile(r"(?:[\[{][ \t]*){100}")
"""Brackets that the parser would take seconds to find too deep."""


class Document:
    """A parsed file that can say on which line each of its keys stands."""

    def __init__(self, path: Path, data: Any) -> None:
        self.path = path
        self.data = data
        """Mappings, sequences and scalars; mappings and sequences carry their positions."""

    def line(self, location: Sequence[str | int]) -> int:
        """The line (from 1) of the key at `location`, or of its nearest parent that the file holds."""
        node, line = self.data, 0
        for part in location:
            try:
                positions = node.lc.data
                position = positions[part]
                node = node[part]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
            line = position[0]
        return line + 1

    def place(self, location: Sequence[str | int]) -> str:
        """`config.yaml:12: environments.prod.access`, as errors begin."""
        dotted = _in_a_line(".".join(str(part) for part in location))
        where = f"{shown(self.path)}:{self.line(location)}"
        return f"{where}: {dotted}" if dotted else where


def read(path: Path, holds: str = CONFIG) -> Document:
    """Parse a config file, or another one that has to hold what `holds` says.

    Raises:
        ConfigError: it cannot be read, others may write it, or it is no YAML mapping (file, line, what is wrong).
    """
    return parse(path, text_of(path), holds)


def parse(path: Path, text: str, holds: str = CONFIG, most: int = MOST_VALUES) -> Document:
    """As `read`, of a text that was read before; `path` is where its faults are said to be.

    `most` bounds its values, and what stands between them before the parser takes its time over it.

    Raises:
        ConfigError: as `read`.
    """
    from ruamel.yaml import YAML

    where = shown(path)
    if (signs := len(text.splitlines()) + sum(map(text.count, ",[{"))) > most:
        words = f"it has {signs:,} lines, commas and brackets, and may have {most:,}; is it this file?"
        raise ConfigError(f"{where}: {words}")
    if (merges := text.count("<<")) > MOST_MERGES:
        raise ConfigError(f"{where}: it merges (<<) {merges:,} times, and may {MOST_MERGES} times")
    if (deep := _DEEP.search(text)) is not None:
        raise ConfigError(f"{where}:{_line_of(text, deep.start())}: it is nested too deeply; it has to hold {holds}")
    try:
        data = YAML(typ="rt").load(text)
        size = _written_out(data, {})
    except RecursionError:
        raise ConfigError(f"{where}: it is nested too deeply; it has to hold {holds}") from None
    except Exception as error:  # noqa: BLE001  the parser's own: a list as a key, a date that is none
        raise ConfigError(f"{where}{_misread(error, text)}") from None
    if size > most:
        raise ConfigError(
            f"{where}: with its aliases (*name) written out it has {size:,} values, and may have {most:,}"
        )
    if not isinstance(data, dict):
        raise ConfigError(f"{where}:1: it has to hold {holds}")
    return Document(path, data)


def _misread(error: Exception, text: str) -> str:
    """Where the parser stumbled, and over what."""
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    said = str(error).splitlines() or [type(error).__name__]
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context).splitlines()[0]
        if problem.startswith("but ") and error.context:
            problem = f"{error.context}, {problem}"
        return f":{mark.line + 1 if mark else 1}: {_in_a_line(problem)}"
    if isinstance(error, ReaderError):
        return f":{_line_of(text, error.position)}: {_in_a_line(said[0])}"
    if (long := _LONG_NUMBER.search(text)) is not None:
        return f":{_line_of(text, long.start())}: a number of so many digits cannot be read"
    if isinstance(error, AttributeError | TypeError | KeyError):
        return ": this is no YAML that can be read: an alias (*name) or a merge (<<) leads to itself"
    return f": this is no YAML that can be read: {_in_a_line(said[0])}"


def _line_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def text_of(path: Path, largest: int = LARGEST) -> str:
    """The text of an ordinary file. A pipe or a device, which may never end, is not waited for.

    Raises:
        ConfigError: it cannot be read, is no file, larger than `largest` bytes, no UTF-8, or others may write it.
    """
    where = shown(path)
    try:
        found, data = _found(path, largest + 1)
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{where} cannot be read: it is a folder, a pipe or a device, and no file")
    if len(data) > largest:
        size = max(found.st_size, len(data))
        raise ConfigError(f"{where} has {size:,} bytes, and may have {largest:,}; is it this file?")
    if found.st_mode & stat.S_IWOTH:
        raise ConfigError(f"{where} can be written by everybody, and it may name commands to run; chmod o-w {where}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{where}:{line}: this is no text in UTF-8, as YAML has to be") from None


def _found(path: Path, most: int) -> tuple[os.stat_result, bytes]:
    """What a file is, and its first `most` bytes where it is an ordinary one; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return found, b""
        with open(descriptor, "rb", closefd=False) as file:
            return found, file.read(most)
    finally:
        os.close(descriptor)


def shown(path: Path) -> str:
    """A path fit for a line of words: it may hold what a terminal obeys."""
    return _in_a_line(str(path))


def _in_a_line(text: str) -> str:
    return printable(text).replace("\n", "\ufffd")


def _written_out(node: Any, known: dict[int, int]) -> int:
    """How many values `node` holds with every alias written out."""
    if not isinstance(node, dict | list):
        return 1
    if id(node) not in known:
        inside = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_written_out(child, known) for child in inside)
    return known[id(node)]


def default_environment(path: Path) -> str:
    """The environment that `switchgear` opens without a name: the config's `default`, its only one, or the demo.

    Raises:
        ConfigError: the file cannot be read, or holds several environments and no default.
    """
    if not path.exists():
        return DEMO
    data = read(path).data
    names = environments_in(data)
    chosen = str(data.get("default") or "") or (names[0] if len(names) == 1 else "")
    if not chosen:
        raise ConfigError(f"{path} names no `default`; say which environment: {', '.join([*names, DEMO])}")
    return chosen


def environments(path: Path) -> list[str]:
    """The names of a config's environments, without judging what is in them; none when there is no file.

    Raises:
        ConfigError: the file cannot be read.
    """
    return environments_in(read(path).data) if path.exists() else []


def environments_in(data: Any) -> list[str]:
    """The names of the environments in a parsed config, whatever else it holds."""
    found = data.get("environments")
    return [str(name) for name in found] if isinstance(found, dict) else []
