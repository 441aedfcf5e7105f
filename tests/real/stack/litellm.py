"""One LiteLLM process: a replica of a gateway."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.real.stack.install import LiteLLMInstall
from tests.real.stack.processes import Child, Nursery, free_port

MASTER_KEY = "sk-real-tier-master"
"""The administrator's key of every gateway that is started here."""
START_LIMIT_S = 240.0


@dataclass(frozen=True, slots=True)
class Replica:
    """A running LiteLLM process."""

    name: str
    child: Child
    url: str

    def call(self, method: str, path: str, body: Any = None, key: str = MASTER_KEY) -> Any:
        """One request to it and its JSON.

        Raises:
            httpx.HTTPStatusError: it answered with an error; the text has its body.
        """
        answer = httpx.request(method, f"{self.url}{path}", json=body, headers=bearer(key), timeout=30)
        if answer.is_error:
            words = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise httpx.HTTPStatusError(words, request=answer.request, response=answer)
        return answer.json()

    def ask(self, model: str, key: str = MASTER_KEY, **fields: Any) -> httpx.Response:
        """One short completion; whatever comes back."""
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **fields}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=bearer(key), timeout=60)

    def deployments(self) -> dict[str, dict[str, Any]]:
        """What this process routes to, by deployment id, as `/model/info` shows it."""
        found = self.call("GET", "/model/info")["data"]
        return {item["model_info"]["id"]: item for item in found}

    def router(self) -> dict[str, Any]:
        """This process's routing settings, as it uses them now."""
        settings: dict[str, Any] = self.call("GET", "/router/settings")["current_values"]
        return settings

    @property
    def ready(self) -> bool:
        """Whether it takes requests."""
        try:
            return httpx.get(f"{self.url}/health/readiness", timeout=2).is_success
        except httpx.TransportError:
            return False


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {key}"}


def spawn_litellm(
    nursery: Nursery,
    install: LiteLLMInstall,
    name: str,
    config: dict[str, Any],
    database_url: str = "",
    more: Mapping[str, str] | None = None,
) -> Replica:
    """Start one process without waiting for it; `database_url` empty means that it has no database, and `more` are
    further variables of its environment.
    """
    port = free_port()
    file = nursery.folder / f"{name}.yaml"
    file.write_text(json.dumps(config, indent=1))  # JSON is YAML
    env = install.environment() | {
        "LITELLM_SALT_KEY": "sk-real-tier-salt",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DISABLE_SCHEMA_UPDATE": "true",
        "LITELLM_PRISMA_COMMAND_TIMEOUT": "0.01",  # it would compare its own tables with its own schema, for 6 s of CPU
        "HF_HUB_OFFLINE": "1",  # it would wait half a minute for the tokenizer of a Llama, again and again
        "NO_PROXY": "127.0.0.1,localhost",
        **(more or {}),
    }
    if database_url:
        env["DATABASE_URL"] = database_url
    where = ("--host", "127.0.0.1", "--port", str(port), "--telemetry", "False")
    child = nursery.spawn(
        name, [install.bin / "litellm", "--config", file, *where], env=env, cwd=_own_folder(nursery, name)
    )
    return Replica(name, child, f"http://127.0.0.1:{port}")


def _own_folder(nursery: Nursery, name: str) -> Path:
    folder = nursery.folder / f"{name}.d"
    folder.mkdir(exist_ok=True)
    return folder


def wait_ready(replica: Replica) -> None:
    """Wait until the process takes requests.

    Raises:
        StartError: it did not come up.
    """
    replica.child.wait_until(lambda: _listens(replica) and replica.ready, START_LIMIT_S)


def _listens(replica: Replica) -> bool:
    """Whether it is this very process that answers there: another may have been quicker to take the port."""
    return f"Uvicorn running on {replica.url}" in replica.child.log.read_text(errors="replace")
