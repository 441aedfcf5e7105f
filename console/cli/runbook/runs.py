"""List the runs that are not over, and those that ended within the last hour."""

import argparse
import asyncio

from console.cli.exits import Exit
from console.cli.output import say, say_json, table
from console.cli.session import board_of, environment_of, greeted
from console.domain.board import Board
from console.domain.durations import words_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--json", action="store_true", help="one JSON line a run")


def run(options: argparse.Namespace) -> int:
    """Print a line each, the oldest first."""
    board = asyncio.run(_board(options))
    if options.json:
        for one in board.runs.values():
            say_json(one)
        return Exit.OK
    if not board.runs:
        say("no runbook is followed, and none ended within the last hour")
        return Exit.OK
    rows = [
        (one.id, one.runbook, one.state.replace("_", " "), one.current, one.holder,
         words_of(board.at - one.started_at), one.words)
        for one in board.runs.values()
    ]  # fmt: skip
    table(("RUN", "RUNBOOK", "STATE", "STEP", "HELD BY", "SINCE", ""), rows)
    return Exit.OK


async def _board(options: argparse.Namespace) -> Board:
    client, _ = await greeted(environment_of(options.env))
    return await board_of(client, 5.0)
