"""The command `switchgear`: finds the command's file, runs it, and turns every expected error into words and a code."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from console.cli.commands import COMMANDS
from console.cli.exits import Exit
from console.cli.output import any_encoding, note


class Parser(argparse.ArgumentParser):
    """argparse, with the exit code that means a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong with it."""
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code is one of `Exit`."""
    from console.domain.errors import ConfigError, EngineLost, Refusal

    any_encoding()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(given)
        sys.stdout.flush()
        return code
    except ConfigError as error:
        return _sorry(str(error), Exit.CONFIG)
    except EngineLost as error:
        return _sorry(str(error), Exit.CONFIG if error.by_config else Exit.LOST)
    except Refusal as error:
        return _sorry(str(error), Exit.REFUSED)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end.
        return Exit.OK


def _dispatch(given: list[str]) -> int:
    if given and given[0] in COMMANDS:
        name, rest = given[0], given[1:]
        module = import_module(f"console.cli.{name}")
        if hasattr(module, "become"):
            return int(module.become(rest))
        parser = Parser(prog=f"switchgear {name}", description=module.__doc__)
    else:
        from console.ui import collector

        collector.rest()
        rest = given
        module = import_module("console.cli.screen")
        parser = Parser(
            prog="switchgear",
            description="A terminal operations console for AI platforms.",
            usage="switchgear [ENV] [--operate REASON]\n       switchgear COMMAND …",
            epilog="commands:\n" + "\n".join(f"  {name:<11}{words}" for name, words in COMMANDS.items()),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        from console import __version__

        parser.add_argument("--version", action="version", version=f"switchgear {__version__}")
    module.arguments(parser)
    return int(module.run(parser.parse_args(rest)))


def _sorry(words: str, code: Exit) -> int:
    for line in words.splitlines():
        note(line)
    return code


if __name__ == "__main__":
    sys.exit(main())
