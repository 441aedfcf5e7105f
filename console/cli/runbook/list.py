"""List the runbooks that are shipped and those of an environment's folders; no engine has to run."""

import argparse

from console.cli.exits import Exit
from console.cli.output import table
from console.cli.runbook.known import known


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")


def run(options: argparse.Namespace) -> int:
    """Print a line each; 1 when one of them has a fault."""
    found = known(options.env)
    rows = [(one.id, "FAULTY" if one.faults else str(len(one.steps)), one.title, one.path) for one in found]
    table(("RUNBOOK", "STEPS", "TITLE", "FILE"), rows, styles=["bold red" if one.faults else "" for one in found])
    return Exit.WARN if any(one.faults for one in found) else Exit.OK
