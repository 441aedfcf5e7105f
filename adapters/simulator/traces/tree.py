"""A kept request span by span, under the names that OpenTelemetry's GenAI and messaging conventions give.

It is told anew each time it is asked for, from what was kept: the same request always has the same spans.
"""

import random
from typing import Any, Final

from adapters.otel import Aliases, read
from adapters.simulator.calls import Attempt
from adapters.simulator.parts import Deployment
from adapters.simulator.queues.backlog import Delivery
from adapters.simulator.traces.samples import FRONT, Sample
from adapters.simulator.traces.telling import error_of, name_of, tokens_of
from console.domain.spans import Span, SpanEvent, SpanKind

ALIASES: Final = Aliases.of()
"""Its names are the conventions' own."""

PUBLISH_S: Final = 0.004
"""Seconds that a job needs to get into its queue."""

RETRIEVAL_PART: Final = 0.7
"""Part of the work before a call that is retrieval."""

_PROVIDERS: Final = {"azure": "azure.ai.openai", "mistral": "mistral_ai"}
"""Where the convention's name for a provider is another than the world's."""

_TOOLS: Final = ("search_orders", "read_calendar", "send_draft", "query_warehouse")


def spans_of(sample: Sample) -> tuple[Span, ...]:
    """Every span of one request, by start, read as those of any trace store are."""
    return tuple(read(span, ALIASES) for span in _Tree(sample).tell())


