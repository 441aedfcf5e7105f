"""Act on an object: the same seven steps as with a key, with the preview printed and the question asked.

Gateways: trip, reset, weight, switch, and reissue, which sends a recorded model call once more. Queues: pause, resume,
park, replay, finish, requeue, isolate, purge. And restore ends an override, stop a long action.
"""

import argparse
import asyncio
import sys

from console.cli.exits import Exit
from console.cli.follow import follow
from console.cli.output import note
from console.cli.preview import print_proposal
from console.cli.reissued import action_for, print_reissued
from console.cli.session import board_of, environment_of, greeted
from console.cli.targets import action_of, target_of
from console.client import SocketClient
from console.domain.actions import Action, Intent, OnExpiry, Proposal, Restore, Stop, Verb
from console.domain.board import Board
from console.domain.durations import parse_duration
from console.domain.text import clean
from console.domain.verbs import Reissue
from console.domain.wire import Access, AccessLevel, AccessRequest, Confirm


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("verb", choices=[str(verb) for verb in Verb])
    parser.add_argument(
        "target",
        help="a name or source:kind/name; for restore an override's id, for stop an action's, or its object",
    )
    parser.add_argument(
        "argument",
        nargs="?",
        default="",
        help="switch: where to; weight: the weight; replay, requeue: messages a second at the most; "
        "reissue: the recorded call, TRACE or TRACE/SPAN",
    )
    parser.add_argument("--source", default="", help="reissue: the trace store, where there are several")
    parser.add_argument("--max-usd", type=float, default=0.25, metavar="USD", help="reissue: what it may cost (0.25)")
    parser.add_argument("--max-tokens", type=int, default=2048, metavar="N", help="reissue: how long the answer may be")
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--reason", default="", help="why; it stands in the audit log")
    parser.add_argument("--ttl", type=_duration, default=None, metavar="30m", help="when the override ends by itself")
    parser.add_argument("--on-expiry", choices=[str(way) for way in OnExpiry], default=str(OnExpiry.REVERT))
    parser.add_argument("--mechanism", default="", help="switch: how, when there are several ways (alias, order, …)")
    parser.add_argument("--operate", action="store_true", help="ask for operate, with the same reason, for this action")
    parser.add_argument("--dry-run", action="store_true", help="show the plan and its effects, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--name", default="", help="the target's name, where the guard wants it typed")


def run(options: argparse.Namespace) -> int:
    """Propose, show, ask, confirm, and follow the receipt to its end.

    The question is asked outside of the event loop, so that Ctrl-C ends it at once.
    """
    client, intent, access = asyncio.run(_prepare(options))
    granted = asyncio.run(_operate(client, access, options))
    try:
        proposal = asyncio.run(client.propose(intent))
        print_proposal(proposal)
        if options.dry_run or not proposal.verdict.allowed:
            return Exit.OK if proposal.verdict.allowed else Exit.REFUSED
        typed: str | None = options.name
        if not options.yes or (proposal.verdict.needs_name and not typed):
            typed = _ask(proposal)
        if typed is None:
            return Exit.REFUSED
        return asyncio.run(_confirm(client, proposal, typed))
    finally:
        if granted:
            asyncio.run(client.access(AccessRequest(level=AccessLevel.READ_ONLY)))


async def _prepare(options: argparse.Namespace) -> tuple[SocketClient, Intent, Access]:
    """The engine, what is wanted of it, and what this account may do there."""
    client, hello = await greeted(environment_of(options.env))
    board = await board_of(client, 15.0)
    verb = Verb(options.verb)
    target, found = target_of(board, verb, options.target)
    intent = Intent(
        target=target,
        action=await _action(client, board, verb, found, options),
        reason=options.reason,
        ttl_s=options.ttl,
        on_expiry=OnExpiry(options.on_expiry),
        via="cli",
    )
    return client, intent, hello.access


async def _action(client: SocketClient, board: Board, verb: Verb, found: str, options: argparse.Namespace) -> Action:
    """The action; `found` is the id of what is restored or stopped."""
    match verb:
        case Verb.REISSUE:
            limits = {"max_usd": options.max_usd, "max_tokens": options.max_tokens}
            return await action_for(client, board, options.argument, options.source, **limits)
        case Verb.RESTORE:
            return Restore(found)
        case Verb.STOP:
            return Stop(found)
    return action_of(verb, options.argument, options.mechanism)


async def _operate(client: SocketClient, access: Access, options: argparse.Namespace) -> bool:
    """Ask for operate when told to and when it is not held already; True when it is to be given back."""
    if options.dry_run or not options.operate or access.level is AccessLevel.OPERATE:
        return False
    await client.access(AccessRequest(level=AccessLevel.OPERATE, reason=options.reason, minutes=5.0))
    return True


async def _confirm(client: SocketClient, proposal: Proposal, typed: str) -> int:
    """Say yes, and follow what comes of it; leaving changes nothing about the action."""
    receipt = await client.confirm(Confirm(proposal_id=proposal.id, typed_name=typed))
    try:
        code = await follow(client, proposal, receipt)
        if isinstance(proposal.intent.action, Reissue) and code == Exit.OK:
            await print_reissued(client, receipt.id)
        return code
    except asyncio.CancelledError:
        note(f"the action goes on without this command: `switchgear status {client.environment}`")
        raise


def _ask(proposal: Proposal) -> str | None:
    """What was typed, or None for no. Anything but a plain yes, or the name where it is wanted, is no."""
    if not sys.stdin.isatty():
        note("nothing was done: there is nobody to ask; --yes confirms" + _name_hint(proposal))
        return None
    if proposal.verdict.needs_name:
        name = clean(proposal.intent.target.name)
        typed = input(f"type {name} to do it, anything else leaves it: ").strip()
        if typed != proposal.intent.target.name:
            note("nothing was done")
            return None
        return typed
    if input("do it? [y/N] ").strip().lower() not in ("y", "yes"):
        note("nothing was done")
        return None
    return ""


def _name_hint(proposal: Proposal) -> str:
    return f", and --name {clean(proposal.intent.target.name)} names the target" if proposal.verdict.needs_name else ""


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
