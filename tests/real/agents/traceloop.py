"""The errand under Traceloop's SDK: OpenAI's client is instrumented, the agent's own steps are decorated."""

import json
import sys
from typing import Any

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import task, tool, workflow
from traceloop.sdk.instruments import Instruments

from tests.real.agents import errand


@task(name="search")
def search(question: str) -> list[dict[str, Any]]:
    """Retrieval: Traceloop has no name for it, the source and the snapshot are Switchgear's own."""
    span = trace.get_current_span()
    span.set_attribute("retrieval.source", errand.SOURCE)
    span.set_attribute("retrieval.snapshot.version", errand.SNAPSHOT)
    return list(errand.search(question))


@tool(name=errand.TOOL)
def weather(city: str = "") -> str:
    """The tool."""
    return errand.weather(city)


@task(name="remember")
def remember(text: str) -> str:
    """Memory: Switchgear's own names."""
    span = trace.get_current_span()
    span.set_attribute("app.memory.op", "upsert")
    span.set_attribute("app.memory.store", errand.STORE)
    span.set_attribute("app.memory.key", errand.MEMORY_KEY)
    span.set_attribute("app.memory.version", errand.MEMORY_VERSION)
    return errand.remember(text)


@workflow(name="advise")
def advise(question: str, client: Any) -> str:
    """The whole errand."""
    search(question)
    Traceloop.set_prompt(errand.TEMPLATE, errand.variables(), errand.PROMPT_VERSION)
    messages = errand.prompted()
    answer = errand.ask(client, messages)
    result = weather(**json.loads(answer.tool_calls[0].function.arguments))
    advice = str(errand.ask(client, errand.with_result(messages, answer, result)).content)
    remember(advice)
    return advice


def main() -> None:
    """Run it once."""
    upstream, spans, conversation = sys.argv[1:]
    Traceloop.init(
        app_name="traceloop-agent",
        exporter=OTLPSpanExporter(spans),
        telemetry_enabled=False,
        instruments={Instruments.OPENAI},
    )
    Traceloop.set_association_properties({"session_id": conversation})
    advise(errand.QUESTION, client=openai.OpenAI(base_url=upstream, api_key="none"))
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.shutdown()


if __name__ == "__main__":
    main()
