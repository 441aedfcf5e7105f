"""Before a simulated incident the detectors watch some calm hours, in seconds: without them they know nothing yet."""

import subprocess
import sys

from console.cli.output import note
from console.domain.errors import ConfigError

HOURS = 2.0
"""Calm hours that the detectors have seen when it begins: about three seconds each."""


def rehearse(environment: str) -> None:
    """Have it done by the engine's side; no engine of this environment may run.

    Raises:
        ConfigError: the engine's side says why it cannot.
    """
    note("the detectors get to know the platform on a quiet day; that takes some seconds")
    command = [sys.executable, "-P", "-m", "console.server", environment, "--rehearse", f"{HOURS:g}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  this interpreter
    if done.returncode:
        raise ConfigError(done.stderr.strip().removeprefix("switchgear: ") or "the rehearsal failed")
