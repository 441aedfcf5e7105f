"""Say something to a run: yes, done, once more, leave it out, pause, go on, end it, or take control of it."""

import argparse
import asyncio

from console.cli.exits import Exit
from console.cli.runbook.following import Teller
from console.cli.session import environment_of, greeted
from console.domain.runbooks import RunCommand, RunOrder


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("run", help="its id: `switchgear runbook runs`")
    parser.add_argument("order", choices=[str(order) for order in RunOrder])
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--step", default="", help="the step that is meant: refused when the run is at another")
    parser.add_argument("--reason", default="", help="skip: why; it stands in the audit log")
    parser.add_argument("--name", default="", help="confirm: the target's name, where the guard wants it typed")
    parser.add_argument("--no-rollback", action="store_true", help="abort: leave what was done as it is")


def run(options: argparse.Namespace) -> int:
    """Say it, and print how the run stands then."""
    return asyncio.run(_say(options))


async def _say(options: argparse.Namespace) -> int:
    client, _ = await greeted(environment_of(options.env))
    command = RunCommand(
        run=options.run,
        order=RunOrder(options.order),
        step=options.step,
        reason=options.reason,
        name=options.name,
        rollback=not options.no_rollback,
    )
    Teller().tell(await client.order_run(command))
    return Exit.OK
