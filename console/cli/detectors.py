"""Say what each detector watches, and what it cannot judge yet."""

import argparse
import asyncio

from console.cli.exits import Exit
from console.cli.output import say, say_json, table
from console.cli.session import environment_of, greeted


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Print a line for each detector, then what is still learnt."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    client, _ = await greeted(environment_of(options.env))
    states = await client.detectors()
    if options.json:
        for state in states:
            say_json(state)
        return Exit.OK
    rows = [(state.name, str(state.watching), str(state.learning or "–"), state.summary) for state in states]
    table(("DETECTOR", "WATCHING", "LEARNING", "FINDS"), rows)
    unknown = [(state.name, words) for state in states for words in state.unknown]
    if unknown:
        say()
        table(("DETECTOR", "CANNOT BE JUDGED YET"), unknown)
    return Exit.OK
