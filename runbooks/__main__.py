"""`python -m runbooks`: what commands ask of runbooks without an engine, as JSON on standard output."""

import argparse
import sys
from pathlib import Path

import msgspec

from console.domain.board import Board
from console.domain.wire import encode


def main(arguments: list[str] | None = None) -> int:
    """Answer one question."""
    parser = argparse.ArgumentParser(prog="python -m runbooks", description=__doc__)
    parser.add_argument("what", choices=["list", "lint", "schema", "functions"])
    parser.add_argument("--around", default="", metavar="JSON", help="lint: what the environment has to name")
    parser.add_argument("paths", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    answer = {"list": _list, "lint": _lint, "schema": _schema, "functions": _functions}[options.what]
    sys.stdout.buffer.write(answer(options) + b"\n")
    return 0


def _list(options: argparse.Namespace) -> bytes:
    """Every runbook that is shipped or in the folders, as a `RunbookInfo`."""
    from runbooks.describing import info_of
    from runbooks.loader import books

    board = Board()
    return encode([info_of(book, board) for book in books(options.paths)])


def _lint(options: argparse.Namespace) -> bytes:
    """The faults of each file, in the order of the files."""
    from runbooks.loader import lint
    from runbooks.surroundings import Around

    around = msgspec.json.decode(options.around or "{}", type=Around)
    return encode([lint(path, around) for path in options.paths])


def _schema(_: argparse.Namespace) -> bytes:
    from runbooks.json_schema import text

    return text().rstrip().encode()


def _functions(_: argparse.Namespace) -> bytes:
    """Variables and functions, each with what it is."""
    from runbooks.compiling import PLAIN, VARIABLES
    from runbooks.functions import FUNCTIONS

    own = [
        {"signature": one.signature, "unit": one.unit, "docs": one.docs, "group": one.group}
        for one in FUNCTIONS.values()
    ]
    return msgspec.json.encode({"variables": VARIABLES, "functions": own, "plain": PLAIN})


if __name__ == "__main__":
    sys.exit(main())
