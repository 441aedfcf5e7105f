"""The errand under the official GenAI instrumentation: OpenAI's client, and the handler for an agent's own steps."""

import json
import sys

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import InputMessage, OutputMessage, RetrievalDocument, TextPart

from tests.real.agents import errand


def main() -> None:
    """Run it once."""
    upstream, spans, conversation = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "genai-agent"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(spans)))
    trace.set_tracer_provider(provider)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    handler = TelemetryHandler(tracer_provider=provider, instrumentation_scope_name="agent")
    tracer = provider.get_tracer("agent")
    client = openai.OpenAI(base_url=upstream, api_key="none")

    with handler.workflow("advise", conversation_id=conversation) as root:
        root.input_messages = [InputMessage(role="user", parts=[TextPart(content=errand.QUESTION)])]
        with handler.retrieval(data_source_id=errand.SOURCE) as step:
            step.query_text = errand.QUESTION
            step.documents = [
                RetrievalDocument(id=one["id"], score=one["score"]) for one in errand.search(errand.QUESTION)
            ]
            # The conventions have no name for a snapshot: this is Switchgear's own.
            step.attributes["retrieval.snapshot.version"] = errand.SNAPSHOT
        messages = errand.prompted()
        answer = errand.ask(client, messages)
        call = answer.tool_calls[0]
        with handler.tool(errand.TOOL, tool_type="function") as step:
            given = json.loads(call.function.arguments)
            step.tool_call_id, step.arguments = call.id, given
            result = errand.weather(**given)
            step.tool_result = result
        advice = errand.ask(client, errand.with_result(messages, answer, result)).content
        with tracer.start_as_current_span(f"upsert_memory {errand.STORE}") as span:
            span.set_attribute("gen_ai.operation.name", "upsert_memory")
            span.set_attribute("gen_ai.memory.store.id", errand.STORE)
            span.set_attribute("gen_ai.memory.record.id", errand.MEMORY_KEY)
            span.set_attribute("gen_ai.memory.records", json.dumps([{"content": errand.remember(advice)}]))
            # A version has no name either.
            span.set_attribute("app.memory.version", errand.MEMORY_VERSION)
        root.output_messages = [OutputMessage(role="assistant", parts=[TextPart(content=advice)], finish_reason="stop")]
    provider.shutdown()


if __name__ == "__main__":
    main()
