"""List the runs that are not over, and those that ended lately: within the last hour, or as far back as is wanted."""

import argparse
import asyncio
import time

from console.cli.exits import Exit
from console.cli.output import note, say, say_json, table
from console.cli.session import environment_of, greeted
from console.domain.durations import parse_duration, words_of
from console.domain.runbooks import RUNS_SHOWN_S, Run, RunsPage, RunsQuery

MOST = 1000
"""Runs that one answer has."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--since", type=_ago, default=RUNS_SHOWN_S, metavar="24h", help="ended within so long (1h)")
    parser.add_argument("--all", action="store_true", help=f"however old; the newest {MOST:,}")
    parser.add_argument("--json", action="store_true", help="one JSON line a run")


def run(options: argparse.Namespace) -> int:
    """Print a line each, the oldest first, and say how many older ones there are."""
    now = time.time()
    since = 0.0 if options.all else max(0.0, now - options.since)
    page = asyncio.run(_page(options.env, RunsQuery(since=since, limit=MOST)))
    if options.json:
        for one in page.runs:
            say_json(one)
    elif page.runs:
        table(("RUN", "RUNBOOK", "STATE", "STEP", "HELD BY", "BEGUN", ""), [_row(one, now) for one in page.runs])
    else:
        say(f"no runbook is followed, and none ended within the last {words_of(options.since)}")
    if page.older:
        note(f"{page.older:,} older {'run is' if page.older == 1 else 'runs are'} left out: --since 7d, or --all")
    return Exit.OK


def _row(one: Run, now: float) -> tuple[str, ...]:
    begun = f"{words_of(max(0.0, now - one.started_at))} ago"
    return one.id, one.runbook, one.state.replace("_", " "), one.current, one.holder, begun, one.words


def _ago(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


async def _page(environment: str, query: RunsQuery) -> RunsPage:
    client, _ = await greeted(environment_of(environment))
    return await client.runs(query)
