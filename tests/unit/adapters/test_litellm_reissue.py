"""A recorded call that LiteLLM is asked once more: capped, tagged, sent once, and nowhere written down."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from adapters.litellm import LiteLLMOptions
from adapters.litellm.adapter import LiteLLMAdapter
from adapters.reissuing import KEPT, TAG
from console.domain.actions import Plan
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.refs import Kind, Ref
from console.domain.reissues import RecordedCall
from console.domain.verbs import Reissue
from console.engine.clock import ManualClock

TARGET = Ref("gateway", Kind.DEPLOYMENT, "groq-c")
PROMPT = "the patient's name is Ada"
CALL = RecordedCall(
    trace_id="ab" * 16,
    span_id="cd" * 8,
    model="gpt-4o",
    body={"messages": [{"role": "user", "content": PROMPT}], "temperature": 0.2, "stream": True, "n": 4},
    tokens_in=100,
    tokens_out=50,
)
ACTION = Reissue(source="traces", trace_id=CALL.trace_id, span_id=CALL.span_id)
ANSWER = {
    "model": "llama-3.3-70b",
    "choices": [
        {
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "function": {"name": "drop_table", "arguments": '{"really": true}'}}],
            },
        }
    ],
    "usage": {"prompt_tokens": 110, "completion_tokens": 20},
}


class Gateway:
    """Answers as LiteLLM does, and keeps what it was sent."""

    def __init__(self, *, price: tuple[float, float] | None = (1e-6, 2e-6)) -> None:
        self.price = price
        self.sent: list[dict[str, Any]] = []
        self.answer: Callable[[], httpx.Response] = lambda: httpx.Response(200, json=ANSWER)
        options = LiteLLMOptions(replicas=["http://one:4000"], key="env:KEY")
        context = AdapterContext("gateway", ManualClock(), lambda _: "sk-x", 2.0, options)
        self.adapter = LiteLLMAdapter(context, httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/chat/completions":
            self.sent.append(json.loads(request.content))
            return self.answer()
        info: dict[str, Any] = {"id": "groq-c", "db_model": True}
        if self.price is not None:
            info |= {"input_cost_per_token": self.price[0], "output_cost_per_token": self.price[1]}
            info["pricing_overrides"] = ["input_cost_per_token"]
        params = {"model": "groq/a-model-that-no-list-has"}
        return httpx.Response(200, json={"data": [{"model_name": "r", "litellm_params": params, "model_info": info}]})

    async def plan(self, action: Reissue = ACTION, call: RecordedCall = CALL) -> Plan:
        return await self.adapter.plan_reissue(TARGET, call, action)


async def test_it_is_sent_once_to_that_deployment_and_its_answer_is_kept() -> None:
    gateway = Gateway()
    plan = await gateway.plan()
    await gateway.adapter.execute(plan.steps[0])
    (body,) = gateway.sent
    assert body["model"] == "groq-c"
    assert body["messages"] == CALL.body["messages"]
    assert (body["temperature"], body["num_retries"], body["disable_fallbacks"]) == (0.2, 0, True)
    assert body["metadata"]["tags"] == [TAG, f"trace:{CALL.trace_id}"]
    assert not {"stream", "n"} & body.keys()
    answer = gateway.adapter.answer(TARGET, ACTION)
    assert answer is not None
    assert answer.content is not None
    (message,) = answer.content.messages_out
    assert [(call.name, call.arguments) for call in message.calls] == [("drop_table", '{"really": true}')]
    assert answer.facts.usd == pytest.approx(110e-6 + 40e-6)
    (proof,) = await gateway.adapter.prove(plan)
    assert (proof.holds, "110/20 tokens" in proof.seen) == (True, True)


async def test_nothing_of_what_was_said_stands_in_the_plan() -> None:
    plan = await Gateway().plan()
    assert PROMPT.encode() not in msgspec.json.encode(plan)


async def test_it_is_never_sent_a_second_time() -> None:
    gateway = Gateway()
    plan = await gateway.plan()
    assert not plan.steps[0].repeatable
    await gateway.adapter.execute(plan.steps[0])
    with pytest.raises(BackendError) as caught:
        await gateway.adapter.execute(plan.steps[0])
    assert caught.value.kind is ErrorKind.CONFLICT
    assert len(gateway.sent) == 1


async def test_the_next_engine_cannot_tell_and_sends_nothing() -> None:
    plan = await Gateway().plan()
    later = Gateway()
    (proof,) = await later.adapter.prove(plan)
    assert proof.holds is None
    with pytest.raises(BackendError):
        await later.adapter.execute(plan.steps[0])
    assert later.sent == []


@pytest.mark.parametrize(("max_usd", "most"), [(10.0, 2048), (0.001, 434)])
async def test_the_answer_is_as_long_as_the_money_reaches(max_usd: float, most: int) -> None:
    gateway = Gateway()
    plan = await gateway.plan(msgspec.structs.replace(ACTION, max_usd=max_usd))
    await gateway.adapter.execute(plan.steps[0])
    assert gateway.sent[0]["max_tokens"] == most
    dearest = next(effect.after for effect in plan.effects if effect.unit == "$")
    assert dearest is not None
    assert dearest <= max_usd


async def test_what_is_sent_alone_may_cost_too_much() -> None:
    with pytest.raises(BackendError, match="may cost"):
        await Gateway().plan(msgspec.structs.replace(ACTION, max_usd=0.0001))


async def test_a_price_that_nobody_knows_cannot_be_capped() -> None:
    with pytest.raises(BackendError, match="no price is known"):
        await Gateway(price=None).plan()


async def test_words_that_nobody_counted_are_counted_too_many_rather_than_too_few() -> None:
    long = msgspec.structs.replace(
        CALL, tokens_in=None, body={"messages": [{"role": "user", "content": "word " * 400}]}
    )
    plan = await Gateway().plan(call=long)
    tokens = next(effect.after for effect in plan.effects if effect.label.startswith("tokens in"))
    assert tokens is not None
    assert tokens > 800


async def test_the_way_to_say_how_long_is_that_of_the_recording() -> None:
    gateway = Gateway()
    call = msgspec.structs.replace(CALL, body={**CALL.body, "max_completion_tokens": 40})
    await gateway.adapter.execute((await gateway.plan(call=call)).steps[0])
    assert gateway.sent[0]["max_completion_tokens"] == 40
    assert "max_tokens" not in gateway.sent[0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: httpx.Response(200, text="<html>", headers={"content-type": "text/html"}), ErrorKind.UNKNOWN_OUTCOME),
        (lambda: httpx.Response(200, json={"choices": "none"}), ErrorKind.UNKNOWN_OUTCOME),
        (lambda: httpx.Response(429, json={"error": {"message": "slow down"}}), ErrorKind.THROTTLED),
        (lambda: httpx.Response(400, json={"error": {"message": "context too long"}}), ErrorKind.UNSUPPORTED),
    ],
)
async def test_what_comes_back_may_be_no_answer(answer: Callable[[], httpx.Response], kind: ErrorKind) -> None:
    gateway = Gateway()
    gateway.answer = answer
    plan = await gateway.plan()
    with pytest.raises(BackendError) as caught:
        await gateway.adapter.execute(plan.steps[0])
    assert caught.value.kind is kind
    assert gateway.adapter.answer(TARGET, ACTION) is None


async def test_only_a_few_are_kept() -> None:
    gateway = Gateway()
    plans = [
        await gateway.plan(call=msgspec.structs.replace(CALL, body={"messages": [{"content": str(number)}]}))
        for number in range(KEPT + 1)
    ]
    with pytest.raises(BackendError):
        await gateway.adapter.execute(plans[0].steps[0])
    await gateway.adapter.execute(plans[-1].steps[0])


async def test_another_model_behind_the_name_is_another_call() -> None:
    gateway = Gateway()
    plan = await gateway.plan()
    assert await gateway.adapter.generation(plan) == plan.generation
