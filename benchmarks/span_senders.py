"""Programs that send spans as fast as they can: `python -m benchmarks.span_senders sdk|raw|long URL SPANS SEED`.

`sdk` is an application under the OpenTelemetry SDK with its batch processor and its OTLP/HTTP exporter. `raw` sends
bodies that were made before, so that the collector alone is the limit; `long` does so with one single request. Each
prints one JSON object: the spans that
were acknowledged, and the seconds of wall clock and of processor from the first span to the last acknowledgement.
"""

import http.client
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

SPANS_A_REQUEST = 8
BODY_SPANS = 512
TEMPLATES = 120
LONGEST_AGO_S = 86_400.0
"""When the oldest made request began; a fifth of them are of the last hour."""
LONG_NAME = "POST /agent"
"""What a request with very many spans is called."""
_MAGIC = b"\xf0TRACEID"
"""Eight bytes of every trace id in a made body; replaced before sending, so that each body has requests of its own."""


def instrumented(url: str, spans: int, seed: int) -> Callable[[], int]:
    """An application that does `spans` spans' work; it returns the number that the collector acknowledged."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    class Counting(OTLPSpanExporter):
        acknowledged = 0

        def export(self, batch: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(batch)
            self.acknowledged += len(batch) if result is SpanExportResult.SUCCESS else 0
            return result

    exporter = Counting(url)
    provider = TracerProvider(resource=Resource.create({"service.name": f"bench-{seed}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=2 * spans, max_export_batch_size=512))
    tracer = provider.get_tracer("bench")
    dice = random.Random(seed)

    def work() -> int:
        for number in range(spans // SPANS_A_REQUEST):
            with tracer.start_as_current_span("POST /chat", attributes=_root(dice)):
                for name, attributes in _children(number, dice, time.time()):
                    with tracer.start_as_current_span(name, attributes=attributes):
                        pass
        provider.shutdown()
        return exporter.acknowledged

    return work


def made_before(url: str, spans: int, seed: int) -> Callable[[], int]:
    """Bodies to be sent over one connection until `spans` spans are acknowledged; it returns their number."""
    ages = [LONGEST_AGO_S * (number / TEMPLATES) ** 2 for number in range(TEMPLATES)]
    templates = [_template(random.Random(seed * 1_000 + number), age_s) for number, age_s in enumerate(ages)]
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    dice = random.Random(seed)

    def send() -> int:
        sent = 0
        while sent < spans:
            body = templates[sent // BODY_SPANS % len(templates)].replace(_MAGIC, dice.randbytes(len(_MAGIC)))
            connection.request("POST", parts.path, body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                sent += BODY_SPANS
            elif answer.status != 503:
                raise RuntimeError(f"the collector answered {answer.status}")
            else:
                time.sleep(float(answer.headers["Retry-After"]))
        return sent

    return send


def one_request(url: str, spans: int, seed: int) -> Callable[[], int]:
    """An agent that did not stop: all spans in one request."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    for number in range(spans // BODY_SPANS):
        request.MergeFromString(_template(random.Random(seed + number), age_s=0.0))
    made = [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    for span in made:
        span.trace_id = seed.to_bytes(16, "big")
        span.parent_span_id = b"" if span is made[0] else made[0].span_id
    made[0].name = LONG_NAME
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)

    def send() -> int:
        connection.request("POST", parts.path, request.SerializeToString(), {"Content-Type": "application/x-protobuf"})
        return len(made) if connection.getresponse().status == 200 else 0

    return send


def _root(dice: random.Random) -> dict[str, str | int]:
    conversation = f"conv-{dice.randrange(5_000)}"
    return {"gen_ai.conversation.id": conversation, "http.request.method": "POST", "http.route": "/chat"}


def _children(number: int, dice: random.Random, at: float) -> list[tuple[str, dict[str, str | int]]]:
    """What a request that begins at `at` (unix seconds) does: it is in every lane.

    The retrieval snapshot is published anew every hour, and one request in two hundred is still answered from the old.
    """
    call: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": dice.randrange(4_000),
        "gen_ai.usage.output_tokens": dice.randrange(800),
        "gen_ai.prompt.name": "answer",
        "gen_ai.prompt.version": str(dice.randrange(40)),
        "server.address": "10.0.0.7",
        "gen_ai.output.messages": f'[{{"role": "assistant", "parts": [{{"content": "{dice.getrandbits(400):x}"}}]}}]',
    }
    read: dict[str, str | int] = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "handbook",
        "retrieval.snapshot.version": str(int(at / 3600) - (dice.random() < 0.005)),
    }
    taken: dict[str, str | int] = {
        "messaging.destination.name": f"chats-{dice.randrange(4)}",
        "app.queue.wait_ms": dice.randrange(400),
        "app.worker": f"worker-{dice.randrange(16)}",
    }
    written: dict[str, str | int] = {
        "gen_ai.operation.name": "upsert_memory",
        "app.memory.key": f"profile-{dice.randrange(5_000)}",
        "app.memory.version": str(int(at)),
    }
    step: dict[str, str | int] = {"openinference.span.kind": "CHAIN"}
    tool: dict[str, str | int] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"}
    return [
        ("chats receive", taken),
        ("plan", step),
        ("search", read),
        ("chat gpt-4o", call),
        ("weather", tool),
        ("chat gpt-4o", call),
        ("remember", written),
    ]


def _template(dice: random.Random, age_s: float) -> bytes:
    """A body of 64 requests that began `age_s` seconds ago, or a little later."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = f"bench-{dice.randrange(8)}"
    spans = group.scope_spans.add().spans
    for number in range(BODY_SPANS // SPANS_A_REQUEST):
        trace, root = _MAGIC + dice.randbytes(8), dice.randbytes(8)
        begun = time.time_ns() - int(age_s * 1e9) + dice.randrange(10**10)
        parts = [("POST /chat", _root(dice)), *_children(number, dice, begun / 1e9)]
        for place, (name, attributes) in enumerate(parts):
            span = spans.add(trace_id=trace, span_id=dice.randbytes(8) if place else root, name=name)
            span.parent_span_id = root if place else b""
            span.start_time_unix_nano = begun + place * 10**7
            span.end_time_unix_nano = begun + 10**8
            if not place and dice.random() < 0.02:
                span.status.code = span.status.STATUS_CODE_ERROR
            for key, value in attributes.items():
                kept = span.attributes.add(key=key).value
                if isinstance(value, int):
                    kept.int_value = value
                else:
                    kept.string_value = value
    return request.SerializeToString()


def main() -> None:
    """Send, and say how it went."""
    how, url, spans, seed = sys.argv[1:]
    send = {"sdk": instrumented, "raw": made_before, "long": one_request}[how](url, int(spans), int(seed))
    wall, processor = time.perf_counter(), time.process_time()
    acknowledged = send()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(json.dumps({"spans": acknowledged, "wall_s": wall, "processor_s": processor}))


if __name__ == "__main__":
    main()
