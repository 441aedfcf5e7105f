"""A gateway for faults: one LiteLLM without a database over six upstreams, whose own spans go to a collector."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.litellm import LiteLLMOptions
from adapters.litellm.adapter import LiteLLMAdapter
from adapters.otlp import OtlpOptions
from adapters.otlp.adapter import OtlpAdapter
from console.domain.ports import AdapterContext
from console.engine.clock import SystemClock
from tests.real.stack.collector import Collector
from tests.real.stack.fleet import Model, base_config
from tests.real.stack.install import install_litellm
from tests.real.stack.litellm import MASTER_KEY, Replica, bearer, spawn_litellm, wait_ready
from tests.real.stack.processes import Nursery
from tests.real.stack.redis_server import RedisServer, start_redis
from tests.real.stack.telling_gateway import install_telling, telling
from tests.real.stack.upstreams import Upstreams, start_upstreams

GATEWAY, TRACES = "gateway", "traces"
"""What the sources are called."""
MODELS = (
    Model("openai-a", "chat", "openai/gpt-4o", "/v1"),
    Model("azure-b", "chat", "azure/gpt-4o", ""),
    Model("groq-c", "draft", "groq/llama-3.3-70b-versatile", "/openai/v1"),
    Model("claude-e", "write", "anthropic/claude-sonnet-4-5", ""),
    Model("mistral-f", "search", "openai/mistral-large", "/v1"),
    Model("nova-g", "agent", "openai/nova-pro", "/v1"),
    Model("deepseek-h", "backup", "openai/deepseek-chat", "/v1"),
)
"""Seven providers with a deployment each; two of them share a route."""
ROUTES = ("chat", *(model.group for model in MODELS[1:]))
"""What is asked for, in turn: as often at each deployment."""
PROVIDERS = {model.id: model.id.partition("-")[0] for model in MODELS}
"""LiteLLM calls everything `openai` that speaks its protocol."""
WELL: dict[str, float | str] = {"latency_s": 0.3, "jitter": 0.15, "words": '{"city": "Oslo", "degrees": 4}'}
"""How every upstream answers, a stream's first token after a third of a second."""
USERS = 8
_SYSTEM = "Say where somebody is and how cold it is there, as JSON with the keys city and degrees, and nothing else."


@dataclass(frozen=True, slots=True)
class Watched:
    """What runs."""

    nursery: Nursery
    upstreams: Upstreams
    redis: RedisServer
    collector: Collector
    replica: Replica

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """The one."""
        return (self.replica,)

    def tell(self, name: str, mode: str = "ok", **fields: float | str) -> None:
        """Make one upstream do something else than well."""
        self.upstreams.tell(name, mode, **(WELL | fields))

    def heal(self) -> None:
        """Make every upstream answer well again."""
        self.upstreams.heal()
        for model in MODELS:
            self.tell(model.id)

    def gateway(self, window_s: float = 60.0) -> LiteLLMAdapter:
        """The product's adapter on it."""
        options = LiteLLMOptions(
            replicas=[self.replica.url], key="env:KEY", redis=self.redis.url, window=window_s, providers=PROVIDERS
        )
        return LiteLLMAdapter(AdapterContext(GATEWAY, SystemClock(), lambda _: MASTER_KEY, 20.0, options))

    def traces(self, file: Path | None = None) -> OtlpAdapter:
        """The product's adapter on the collector's file, or on one that it has put aside."""
        options = OtlpOptions(file=str(file or self.collector.file))
        return OtlpAdapter(AdapterContext(TRACES, SystemClock(), lambda _: "", 10.0, options))


def start_watched(nursery: Nursery) -> Watched:
    """Everything, with its upstreams well.

    Raises:
        Missing: something cannot be had on this machine.
        StartError: a server did not come up.
    """
    install, sdk = install_litellm(), install_telling()
    redis, upstreams, collector = start_redis(nursery), start_upstreams(nursery), Collector(nursery)
    config = base_config(redis.port)
    config["model_list"] = [model.definition(upstreams) for model in MODELS]
    config["router_settings"] |= {"cooldown_time": 15, "allowed_fails": 2, "num_retries": 1}
    config["litellm_settings"]["callbacks"] = ["prometheus", "otel"]
    replica = spawn_litellm(nursery, install, "litellm-told", config, more=telling(sdk, collector.url))
    watched = Watched(nursery, upstreams, redis, collector, replica)
    watched.heal()
    wait_ready(replica)
    for route in dict.fromkeys(ROUTES):
        replica.ask(route, stream=True).raise_for_status()  # the first one of each provider takes LiteLLM seconds
    return watched


async def asking(watched: Watched, pause_s: float, questions: int | None = None) -> None:
    """Users who ask every route in turn, half of it streamed, each with a pause of chance between two questions.

    They stop after so many `questions`, or never. A slow gateway is asked less often: each waits for its answer.
    """
    turns = itertools.cycle([(route, stream) for route in ROUTES for stream in (True, False)])
    asked = itertools.count()

    async def user(client: httpx.AsyncClient) -> None:
        while questions is None or next(asked) < questions:
            await _ask(client, watched.replica.url, *next(turns))
            await asyncio.sleep(random.expovariate(1 / pause_s))

    async with httpx.AsyncClient(timeout=30, headers=bearer(MASTER_KEY)) as client, asyncio.TaskGroup() as users:
        for _ in range(USERS):
            users.create_task(user(client))


async def _ask(client: httpx.AsyncClient, url: str, route: str, stream: bool) -> None:
    question = f"Where is number {random.randrange(1000):03d}?"
    messages: Sequence[dict[str, str]] = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question}]
    body: dict[str, Any] = {"model": route, "messages": messages, "stream": stream}
    with suppress(httpx.TransportError):
        await client.post(f"{url}/v1/chat/completions", json=body)
