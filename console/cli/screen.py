"""Open the console on an environment: `switchgear [ENV] [--operate REASON]`."""

import argparse
import sys

from console.cli.exits import Exit
from console.cli.session import environment_of
from console.client import attach
from console.domain.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--operate", metavar="REASON", default="", help="ask for operate at once, for a limited time")


def run(options: argparse.Namespace) -> int:
    """Open the screen; the engine boots while it is painted."""
    return show(environment_of(options.environment), options.operate)


def show(environment: str, operate: str = "") -> int:
    """Attach to an environment and run the screen until it is left.

    Raises:
        ConfigError: there is no terminal to draw on.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("the screen needs a terminal; `switchgear status` prints the same judgement as text")
    client = attach(environment)
    from console.ui import run as run_screen

    run_screen(client, environment, operate=operate)
    return Exit.OK
