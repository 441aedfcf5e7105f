"""The attributes of a model call's span: what it was asked, what it was given, what it answered."""

import random
from typing import Any, Final, NamedTuple

from adapters.simulator.calls import Attempt
from adapters.simulator.parts import FAILURE_NAMES, TOO_LONG, Deployment
from adapters.simulator.traces.sample import Sample
from adapters.simulator.traces.saying import arguments_of, asked_form, reason_of, text_of
from adapters.simulator.traces.telling import refused_tokens, tokens_of, usd_of
from adapters.simulator.traces.wording import SYSTEM, TEMPLATE, Wording
from console.domain.answers import Finish

_PROVIDERS: Final = {"azure": "azure.ai.openai", "mistral": "mistral_ai"}
"""Where the convention's name for a provider is another than the world's."""


class Asked(NamedTuple):
    """A tool call that a model asks for."""

    id: str
    name: str
    number: int
    """Which of the request's tool calls it is, from 0."""


def call_attributes(attempt: Attempt, sample: Sample, words: Wording) -> dict[str, Any]:
    """What any attempt tells, answered or not."""
    spec = attempt.deployment.spec
    embeds = spec.tokens_out == 0
    found: dict[str, Any] = {
        "gen_ai.operation.name": "embeddings" if embeds else "chat",
        "gen_ai.provider.name": _PROVIDERS.get(spec.provider, spec.provider),
        "gen_ai.request.model": spec.model,
        "server.address": attempt.deployment.provider.spec.endpoint.removeprefix("https://"),
        "app.route": attempt.route,
        "app.deployment": spec.name,
        "app.tenant": sample.tenant,
    }
    if spec.region:
        found["app.region"] = spec.region
    if attempt.failure:
        found["error.type"] = attempt.failure
    if attempt.failure == FAILURE_NAMES[TOO_LONG]:
        tokens = refused_tokens(attempt.deployment)
        found |= {"gen_ai.usage.input_tokens": tokens, "gen_ai.usage.cost": usd_of(spec, tokens, 0)}
    if not embeds:
        found |= _prompted(sample, words)
        if attempt.ttft_s is not None:
            found["app.ttft_ms"] = round(1000.0 * attempt.ttft_s, 1)
    return found


def _prompted(sample: Sample, words: Wording) -> dict[str, Any]:
    """What a chat model was given."""
    found = sample.manner is None or sample.manner.documents
    context = "\n".join(words.facts) if sample.snapshots and found else "no documents"
    asked = TEMPLATE.format(question=words.question, documents=context)
    given: dict[str, Any] = {
        "gen_ai.prompt.name": f"{sample.route.spec.name}-answer",
        "gen_ai.prompt.version": sample.prompt,
        "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
        "llm.prompt_template.template": TEMPLATE,
        "llm.prompt_template.variables": {"question": words.question, "documents": context},
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": asked}]}],
        "gen_ai.request.temperature": 0.2,
    }
    if sample.manner is not None and asked_form(sample.manner):
        given["gen_ai.output.type"] = "json"
    return given


def answer_attributes(
    sample: Sample, deployment: Deployment, words: Wording, wanted: Asked, chance: random.Random
) -> dict[str, Any]:
    """What an answered call tells besides; `wanted.number` says which call of the request it is."""
    spec, manner, number = deployment.spec, sample.manner, wanted.number
    tokens_in, tokens_out = tokens_of(sample, number)
    found: dict[str, Any] = {
        "gen_ai.response.model": spec.model if manner is None else manner.response_model,
        "gen_ai.response.id": f"resp_{chance.getrandbits(64):016x}",
        "gen_ai.usage.input_tokens": tokens_in,
        "gen_ai.usage.cost": usd_of(spec, tokens_in, tokens_out),
    }
    if spec.tokens_out == 0:
        return found
    if manner is not None and manner.fingerprint:
        found["openai.response.system_fingerprint"] = manner.fingerprint
    reason = Finish.STOP if manner is None else reason_of(manner, number)
    parts: list[dict[str, Any]] = []
    if reason is Finish.TOOL_CALLS and manner is not None:
        arguments = arguments_of(manner, words, number)
        parts = [{"type": "tool_call", "id": wanted.id, "name": wanted.name, "arguments": arguments}]
    elif text := text_of(manner, words):
        parts = [{"type": "text", "content": text}]
    return found | {
        "gen_ai.usage.output_tokens": tokens_out,
        "gen_ai.response.finish_reasons": [str(reason)],
        "gen_ai.output.messages": [{"role": "assistant", "parts": parts, "finish_reason": str(reason)}],
    }
