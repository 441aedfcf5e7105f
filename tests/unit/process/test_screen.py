"""The screen in a real terminal, and how it gives the terminal back."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

from console.cli.exits import Exit
from tests.unit.process.place import PATIENCE_S, Place

LEFT = b"\x1b[?1049l"
"""The terminal's other screen is closed: what stood there before is seen again."""


class Screen:
    """`switchgear` on a terminal of its own."""

    def __init__(self, place: Place, *arguments: str) -> None:
        self.here, there = pty.openpty()
        self.sent = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "console.cli.main", *(arguments or ("plant",))],
            env={**place.variables, "TERM": "xterm-256color"},
            stdin=there, stdout=there, stderr=there, start_new_session=True,
        )  # fmt: skip
        os.close(there)

    def until(self, words: bytes) -> None:
        """Read until the terminal was sent `words`."""
        end = time.monotonic() + PATIENCE_S
        while words not in self.sent:
            assert time.monotonic() < end, self.sent[-2000:]
            if select.select([self.here], [], [], 0.1)[0]:
                self.sent += os.read(self.here, 65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.here)


def test_a_screen_that_is_terminated_gives_the_terminal_back(place: Place) -> None:
    screen = Screen(place)
    try:
        screen.until(b"Overview")
        screen.process.send_signal(signal.SIGTERM)
        screen.until(LEFT)
        assert screen.process.wait(PATIENCE_S) == Exit.TERMINATED
    finally:
        screen.close()


def test_a_screen_whose_terminal_is_gone_ends_although_no_signal_says_so(place: Place) -> None:
    screen = Screen(place)
    try:
        screen.until(b"Overview")
        os.close(screen.here)
        assert screen.process.wait(PATIENCE_S) == -signal.SIGHUP
    finally:
        screen.process.kill()
        screen.process.wait()
