"""Open the console on an environment: `switchgear [ENV] [--operate REASON]`."""

import argparse
import difflib
import sys
from typing import TYPE_CHECKING

from console.cli.commands import COMMANDS
from console.cli.session import environment_of
from console.client import attach
from console.domain.errors import ConfigError

if TYPE_CHECKING:
    from console.ui.staging import Staging


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--operate", metavar="REASON", default="", help="ask for operate at once, for a limited time")


def run(options: argparse.Namespace) -> int:
    """Open the screen; the engine boots while it is painted."""
    return show(environment_of(options.environment), options.operate)


def show(environment: str, operate: str = "", first: str = "", staging: "Staging | None" = None) -> int:
    """Attach to an environment and run the screen until it is left.

    `first` is the screen to begin with, `staging` the incidents that a demo can begin with.

    Raises:
        ConfigError: there is no terminal to draw on.
    """
    _known(environment)
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):  # Textual draws on standard error.
        raise ConfigError("the screen needs a terminal; `switchgear status` prints the same judgement as text")
    client = attach(environment)
    from console.ui import run as run_screen

    return run_screen(client, environment, operate=operate, first=first, staging=staging)


def _known(environment: str) -> None:
    """Spare a mistyped name the whole screen: without an engine, an environment has to be in the config.

    Raises:
        ConfigError: it is not; the text lists what there is, commands included.
    """
    from console.config.document import DEMO, environments
    from console.places import GAMEDAY, OPENED, config_path, reachable_socket

    if environment.split("-")[0] in (DEMO, OPENED, GAMEDAY) or reachable_socket(environment).exists():
        return
    known = [*environments(config_path()), DEMO]
    if environment not in known:
        near = difflib.get_close_matches(environment, [*known, *COMMANDS], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"there is no environment {environment!r}{hint} There are: {', '.join(known)}")
