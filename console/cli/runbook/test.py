"""Follow a runbook on the simulated platform: is it offered, and is it over sooner than with nobody acting?"""

import argparse
import json
import subprocess
import sys

from console.cli.exits import Exit
from console.cli.output import note


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "runbook",
        nargs="?",
        default="",
        metavar="FILE|ID",
        help="the one that is tried; left out: what is offered first",
    )
    parser.add_argument("--scenario", required=True, metavar="NAME|FILE", help="as `switchgear scenarios` lists them")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another day of the same platform (default 1)")
    parser.add_argument("--minutes", type=float, default=None, metavar="M", help="watch it for so long after its onset")
    parser.add_argument("--json", action="store_true", help="the proof as one line of JSON")


def run(options: argparse.Namespace) -> int:
    """Try it, and say step by step what happened: exit code 0, it is worth following; 1, it is not."""
    case = {"scenario": options.scenario, "seed": options.seed, "runbook": options.runbook}
    if options.minutes is not None:
        case["watched_s"] = options.minutes * 60.0
    note("a platform is watched on a quiet day, and then gets into trouble; that takes some seconds")
    command = [sys.executable, "-P", "-m", "console.runtime.proving", *([] if options.json else ["--words"])]
    done = subprocess.run(command, input=json.dumps([case]).encode(), check=False)  # noqa: S603  this interpreter
    return Exit.CONFIG if done.returncode == 2 else done.returncode
