"""Take in traces: an OTLP/HTTP receiver with its own store, which the adapter `otlp` reads."""

import os
import sys
from collections.abc import Sequence


def become(rest: Sequence[str]) -> int:
    """Become the collector, which reads its own arguments: a process of its own, that needs nothing of the console."""
    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "adapters.otlp.collect", *rest]
    os.execv(sys.executable, command)  # noqa: S606  this interpreter, an argument list