class _Tree:
    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._chance = random.Random(sample.trace_id)  # noqa: S311 - a game, not a secret
        self._spans: list[Span] = []

    def tell(self) -> tuple[Span, ...]:
        sample = self._sample
        root = self._add(
            "", name_of(sample), SpanKind.REQUEST, sample.service, sample.began_at, sample.end_at - sample.began_at,
            error=error_of(sample.failure), attributes=self._root_attributes(),
        )  # fmt: skip
        if sample.queue:
            self._publish(root)
        waited_from = sample.began_at
        for number, delivery in enumerate(sample.deliveries):
            parent = self._deliver(root, number, delivery, waited_from) if sample.queue else root
            self._work(parent, delivery)
            waited_from = delivery.end_at
        return tuple(sorted(self._spans, key=lambda span: span.started_at))

    def _add(
        self, parent: str, name: str, kind: SpanKind, service: str, at: float, lasted: float,
        *, error: str = "", attributes: dict[str, Any] | None = None, events: tuple[SpanEvent, ...] = (),
    ) -> str:  # fmt: skip
        span_id = f"{self._chance.getrandbits(64):016x}"
        self._spans.append(
            Span(
                span_id=span_id,
                parent_id=parent,
                name=name,
                kind=kind,
                service=service,
                started_at=at,
                duration_s=round(lasted, 6),
                failed=bool(error),
                error=error,
                attributes=attributes or {},
                events=events,
            )
        )
        return span_id

    def _root_attributes(self) -> dict[str, Any]:
        sample = self._sample
        found: dict[str, Any] = {"gen_ai.workflow.name": sample.route.spec.name}
        if sample.conversation:
            found["gen_ai.conversation.id"] = sample.conversation
        if not sample.queue:
            found |= {"http.request.method": "POST", "url.path": f"/v1/{sample.route.spec.name}"}
            found["http.response.status_code"] = 502 if sample.failure else 200
        return found

    def _publish(self, root: str) -> None:
        sample = self._sample
        self._add(
            root, f"publish {sample.queue}", SpanKind.QUEUE, FRONT, sample.began_at, PUBLISH_S,
            attributes={
                "messaging.system": "simulator", "messaging.destination.name": sample.queue,
                "messaging.operation.type": "send",
            },
        )  # fmt: skip

    def _deliver(self, root: str, number: int, delivery: Delivery, waited_from: float) -> str:
        """The wait in the queue, and the worker's span that everything of this delivery is under."""
        sample = self._sample
        waited = max(0.0, delivery.at - waited_from)
        messaging = {
            "messaging.system": "simulator", "messaging.destination.name": sample.queue,
            "messaging.operation.type": "process", "app.queue.wait_ms": round(1000.0 * waited),
            "messaging.message.delivery_count": number + 1,
        }  # fmt: skip
        self._add(
            root, f"wait in {sample.queue}", SpanKind.QUEUE, sample.service, waited_from, waited, attributes=messaging
        )
        return self._add(
            root, f"work on {sample.queue}", SpanKind.CHAIN, sample.service, delivery.at, delivery.end_at - delivery.at,
            error=error_of(delivery.call.failure), attributes=messaging,
        )  # fmt: skip

    def _work(self, parent: str, delivery: Delivery) -> None:
        sample, at = self._sample, delivery.at
        around = sample.route.spec.around
        if "retrieval" in around:
            self._retrieve(parent, at, RETRIEVAL_PART * delivery.before_s)
        at += delivery.before_s
        call = delivery.call
        asked = self._add(
            parent, f"call {sample.route.spec.name}", SpanKind.CHAIN, sample.service, at, call.duration_s,
            error=error_of(call.failure), attributes={"gen_ai.workflow.name": sample.route.spec.name},
        )  # fmt: skip
        for attempt in call.attempts:
            self._attempt(asked, at, attempt, answered=delivery is sample.deliveries[-1] and not attempt.failure)
        at += call.duration_s
        if call.failure:
            return
        after = delivery.after_s
        if "tool" in around:
            self._use_tool(parent, at, 0.8 * after)
            at, after = at + 0.8 * after, 0.2 * after
        embedded = call.attempts[-1].deployment.spec.tokens_out == 0
        name = "store vectors" if embedded else "compose answer"
        self._add(parent, name, SpanKind.OTHER, sample.service, at, after)

    def _retrieve(self, parent: str, at: float, lasted: float) -> None:
        documents = [
            {"id": f"doc-{self._chance.randrange(4000)}", "score": round(self._chance.uniform(0.62, 0.94), 3)}
            for _ in range(self._chance.randint(3, 6))
        ]
        self._add(
            parent, "retrieval knowledge-base", SpanKind.RETRIEVAL, self._sample.service, at, lasted,
            attributes={
                "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "knowledge-base",
                "gen_ai.retrieval.documents": sorted(documents, key=lambda one: -float(one["score"])),
                "retrieval.snapshot.version": self._sample.snapshot,
            },
        )  # fmt: skip

    def _use_tool(self, parent: str, at: float, lasted: float) -> None:
        tool = self._chance.choice(_TOOLS)
        self._add(
            parent, f"execute_tool {tool}", SpanKind.TOOL, self._sample.service, at, lasted,
            attributes={
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool,
                "gen_ai.tool.call.id": f"call_{self._chance.getrandbits(48):012x}",
            },
        )  # fmt: skip

    def _attempt(self, parent: str, begin_at: float, attempt: Attempt, *, answered: bool) -> None:
        spec = attempt.deployment.spec
        embeds = spec.tokens_out == 0
        operation = "embeddings" if embeds else "chat"
        at = begin_at + attempt.begin_s
        attributes = _asked(attempt.deployment, operation, attempt.route)
        if attempt.failure:
            attributes["error.type"] = attempt.failure
        if answered:
            attributes |= self._answered(attempt.deployment, embeds=embeds)
        events: tuple[SpanEvent, ...] = ()
        if attempt.ttft_s is not None and not embeds:
            events = (SpanEvent(name="gen_ai.first_token", at=at + attempt.ttft_s),)
        self._add(
            parent, f"{operation} {spec.model}", SpanKind.EMBEDDING if embeds else SpanKind.MODEL,
            self._sample.service, at, attempt.duration_s,
            error=error_of(attempt.failure), attributes=attributes, events=events,
        )  # fmt: skip

    def _answered(self, deployment: Deployment, *, embeds: bool) -> dict[str, Any]:
        tokens_in, tokens_out = tokens_of(self._sample)
        found: dict[str, Any] = {
            "gen_ai.response.model": deployment.spec.model,
            "gen_ai.response.id": f"resp_{self._chance.getrandbits(64):016x}",
            "gen_ai.usage.input_tokens": tokens_in,
        }
        if not embeds:
            found |= {"gen_ai.usage.output_tokens": tokens_out, "gen_ai.response.finish_reasons": ["stop"]}
        return found


def _asked(deployment: Deployment, operation: str, route: str) -> dict[str, Any]:
    spec = deployment.spec
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": _PROVIDERS.get(spec.provider, spec.provider),
        "gen_ai.request.model": spec.model,
        "server.address": deployment.provider.spec.endpoint.removeprefix("https://"),
        "app.route": route,
        "app.deployment": spec.name,
    }
