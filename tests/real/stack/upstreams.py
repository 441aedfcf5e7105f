"""The upstreams as the tests see them: started here, told what to do, asked what they saw."""

import sys
from dataclasses import dataclass
from typing import Any

import httpx

from tests.real.stack import upstream_server
from tests.real.stack.cache import PROJECT
from tests.real.stack.processes import START_S, Child, Nursery, free_port


@dataclass(frozen=True, slots=True)
class Upstreams:
    """A running set of providers; one comes into being when it is first named."""

    child: Child
    url: str

    def base(self, name: str, path: str = "") -> str:
        """The address of one provider, for a gateway's `api_base`."""
        return f"{self.url}/{name}{path}"

    def tell(self, name: str, mode: str = "ok", **fields: float | str) -> None:
        """Make one provider do `mode` from now on (see `upstream_server.MODES` and its fields)."""
        httpx.post(f"{self.url}/control/{name}", json={"mode": mode, **fields}).raise_for_status()

    def heal(self) -> None:
        """Make every provider answer well again and forget what it saw."""
        httpx.post(f"{self.url}/control", json={}).raise_for_status()

    def hits(self, name: str) -> int:
        """How many requests one provider has seen since it was healed."""
        seen: dict[str, Any] = httpx.get(f"{self.url}/control").raise_for_status().json()
        return sum(seen.get(name, {}).get("hits", {}).values())


def start_upstreams(nursery: Nursery) -> Upstreams:
    """The providers on a free port.

    Raises:
        StartError: they did not come up.
    """
    port = free_port()
    command = [sys.executable, "-m", upstream_server.__name__, str(port)]
    child = nursery.spawn("upstreams", command, cwd=PROJECT)
    upstreams = Upstreams(child, f"http://127.0.0.1:{port}")
    child.wait_until(lambda: _answers(upstreams.url), START_S)
    return upstreams


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/control", timeout=1).is_success
    except httpx.TransportError:
        return False
