"""Check files of runbooks: shape, names, conditions, ways on. Every fault at once, `FILE:LINE: what`."""

import argparse

import msgspec

from console.cli.exits import Exit
from console.cli.output import say
from console.cli.runbook.asking import ask


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a runbook's file")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing of files without a fault")


def run(options: argparse.Namespace) -> int:
    """0 when all can be followed, 1 when one has a fault."""
    found = msgspec.json.decode(ask("lint", *options.files), type=list[list[str]])
    for path, faults in zip(options.files, found, strict=True):
        for fault in faults:
            say(fault)
        if not faults and not options.quiet:
            say(f"{path}: ok")
    return Exit.WARN if any(found) else Exit.OK
