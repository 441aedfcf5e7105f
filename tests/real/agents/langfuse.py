"""The errand under Langfuse's SDK, which speaks OpenTelemetry: OpenAI's client is its own, so are the agent's steps."""

import json
import sys

from langfuse import Langfuse, propagate_attributes
from langfuse.api import Prompt_Text
from langfuse.model import TextPromptClient
from langfuse.openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from tests.real.agents import errand


def main() -> None:
    """Run it once."""
    upstream, spans, conversation = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "langfuse-agent"}))
    langfuse = Langfuse(
        public_key="pk-none",
        secret_key="sk-none",
        base_url="http://127.0.0.1:9",  # nobody: spans go elsewhere
        tracer_provider=provider,
        span_exporter=OTLPSpanExporter(spans),
    )
    client = OpenAI(base_url=upstream, api_key="none")
    prompt = TextPromptClient(
        Prompt_Text(
            name=errand.PROMPT,
            version=errand.PROMPT_VERSION,
            prompt=errand.TEMPLATE,
            config={},
            labels=[],
            tags=[],
        )
    )

    with (
        propagate_attributes(session_id=conversation),
        langfuse.start_as_current_observation(name="advise", as_type="agent", input=errand.QUESTION) as root,
    ):
        with langfuse.start_as_current_observation(name="search", as_type="retriever", input=errand.QUESTION) as step:
            # Langfuse has no name for a source or a snapshot: these are Switchgear's own.
            trace.get_current_span().set_attribute("retrieval.source", errand.SOURCE)
            trace.get_current_span().set_attribute("retrieval.snapshot.version", errand.SNAPSHOT)
            step.update(output=list(errand.search(errand.QUESTION)))
        messages = errand.prompted()
        answer = errand.ask(client, messages, langfuse_prompt=prompt)
        call = answer.tool_calls[0]
        given = json.loads(call.function.arguments)
        with langfuse.start_as_current_observation(name=errand.TOOL, as_type="tool", input=given) as step:
            result = errand.weather(**given)
            step.update(output=result)
        answered = errand.with_result(messages, answer, result)
        advice = errand.ask(client, answered, langfuse_prompt=prompt).content
        with langfuse.start_as_current_observation(name="remember", as_type="chain", input=advice) as step:
            span = trace.get_current_span()
            span.set_attribute("app.memory.op", "upsert")
            span.set_attribute("app.memory.store", errand.STORE)
            span.set_attribute("app.memory.key", errand.MEMORY_KEY)
            span.set_attribute("app.memory.version", errand.MEMORY_VERSION)
            step.update(output=errand.remember(advice))
        root.update(output=advice)
    langfuse.flush()
    provider.shutdown()


if __name__ == "__main__":
    main()
