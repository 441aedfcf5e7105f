"""Shift a route to another deployment in stages, each held until it is judged: the runbook `ramp`, begun and followed.

The run is the engine's: Ctrl-C leaves it, and `switchgear runbook watch` finds it again.
"""

import argparse

from console.cli.runbook import begin

RUNBOOK = "ramp"
_PARAMETERS = {
    "stages": ("P,P,…", "percent of the requests, rising (1,5,25,50,100)"),
    "hold": ("TIME", "the least time that a stage is held (3m)"),
    "requests": ("N", "the least number of requests that the target has had in a stage (300)"),
    "patience": ("TIME", "a stage that cannot be judged by then pauses the run (15m)"),
    "keep": ("TIME", "how long it holds after the last stage, before what was before comes back (30m)"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("route", metavar="ROUTE", help="whose requests are shifted")
    parser.add_argument("to", metavar="TO", help="the deployment that gets them")
    for name, (shape, words) in _PARAMETERS.items():
        parser.add_argument(f"--{name}", default="", metavar=shape, help=words)
    begin.following(parser)


def run(options: argparse.Namespace) -> int:
    """Begin it, and go on until it is over or wants somebody who is not here."""
    given = {name: getattr(options, name) for name in ("route", "to", *_PARAMETERS)}
    options.runbook = RUNBOOK
    options.param = [(name, value) for name, value in given.items() if value]
    options.incident = options.alert = ""
    return begin.run(options)
