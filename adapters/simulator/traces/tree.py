"""A kept request span by span, under the names that OpenTelemetry's GenAI and messaging conventions give.

It is told anew each time it is asked for, from what was kept: the same request always has the same spans.
"""

import random
from typing import Any, Final

import msgspec

from adapters.otel import Aliases, read
from adapters.simulator.answers.flows import FRONT
from adapters.simulator.answers.forms import TOOLS
from adapters.simulator.answers.rates import INDEX
from adapters.simulator.calls import Attempt
from adapters.simulator.queues.backlog import Delivery
from adapters.simulator.traces.model_call import Asked, answer_attributes, call_attributes
from adapters.simulator.traces.sample import RECALL_PART, Sample
from adapters.simulator.traces.saying import arguments_of, text_of
from adapters.simulator.traces.telling import error_of, name_of, rounds_of
from adapters.simulator.traces.wording import Wording
from console.domain.answers import Finish
from console.domain.spans import Span, SpanEvent, SpanKind

ALIASES: Final = Aliases.of()
"""Its names are the conventions' own."""

PUBLISH_S: Final = 0.004
"""Seconds that a job needs to get into its queue."""

RETRIEVAL_PART: Final = 0.6
"""Part of it that is retrieval."""

COMPOSE_PART: Final = 0.6
"""Part of the work after a call in which the answer is composed; in the rest it is remembered."""

USUAL_SCORE: Final = 0.81
"""The score of a best document that a median is held against."""

TOOL_PART: Final = 0.3
"""Part of a further round of an agent in which a tool works; in the rest its model is called again."""


def spans_of(sample: Sample) -> tuple[Span, ...]:
    """Every span of one request, by start, read as those of any trace store are."""
    return tuple(read(span, ALIASES) for span in _Tree(sample).tell())


def spans_without_words(sample: Sample) -> tuple[Span, ...]:
    """The same with their facts alone, at a fifth of the cost."""
    return tuple(
        msgspec.structs.replace(span, facts=ALIASES.facts(span.attributes, span.started_at, span.kind))
        for span in _Tree(sample).tell()
    )


def spans_of_knowledge(sample: Sample) -> tuple[Span, ...]:
    """Those of them that read a snapshot or touch memory, with their facts: what marks are asked for most."""
    return tuple(
        msgspec.structs.replace(span, facts=ALIASES.facts(span.attributes, span.started_at, span.kind))
        for span in _Tree(sample).tell()
        if span.kind in (SpanKind.RETRIEVAL, SpanKind.MEMORY)
    )


def count_of(sample: Sample) -> int:
    """How many spans a request has."""
    return len(_Tree(sample).tell())


class _Tree:
    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._chance = random.Random(sample.trace_id)  # noqa: S311 - a game, not a secret
        self._words = Wording.of(sample.trace_id)
        self._manner = sample.manner
        self._call = f"call_{self._chance.getrandbits(48):012x}"
        """The id by which the model's answer names its tool call."""
        self._tool = self._chance.choice(TOOLS)
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
                found["output.value"] = text_of(self._manner, self._words)
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
        if self._uses_tools:
            self._go_round(parent, at, 0.8 * after, call.attempts[-1])
            at, after = at + 0.8 * after, 0.2 * after
        embedded = call.attempts[-1].deployment.spec.tokens_out == 0
        name = "store vectors" if embedded else "compose answer"
        composed = after if sample.memory is None else COMPOSE_PART * after
        self._add(parent, name, SpanKind.OTHER, sample.service, at, composed)
        if sample.memory is not None:
            made = sample.memory.made(sample.end_at)
            self._remember(parent, "create" if made == 1 else "update", made, at + composed, after - composed)

    @property
    def _uses_tools(self) -> bool:
        manner = self._manner
        return manner is not None and (manner.rounds > 1 or manner.finish is Finish.TOOL_CALLS)

    def _go_round(self, parent: str, at: float, lasted: float, answer: Attempt) -> None:
        """The tool that a model has asked for, and its next call with what that found, as often as it goes on."""
        rounds = rounds_of(self._sample)
        last = self._manner is not None and self._manner.finish is Finish.TOOL_CALLS
        slot = lasted / (rounds - 1 + last)
        for number in range(rounds - 1):
            self._use_tool(parent, number, at, TOOL_PART * slot)
            begin, lasts = at + TOOL_PART * slot, (1.0 - TOOL_PART) * slot
            name = f"call {self._sample.route.spec.name}"
            asked = self._add(parent, name, SpanKind.CHAIN, self._sample.service, begin, lasts)
            ttft = None if answer.ttft_s is None else min(answer.ttft_s, 0.5 * lasts)
            again = answer._replace(begin_s=0.0, duration_s=lasts, ttft_s=ttft)
            self._attempt(asked, begin, again, answered=True, number=number + 1)
            at += slot
        if last:
            self._use_tool(parent, rounds - 1, at, slot)

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
        manner = self._manner
        worse = 1.0 if manner is None else manner.score / USUAL_SCORE
        most = self._chance.randint(3, 5)
        documents = [
            {
                "id": f"doc-{self._chance.randrange(4000)}",
                "score": round(min(0.99, worse * self._chance.uniform(0.62, 0.94)), 3),
                "content": fact,
            }
            for fact in self._words.facts[: most if manner is None or manner.documents else 0]
        ]
        self._add(
            parent, f"retrieval {INDEX}", SpanKind.RETRIEVAL, self._sample.service, at, lasted,
            attributes={
                "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": INDEX,
                "gen_ai.retrieval.query.text": self._words.question,
                "gen_ai.retrieval.documents": sorted(documents, key=lambda one: -float(one["score"])),
                "retrieval.snapshot.version": self._sample.snapshots[number],
            },
        )  # fmt: skip

    def _use_tool(self, parent: str, number: int, at: float, lasted: float) -> None:
        manner = self._manner
        arguments = {} if manner is None else arguments_of(manner, self._words, number)
        broken = isinstance(arguments, str)
        result: dict[str, Any] = {"error": "arguments are not valid"} if broken else {"found": self._words.facts[1]}
        self._add(
            parent, f"execute_tool {self._tool}", SpanKind.TOOL, self._sample.service, at, lasted,
            error="arguments are not valid" if broken else "",
            attributes={
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": self._tool,
                "gen_ai.tool.call.id": self._call_id(number), "gen_ai.tool.call.arguments": arguments,
                "gen_ai.tool.call.result": result,
            },
        )  # fmt: skip

    def _call_id(self, number: int) -> str:
        return f"{self._call}-{number}" if number else self._call

    def _attempt(self, parent: str, begin_at: float, attempt: Attempt, *, answered: bool, number: int = 0) -> None:
        spec, at = attempt.deployment.spec, begin_at + attempt.begin_s
        embeds = spec.tokens_out == 0
        attributes = call_attributes(attempt, self._sample, self._words)
        if answered:
            wanted = Asked(self._call_id(number), self._tool, number)
            attributes |= answer_attributes(self._sample, attempt.deployment, self._words, wanted, self._chance)
        events: tuple[SpanEvent, ...] = ()
        if attempt.ttft_s is not None and not embeds:
            events = (SpanEvent(name="gen_ai.first_token", at=at + attempt.ttft_s),)
        self._add(
            parent, f"{'embeddings' if embeds else 'chat'} {spec.model}",
            SpanKind.EMBEDDING if embeds else SpanKind.MODEL, self._sample.service, at, attempt.duration_s,
            error=error_of(attempt.failure), attributes=attributes, events=events,
        )  # fmt: skip
