"""LiteLLM on the contract suite's bench: answers of a real server, played back."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from adapters.litellm import SPEC, LiteLLMOptions
from adapters.litellm.adapter import LiteLLMAdapter
from console.domain.actions import Plan
from console.domain.ports import AdapterContext
from console.engine.clock import ManualClock
from tests.contract.bench import Bench, Subject
from tests.contract.hostile import NAMES

RECORDINGS = Path(__file__).parent / "recordings" / "litellm-1.106.2"
REPLICAS = ("http://one.test:4000", "http://two.test:4000")


@cache
def _scene(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return found


def recorded_at(scene: str) -> float:
    """Unix seconds when the answers were given."""
    return float(_scene(scene)["recorded_at"])


class Replay(httpx.AsyncBaseTransport):
    """Every replica gives the recorded answers; a path that was not recorded is answered with 404, a write with 403."""

    def __init__(self, scene: str, names: Mapping[str, str] | None = None) -> None:
        """`names`: recorded name → another one to be put in its place."""
        self.down: set[str] = set()
        """Hosts that refuse connections."""
        self.asked: list[tuple[str, str]] = []
        """(method, path) of all requests so far."""
        self.refused: set[str] = set()
        """Paths that are answered with 403."""
        self._answers: dict[str, dict[str, Any]] = _scene(scene)["answers"]
        self._names = dict(names or {})
        self._pages: dict[str, int] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        if request.url.host in self.down:
            raise httpx.ConnectError("connection refused", request=request)
        if request.method != "GET" or request.url.path in self.refused:
            return httpx.Response(403, json={"error": {"message": "a recording takes no changes"}})
        answer = self._answers.get(self._path(request))
        if answer is None:
            return httpx.Response(404, json={"detail": "Not Found"})
        headers = {"content-type": answer["content_type"]}
        return httpx.Response(answer["status"], headers=headers, content=self._renamed(answer).encode())

    def _path(self, request: httpx.Request) -> str:
        path = request.url.path
        if path == "/metrics/":
            page = self._pages.get(request.url.host, 0) + 1
            self._pages[request.url.host] = page
            return f"/metrics/#{min(page, 2)}"
        if one := request.url.params.get("litellm_model_id"):
            known = {new: old for old, new in self._names.items()}
            return f"{path}?litellm_model_id={known.get(one, one)}"
        return path

    def _renamed(self, answer: Mapping[str, Any]) -> str:
        body: str = answer["body"]
        if not self._names:
            return body
        if "json" in answer["content_type"]:
            return json.dumps(_rename(json.loads(body), self._names))
        return re.sub(r'"([^"]*)"', lambda found: f'"{_escaped(self._names.get(found[1], found[1]))}"', body)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _rename(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {names.get(key, key): _rename(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rename(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


class RecordedBench:
    """Two replicas that give the answers of one real server."""

    source = "gateway"

    def __init__(self, scene: str = "database", names: Mapping[str, str] | None = None, **options: Any) -> None:
        self.clock = ManualClock(recorded_at(scene))
        self.replay = Replay(scene, names)
        settings = LiteLLMOptions(replicas=list(REPLICAS), key="env:KEY", **options)
        context = AdapterContext(self.source, self.clock, lambda reference: "sk-recorded", 4.0, settings)
        self.adapter = LiteLLMAdapter(context, self.replay)

    async def settle(self) -> None:
        await self.clock.advance(5.0)

    async def lose(self, replica: str) -> None:
        self.replay.down.add(replica.partition(":")[0])

    async def disturb(self, plan: Plan) -> None:
        raise NotImplementedError("a recording is as it is")


async def _looked_at(bench: RecordedBench) -> RecordedBench:
    """After the first metrics page, which is only a mark; every later look gets the second one."""
    await bench.adapter.observe()
    await bench.settle()
    return bench


@asynccontextmanager
async def _open() -> AsyncIterator[Bench]:
    bench = await _looked_at(RecordedBench())
    yield bench
    await bench.adapter.close()


@asynccontextmanager
async def _open_hostile() -> AsyncIterator[Bench]:
    ordinary = ("openai-a", "azure-b", "groq-c", "backup-d", "gpt-main", "backup", "old-name", "openai", "checkout")
    bench = await _looked_at(RecordedBench(names=dict(zip(ordinary, NAMES, strict=True))))
    yield bench
    await bench.adapter.close()


LITELLM_RECORDED = Subject("litellm-recorded", SPEC, _open, acts=False, hostile=_open_hostile)
