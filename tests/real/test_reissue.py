"""A recorded model call, sent once more through real gateways: to that deployment, once, tagged, and compared."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.actions import Outcome
from console.domain.reissues import ReissuedQuery
from console.domain.verbs import Reissue
from tests.real.operator import Operator, deployment, operating
from tests.real.stack.collector import Collector
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed

TRACE, CALL, SILENT = "ab" * 16, "cd" * 8, "ef" * 8
WORDS = "the patient's name is Ada"


@pytest.fixture
def collector(testbed: Testbed) -> Iterator[Collector]:
    """A trace store with one request: a model call with its words, and one without."""
    collector = Collector(testbed.nursery)
    now = time.time_ns()
    spans = [_span(CALL, now, recorded=True), _span(SILENT, now + 10**9, recorded=False)]
    scope = {"resource": {"attributes": [_text("service.name", "web")]}, "scopeSpans": [{"spans": spans}]}
    answer = collector.send(json.dumps({"resourceSpans": [scope]}).encode(), "application/json")
    assert answer.status == 200, answer.body
    yield collector
    collector.end()


def _text(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": {"stringValue": value}}


def _span(span_id: str, start_ns: int, *, recorded: bool) -> dict[str, object]:
    attributes = [
        _text("gen_ai.operation.name", "chat"),
        _text("gen_ai.request.model", "gpt-4o"),
        _text("gen_ai.response.model", "gpt-4o"),
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "40"}},
        {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "12"}},
    ]
    if recorded:
        asked = [{"role": "user", "parts": [{"type": "text", "content": WORDS}]}]
        said = [{"role": "assistant", "parts": [{"type": "text", "content": "a long answer"}], "finish_reason": "stop"}]
        attributes += [
            _text("gen_ai.input.messages", json.dumps(asked)),
            _text("gen_ai.output.messages", json.dumps(said)),
        ]
    return {
        "traceId": TRACE,
        "spanId": span_id,
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + 10**9),
        "attributes": attributes,
    }


def _home(testbed: Testbed, collector: Collector, name: str) -> Home:
    traces = {"adapter": "otlp", "interval": "2s", "options": {"file": str(collector.file)}}
    return Home(testbed, name, sources={"traces": traces})


def _reissue(span_id: str = CALL, **more: float) -> Reissue:
    return Reissue(source="traces", trace_id=TRACE, span_id=span_id, **more)  # type: ignore[arg-type]


async def test_one_call_reaches_the_chosen_deployment_and_its_answer_is_compared(
    testbed: Testbed, collector: Collector
) -> None:
    home = _home(testbed, collector, "again")
    async with operating(home) as (operator, _):
        before = _hits(testbed)
        receipt = await operator.act(deployment("groq-c"), _reissue(), None)
        assert receipt.outcome is Outcome.VERIFIED, receipt
        after = _hits(testbed)
        assert {name: after[name] - before[name] for name in after} == {"openai-a": 0, "azure-b": 0, "groq-c": 1}
        found = await operator.client.reissued(ReissuedQuery(action_id=receipt.id))
        assert found.answered.content is not None
        assert found.answered.content.messages_out[0].text.strip() == "a short answer"
        changed = {one.what for stage in found.comparison.stages for piece in stage.pieces for one in piece.differences}
        assert changed, "another model in other words is a difference"
        await _booked(testbed)
        _nowhere_written(home)


def _hits(testbed: Testbed) -> dict[str, int]:
    return {name: testbed.upstreams.hits(name) for name in ("openai-a", "azure-b", "groq-c")}


async def _booked(testbed: Testbed) -> None:
    """LiteLLM's own books tell it apart; they are written with a delay."""
    for _ in range(60):
        logs = testbed.first.call("GET", "/spend/logs")
        if any("switchgear-replay" in json.dumps(row.get("request_tags")) for row in logs):
            return
        await asyncio.sleep(0.5)
    raise AssertionError("no call in LiteLLM's books has our tag")


def _nowhere_written(home: Home) -> None:
    for path in Path(home.folder, "state").rglob("*"):
        assert not path.is_file() or WORDS.encode() not in path.read_bytes(), path


async def test_a_provider_that_fails_is_asked_once_and_nobody_else_is(testbed: Testbed, collector: Collector) -> None:
    async with operating(_home(testbed, collector, "againf")) as (operator, _):
        testbed.upstreams.tell("groq-c", "500")
        before = _hits(testbed)
        receipt = await operator.act(deployment("groq-c"), _reissue(), None)
        assert receipt.outcome in (Outcome.FAILED, Outcome.UNKNOWN), receipt
        after = _hits(testbed)
        assert {name: after[name] - before[name] for name in after} == {"openai-a": 0, "azure-b": 0, "groq-c": 1}
        testbed.upstreams.heal()


async def test_what_was_not_recorded_or_costs_too_much_is_not_sent(testbed: Testbed, collector: Collector) -> None:
    async with operating(_home(testbed, collector, "againn")) as (operator, _):
        await _refused(operator, _reissue(SILENT), "content not recorded")
        await _refused(operator, _reissue(max_usd=1e-7), "may cost")


async def _refused(operator: Operator, action: Reissue, why: str) -> None:
    proposal = await operator.propose(deployment("groq-c"), action, None)
    assert not proposal.verdict.allowed
    assert any(why in words for words in proposal.verdict.refusals), proposal.verdict.refusals


async def test_from_the_command_line(testbed: Testbed, collector: Collector) -> None:
    home = _home(testbed, collector, "againc")
    async with operating(home):
        command = [*home.command(), "act", "reissue", "groq-c", f"{TRACE}/{CALL}", "-e", home.name]
        done = await asyncio.to_thread(
            subprocess.run,
            [*command, "--reason", "is it the model?", "--yes"],
            env=home.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "a short answer" in done.stdout
        assert "beside the recorded call" in done.stdout
