"""Say how far off forecasts were, for each kind of action and each quantity."""

import argparse
import asyncio

from console.cli.exits import Exit
from console.cli.forecasts import NAMES
from console.cli.output import say, say_json, table
from console.cli.session import environment_of, greeted


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Print a line for each kind of action and quantity that was compared, 15 minutes after."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    client, _ = await greeted(environment_of(options.env))
    found = await client.calibration()
    if options.json:
        for one in found:
            say_json(one)
        return Exit.OK
    if not found:
        say("no forecast has been compared yet; each is, 15 minutes after its action")
        return Exit.OK
    rows = [
        (
            str(one.verb or "nothing"),
            NAMES[one.quantity],
            str(one.count),
            f"{100.0 * one.median_error:.0f} %",
            f"{100.0 * one.p90_error:.0f} %",
        )
        for one in found
    ]
    table(("ACTION", "FORECAST OF", "COMPARED", "MEDIAN OFF", "9 OF 10 WITHIN"), rows)
    return Exit.OK
