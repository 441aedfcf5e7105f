"""Applications that tell what they do: OpenTelemetry's own SDK, sending to a collector as its users' services send."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import msgspec
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NoOpTracer, Span, SpanKind, StatusCode, Tracer

CONVERSATION = "gen_ai.conversation.id"
SEND_MS = 1000
"""How long a span waits in its application at the most."""


@contextmanager
def tracer_of(service: str, url: str | None) -> Iterator[Tracer]:
    """The tracer of one service, which sends to `url` (None: to nobody); what waits is sent at the end."""
    if url is None:
        yield NoOpTracer()
        return
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": "1.4.2"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=2), schedule_delay_millis=SEND_MS))
    try:
        yield provider.get_tracer("switchgear.testbed")
    finally:
        provider.shutdown()


@dataclass(frozen=True, slots=True)
class Question:
    """What an application asks a gateway."""

    url: str
    key: str
    model: str
    conversation: str
    stream: bool = False


async def ask(tracer: Tracer, client: httpx.AsyncClient, question: Question) -> str:
    """Ask, and tell it as one span; returns the HTTP status, or `error` where there was no answer."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": question.model,
        "app.route": question.model,
        CONVERSATION: question.conversation,
    }
    with tracer.start_as_current_span(f"chat {question.model}", kind=SpanKind.CLIENT, attributes=attributes) as span:
        try:
            status, text = await _post(span, client, question)
        except httpx.TransportError as error:
            failed(span, type(error).__name__, str(error) or "no answer")
            return "error"
        if status == httpx.codes.OK:
            _usage(span, text)
        else:
            failed(span, str(status), _words(text))
        return str(status)


async def _post(span: Span, client: httpx.AsyncClient, question: Question) -> tuple[int, str]:
    body = {
        "model": question.model,
        "messages": [{"role": "user", "content": "hello"}],
        **({"stream": True, "stream_options": {"include_usage": True}} if question.stream else {"stream": False}),
    }
    headers = {"authorization": f"Bearer {question.key}"}
    began, pieces = time.monotonic(), list[str]()
    async with client.stream("POST", f"{question.url}/v1/chat/completions", json=body, headers=headers) as answer:
        async for piece in answer.aiter_text():
            if question.stream and not pieces:
                span.set_attribute("gen_ai.response.time_to_first_chunk", time.monotonic() - began)
            pieces.append(piece)
    span.set_attribute("http.response.status_code", answer.status_code)
    if deployment := answer.headers.get("x-litellm-model-id"):
        span.set_attribute("app.deployment", deployment)
    if (retries := answer.headers.get("x-litellm-attempted-retries", "")).isdigit():
        span.set_attribute("app.attempts", int(retries) + 1)
    return answer.status_code, "".join(pieces)


def failed(span: Span, kind: str, words: str) -> None:
    """Mark a span as failed."""
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR, words[:200])


def _usage(span: Span, text: str) -> None:
    """Model and tokens, of an answer in one piece or of the last piece that has them."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")] or [text]
    for line in reversed(lines):
        answer = msgspec.json.decode(line)
        if usage := answer.get("usage"):
            span.set_attribute("gen_ai.response.model", answer["model"])
            span.set_attribute("gen_ai.usage.input_tokens", usage["prompt_tokens"])
            span.set_attribute("gen_ai.usage.output_tokens", usage["completion_tokens"])
            return


def _words(text: str) -> str:
    """What a gateway's error says."""
    try:
        return str(msgspec.json.decode(text)["error"]["message"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return text or "an empty answer"
