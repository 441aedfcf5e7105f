"""Starts the engine of an environment in a session of its own, so that it outlives the one who started it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from console.domain.errors import EngineLost
from console.domain.text import clean

START_S = 30.0
"""How long an engine may take from its start until it listens."""
LOOK_AGAIN_S = 0.05


class Starter:
    """Brings up the engine that listens on `path`, once, however many ask at the same time.

    Two consoles may each start an engine: the environment's lock lets one of them in, and the other console waits for
    that one's socket.
    """

    def __init__(self, path: Path, environment: str, *, stay: bool = False) -> None:
        """`stay` makes an engine that does not end when nobody is attached."""
        self._path = path
        self._stay = ["--stay"] if stay else []
        self._environment = environment
        self._one_at_a_time = asyncio.Lock()
        self._engine: subprocess.Popen[bytes] | None = None

    @property
    def begun(self) -> bool:
        """Whether an engine was started and nobody has waited for it yet."""
        return self._engine is not None

    def begin(self) -> None:
        """Start the engine now if none listens, without waiting for it; a few milliseconds, for before the first paint.

        Raises:
            EngineLost: no process can be started.
        """
        if self._engine is not None or listens(self._path):
            return
        command = [sys.executable, "-P", "-m", "console.server", self._environment, "--background", *self._stay]
        try:
            self._engine = subprocess.Popen(  # noqa: S603  this interpreter, an argument list
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineLost(f"the engine of {self._environment} cannot be started: {error}") from error

    async def ensure(self) -> None:
        """Return when an engine listens.

        Raises:
            EngineLost: it could not start; the text is the engine's own, with the way out.
        """
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(START_S):
                    while self._engine is not None or not listens(self._path):
                        await self._one_start()
            except TimeoutError:
                raise EngineLost(
                    f"the engine of {self._environment} does not listen on {self._path} after {START_S:.0f} s; "
                    f"`switchgear engine {self._environment}` shows what it does"
                ) from None

    async def _one_start(self) -> None:
        """Start an engine and hear what it says; return also when another one was quicker, or is just ending."""
        self.begin()
        engine, self._engine = self._engine, None
        if engine is None:
            return
        said = await _read(engine)
        with contextlib.suppress(subprocess.TimeoutExpired):
            engine.wait(0)
        word, _, words = said.strip().partition(" ")
        if word == "runs":
            await self._other_listens()
        elif word != "ready":
            if word not in ("error", "config"):
                words = (said.strip() or "it ended without a word").splitlines()[-1]
            lines = "\n".join(clean(line, 400) for line in words.splitlines())
            cannot = f"the engine of {self._environment} cannot start: {lines}"
            raise EngineLost(cannot, by_config=word == "config")

    async def _other_listens(self) -> None:
        """Give the engine that was quicker a moment; it may as well be one that is ending and never listens again."""
        for _ in range(20):
            if listens(self._path):
                return
            await asyncio.sleep(LOOK_AGAIN_S)


def listens(path: Path) -> bool:
    """Whether somebody accepts connections on a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except PermissionError:
            return True  # Somebody does, and not for us: the call itself will say so.
        except OSError:
            return False
        return True


async def _read(engine: subprocess.Popen[bytes]) -> str:
    """What the engine says until it lets go of the pipe."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), engine.stdout)
    try:
        return (await reader.read()).decode(errors="replace")
    finally:
        transport.close()
