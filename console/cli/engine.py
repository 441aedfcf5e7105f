"""Run the engine of an environment: in this terminal, or in the background until it is stopped."""

import argparse
import asyncio
import os
import sys

from console.cli.exits import Exit
from console.cli.output import say
from console.cli.session import environment_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--stay", action="store_true", help="go to the background and stay until `switchgear stop`")
    how.add_argument("--foreground", action="store_true", help="stay in this terminal, for systemd too (the default)")


def run(options: argparse.Namespace) -> int:
    """Become the engine, or start one that stays."""
    environment = environment_of(options.environment)
    if options.stay:
        return asyncio.run(_background(environment))
    command = [sys.executable, "-P", "-m", "console.server", environment, "--stay"]
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  this interpreter, an argument list


async def _background(environment: str) -> int:
    from console.client import SocketClient, Starter
    from console.places import socket_path

    path = socket_path(environment)
    await Starter(path, environment, stay=True).ensure()
    hello = await SocketClient(path, environment).hello()
    say(f"the engine of {environment} runs: pid {hello.pid}, {path}")
    return Exit.OK
