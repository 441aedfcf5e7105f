"""A Phoenix of its own: installed from PyPI into the cache, on loopback, with its data in the nursery's folder.

It is 855 MB and takes 80 s to install and 20 s to start, so that it has to be asked for: SWITCHGEAR_TEST_PHOENIX=1.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.real.stack.cache import cache_dir, installing, key_of
from tests.real.stack.missing import Missing
from tests.real.stack.processes import Child, Nursery, free_port

PHOENIX_VERSION = "20.26.1"
"""The Phoenix that the adapter is held against."""
OPT_IN = "SWITCHGEAR_TEST_PHOENIX"
ADMIN_SECRET = "Admin-secret-of-the-real-tier-0123456789"
"""Of servers that ask for a key; it is one itself."""
_START_LIMIT_S = 180.0


def asked_for() -> bool:
    """Whether this run is to have a Phoenix."""
    return os.environ.get(OPT_IN) == "1"


def install_phoenix() -> Path:
    """Its command, installed first when it is not there.

    Raises:
        Missing: it was not asked for, or cannot be had.
    """
    if not asked_for():
        raise Missing(f"Phoenix is a slower job: {OPT_IN}=1 installs (855 MB) and starts it")
    folder = cache_dir() / f"phoenix-{PHOENIX_VERSION}-{key_of(PHOENIX_VERSION, sys.version_info[:2])}"
    with installing(folder) as needed:
        if needed:
            print(f"installing Phoenix {PHOENIX_VERSION} into {folder} (once, one to two minutes)", flush=True)
            _run([sys.executable, "-m", "venv", folder / "venv"])
            _run([folder / "venv" / "bin" / "pip", "install", "--quiet", f"arize-phoenix=={PHOENIX_VERSION}"])
    return folder / "venv" / "bin" / "phoenix"


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        tail = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()[-3:]
        raise Missing(f"could not install Phoenix: {' | '.join(tail) or 'no word why'}")


@dataclass(slots=True)
class PhoenixServer:
    """A server on this machine; `kill` and `start` keep its data."""

    nursery: Nursery
    command: Path
    home: Path
    more: Mapping[str, str]
    """Further variables of its environment."""
    port: int = field(default_factory=free_port)
    child: Child | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def traces(self) -> str:
        """Where spans go."""
        return f"{self.url}/v1/traces"

    @property
    def key(self) -> str:
        """What opens it; empty where it asks for none."""
        return self.more.get("PHOENIX_ADMIN_SECRET", "")

    def start(self) -> None:
        """Start it, the first time or again on its data, and wait until it answers.

        Raises:
            StartError: it did not come up.
        """
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PHOENIX_", "OTEL_"))}
        env |= {
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            # Its gRPC door opens on every address and cannot be closed; only its port can be chosen.
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_WORKING_DIR": str(self.home),
            "NO_PROXY": "127.0.0.1,localhost",
            **self.more,
        }
        self.child = self.nursery.spawn(self.home.name, [self.command, "serve"], env=env, cwd=self.home)
        self.child.wait_until(self._ready, _START_LIMIT_S)

    def kill(self) -> None:
        """End it as a crash would."""
        if self.child is not None:
            self.child.kill()

    def ask(self, path: str, **params: Any) -> httpx.Response:
        """GET, past the adapter."""
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.get(f"{self.url}{path}", params=params, headers=headers, timeout=30)

    def spans(self, project: str) -> int:
        """How many spans a project has, by Phoenix's own word; the most that is counted is 1,000."""
        answer = self.ask(f"/v1/projects/{project}/spans", limit=1000)
        return len(answer.json()["data"]) if answer.is_success else 0

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/arize_phoenix_version", timeout=2).text == PHOENIX_VERSION
        except httpx.TransportError:
            return False


def start_phoenix(nursery: Nursery, name: str = "phoenix", **more: str) -> PhoenixServer:
    """A server on free ports, ready; `more` goes into its environment.

    Raises:
        Missing: it was not asked for, or cannot be had.
        StartError: it did not come up.
    """
    command = install_phoenix()
    home = nursery.folder / name
    home.mkdir()
    server = PhoenixServer(nursery, command, home, more)
    server.start()
    return server


def start_guarded(nursery: Nursery) -> PhoenixServer:
    """The same, asking for a key; the errors are the same too."""
    return start_phoenix(
        nursery,
        "phoenix-guarded",
        PHOENIX_ENABLE_AUTH="true",
        PHOENIX_SECRET="a-secret-that-signs-keys-0123456789ABC",
        PHOENIX_ADMIN_SECRET=ADMIN_SECRET,
    )
