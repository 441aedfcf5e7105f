"""Check files of runbooks: shape, names, conditions, ways on. Every fault at once, `FILE:LINE: what`.

Commands and rules are held against the config, where there is one.
"""

import argparse

import msgspec

from console.cli.exits import Exit
from console.cli.output import note, say
from console.cli.runbook.asking import ask
from console.cli.runbook.known import around
from console.domain.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a runbook's file")
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="whose commands and rules; the config's default")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing of files without a fault")


def run(options: argparse.Namespace) -> int:
    """0 when all can be followed, 1 when one has a fault."""
    found = msgspec.json.decode(ask("lint", *options.files, around=_around(options.env)), type=list[list[str]])
    for path, faults in zip(options.files, found, strict=True):
        for fault in faults:
            say(fault)
        if not faults and not options.quiet:
            say(f"{path}: ok")
    return Exit.WARN if any(found) else Exit.OK


def _around(environment: str) -> str:
    """What the environment has to name. A faulty config is no fault of a runbook, unless it was asked for."""
    try:
        return around(environment)
    except ConfigError as error:
        if environment:
            raise
        note(f"commands are not held against the config: {str(error).splitlines()[0]}")
        return ""
