"""Print the JSON Schema of a runbook's file, for editors."""

import argparse

from console.cli.exits import Exit
from console.cli.output import say
from console.cli.runbook.asking import ask


def arguments(parser: argparse.ArgumentParser) -> None:
    """It takes nothing."""


def run(options: argparse.Namespace) -> int:
    """Print it."""
    say(ask("schema").decode().rstrip())
    return Exit.OK
