"""Runbooks from their files: each with its hash, or with every fault that it has, by file and line."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from console.config.document import parse, shown, text_of
from console.config.reader import valid
from console.domain.errors import ConfigError
from console.domain.text import clean
from runbooks.linting import faults_in
from runbooks.schema import Runbook

if TYPE_CHECKING:
    from runbooks.surroundings import Around

log = logging.getLogger(__name__)

HOLDS = "a runbook: `schemaVersion: 1`, `id`, `title` and `steps`; see `switchgear runbook schema`"
LIBRARY = Path(__file__).parent / "library"
MOST = 500
"""Runbooks that are read from one folder."""
LARGEST = 400_000
"""Bytes of one file …"""
MOST_VALUES = 10_000
"""… and its values, and its lines, commas and brackets: so much is read in a second or two."""
MOST_FAULTS = 100
"""Faults of one file that are told."""


@dataclass(frozen=True, slots=True)
class Book:
    """One runbook, and its file as it was read."""

    runbook: Runbook
    path: Path
    hash: str
    """SHA-256 of the file's bytes, in hexadecimal digits."""
    text: str
    shipped: bool = False
    """Whether it came with the program."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """A file that is no runbook."""

    path: Path
    faults: tuple[str, ...]
    """`FILE:LINE: what`, in the order of the lines."""

    @property
    def id(self) -> str:
        """What it is called until it can say so itself: its file's name."""
        return self.path.stem


def load(path: Path) -> Book:
    """One file.

    Raises:
        ConfigError: one line a fault, all faults at once, each with file and line.
    """
    return parsed(text_of(path, LARGEST), path)


def parsed(text: str, path: Path) -> Book:
    """A runbook from a text that was read before, as a run keeps it; `path` is where its faults are said to be.

    Raises:
        ConfigError: as `load`.
    """
    found = _judged(text, path)
    if isinstance(found, Faulty):
        raise ConfigError("\n".join(found.faults))
    return found


@lru_cache(maxsize=2 * MOST)
def _judged(text: str, path: Path) -> Book | Faulty:
    """A text is judged once: folders are read again and again, and seldom change. It never raises: one file, whatever
    is in it, keeps no other from being read."""
    try:
        return _read(text, path)
    except ConfigError as error:
        return Faulty(path, tuple(_ordered(str(error).splitlines(), path)))
    except Exception as error:
        log.exception("%s", shown(path))
        words = f"{shown(path)}: it cannot be judged, report this: {type(error).__name__}: {clean(str(error), 100)}"
        return Faulty(path, (words,))


def _read(text: str, path: Path) -> Book | Faulty:
    document = parse(path, text, HOLDS, MOST_VALUES)
    said: list[str] = []
    runbook: Runbook | None = None
    try:
        runbook = valid(document, Runbook)
    except ConfigError as error:
        said = str(error).splitlines()
    said += [f"{document.place(location)}: {words}" for location, words in faults_in(document.data)]
    if runbook is None or said:
        return Faulty(path, tuple(_ordered(said, path)))
    shipped = path.parent == LIBRARY
    return Book(runbook, path, hashlib.sha256(text.encode()).hexdigest(), text, shipped)


def _ordered(faults: list[str], path: Path) -> list[str]:
    """By line, each once; the first `MOST_FAULTS`."""
    found = sorted(dict.fromkeys(faults), key=lambda fault: _line(fault, path))
    more = [f"{shown(path)}: and {len(found) - MOST_FAULTS:,} more"] if len(found) > MOST_FAULTS else []
    return [*found[:MOST_FAULTS], *more]


def _line(fault: str, path: Path) -> int:
    number = fault.removeprefix(f"{shown(path)}:").partition(":")[0]
    return int(number) if number.isdigit() else 0


def lint(path: Path, around: "Around | None" = None) -> list[str]:
    """Every fault of a file, `FILE:LINE: what` each; none when it can be followed.

    With `around`, what it names that its surroundings do not have is a fault too.
    """
    try:
        text = text_of(path, LARGEST)
        found = _judged(text, path)
        said = list(found.faults) if isinstance(found, Faulty) else []
        if around is not None and len(said) < MOST_FAULTS:
            from runbooks.surroundings import faults_in as faults_around

            document = parse(path, text, HOLDS, MOST_VALUES)
            said += [f"{document.place(at)}: {words}" for at, words in faults_around(document.data, around)]
    except ConfigError as error:
        return str(error).splitlines()
    return said if len(said) > MOST_FAULTS else _ordered(said, path)


@cache
def library() -> tuple[Book, ...]:
    """The runbooks that are shipped, by name.

    Raises:
        ConfigError: one of them has a fault.
    """
    return tuple(load(path) for path in sorted(LIBRARY.glob("*.yaml")))


def books(folders: Iterable[Path]) -> tuple[Book | Faulty, ...]:
    """The shipped runbooks and those of some folders (`*.yaml`, `*.yml`), each by name.

    A file of a folder stands in for a shipped runbook of the same id. Of two files with one id the second is faulty. A
    folder that cannot be read is faulty as a whole, and so is what is too much in one.
    """
    found: dict[str, Book] = {book.runbook.id: book for book in library()}
    faulty: list[Faulty] = []
    for folder in folders:
        for path in _files(folder, faulty):
            one = _loaded(path)
            if isinstance(one, Book):
                before = found.get(one.runbook.id)
                if before is None or before.shipped:
                    found[one.runbook.id] = one
                    continue
                one = Faulty(path, (f"{path}:1: id: {one.runbook.id} is the runbook in {before.path} already",))
            faulty.append(one)
    return (*sorted(found.values(), key=lambda book: book.runbook.id), *faulty)


def _files(folder: Path, faulty: list[Faulty]) -> list[Path]:
    """The files of a folder, in order; what cannot be one is put with the faulty."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    except OSError as error:
        faulty.append(Faulty(Path(shown(folder)), (f"{shown(folder)} cannot be read: {error.strerror}",)))
        return []
    if len(paths) > MOST:
        words = f"{shown(folder)} has {len(paths):,} runbooks, and may have {MOST}: the last of them are not read"
        faulty.append(Faulty(Path(shown(folder)), (words,)))
    for path in (odd := [path for path in paths[:MOST] if not str(path).isprintable()]):
        name = Path(shown(path))
        faulty.append(Faulty(name, (f"{name} has a name that cannot be shown: rename it",)))
    return [path for path in paths[:MOST] if path not in odd]


def _loaded(path: Path) -> Book | Faulty:
    try:
        return load(path)
    except ConfigError as error:
        return Faulty(path, tuple(str(error).splitlines()))
