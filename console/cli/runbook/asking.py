"""What runbooks are is asked of their own side, in a process of its own: no engine has to run for that."""

import subprocess
import sys

from console.domain.errors import EngineLost


def ask(what: str, *arguments: str, around: str = "") -> bytes:
    """Run `python -m runbooks` and take what it prints; `around` is what an environment has to name, as JSON.

    Raises:
        EngineLost: it failed; the text is what it said last.
    """
    command = [sys.executable, "-P", "-m", "runbooks", f"--around={around}", what, "--", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603  ours
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise EngineLost(f"runbooks cannot be read: {said[-1] if said else 'no word'}")
    return done.stdout
