"""A LiteLLM that misbehaves, over a real connection: the look ends in time, and says what is wrong and where."""

from collections.abc import AsyncIterator

import pytest

from adapters.litellm import SPEC, LiteLLMOptions
from adapters.litellm.adapter import LiteLLMAdapter
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import Deployment, Route
from console.engine.clock import SystemClock
from tests.unit.adapters.misbehaving import Misbehaving, misbehaving, model_rows


@pytest.fixture
async def bad() -> AsyncIterator[Misbehaving]:
    async with misbehaving() as server:
        yield server


def _adapter(*urls: str, timeout_s: float = 0.5) -> LiteLLMAdapter:
    options = LiteLLMOptions(replicas=list(urls), key="env:KEY")
    made = SPEC.create(AdapterContext("gateway", SystemClock(), lambda reference: "sk-x", timeout_s, options))
    assert isinstance(made, LiteLLMAdapter)
    return made


async def _failure(adapter: LiteLLMAdapter) -> Failure:
    with pytest.raises(BackendError) as caught:
        await adapter.observe()
    rows = await adapter.check()
    assert any(row.ok is False and row.what == "reachable" for row in rows)
    await adapter.close()
    return caught.value.failure


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("hang", ErrorKind.TIMEOUT), ("trickle", ErrorKind.TIMEOUT), ("drop", ErrorKind.UNREACHABLE)],
)
async def test_it_hangs_or_drops(bad: Misbehaving, mode: str, kind: ErrorKind) -> None:
    bad.mode = mode
    failure = await _failure(_adapter(bad.url))
    assert failure.kind is kind
    assert bad.url in failure.where


@pytest.mark.parametrize("mode", ["cut", "huge"])
async def test_its_answers_are_cut_or_endless(bad: Misbehaving, mode: str) -> None:
    bad.mode = mode
    assert (await _failure(_adapter(bad.url, timeout_s=10.0))).kind is ErrorKind.MALFORMED


@pytest.mark.parametrize(
    ("status", "body", "content_type", "kind"),
    [
        (200, b"<html>\x1b]0;owned\x07<b>login</b></html>", "text/html", ErrorKind.MALFORMED),
        (200, b'{"data": [{"model_name": "a", "litellm', "application/json", ErrorKind.MALFORMED),
        (200, b'{"data": "[bold]"}', "application/json", ErrorKind.MALFORMED),
        (200, b"[" * 10_000_000, "application/json", ErrorKind.MALFORMED),
        (401, b'{"error": {"message": "sk-x is wrong"}}', "application/json", ErrorKind.UNAUTHORISED),
        (500, b"\x00" * 100, "text/plain", ErrorKind.FAILED),
    ],
)
async def test_its_answers_are_not_what_was_asked_for(
    bad: Misbehaving, status: int, body: bytes, content_type: str, kind: ErrorKind
) -> None:
    bad.status, bad.body, bad.content_type = status, body, content_type
    failure = await _failure(_adapter(bad.url, timeout_s=10.0))
    assert failure.kind is kind
    assert str(failure).isprintable()
    assert "sk-x" not in str(failure)


async def test_one_ill_replica_does_not_hide_the_other(bad: Misbehaving) -> None:
    async with misbehaving() as well:
        bad.mode = "hang"
        well.body = model_rows(3)
        adapter = _adapter(bad.url, well.url, timeout_s=1.0)
        observation = await adapter.observe()
        await adapter.close()
    assert [replica.up for replica in observation.replicas] == [False, True]
    assert sum(isinstance(reading, Deployment) for reading in observation.readings) == 3


async def test_ten_thousand_deployments(bad: Misbehaving) -> None:
    bad.body = model_rows(10_000)
    adapter = _adapter(bad.url, timeout_s=60.0)
    observation = await adapter.observe()
    await adapter.close()
    assert sum(isinstance(reading, Deployment) for reading in observation.readings) == 10_000
    routes = [reading for reading in observation.readings if isinstance(reading, Route)]
    assert len(routes) == 100
    assert all(len(route.switch_options) <= 48 for route in routes)
    assert all("metrics" in str(problem) or "/" in problem.where for problem in observation.problems)
