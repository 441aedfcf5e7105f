"""The incidents that the simulated platform knows, asked of the engine's side, which alone imports adapters."""

import subprocess
import sys

import msgspec

from console.domain.errors import EngineLost


class Listed(msgspec.Struct, frozen=True):
    """One incident, as far as a command needs to know it."""

    name: str
    summary: str
    kind: str = "incident"
    """`incident`, or `control`: a day on which nothing is broken."""


def ask(module: str, *arguments: str, given: bytes = b"") -> bytes:
    """Run a program of the simulator and take what it prints.

    Raises:
        EngineLost: it failed; the text is what it said last.
    """
    command = [sys.executable, "-P", "-m", f"adapters.simulator.{module}", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603  this interpreter
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise EngineLost(f"the simulated platform does not answer: {said[-1] if said else 'no word'}")
    return done.stdout


def listed() -> tuple[Listed, ...]:
    """All of them, by name.

    Raises:
        EngineLost: they cannot be listed.
    """
    return msgspec.json.decode(ask("catalogue", "--labels"), type=tuple[Listed, ...])
