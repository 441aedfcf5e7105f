"""Take in traces: an OTLP/HTTP receiver with its own store, which the adapter `otlp` reads."""

import argparse
import os
import sys


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes: all of it goes to the collector."""
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Become the collector."""
    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "adapters.otlp.collect", *options.rest]
    os.execv(sys.executable, command)  # noqa: S606  this interpreter, an argument list
