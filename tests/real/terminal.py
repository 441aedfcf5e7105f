"""A person at a terminal: a program in a pty, its screen as text, keys typed into it."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType

import pyte


class Terminal:
    """One program in a terminal of `columns` × `lines`; use it as a context manager."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, columns: int = 120, lines: int = 40) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.bytes_seen = 0
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            # Before the program begins: it would take 80 columns for true, and miss the signal that says otherwise.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            kept = {name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")}  # the tests' own
            os.execvpe(command[0], list(command), {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"})

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        self._pump(0.0)
        return "\n".join(line.rstrip() for line in self._screen.display)

    def press(self, *keys: str) -> None:
        """Type keys, one after the other, as fast as a quick person."""
        for key in keys:
            os.write(self._master, key.encode())
            self._pump(0.05)
            if key == "\x1b":
                time.sleep(0.3)  # what comes sooner makes it Alt and that key

    def wait_for(self, *words: str, limit_s: float = 20.0) -> str:
        """Wait until every one of `words` stands on the screen, and return it.

        Raises:
            AssertionError: that took too long; the text is the screen as it is.
        """
        return self.wait_until(lambda text: all(word in text for word in words), " and ".join(words), limit_s)

    def wait_until(self, shows: Callable[[str], bool], what: str, limit_s: float = 20.0) -> str:
        """Wait until `shows` says yes to the screen's text; as `wait_for`."""
        deadline = time.monotonic() + limit_s
        while True:
            text = self.text
            if shows(text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not on the screen after {limit_s:.0f} s:\n{text}")
            self._pump(0.1)

    def hang_up(self) -> None:
        """The line drops: the kernel sends SIGHUP."""
        os.close(self._master)
        self._master = -1
        self._reap()

    def kill(self, signum: signal.Signals = signal.SIGKILL) -> None:
        """End the program, and wait for it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signum)
        self._reap()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _reap(self) -> None:
        deadline = time.monotonic() + 10
        with suppress(ChildProcessError):
            while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                self._pump(0.05)
                if time.monotonic() > deadline:
                    os.kill(self.pid, signal.SIGKILL)

    def _pump(self, wait_s: float) -> None:
        """Read what the program wrote; at most `wait_s` seconds for the first byte."""
        if self._master < 0:
            time.sleep(wait_s)
            return
        with suppress(OSError):
            while select.select([self._master], [], [], wait_s)[0]:
                data = os.read(self._master, 65536)
                if not data:
                    return
                self.bytes_seen += len(data)
                self._stream.feed(data)
                wait_s = 0.0
