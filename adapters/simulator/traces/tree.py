"""A kept request span by span, under the names that OpenTelemetry's GenAI and messaging conventions give.

It is told anew each time it is asked for, from what was kept: the same request always has the same spans.
"""

import random
from typing import Any, Final

import msgspec

from adapters.otel import Aliases, read
from adapters.simulator.calls import Attempt
from adapters.simulator.parts import Deployment
from adapters.simulator.queues.backlog import Delivery
from adapters.simulator.traces.samples import FRONT, Sample
from adapters.simulator.traces.telling import error_of, name_of, tokens_of
from adapters.simulator.traces.wording import SYSTEM, TEMPLATE, Wording
from console.domain.spans import Span, SpanEvent, SpanKind

ALIASES: Final = Aliases.of()
"""Its names are the conventions' own."""

PUBLISH_S: Final = 0.004
"""Seconds that a job needs to get into its queue."""

RECALL_PART: Final = 0.1
"""Part of the work before a call in which the conversation's memory is read."""

RETRIEVAL_PART: Final = 0.6
"""Part of it that is retrieval."""

COMPOSE_PART: Final = 0.6
"""Part of the work after a call in which the answer is composed; in the rest it is remembered."""

_PROVIDERS: Final = {"azure": "azure.ai.openai", "mistral": "mistral_ai"}
"""Where the convention's name for a provider is another than the world's."""

_TOOLS: Final = ("search_orders", "read_calendar", "send_draft", "query_warehouse")


def spans_of(sample: Sample) -> tuple[Span, ...]:
    """Every span of one request, by start, read as those of any trace store are."""
    return tuple(read(span, ALIASES) for span in _Tree(sample).tell())


def spans_without_words(sample: Sample) -> tuple[Span, ...]:
    """The same with their facts alone, at a fifth of the cost."""
    return tuple(
        msgspec.structs.replace(span, facts=ALIASES.facts(span.attributes, span.started_at, span.kind))
        for span in _Tree(sample).tell()
    )


def count_of(sample: Sample) -> int:
    """How many spans a request has."""
    return len(_Tree(sample).tell())


