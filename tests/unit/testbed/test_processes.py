"""The testbed leaves nothing behind: not when it is closed, and not when its run is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.stack.cache import PROJECT
from tests.real.stack.processes import Nursery, StartError

SLEEPER = [sys.executable, "-c", "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"]
KILLED_RUN = """
import os, signal, sys
from tests.real.stack.processes import Nursery
nursery = Nursery()
child = nursery.spawn("sleeper", ["sleep", "60"])
print(child.pid, nursery.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@contextmanager
def nursery_that_closes() -> Iterator[Nursery]:
    nursery = Nursery()
    try:
        yield nursery
    finally:
        nursery.close()


def gone(pid: int) -> bool:
    """Whether no process of that number runs (one that nobody has waited for does not count)."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_for(condition: Callable[[], bool], limit_s: float = 15.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes under /proc")
def test_a_closed_nursery_leaves_no_process_and_no_file() -> None:
    nursery = Nursery()
    child = nursery.spawn("sleeper", SLEEPER)
    folder = nursery.folder
    assert folder.exists()
    members = _group_members(child.pid)
    nursery.close()
    assert not folder.exists()
    assert gone(child.pid)
    assert wait_for(lambda: all(gone(pid) for pid in members))


def _group_members(group: int) -> list[int]:
    time.sleep(0.5)
    found = subprocess.run(["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in found.split()]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes under /proc")
def test_a_killed_run_leaves_no_process_and_no_file() -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_RUN], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    pid, folder = done.stdout.split()
    assert wait_for(lambda: gone(int(pid)))
    assert wait_for(lambda: not Path(folder).exists())


def test_a_server_that_ends_early_says_its_last_words() -> None:
    with nursery_that_closes() as nursery:
        child = nursery.spawn("sad", [sys.executable, "-c", "print('no database'); raise SystemExit(3)"])
        with pytest.raises(StartError, match=r"sad ended with 3:\nno database"):
            child.wait_until(lambda: False, 10)


def test_a_child_gets_its_own_process_group() -> None:
    with nursery_that_closes() as nursery:
        child = nursery.spawn("sleeper", ["sleep", "60"])
        assert os.getpgid(child.pid) == child.pid != os.getpgrp()
