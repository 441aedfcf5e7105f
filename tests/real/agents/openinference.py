"""The errand under OpenInference: OpenAI's client is instrumented, the agent's own steps use OpenInference's tracer."""

import json
import sys

import openai
from openinference.instrumentation import TracerProvider, get_retriever_attributes, using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.real.agents import errand


def main() -> None:
    """Run it once."""
    upstream, spans, conversation = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "openinference-agent"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(spans)))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    tracer = provider.get_tracer("agent")
    client = openai.OpenAI(base_url=upstream, api_key="none")

    with (
        using_attributes(
            session_id=conversation,
            prompt_template=errand.TEMPLATE,
            prompt_template_variables=errand.variables(),
            prompt_template_version=str(errand.PROMPT_VERSION),
        ),
        tracer.start_as_current_span("advise", openinference_span_kind="agent") as root,
    ):
        root.set_input(errand.QUESTION)
        with tracer.start_as_current_span("search", openinference_span_kind="retriever") as span:
            span.set_input(errand.QUESTION)
            found = [
                {
                    "id": one["id"],
                    "score": one["score"],
                    "content": one["text"],
                    "metadata": {"snapshot": errand.SNAPSHOT},
                }
                for one in errand.search(errand.QUESTION)
            ]
            span.set_attributes(get_retriever_attributes(documents=found))
        messages = errand.prompted()
        answer = errand.ask(client, messages)
        call = answer.tool_calls[0]
        with tracer.start_as_current_span(errand.TOOL, openinference_span_kind="tool") as span:
            given = json.loads(call.function.arguments)
            span.set_tool(name=errand.TOOL, parameters=errand.TOOLS[0]["function"]["parameters"])
            span.set_attribute("tool.id", call.id)
            span.set_input(given)
            result = errand.weather(**given)
            span.set_output(result)
        advice = errand.ask(client, errand.with_result(messages, answer, result)).content
        with tracer.start_as_current_span("remember", openinference_span_kind="chain") as span:
            span.set_input(advice)
            # OpenInference has no name for memory: these are Switchgear's own.
            span.set_attribute("app.memory.op", "upsert")
            span.set_attribute("app.memory.store", errand.STORE)
            span.set_attribute("app.memory.key", errand.MEMORY_KEY)
            span.set_attribute("app.memory.version", errand.MEMORY_VERSION)
            span.set_output(errand.remember(advice))
        root.set_output(advice)
    provider.shutdown()


if __name__ == "__main__":
    main()
