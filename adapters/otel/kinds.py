"""What a span is about, from the names of every convention."""

from collections.abc import Mapping
from typing import Any

from console.domain.spans import SpanKind

SERVER, PRODUCER, CONSUMER = 2, 4, 5
"""OTLP's numbers for the kinds of span that matter here."""

_BY_ATTRIBUTE: dict[str, dict[str, SpanKind]] = {
    "gen_ai.operation.name": {
        "chat": SpanKind.MODEL,
        "text_completion": SpanKind.MODEL,
        "completion": SpanKind.MODEL,
        "generate_content": SpanKind.MODEL,
        "embeddings": SpanKind.EMBEDDING,
        "retrieval": SpanKind.RETRIEVAL,
        "execute_tool": SpanKind.TOOL,
        "invoke_agent": SpanKind.CHAIN,
        "create_agent": SpanKind.CHAIN,
        "invoke_workflow": SpanKind.CHAIN,
        "plan": SpanKind.CHAIN,
        **{f"{verb}_memory": SpanKind.MEMORY for verb in ("create", "update", "upsert", "delete", "search")},
    },
    "openinference.span.kind": {
        "llm": SpanKind.MODEL,
        "embedding": SpanKind.EMBEDDING,
        "retriever": SpanKind.RETRIEVAL,
        "reranker": SpanKind.RETRIEVAL,
        "tool": SpanKind.TOOL,
        "chain": SpanKind.CHAIN,
        "agent": SpanKind.CHAIN,
        "prompt": SpanKind.CHAIN,
        "guardrail": SpanKind.CHAIN,
        "evaluator": SpanKind.CHAIN,
    },
    "langfuse.observation.type": {
        "generation": SpanKind.MODEL,
        "embedding": SpanKind.EMBEDDING,
        "retriever": SpanKind.RETRIEVAL,
        "tool": SpanKind.TOOL,
        "chain": SpanKind.CHAIN,
        "agent": SpanKind.CHAIN,
        "guardrail": SpanKind.CHAIN,
        "evaluator": SpanKind.CHAIN,
    },
    "traceloop.span.kind": {
        "workflow": SpanKind.CHAIN,
        "task": SpanKind.CHAIN,
        "agent": SpanKind.CHAIN,
        "tool": SpanKind.TOOL,
    },
    "llm.request.type": {
        "chat": SpanKind.MODEL,
        "completion": SpanKind.MODEL,
        "acompletion": SpanKind.MODEL,
        "embedding": SpanKind.EMBEDDING,
        "aembedding": SpanKind.EMBEDDING,
        "rerank": SpanKind.RETRIEVAL,
    },
}
_SEARCHED_STORES = frozenset(
    {"chroma", "elasticsearch", "lancedb", "marqo", "milvus", "opensearch", "pinecone", "qdrant", "vespa", "weaviate"}
)
_SEARCHES = ("", "query", "search", "get", "fetch", "peek", "hybrid_search", "query_batch", "search_batch")
_STEPS = frozenset({"task", "chain"})
"""Steps that may be anything: conventions without a name for retrieval or memory call those so too."""
_STEP_BY_PRESENCE: dict[str, SpanKind] = {
    "app.memory.key": SpanKind.MEMORY,
    "app.memory.op": SpanKind.MEMORY,
    "gen_ai.data_source.id": SpanKind.RETRIEVAL,
    "retrieval.source": SpanKind.RETRIEVAL,
    "retrieval.snapshot.version": SpanKind.RETRIEVAL,
}
"""What a step is when it has one of these; a root may say them of the whole request."""
_BY_PRESENCE: dict[str, SpanKind] = {
    "gen_ai.tool.name": SpanKind.TOOL,
    **_STEP_BY_PRESENCE,
    "messaging.system": SpanKind.QUEUE,
    "messaging.destination.name": SpanKind.QUEUE,
    "gen_ai.usage.output_tokens": SpanKind.MODEL,
    "gen_ai.usage.completion_tokens": SpanKind.MODEL,
}
"""Asked where no attribute says the kind; the first that is there counts."""


def kind_of(attributes: Mapping[str, Any], otel_kind: int, *, root: bool) -> SpanKind:
    """The kind of a span; `otel_kind` is OTLP's number (2 server, 4 producer, 5 consumer)."""
    for attribute, kinds in _BY_ATTRIBUTE.items():
        if attribute in attributes:
            word = str(attributes[attribute]).lower()
            if (kind := kinds.get(word)) is not None:
                return kind if root or word not in _STEPS else _step(attributes)
    for attribute, kind in _BY_PRESENCE.items():
        if attribute in attributes:
            return kind
    if _searches(attributes):
        return SpanKind.RETRIEVAL
    if otel_kind in (PRODUCER, CONSUMER):
        return SpanKind.QUEUE
    return SpanKind.REQUEST if root or otel_kind == SERVER else SpanKind.OTHER


def _step(attributes: Mapping[str, Any]) -> SpanKind:
    return next((kind for name, kind in _STEP_BY_PRESENCE.items() if name in attributes), SpanKind.CHAIN)


def _searches(attributes: Mapping[str, Any]) -> bool:
    """Whether a store that is made for searching was searched."""
    if "db.system" not in attributes and "db.system.name" not in attributes:
        return False
    system = str(attributes.get("db.system.name") or attributes.get("db.system")).lower()
    operation = str(attributes.get("db.operation.name") or attributes.get("db.operation") or "").lower()
    return system in _SEARCHED_STORES and operation in _SEARCHES
