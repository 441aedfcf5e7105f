"""An agent whose client three libraries instrument at once: OpenInference, Traceloop and the official GenAI one."""

import sys
from concurrent.futures import ThreadPoolExecutor

import openai
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor as GenAI
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as Traceloop
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.real.agents import errand

IN_TURN = 2
AT_ONCE = 3


def main() -> None:
    """Ask in turn, then the same several times at once."""
    upstream, spans, conversation = sys.argv[1:]
    provider = TracerProvider(resource=Resource.create({"service.name": "together-agent"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(spans)))
    trace.set_tracer_provider(provider)
    for library in (OpenInference(), Traceloop(), GenAI()):
        library.instrument(tracer_provider=provider)
    client = openai.OpenAI(base_url=upstream, api_key="none")

    with provider.get_tracer("agent").start_as_current_span("advise") as root:
        root.set_attribute("session.id", conversation)
        here = context.get_current()

        def ask(_: int) -> None:
            token = context.attach(here)
            try:
                errand.ask(client, errand.prompted())
            finally:
                context.detach(token)

        for number in range(IN_TURN):
            ask(number)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(ask, range(AT_ONCE)))
    provider.shutdown()


if __name__ == "__main__":
    main()
