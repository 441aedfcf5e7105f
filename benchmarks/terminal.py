"""A program in a pseudo-terminal of a chosen size; each chunk that it writes is kept with its moment of arrival."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence


class Terminal:
    """A running program and what it has written so far. `rate` makes its line slow."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        columns: int = 160,
        rows: int = 50,
        rate: float | None = None,
    ) -> None:
        """Start `command`; with `rate` the line takes only so many bytes a second."""
        self.columns, self.rows = columns, rows
        self.chunks: list[tuple[float, bytes]] = []
        self._rate, self._budget, self._filled = rate, 0.0, time.monotonic()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=dict(env), start_new_session=True, close_fds=True
        )
        os.close(slave)

    def press(self, key: str) -> float:
        """Type a key; gives the moment."""
        os.write(self.master, key.encode())
        return time.monotonic()

    @property
    def received(self) -> int:
        """Bytes that have arrived so far."""
        return sum(len(data) for _, data in self.chunks)

    def take(self) -> None:
        """Take what has arrived, as far as the line's rate allows."""
        most = 65536
        if self._rate is not None:
            now = time.monotonic()
            # The bucket holds 1/50 s: a slow line takes a little at a time, it does not save up.
            self._budget = min(self._rate / 50, self._budget + (now - self._filled) * self._rate)
            self._filled = now
            most = int(self._budget)
            if most < 64:
                time.sleep(0.001)
                return
        try:
            data = os.read(self.master, most)
        except OSError:
            return
        self._budget -= len(data)
        self.chunks.append((time.monotonic(), data))

    def end(self) -> None:
        """End the program and close the line."""
        self.process.terminate()
        try:
            deadline = time.monotonic() + 5
            while self.process.poll() is None and time.monotonic() < deadline:
                pump([self], 0.05)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            os.close(self.master)


def pump(terminals: Sequence[Terminal], seconds: float) -> None:
    """Take what the programs write, for so long."""
    end = time.monotonic() + seconds
    by_file = {terminal.master: terminal for terminal in terminals}
    while (left := end - time.monotonic()) > 0:
        ready, _, _ = select.select(list(by_file), [], [], left)
        for master in ready:
            by_file[master].take()


def pump_until(terminal: Terminal, text: str, seconds: float) -> float:
    """Take what comes until `text` has; gives the seconds since the start.

    Raises:
        TimeoutError: it did not come in time.
    """
    wanted, seen = text.encode(), b""
    end = time.monotonic() + seconds
    done = 0
    while time.monotonic() < end:
        pump([terminal], 0.002)
        for at, data in terminal.chunks[done:]:
            seen = seen[-len(wanted) :] + data
            if wanted in seen:
                return at - terminal.started
        done = len(terminal.chunks)
    tail = b"".join(data for _, data in terminal.chunks)[-2000:]
    raise TimeoutError(f"{text!r} was not shown within {seconds} s; the last output: {tail!r}")
