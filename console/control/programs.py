"""Starts a program without a shell, hears it out, and leaves nothing of it behind."""

import asyncio
import os
import signal
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from console.control.alarm import within
from console.domain.commands import OUTPUT_KEPT
from console.domain.ports import Clock
from console.domain.redact import redact
from console.domain.text import printable

LAST_WORDS_S = 1.0
"""How long a killed program's output is waited for: who left its group may hold the pipe for ever."""
_MOST_BYTES = 4 * OUTPUT_KEPT
"""No character has more bytes than four."""


class Ended(NamedTuple):
    """How a program ended."""

    exit_code: int | None
    """None when its time was up and it was killed; negative when a signal ended it."""
    output: str
    """The end of what it said: lines of clean text without what looks like a credential."""


def why_not(path: str) -> str:
    """Why the program at `path` is not started; empty when it may be."""
    try:
        found = os.stat(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.X_OK):
        return f"{path} is no program that may be started"
    if found.st_mode & stat.S_IWOTH:
        return f"{path} can be changed by everybody; chmod o-w {path}"
    return ""


async def run_program(argv: Sequence[str], environment: Mapping[str, str], timeout_s: float, clock: Clock) -> Ended:
    """Start a program in a session of its own and wait until it has ended, for `timeout_s` at the most.

    Whatever is left of its process group then is killed, also when this is cancelled.

    Raises:
        OSError: it could not be started.
    """
    transport, hearing = await asyncio.get_running_loop().subprocess_exec(
        _Hearing,
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
    )
    in_time = False
    try:
        with suppress(TimeoutError):
            in_time = await within(clock, timeout_s, hearing.exited.wait())
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        await hearing.exited.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await hearing.silent.wait()
        transport.close()
    return Ended(transport.get_returncode() if in_time else None, _shown(hearing.said))


class _Hearing(asyncio.SubprocessProtocol):
    """Keeps the last of what a program says, and notices its end."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.exited = asyncio.Event()
        self.silent = asyncio.Event()
        """Set when nobody can say anything any more."""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.said += data
        del self.said[:-_MOST_BYTES]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.silent.set()

    def process_exited(self) -> None:
        self.exited.set()


def _shown(said: bytearray) -> str:
    lines = said.decode(errors="replace").expandtabs(4).splitlines()
    return redact(printable("\n".join(lines)).strip("\n"))[-OUTPUT_KEPT:]
