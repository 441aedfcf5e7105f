"""Look up everything that an engine had left open, and finish it, revert it, or say that it is not known."""

import argparse
import asyncio

from console.cli.exits import OF_OUTCOME, Exit
from console.cli.output import say, table
from console.cli.session import environment_of, greeted
from console.domain.wire import AccessLevel, AccessRequest


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--operate", metavar="REASON", default="", help="ask for operate for this command")


def run(options: argparse.Namespace) -> int:
    """Print what was found; the exit code is that of the worst outcome."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    client, hello = await greeted(environment_of(options.environment))
    granted = bool(options.operate) and hello.access.level is not AccessLevel.OPERATE
    if granted:
        await client.access(AccessRequest(level=AccessLevel.OPERATE, reason=options.operate, minutes=5.0))
    try:
        report = await client.reconcile()
    finally:
        if granted:
            await client.access(AccessRequest(level=AccessLevel.READ_ONLY))
    for words in report.words:
        say(words)
    if report.receipts:
        rows = [
            (r.id, str(r.intent.action.verb), str(r.intent.target), str(r.outcome), r.words) for r in report.receipts
        ]
        table(("ACTION", "VERB", "TARGET", "OUTCOME", ""), rows)
    if report.overrides:
        held = [(o.id, str(o.action.verb), str(o.target), str(o.state), o.words) for o in report.overrides]
        table(("OVERRIDE", "VERB", "TARGET", "STATE", ""), held)
    if not (report.receipts or report.overrides or report.words):
        say("nothing is open")
    return max((OF_OUTCOME[receipt.outcome] for receipt in report.receipts), default=Exit.OK)
