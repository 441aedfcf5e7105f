"""A place of its own for engines: sockets, state and config in one short folder, and no engine left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from console.client import SocketClient

PATIENCE_S = 30.0

CONFIG = """\
schemaVersion: 1
default: plant
environments:
  plant:
    access: {access}
    idle_exit: {idle}
    {more}
    sources:
      world: {{adapter: simulator, interval: 500ms, timeout: 400ms, options: {{scenario: calm, replicas: 1}}}}
"""


class Place:
    """Runs `switchgear` and engines with everything on disk under `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SWITCHGEAR_")},
            "SWITCHGEAR_RUNTIME_DIR": str(folder / "run"),
            "SWITCHGEAR_STATE_DIR": str(folder / "state"),
            "SWITCHGEAR_CONFIG": str(folder / "config.yaml"),
        }
        self.configure()

    @property
    def socket(self) -> Path:
        """Where the engine of `plant` listens."""
        return self.folder / "run" / "plant.sock"

    @property
    def client(self) -> SocketClient:
        """A client that starts nothing."""
        return SocketClient(self.socket, "plant")

    def configure(self, *, access: str = "operate", idle: str = "60s", more: str = "") -> None:
        """Write the config."""
        path = self.folder / "config.yaml"
        path.write_text(CONFIG.format(access=access, idle=idle, more=more))
        path.chmod(0o600)

    def switchgear(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command line to its end."""
        return subprocess.run(
            [sys.executable, "-m", "console.cli.main", *arguments],
            env=self.variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def engine(self, *arguments: str) -> subprocess.Popen[str]:
        """An engine in the foreground of this test."""
        return subprocess.Popen(
            [sys.executable, "-m", "console.server", "plant", *arguments],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pid(self) -> int:
        """The engine that has the lock, or had it last; 0 when there never was one."""
        try:
            return int(json.loads((self.folder / "state" / "plant" / "engine.lock").read_text())["pid"])
        except (OSError, ValueError):
            return 0

    def until_listening(self) -> None:
        """Wait for the socket."""
        _until(self.socket.exists, "the engine listens")

    def until_gone(self) -> None:
        """Wait until the engine's process has ended."""
        _until(lambda: not alive(self.pid()), "the engine has ended")

    def clear(self) -> None:
        """End what still runs here: nothing but engines of this place."""
        for lock in (self.folder / "state").glob("*/engine.lock"):
            with contextlib.suppress(OSError, ValueError):
                pid = int(json.loads(lock.read_text())["pid"])
                if alive(pid) and b"console.server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and was not collected does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.02)
