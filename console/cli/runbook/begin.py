"""Follow a runbook: begin it, see what each step would do, say yes or no. The run is the engine's: Ctrl-C leaves it."""

import argparse
import asyncio
import sys

from console.cli.output import note
from console.cli.runbook.following import Teller, ended, follow, print_step
from console.cli.session import environment_of, greeted
from console.client import SocketClient
from console.domain.runbooks import Run, RunCommand, RunOrder, RunState, RunStep, StartRun, StepKind
from console.domain.text import clean
from console.domain.wire import AccessLevel, AccessRequest


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("runbook", help="its id: `switchgear runbook list`")
    parser.add_argument("--param", action="append", default=[], type=_given, metavar="NAME=VALUE", help="a parameter")
    parser.add_argument("--incident", default="", metavar="ID", help="the incident that it is begun from")
    parser.add_argument("--alert", default="", metavar="ID", help="the alert that it is begun from")
    following(parser)


def following(parser: argparse.ArgumentParser) -> None:
    """What every command takes that begins a run and follows it."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--dry-run", action="store_true", help="plan, judge and show every action, and do nothing")
    parser.add_argument("--yes", action="store_true", help="say yes to every action; steps done by hand still ask")
    parser.add_argument("--operate", metavar="REASON", default="", help="ask for operate first, with this reason")
    parser.add_argument("--request", default="", help="a name of your own: run twice with it, one run is begun")


def run(options: argparse.Namespace) -> int:
    """Begin, and go on until the run is over or wants somebody who is not here."""
    client, one = asyncio.run(_begin(options))
    teller, said = Teller(), set[tuple[str, int]]()
    while True:
        one = asyncio.run(follow(client, one, teller))
        step = one.step(one.current)
        if one.state is not RunState.AWAITING or step is None:
            return ended(one, client.environment)
        if options.yes and (step.id, step.attempt) in said:
            return ended(one, client.environment)  # a yes was given and was not enough: a person has to look
        said.add((step.id, step.attempt))
        command = _asked(one, step, yes=options.yes)
        if command is None:
            return ended(one, client.environment)
        one = asyncio.run(client.order_run(command))


async def _begin(options: argparse.Namespace) -> tuple[SocketClient, Run]:
    client, hello = await greeted(environment_of(options.env))
    if options.operate and hello.access.level is not AccessLevel.OPERATE:
        await client.access(AccessRequest(level=AccessLevel.OPERATE, reason=options.operate))
    start = StartRun(
        runbook=options.runbook,
        parameters=dict(options.param),
        incident=options.incident,
        alert=options.alert,
        dry=options.dry_run,
        request=options.request,
    )
    return client, await client.start_run(start)


def _asked(one: Run, step: RunStep, *, yes: bool) -> RunCommand | None:
    """What the person here says to the step that awaits one; None where there is nobody."""
    manual = step.kind is StepKind.MANUAL
    name = clean(step.target.name) if step.target and step.verdict and step.verdict.needs_name else ""
    if yes and not manual and not name:
        return RunCommand(run=one.id, order=RunOrder.CONFIRM, step=step.id)
    print_step(step)
    if not sys.stdin.isatty():
        note("there is nobody to ask")
        return None
    wanted = f"type {name}" if name else "y: it is done" if manual else "y: do it"
    answer = input(f"{wanted}; s: leave it out; a: abort and undo; anything else leaves the run waiting: ").strip()
    if step.target is not None and name and answer == step.target.name:
        return RunCommand(run=one.id, order=RunOrder.CONFIRM, step=step.id, name=answer)
    if answer.lower() in ("y", "yes") and not name:
        return RunCommand(run=one.id, order=RunOrder.DONE if manual else RunOrder.CONFIRM, step=step.id)
    if answer.lower() == "s":
        return RunCommand(run=one.id, order=RunOrder.SKIP, step=step.id, reason=input("why? ").strip())
    return RunCommand(run=one.id, order=RunOrder.ABORT, step=step.id) if answer.lower() == "a" else None


def _given(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
