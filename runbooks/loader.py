"""Runbooks from their files: each with its hash, or with every fault that it has, by file and line."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from console.config.document import parse, text_of
from console.config.reader import valid
from console.domain.errors import ConfigError
from runbooks.linting import faults_in
from runbooks.schema import Runbook

if TYPE_CHECKING:
    from runbooks.surroundings import Around

HOLDS = "a runbook: `schemaVersion: 1`, `id`, `title` and `steps`; see `switchgear runbook schema`"
LIBRARY = Path(__file__).parent / "library"
MOST = 500
"""Runbooks that are read from one folder."""


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
    return parsed(text_of(path), path)


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
    """A text is judged once: folders are read again and again, and seldom change."""
    try:
        document = parse(path, text, HOLDS)
    except ConfigError as error:
        return Faulty(path, tuple(str(error).splitlines()))
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


def _line(fault: str, path: Path) -> int:
    number = fault.removeprefix(f"{path}:").partition(":")[0]
    return int(number) if number.isdigit() else 0


def lint(path: Path, around: "Around | None" = None) -> list[str]:
    """Every fault of a file, `FILE:LINE: what` each; none when it can be followed.

    With `around`, what it names that its surroundings do not have is a fault too.
    """
    try:
        text = text_of(path)
        found = _judged(text, path)
        said = list(found.faults) if isinstance(found, Faulty) else []
        if around is not None:
            from runbooks.surroundings import faults_in as faults_around

            document = parse(path, text, HOLDS)
            said += [f"{document.place(at)}: {words}" for at, words in faults_around(document.data, around)]
    except ConfigError as error:
        return str(error).splitlines()
    return _ordered(said, path)


def _ordered(faults: list[str], path: Path) -> list[str]:
    """By line, each once."""
    return sorted(dict.fromkeys(faults), key=lambda fault: _line(fault, path))


@cache
def library() -> tuple[Book, ...]:
    """The runbooks that are shipped, by name.

    Raises:
        ConfigError: one of them has a fault.
    """
    return tuple(load(path) for path in sorted(LIBRARY.glob("*.yaml")))


def books(folders: Iterable[Path]) -> tuple[Book | Faulty, ...]:
    """The shipped runbooks and those of some folders (`*.yaml`, `*.yml`), each by name.

    A file of a folder stands in for a shipped runbook of the same id. Of two files with one id the second is faulty.
    """
    found: dict[str, Book] = {book.runbook.id: book for book in library()}
    faulty: list[Faulty] = []
    for folder in folders:
        for path in _files(folder):
            one = _loaded(path)
            if isinstance(one, Book):
                before = found.get(one.runbook.id)
                if before is None or before.shipped:
                    found[one.runbook.id] = one
                    continue
                one = Faulty(path, (f"{path}:1: id: {one.runbook.id} is the runbook in {before.path} already",))
            faulty.append(one)
    return (*sorted(found.values(), key=lambda book: book.runbook.id), *faulty)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))[:MOST]


def _loaded(path: Path) -> Book | Faulty:
    try:
        return load(path)
    except ConfigError as error:
        return Faulty(path, tuple(str(error).splitlines()))
