"""Requests in four conventions from which parts are left out at random, and what is then missing of them."""

import random
from dataclasses import dataclass, field
from typing import Any

from console.domain.reconstruction import StageKind
from console.domain.spans import LaneKind, Span
from tests.unit.traces.spans import sent

CONVENTIONS = ("gen_ai", "openinference", "langfuse", "traceloop")
SERVER, CONSUMER = 2, 5

Attributes = dict[str, Any]


def _part(role: str, text: str) -> Attributes:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


_KINDS: dict[str, dict[str, Attributes]] = {
    "gen_ai": {
        "chain": {"gen_ai.operation.name": "invoke_agent"},
        "retrieval": {"gen_ai.operation.name": "retrieval"},
        "model": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
        "tool": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
    },
    "openinference": {
        "chain": {"openinference.span.kind": "CHAIN"},
        "retrieval": {"openinference.span.kind": "RETRIEVER"},
        "model": {"openinference.span.kind": "LLM", "llm.model_name": "m"},
        "tool": {"openinference.span.kind": "TOOL", "tool.name": "search"},
    },
    "langfuse": {
        "chain": {"langfuse.observation.type": "chain"},
        "retrieval": {"langfuse.observation.type": "retriever"},
        "model": {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m"},
        "tool": {"langfuse.observation.type": "tool", "gen_ai.tool.name": "search"},
    },
    "traceloop": {
        "chain": {"traceloop.span.kind": "workflow"},
        "retrieval": {"db.system": "chroma", "db.operation": "query"},
        "model": {"llm.request.type": "chat", "gen_ai.request.model": "m"},
        "tool": {"traceloop.span.kind": "tool", "traceloop.entity.name": "search"},
    },
}


_IN_STAGES: dict[StageKind, dict[str, Attributes]] = {
    StageKind.INCOMING: {
        "gen_ai": {"gen_ai.input.messages": [_part("user", "what is it?")]},
        "openinference": {"input.value": "what is it?"},
        "langfuse": {"langfuse.trace.input": "what is it?"},
        "traceloop": {"traceloop.entity.input": "what is it?"},
    },
    StageKind.RESULT: {
        "gen_ai": {"gen_ai.output.messages": [_part("assistant", "it is this")]},
        "openinference": {"output.value": "it is this"},
        "langfuse": {"langfuse.trace.output": "it is this"},
        "traceloop": {"traceloop.entity.output": "it is this"},
    },
    StageKind.CONTEXT: {
        "gen_ai": {"gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}]},
        "openinference": {"llm.prompt_template.template": "Answer {question}"},
        "langfuse": {"llm.prompt_template.template": "Answer {question}"},
        "traceloop": {"traceloop.prompt.template": "Answer {question}"},
    },
    StageKind.RETRIEVAL: {
        "gen_ai": {"gen_ai.retrieval.documents": [{"id": "d1", "score": 0.5}]},
        "openinference": {"retrieval.documents.0.document.id": "d1", "retrieval.documents.0.document.content": "words"},
        "langfuse": {"langfuse.observation.output": [{"id": "d1", "text": "words"}]},
    },
    StageKind.MODEL_INPUT: {
        "gen_ai": {"gen_ai.input.messages": [_part("user", "what is it?")]},
        "openinference": {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "what is it?",
        },
        "langfuse": {"langfuse.observation.input": [{"role": "user", "content": "what is it?"}]},
    },
    StageKind.MODEL_RESPONSE: {
        "gen_ai": {"gen_ai.output.messages": [_part("assistant", "this")]},
        "openinference": {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "this",
        },
        "langfuse": {"langfuse.observation.output": {"role": "assistant", "content": "this"}},
    },
    StageKind.TOOLS: {
        "gen_ai": {"gen_ai.tool.call.arguments": {"q": 1}, "gen_ai.tool.call.result": "found"},
        "openinference": {"input.value": '{"q": 1}', "output.value": "found"},
        "langfuse": {"langfuse.observation.input": {"q": 1}, "langfuse.observation.output": "found"},
        "traceloop": {
            "traceloop.entity.input": '{"args": [], "kwargs": {"q": 1}}',
            "traceloop.entity.output": "found",
        },
    },
}
_IN_LANES: dict[LaneKind, dict[str, Attributes]] = {
    LaneKind.RETRIEVAL: {"gen_ai": {"gen_ai.data_source.id": "wiki", "retrieval.snapshot.version": "v7"}},
    LaneKind.TOKENS: {
        "gen_ai": {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2},
        "openinference": {"llm.token_count.prompt": 10, "llm.token_count.completion": 2},
        "langfuse": {"langfuse.observation.usage_details": {"input": 10, "output": 2}},
    },
    LaneKind.PROMPTS: {
        "gen_ai": {"gen_ai.prompt.name": "chat", "gen_ai.prompt.version": "3"},
        "openinference": {"prompt.id": "chat", "llm.prompt_template.version": "3"},
        "langfuse": {"langfuse.observation.prompt.name": "chat", "langfuse.observation.prompt.version": 3},
        "traceloop": {"traceloop.prompt.key": "chat", "traceloop.prompt.version": 3},
    },
}
"""How each convention says it; those that are not there say it as the first does."""


@dataclass
class Planted:
    """A request with holes."""

    convention: str
    spans: list[Span] = field(default_factory=list)
    stages: set[StageKind] = field(default_factory=set)
    """Recorded."""
    lanes: set[LaneKind] = field(default_factory=set)
    """With entries."""


def planted(seed: int) -> Planted:
    """One request; the same seed makes the same."""
    return _Planter(random.Random(seed)).plant()


class _Planter:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = Planted(chance.choice(CONVENTIONS))
        self._kinds = _KINDS[self._made.convention]
        self._number = 0
        self._parent = 0
        self._at = 0.0

    def plant(self) -> Planted:
        self._root()
        if self._maybe(LaneKind.QUEUES):
            self._parent = self._add("take job", {"messaging.destination.name": "jobs"}, otel_kind=CONSUMER)
        if self._maybe(LaneKind.PATH):
            self._parent = self._add("step", dict(self._kinds["chain"]))
        if self._chance.random() < 0.7:
            self._retrieve()
        if self._maybe(LaneKind.MEMORY):
            self._add("remember", {"gen_ai.operation.name": "upsert_memory", "app.memory.key": "k"})
        if self._chance.random() < 0.8:
            self._ask()
        if self._chance.random() < 0.6:
            self._use_tool()
        return self._made

    def _maybe(self, what: StageKind | LaneKind) -> bool:
        if self._chance.random() < 0.5:
            return False
        if isinstance(what, StageKind):
            self._made.stages.add(what)
        else:
            self._made.lanes.add(what)
        return True

    def _add(self, name: str, attributes: Attributes, *, otel_kind: int = 1, lasts: float = 1.0) -> int:
        self._number += 1
        start, self._at = self._at, self._at + 0.01
        self._made.spans.append(
            sent(self._number, self._parent, start, start + lasts, name, attributes, otel_kind=otel_kind)
        )
        return self._number

    def _root(self) -> None:
        attributes: Attributes = {}
        self._say(attributes, StageKind.INCOMING)
        self._say(attributes, StageKind.RESULT)
        if self._maybe(LaneKind.WORKERS):
            attributes["app.worker"] = "w-1"
        self._parent = self._add("answer", attributes, otel_kind=SERVER, lasts=9.0)

    def _say(self, attributes: Attributes, what: StageKind | LaneKind) -> None:
        """Let a span say it, or not."""
        if self._maybe(what):
            ways = _IN_STAGES[what] if isinstance(what, StageKind) else _IN_LANES[what]
            attributes |= ways.get(self._made.convention, ways["gen_ai"])

    def _retrieve(self) -> None:
        attributes = dict(self._kinds["retrieval"])
        if self._made.convention == "traceloop":
            # a vector store is named by its own span, and it is outside
            self._made.lanes |= {LaneKind.RETRIEVAL, LaneKind.DEPENDENCIES}
        else:
            self._say(attributes, LaneKind.RETRIEVAL)
        self._say(attributes, StageKind.RETRIEVAL)
        self._add("look up", attributes)

    def _ask(self) -> None:
        attributes = dict(self._kinds["model"])
        self._made.lanes.add(LaneKind.DEPENDENCIES)
        for what in (LaneKind.TOKENS, LaneKind.PROMPTS):
            self._say(attributes, what)
        for stage in (StageKind.CONTEXT, StageKind.MODEL_INPUT, StageKind.MODEL_RESPONSE):
            self._say(attributes, stage)
        call = self._add("ask m", attributes)
        if self._chance.random() < 0.3:
            # the provider's own client, instrumented beneath
            self._parent, parent = call, self._parent
            self._add("POST", {"http.request.method": "POST", "server.address": "api.m.example"})
            self._parent = parent

    def _use_tool(self) -> None:
        attributes = dict(self._kinds["tool"])
        self._made.lanes.add(LaneKind.DEPENDENCIES)
        self._say(attributes, StageKind.TOOLS)
        self._add("search", attributes)
