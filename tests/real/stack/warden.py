"""Ends what its parent started, should the parent go without doing so: a killed test run leaves nothing behind.

It is a process of its own that reads lines from its parent: `+GROUP` and `-GROUP` (a process group to end, or not
any more), `/PATH` (a folder to delete). The end of the input means that the parent is gone.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_GRACE_S = 5.0


def end_groups(groups: set[int], grace_s: float = _GRACE_S) -> None:
    """Ask every process group to end, and kill what is still there after `grace_s` seconds."""
    for signum, wait_s in ((signal.SIGINT, grace_s), (signal.SIGKILL, 0.5)):
        for group in groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signum)
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline and any(map(_alive, groups)):
            time.sleep(0.05)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> None:
    """Read the parent's lines until it goes, then clean up after it."""
    groups: set[int] = set()
    folders: list[Path] = []
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    for line in sys.stdin:
        mark, rest = line[0], line[1:].strip()
        if mark == "+":
            groups.add(int(rest))
        elif mark == "-":
            groups.discard(int(rest))
        else:
            folders.append(Path(line.strip()))
    end_groups(groups)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
