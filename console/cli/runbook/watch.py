"""Follow a run from here until it is over; looking takes no right but to read, and leaving changes nothing."""

import argparse
import asyncio

from console.cli.runbook.following import Teller, ended, follow
from console.cli.session import environment_of, greeted


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("run", help="its id: `switchgear runbook runs`")
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")


def run(options: argparse.Namespace) -> int:
    """Print every new word; the exit code says how it ended."""
    return asyncio.run(_watch(options))


async def _watch(options: argparse.Namespace) -> int:
    client, _ = await greeted(environment_of(options.env))
    one = await client.run(options.run)
    return ended(await follow(client, one, Teller(), to_end=True), client.environment)