class _Tree:
    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._chance = random.Random(sample.trace_id)  # noqa: S311 - a game, not a secret
        self._words = Wording.of(sample.trace_id)
        self._call = f"call_{self._chance.getrandbits(48):012x}"
        """The id by which the model's answer names its tool call."""
        self._tool = self._chance.choice(_TOOLS)
        self._uses_tool = "tool" in sample.route.spec.around
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
            self._work(parent, number, delivery)
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
            found["input.value"] = self._words.question
            if not sample.failure:
                found["output.value"] = self._words.answer
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
            "messaging.message.delivery_count": number + 1, "app.attempt": number + 1,
        }  # fmt: skip
        self._add(
            root, f"wait in {sample.queue}", SpanKind.QUEUE, sample.service, waited_from, waited, attributes=messaging
        )
        return self._add(
            root, f"work on {sample.queue}", SpanKind.CHAIN, sample.service, delivery.at, delivery.end_at - delivery.at,
            error=error_of(delivery.call.failure),
            attributes={**messaging, "app.worker": f"{sample.service}-{1 + int(sample.trace_id[:2], 16) % 3}"},
        )  # fmt: skip

    def _work(self, parent: str, number: int, delivery: Delivery) -> None:
        sample, at = self._sample, delivery.at
        if "retrieval" in sample.route.spec.around:
            self._recall(parent, at, RECALL_PART * delivery.before_s)
            self._retrieve(parent, number, at + RECALL_PART * delivery.before_s, RETRIEVAL_PART * delivery.before_s)
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
        if self._uses_tool:
            self._use_tool(parent, at, 0.8 * after)
            at, after = at + 0.8 * after, 0.2 * after
        embedded = call.attempts[-1].deployment.spec.tokens_out == 0
        name = "store vectors" if embedded else "compose answer"
        composed = after if sample.memory is None else COMPOSE_PART * after
        self._add(parent, name, SpanKind.OTHER, sample.service, at, composed)
        if sample.memory is not None:
            made = sample.memory.made(sample.end_at)
            self._remember(parent, "create" if made == 1 else "update", made, at + composed, after - composed)

    def _recall(self, parent: str, at: float, lasted: float) -> None:
        """Read what the conversation remembers."""
        memory = self._sample.memory
        version = memory.read(at) if memory else 0
        if version:
            self._remember(parent, "read", version, at, lasted)

    def _remember(self, parent: str, op: str, version: int, at: float, lasted: float) -> None:
        said = "gen_ai.memory.records" if op == "read" else "input.value"
        self._add(
            parent, f"{op} memory", SpanKind.MEMORY, self._sample.service, at, lasted,
            attributes={
                "gen_ai.operation.name": f"{op if op != 'read' else 'search'}_memory", "app.memory.op": op,
                "app.memory.store": "summaries", "app.memory.key": self._sample.conversation,
                "app.memory.version": str(version), said: f"Summary {version}: {self._words.facts[0]}",
            },
        )  # fmt: skip

    def _retrieve(self, parent: str, number: int, at: float, lasted: float) -> None:
        documents = [
            {
                "id": f"doc-{self._chance.randrange(4000)}",
                "score": round(self._chance.uniform(0.62, 0.94), 3),
                "content": fact,
            }
            for fact in self._words.facts[: self._chance.randint(3, 5)]
        ]
        self._add(
            parent, "retrieval knowledge-base", SpanKind.RETRIEVAL, self._sample.service, at, lasted,
            attributes={
                "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "knowledge-base",
                "gen_ai.retrieval.query.text": self._words.question,
                "gen_ai.retrieval.documents": sorted(documents, key=lambda one: -float(one["score"])),
                "retrieval.snapshot.version": self._sample.snapshots[number],
            },
        )  # fmt: skip

    def _use_tool(self, parent: str, at: float, lasted: float) -> None:
        self._add(
            parent, f"execute_tool {self._tool}", SpanKind.TOOL, self._sample.service, at, lasted,
            attributes={
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": self._tool,
                "gen_ai.tool.call.id": self._call, "gen_ai.tool.call.arguments": self._asked_tool(),
                "gen_ai.tool.call.result": {"found": self._words.facts[1]},
            },
        )  # fmt: skip

    def _asked_tool(self) -> dict[str, Any]:
        return {"query": self._words.question, "limit": 3}

    def _attempt(self, parent: str, begin_at: float, attempt: Attempt, *, answered: bool) -> None:
        spec = attempt.deployment.spec
        embeds = spec.tokens_out == 0
        operation = "embeddings" if embeds else "chat"
        at = begin_at + attempt.begin_s
        attributes = _asked(attempt.deployment, operation, attempt.route)
        if attempt.failure:
            attributes["error.type"] = attempt.failure
        if not embeds:
            attributes |= self._prompted()
        if attempt.ttft_s is not None and not embeds:
            attributes["app.ttft_ms"] = round(1000.0 * attempt.ttft_s, 1)
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

    def _prompted(self) -> dict[str, Any]:
        """What a chat model was given."""
        context = "\n".join(self._words.facts) if self._sample.snapshots else "no documents"
        asked = TEMPLATE.format(question=self._words.question, documents=context)
        return {
            "gen_ai.prompt.name": f"{self._sample.route.spec.name}-answer",
            "gen_ai.prompt.version": self._sample.prompt,
            "gen_ai.system_instructions": [{"type": "text", "content": SYSTEM}],
            "llm.prompt_template.template": TEMPLATE,
            "llm.prompt_template.variables": {"question": self._words.question, "documents": context},
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": asked}]}],
            "gen_ai.request.temperature": 0.2,
        }

    def _answered(self, deployment: Deployment, *, embeds: bool) -> dict[str, Any]:
        tokens_in, tokens_out = tokens_of(self._sample)
        spec = deployment.spec
        found: dict[str, Any] = {
            "gen_ai.response.model": spec.model,
            "gen_ai.response.id": f"resp_{self._chance.getrandbits(64):016x}",
            "gen_ai.usage.input_tokens": tokens_in,
            "gen_ai.usage.cost": round((tokens_in * spec.usd_in_per_m + tokens_out * spec.usd_out_per_m) / 1e6, 6),
        }
        if not embeds:
            reason = "tool_calls" if self._uses_tool else "stop"
            parts: list[dict[str, Any]] = [{"type": "text", "content": self._words.answer}]
            if self._uses_tool:
                wanted = {"type": "tool_call", "id": self._call, "name": self._tool, "arguments": self._asked_tool()}
                parts = [wanted]
            answer = {"role": "assistant", "parts": parts, "finish_reason": reason}
            found |= {
                "gen_ai.usage.output_tokens": tokens_out,
                "gen_ai.response.finish_reasons": [reason],
                "gen_ai.output.messages": [answer],
            }
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
