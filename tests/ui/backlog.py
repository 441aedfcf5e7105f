"""Queues, services and requests of the same afternoon as `world`: a queue grows, one is parked, one has no workers."""

from console.domain.actions import Intent, Outcome, Park, Progress, QueueAction, Receipt, Stage, Verb
from console.domain.freshness import Freshness
from console.domain.readings import (
    Ability,
    AgeQuality,
    AnyReading,
    DeadReason,
    FailureClass,
    Latency,
    PriorityDepth,
    Queue,
    Request,
    Service,
    Source,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.spans import Span, SpanEvent, SpanKind, Trace
from tests.ui.world import NOW

PARK = Park()
BROKER, STORE = "broker", "traces"
QUEUE_VERBS = (
    Verb.PAUSE,
    Verb.RESUME,
    Verb.PARK,
    Verb.REPLAY,
    Verb.FINISH,
    Verb.REQUEUE,
    Verb.ISOLATE,
    Verb.PURGE,
)
NO_FINISH = "new work cannot be held back: every producer publishes to the queue itself"


def queue_ref(name: str) -> Ref:
    return Ref(BROKER, Kind.QUEUE, name)


def abilities(**reasons: str) -> tuple[Ability, ...]:
    """All queue verbs, able but for those that have a reason."""
    return tuple(
        Ability(verb, able=str(verb) not in reasons, reason=reasons.get(str(verb), "")) for verb in QUEUE_VERBS
    )


def source(name: str, adapter: str) -> Source:
    return Source(
        ref=Ref(name, Kind.SOURCE, name),
        observed_at=NOW,
        adapter=adapter,
        freshness=Freshness.FRESH,
        interval_s=5.0,
        last_ok_at=NOW,
    )


def queue(name: str, depth: int = 0, **fields: object) -> Queue:
    known: dict[str, object] = {
        "in_flight": 8,
        "consumers": 4,
        "oldest_age_s": 4.0 if depth else None,
        "age_quality": AgeQuality.EXACT,
        "in_per_min": 120.0,
        "out_per_min": 121.0,
        "redelivered_per_min": 0.4,
        "dead_letters": 0,
        "parked": 0,
        "kind": "quorum",
        "can": abilities(),
    }
    return Queue(ref=queue_ref(name), observed_at=NOW, depth=depth, **{**known, **fields})  # type: ignore[arg-type]


def queues() -> list[AnyReading]:
    return [
        source(BROKER, "rabbitmq"),
        queue("answers", 14, feeds=("gateway:route/chat",)),
        queue(
            "documents",
            12_400,
            feeds=("gateway:route/embed", "gateway:route/summarise"),
            oldest_age_s=412.0,
            age_quality=AgeQuality.ESTIMATED,
            in_per_min=900.0,
            out_per_min=310.0,
            redelivered_per_min=12.0,
            dead_letters=37,
            dead_letter_queue="documents.dead",
            dead_reasons=(DeadReason("delivery_limit", 30), DeadReason("rejected", 7)),
            priorities=(PriorityDepth(9, 400), PriorityDepth(0, 12_000)),
        ),
        queue("mails", 310, parked=5_100, consumers=2, in_per_min=20.0, out_per_min=44.0),
        queue(
            "reports", 96, age_quality=AgeQuality.UNKNOWN, oldest_age_s=None, paused=True, in_per_min=6, out_per_min=0
        ),
        queue("billing", 2_050, consumers=0, in_flight=0, oldest_age_s=95.0, out_per_min=0.0, in_per_min=31.0),
    ]


def service(name: str, flow: float, errors: float, p95: float) -> Service:
    return Service(
        ref=Ref(STORE, Kind.SERVICE, name),
        observed_at=NOW,
        traffic=Traffic(window_s=300, requests_per_min=flow, errors_per_min=flow * errors),
        latency=Latency(window_s=300, p50_s=p95 / 2, p95_s=p95, ttft_p50_s=p95 / 4),
        failures=(FailureClass("timeout", flow * errors),) if errors else (),
        conversations=140,
        snapshots=("kb-2026-11-21",),
    )


def request(at: int, *, failed: bool = False, **fields: object) -> Request:
    """The request that began `at` seconds before now."""
    trace_id = f"{at:032x}"
    known: dict[str, object] = {
        "name": "POST /answer",
        "service": "web",
        "route": "chat",
        "deployment": "openai-a",
        "model": "gpt-5",
        "status": "error" if failed else "ok",
        "failed": failed,
        "error": "azure-b: 429 rate limit reached" if failed else "",
        "duration_s": 8.5 if failed else 1.4,
        "ttft_s": None if failed else 0.3,
        "attempts": 3 if failed else 1,
        "tokens_in": 1200,
        "tokens_out": None if failed else 210,
        "usd": 0.012,
        "conversation": f"c-{at % 7}",
        "spans": 9,
        "trace_id": trace_id,
    }
    ref = Ref(STORE, Kind.REQUEST, trace_id)
    return Request(ref=ref, observed_at=NOW, started_at=NOW - at, **{**known, **fields})  # type: ignore[arg-type]


def requests(count: int = 30) -> list[AnyReading]:
    found: list[AnyReading] = [request(at, failed=at % 6 == 2) for at in range(1, count + 1)]
    found[3] = request(4, name="search", route="embed", model="text-embedding-3", service="search", conversation="")
    return found


def traced() -> list[AnyReading]:
    """What a trace store shows."""
    return [source(STORE, "otlp"), service("web", 240, 0.09, 4.1), service("search", 90, 0.0, 0.4), *requests()]


def span(
    name: str,
    kind: SpanKind,
    start: float,
    took: float | None,
    *,
    parent: str = "",
    error: str = "",
    service: str = "web",
) -> Span:
    return Span(
        span_id=name,
        parent_id=parent,
        name=name,
        kind=kind,
        service=service,
        started_at=NOW - 3 + start,
        duration_s=took,
        failed=bool(error),
        error=error,
    )


def trace() -> Trace:
    """The request of three seconds ago: two attempts fail, the third one answers."""
    found = [
        span("POST /answer", SpanKind.REQUEST, 0.0, 2.6),
        span("retrieve", SpanKind.RETRIEVAL, 0.05, 0.4, parent="POST /answer", service="search"),
        span("embed question", SpanKind.EMBEDDING, 0.06, 0.09, parent="retrieve", service="search"),
        span("answer", SpanKind.CHAIN, 0.5, 2.1, parent="POST /answer"),
        span("chat azure-b", SpanKind.MODEL, 0.55, 0.5, parent="answer", error="429: rate limit reached"),
        span("chat azure-b again", SpanKind.MODEL, 1.1, 0.4, parent="answer", error="429: rate limit reached"),
        span("chat openai-a", SpanKind.MODEL, 1.55, 1.0, parent="answer"),
        span("store turn", SpanKind.MEMORY, 2.58, None, parent="answer"),
        span("publish answers", SpanKind.QUEUE, 2.59, 0.01, parent="gone"),
    ]
    model = found[4]
    found[4] = Span(
        span_id=model.span_id,
        parent_id=model.parent_id,
        name=model.name,
        kind=model.kind,
        service=model.service,
        started_at=model.started_at,
        duration_s=model.duration_s,
        failed=True,
        error=model.error,
        attributes={
            "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.input_tokens": 1200,
            "gen_ai.prompt": "Why is the sky blue? " * 20,
            "http.response.status_code": 429,
            "gen_ai.request.stop_sequences": ["\n\n", "END"],
        },
        events=(SpanEvent(name="exception", at=NOW - 2, attributes={"exception.type": "RateLimitError"}),),
    )
    asked = request(2, failed=True, duration_s=2.6)
    return Trace(
        trace_id=asked.trace_id, request=asked, spans=tuple(found), notes=("otlp: retrieved texts are not kept",)
    )


def receipt(
    done: int,
    total: int | None = 100_000,
    *,
    name: str = "documents",
    action: QueueAction = PARK,
    stage: Stage = Stage.EXECUTING,
    outcome: Outcome = Outcome.CONVERGING,
    words: str = "",
    progress_words: str = "",
) -> Receipt:
    per_s = 6_100.0
    left = None if total is None else (total - done) / per_s
    return Receipt(
        id=f"act-{name}",
        intent=Intent(target=queue_ref(name), action=action, reason="azure is down", via="key"),
        operator="ana",
        stage=stage,
        outcome=outcome,
        started_at=NOW - 20,
        updated_at=NOW,
        words=words,
        progress=Progress(done=done, total=total, per_s=per_s, left_s=left, words=progress_words),
    )
