"""Textual's own terminal driver with the screen's memory before it and a meter behind it."""

import asyncio
import os
import select
import shutil
import signal
import time
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver
from textual.events import InputEvent, MouseMove
from textual.message import Message

from console.ui.glyphs import ascii_only
from console.ui.output import ScreenMemory
from console.ui.turns import Turns

if TYPE_CHECKING:
    from textual.app import App

TERMINATED = 128 + signal.SIGTERM
"""The exit code after a SIGTERM, as shells give it."""

LINE_LOOK_S = 1.0
"""How often the driver looks whether its terminal is still there."""


class Meter:
    """How much was sent, how much of it waits, and how long the line took for it.

    Written by the writer's thread and read by the event loop; each field is written by one side only.
    """

    __slots__ = ("_file", "accepted", "busy_s", "taken")

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.accepted = 0
        """Characters that were handed to the writer."""
        self.taken = 0
        """Characters that the terminal's line has taken."""
        self.busy_s = 0.0
        """Seconds that the line took for them, in all."""

    @property
    def waiting(self) -> int:
        """Characters that the line has not taken yet."""
        return self.accepted - self.taken

    def write(self, text: str) -> int:
        """Write, and count the time until the line has taken it."""
        begun = time.perf_counter()
        written = self._file.write(text)
        self._file.flush()
        self.busy_s += time.perf_counter() - begun
        self.taken += len(text)
        return written

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._file.fileno()


class DiffDriver(LinuxDriver):
    """Sends only what differs; `meter` tells how the line bears it."""

    def __init__(
        self,
        app: "App[Any]",
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is None:
            raise OSError("no terminal: standard error is closed")
        self.meter = Meter(self._file)
        # LinuxDriver hands `_file` to its writer's thread each time it starts: the only place to time the line.
        self._file = self.meter  # type: ignore[assignment]
        self._memory = ScreenMemory(ascii_only=ascii_only())
        self.turns: Turns | None = None
        """Is told of each key as soon as it is read."""
        take = getattr(app, "output_opened", None)
        if take is not None:
            take(self)

    def start_application_mode(self) -> None:
        """Take the terminal; whoever ends this process with SIGTERM gets it back as it was."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        leave = partial(self._app.exit, return_code=TERMINATED)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
        self._end_with_the_line()

    def _end_with_the_line(self) -> None:
        """End when the terminal is gone.

        The kernel says that by a signal only to the processes of the terminal's own session. Any other one would read
        its end again and again, on a whole core.
        """
        line = select.poll()
        line.register(self.fileno, 0)
        if any(event & (select.POLLHUP | select.POLLNVAL) for _, event in line.poll(0)):
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored, and there is nothing left to show
            os.kill(os.getpid(), signal.SIGHUP)
        asyncio.get_running_loop().call_later(LINE_LOOK_S, self._end_with_the_line)

    def process_message(self, message: Message) -> None:
        """Pass on what was read; called by the thread that reads."""
        if self.turns is not None and isinstance(message, InputEvent) and not isinstance(message, MouseMove):
            self.turns.typed(self._loop.time())
        super().process_message(message)

    def write(self, data: str) -> None:
        """Send what `data` would change on the screen."""
        self._memory.resize(*shutil.get_terminal_size())
        reduced = self._memory.reduce(data)
        if reduced:
            self.meter.accepted += len(reduced)
            super().write(reduced)

    def forget(self) -> None:
        """The terminal may show anything: the next repaint is sent whole."""
        self._memory.forget()
