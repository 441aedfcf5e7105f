"""A small application that is instrumented with the real OpenTelemetry SDK: what it does is told to an exporter."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Span as RecordedSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

SPANS_A_REQUEST = 6


class Naming(SpanProcessor):
    """Puts the service's name onto each span too, for stores that drop what the resource says."""

    def on_start(self, span: RecordedSpan, parent_context: Context | None = None) -> None:
        span.set_attribute("service.name", str(span.resource.attributes["service.name"]))

    def on_end(self, span: ReadableSpan) -> None:
        return


@contextmanager
def telling(
    exporter: SpanExporter, service: str, *, batch: int = 512, named: bool = False, project: str = ""
) -> Iterator[Tracer]:
    """A tracer of `service` whose spans go to `exporter`, the last of them before this ends.

    `named`: each span says its service, as `Naming` does it. `project`: where Phoenix puts them.
    """
    said = {"service.name": service, "service.version": "1.4.2"}
    if project:
        said["openinference.project.name"] = project
    provider = TracerProvider(resource=Resource.create(said))
    if named:
        provider.add_span_processor(Naming())
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=16 * batch, max_export_batch_size=batch, schedule_delay_millis=100)
    )
    try:
        yield provider.get_tracer("shop", "1.0")
    finally:
        provider.shutdown()


def one_request(shop: Tracer, search: Tracer, number: int) -> None:
    """A chat that reads documents, calls a model (a second one when the first fails) and a tool: 6 spans.

    Every fifth request's first model call is throttled; every seventh request fails.
    """
    conversation = {"gen_ai.conversation.id": f"conv-{number // 3}"}
    with shop.start_as_current_span("POST /chat", kind=SpanKind.SERVER, attributes=conversation) as root:
        root.set_attributes({"http.request.method": "POST", "http.route": "/chat", "app.route": "chat"})
        with (
            shop.start_as_current_span("GET /documents", kind=SpanKind.CLIENT),
            search.start_as_current_span("GET /documents", kind=SpanKind.SERVER) as read,
        ):
            read.set_attribute("gen_ai.operation.name", "retrieval")
            read.set_attribute("retrieval.snapshot.version", "2026-11-20" if number % 4 else "2026-11-19")
        with shop.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as call:
            call.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
            if number % 5 == 0:
                call.set_attribute("error.type", "429")
                call.record_exception(RuntimeError("rate limit reached"))
                call.set_status(Status(StatusCode.ERROR, "429 rate limit reached"))
            else:
                _answered(call)
        with shop.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT) as second:
            second.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"})
            _answered(second)
        with shop.start_as_current_span("execute_tool weather") as tool:
            tool.set_attributes({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"})
        if number % 7 == 0:
            root.set_attribute("http.response.status_code", 500)
            root.set_status(Status(StatusCode.ERROR, "no answer fit for a customer"))


def _answered(call: Span) -> None:
    call.set_attributes(
        {
            "gen_ai.usage.input_tokens": 512,
            "gen_ai.usage.output_tokens": 64,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}]}]',
        }
    )
