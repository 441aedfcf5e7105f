"""Runbooks: what there is, whether a file is one, what their conditions can ask, and following one."""

import argparse
from importlib import import_module

SUBCOMMANDS = {
    "list": "list the runbooks that are shipped and those of an environment's folders",
    "show": "print one runbook: when it is offered, what it asks for, its steps",
    "test": "follow one on the simulated platform, beside the same platform with nobody acting",
    "run": "follow one: see what each step would do, and say yes or no",
    "runs": "list the runs that are not over, and those of the last hour (--since 7d, --all)",
    "watch": "follow a run until it is over",
    "order": "say something to a run: confirm, done, retry, skip, pause, resume, abort, take",
    "lint": "check files: every fault at once, by file and line",
    "schema": "print the JSON Schema of a runbook's file, for editors",
    "functions": "list the variables and functions that conditions have",
}
"""Each is a module of this package with `arguments(parser)` and `run(options)`."""

_ELSEWHERE = {"run": "begin"}
"""Modules of another name: one called `run` would take the place of this package's own `run`."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    which = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, words in SUBCOMMANDS.items():
        module = import_module(f"{__name__}.{_ELSEWHERE.get(name, name)}")
        one = which.add_parser(name, help=words, description=module.__doc__)
        module.arguments(one)
        one.set_defaults(subcommand=module)


def run(options: argparse.Namespace) -> int:
    """Run the one that was named."""
    return int(options.subcommand.run(options))
