"""End the engine of an environment. It refuses while it holds something that only it can bring to its end."""

import argparse
import asyncio

from console.cli.exits import Exit
from console.cli.output import note, say
from console.cli.session import environment_of
from console.client import SocketClient, attach
from console.client.starter import listens
from console.domain.errors import EngineLost

PATIENCE_S = 15.0
"""How long an engine may take to end in order."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also while it holds overrides or follows runbooks: until the next start nobody brings them to their end",
    )
    parser.add_argument("--reason", default="asked on the command line", help="for the timeline")


def run(options: argparse.Namespace) -> int:
    """Ask it to end and wait until it has; 0 also when none ran."""
    return asyncio.run(_run(environment_of(options.environment), options.reason, force=options.force))


async def _run(environment: str, reason: str, *, force: bool) -> int:
    client = attach(environment, start=False)
    if not listens(client.path):
        note(f"no engine of {environment} runs")
        return Exit.OK
    await client.stop(reason, force=force)
    await _gone(client)
    say(f"the engine of {environment} has ended")
    return Exit.OK


async def _gone(client: SocketClient) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while client.path.exists():  # noqa: ASYNC110  another process removes it as its last act
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise EngineLost(f"the engine of {client.environment} took the order and has not ended; see its log") from None
