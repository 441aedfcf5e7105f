"""The upstreams do what they are told: every fault, both kinds of answer, and honest counts."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.real.stack.upstream_server import MODES, application

Client = TestClient[Any, Any]
CHAT = "/openai-a/v1/chat/completions"
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(application())) as client:
        await client.post("/control/openai-a", json={"latency_s": 0})
        yield client


async def tell(client: Client, **fields: object) -> None:
    answer = await client.post("/control/openai-a", json=fields)
    assert answer.status == 200, await answer.text()


@pytest.mark.parametrize(("mode", "status"), [("ok", 200), ("500", 500), ("429", 429), ("401", 401)])
async def test_a_status_is_answered_as_told(client: Client, mode: str, status: int) -> None:
    await tell(client, mode=mode)
    answer = await client.post(CHAT, json=QUESTION)
    assert answer.status == status
    assert ("error" in await answer.json()) == (status != 200)


async def test_a_rate_limit_says_when_to_come_back(client: Client) -> None:
    await tell(client, mode="429")
    assert (await client.post(CHAT, json=QUESTION)).headers["retry-after"] == "7"


async def test_a_dropped_line_has_no_answer(client: Client) -> None:
    await tell(client, mode="drop")
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.post(CHAT, json=QUESTION)


@pytest.mark.parametrize("mode", ["hang", "slow"])
async def test_a_late_answer_does_not_come_in_time(client: Client, mode: str) -> None:
    await tell(client, mode=mode)
    with pytest.raises(TimeoutError):
        await client.post(CHAT, json=QUESTION, timeout=aiohttp.ClientTimeout(total=0.2))


async def test_the_error_rate_spares_the_others(client: Client) -> None:
    await tell(client, mode="500", error_rate=0)
    assert (await client.post(CHAT, json=QUESTION)).status == 200


async def test_headroom_counts_down(client: Client) -> None:
    first, second = [(await client.post(CHAT, json=QUESTION)).headers for _ in range(2)]
    name = "x-ratelimit-remaining-requests"
    assert int(first[name]) - int(second[name]) == 1


async def test_a_stream_ends_with_its_usage(client: Client) -> None:
    answer = await client.post(CHAT, json={**QUESTION, "stream": True})
    lines = [line.removeprefix("data: ") for line in (await answer.text()).splitlines() if line]
    assert lines[-1] == "[DONE]"
    assert json.loads(lines[-2])["usage"]["total_tokens"] == 50
    assert len({json.loads(line)["id"] for line in lines[:-1]}) == 1


async def test_anthropic_names_its_events(client: Client) -> None:
    answer = await client.post("/claude-e/v1/messages", json={**QUESTION, "stream": True})
    events = [line.removeprefix("event: ") for line in (await answer.text()).splitlines() if line.startswith("event")]
    assert events[0] == "message_start"
    assert events[-1] == "message_stop"


async def test_hits_are_counted_by_what_was_done(client: Client) -> None:
    await client.post(CHAT, json=QUESTION)
    await tell(client, mode="500")
    await client.post(CHAT, json=QUESTION)
    shown = await (await client.get("/control")).json()
    assert shown["openai-a"]["hits"] == {"ok": 1, "500": 1}


@pytest.mark.parametrize("told", [{"mode": "explode"}, {"mod": "ok"}])
async def test_a_typo_is_refused(client: Client, told: dict[str, str]) -> None:
    answer = await client.post("/control/openai-a", json=told)
    assert answer.status == 400
    words = await answer.text()
    assert all(mode in words for mode in MODES)
