"""The servers behave as the adapter's assumptions say: what is asserted here is LiteLLM, not Switchgear."""

import time

import httpx

from tests.real.stack.fleet import FILE_MODEL, KEYS, MODELS, VIEWER_KEY
from tests.real.stack.litellm import bearer
from tests.real.stack.testbed import Testbed
from tests.real.stack.traffic import run_traffic

CHECKOUT = KEYS[0].key


def test_both_replicas_route_everything(testbed: Testbed) -> None:
    for replica in testbed.replicas:
        assert set(replica.deployments()) == {model.id for model in (*MODELS, FILE_MODEL)}
        assert replica.ask("gpt-main", CHECKOUT).status_code == 200


def test_every_provider_answers_both_ways(testbed: Testbed) -> None:
    for group in ("gpt-main", "backup", "claude-main"):
        assert "a short answer" in testbed.first.ask(group).json()["choices"][0]["message"]["content"]
        assert "data: [DONE]" in testbed.first.ask(group, stream=True).text


async def test_spend_gets_rows_by_key(testbed: Testbed) -> None:
    before = _booked(testbed)
    tally = await run_traffic([replica.url for replica in testbed.replicas], per_s=10, seconds=3)
    assert tally.total("200") == tally.total() == 30
    deadline = time.monotonic() + 30
    while any(_booked(testbed)[key.alias] <= before[key.alias] for key in KEYS) and time.monotonic() < deadline:
        time.sleep(0.5)
    after = _booked(testbed)
    assert all(after[key.alias] > before[key.alias] for key in KEYS)


def _booked(testbed: Testbed) -> dict[str, float]:
    rows = testbed.postgres.query('select key_alias, spend from "LiteLLM_VerificationToken"')
    return {alias: float(spend) for alias, spend in rows}


def test_failures_cool_a_deployment_down_for_both(testbed: Testbed) -> None:
    testbed.upstreams.tell("azure-b", "500")
    redis = testbed.redis.client()
    for _ in range(60):
        assert testbed.first.ask("gpt-main", CHECKOUT).status_code == 200  # a retry or the other one answers
        if redis.exists("deployment:azure-b:cooldown"):
            break
    ttl = redis.ttl("deployment:azure-b:cooldown")
    assert isinstance(ttl, int)
    assert 0 < ttl <= 15


def test_the_viewer_reads_and_cannot_write(testbed: Testbed) -> None:
    assert testbed.first.call("GET", "/model/info", key=VIEWER_KEY)["data"]
    answer = httpx.post(f"{testbed.first.url}/model/block", json={"model_id": "azure-b"}, headers=bearer(VIEWER_KEY))
    assert answer.status_code == 403
