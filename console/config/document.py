"""The config file as YAML with line numbers, before anybody asks what it means.

Light on purpose: `switchgear` without a name needs the default environment before its first paint.
"""

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.domain.errors import ConfigError

DEMO = "demo"
"""The built-in environment; `demo-SCENARIO-xSPEED-sSEED`, each part as one likes, are its variants."""


LARGEST = 1_000_000
"""Bytes of a config file."""
CONFIG = "`schemaVersion: 1` and `environments:`; see `switchgear init`"
"""What a config has to hold."""
MOST_VALUES = 100_000
"""Values in a config, every alias written out."""


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
        dotted = ".".join(str(part) for part in location)
        return f"{self.path}:{self.line(location)}: {dotted}" if dotted else f"{self.path}:{self.line(location)}"


def read(path: Path, holds: str = CONFIG) -> Document:
    """Parse a config file, or another one that has to hold what `holds` says.

    Raises:
        ConfigError: it cannot be read, others may write it, or it is no YAML mapping (file, line, what is wrong).
    """
    return parse(path, text_of(path), holds)


def parse(path: Path, text: str, holds: str = CONFIG) -> Document:
    """As `read`, of a text that was read before; `path` is where its faults are said to be.

    Raises:
        ConfigError: as `read`.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    too_deep = f"{path}: it is nested too deeply; it has to hold {holds}"
    if _DEEP.search(text):
        raise ConfigError(too_deep)
    try:
        data = YAML(typ="rt").load(text)
        size = _written_out(data, {})
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}:{line}: {str(error.problem or error.context).splitlines()[0]}") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ConfigError(too_deep) from None
    except Exception as error:  # noqa: BLE001  the parser's own: a list as a key, a date that is none
        raise ConfigError(f"{path}: this is no YAML that can be read: {str(error).splitlines()[0]}") from None
    if size > MOST_VALUES:
        raise ConfigError(
            f"{path}: with its aliases (*name) written out it has {size:,} values, and may have {MOST_VALUES:,}"
        )
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: it has to hold {holds}")
    return Document(path, data)


def text_of(path: Path) -> str:
    """A file's text.

    Raises:
        ConfigError: it cannot be read, is too large, no UTF-8, or others may write it.
    """
    try:
        found = path.stat()
        if found.st_size > LARGEST:
            raise ConfigError(f"{path} has {found.st_size:,} bytes, and may have {LARGEST:,}; is it this file?")
        text = path.read_bytes().decode()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: this is no text in UTF-8, as YAML has to be") from None
    if found.st_mode & stat.S_IWOTH:
        raise ConfigError(f"{path} can be written by everybody, and it may name commands to run; chmod o-w {path}")
    return text


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
