"""The names under which each convention puts a fact: no convention has names for everything, and no two agree.

OpenTelemetry's GenAI conventions (their newer names first, then the older), OpenInference, Langfuse, Traceloop; `app.*`
and `retrieval.*` are Switchgear's own, for what none of them names. docs/backends/conventions.md has this as a table.
"""

from console.domain.spans import SpanKind

DEFAULTS: dict[str, tuple[str, ...]] = {
    "conversation": (
        "gen_ai.conversation.id",
        "session.id",
        "langfuse.session.id",
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.conversation_id",
        "traceloop.association.properties.thread_id",
        "traceloop.association.properties.chat_id",
    ),
    "prompt_name": (
        "gen_ai.prompt.name",
        "langfuse.observation.prompt.name",
        "traceloop.prompt.key",
        "prompt.id",
        "app.prompt.name",
    ),
    "prompt_version": (
        "gen_ai.prompt.version",
        "langfuse.observation.prompt.version",
        "traceloop.prompt.version",
        "traceloop.prompt.version_name",
        "llm.prompt_template.version",
        "app.prompt.version",
    ),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor"),
    "request_model": (
        "gen_ai.request.model",
        "langfuse.observation.model.name",
        "llm.request.model_name",
        "llm.request.model",
        "llm.invocation_parameters{model}",
        "embedding.invocation_parameters{model}",
    ),
    "response_model": (
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.response.model",
        "llm.model_name",
        "embedding.model_name",
        "reranker.model_name",
    ),
    "fingerprint": (
        "openai.response.system_fingerprint",
        "gen_ai.openai.response.system_fingerprint",
        "gen_ai.response.system_fingerprint",
        "gen_ai.system_fingerprint",
        "llm.response.system_fingerprint",
        "app.fingerprint",
    ),
    "finish_reason": (
        "gen_ai.response.finish_reasons",
        "llm.finish_reason",
        "gen_ai.response.finish_reason",
        "gen_ai.response.stop_reason",
        "gen_ai.completion.0.finish_reason",
        "llm.response.finish_reason",
        "llm.response.stop_reason",
    ),
    "tokens_in": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "langfuse.observation.usage_details{input}",
        "langfuse.observation.usage_details{prompt_tokens}",
        "langfuse.observation.usage_details{input_tokens}",
        "llm.usage.prompt_tokens",
    ),
    "tokens_out": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "langfuse.observation.usage_details{output}",
        "langfuse.observation.usage_details{completion_tokens}",
        "langfuse.observation.usage_details{output_tokens}",
        "llm.usage.completion_tokens",
    ),
    "tokens_cached": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "langfuse.observation.usage_details{input_cached_tokens}",
        "langfuse.observation.usage_details{cache_read_input_tokens}",
        "langfuse.observation.usage_details{prompt_tokens_details.cached_tokens}",
        "langfuse.observation.usage_details{input_tokens_details.cached_tokens}",
        "llm.usage.cache_read_input_tokens",
    ),
    "usd": (
        "gen_ai.usage.cost",
        "gen_ai.cost.total_cost",
        "llm.cost.total",
        "langfuse.observation.cost_details{total}",
    ),
    "retrieval_source": (
        "gen_ai.data_source.id",
        "retrieval.source",
        "db.milvus.search.collection_name",
        "db.milvus.query.collection_name",
        "qdrant.search.collection_name",
        "pinecone.query.namespace",
        "db.collection.name",
        "db.namespace",
        "db.name",
        "db.system.name",
        "db.system",
    ),
    "snapshot": ("retrieval.snapshot.version",),
    "tool_name": ("gen_ai.tool.name", "tool.name", "traceloop.entity.name"),
    "tool_call": ("gen_ai.tool.call.id", "tool.id", "tool_call.id"),
    "memory_op": ("app.memory.op", "gen_ai.operation.name"),
    "memory_store": ("app.memory.store", "gen_ai.memory.store.id", "gen_ai.memory.store.name"),
    "memory_key": ("app.memory.key", "gen_ai.memory.record.id", "gen_ai.memory.id"),
    "memory_version": ("app.memory.version",),
    "queue": ("messaging.destination.name", "messaging.destination", "app.queue.name"),
    "queue_wait": ("app.queue.wait_ms", "gen_ai.latency.time_in_queue"),
    "worker": (
        "app.worker",
        "messaging.client.id",
        "messaging.client_id",
        "messaging.consumer.id",
        "celery.hostname",
        "service.instance.id",
    ),
    "attempt": (
        "app.attempt",
        "messaging.servicebus.message.delivery_count",
        "messaging.gcp_pubsub.message.delivery_attempt",
        "http.request.resend_count",
        "http.resend_count",
    ),
    "attempts": ("app.attempts",),
    "route": ("app.route", "litellm.model_group"),
    "deployment": ("app.deployment", "hidden_params{model_id}"),
    "region": ("app.region", "cloud.region", "aws.region"),
    "tenant": (
        "app.tenant",
        "tenant.id",
        "tenant",
        "metadata.user_api_key_alias",
        "metadata.user_api_key_team_alias",
        "traceloop.association.properties.tenant_id",
        "traceloop.association.properties.customer_id",
        "langfuse.trace.metadata.tenant",
    ),
    "ttft": (
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.latency.time_to_first_token",
        "app.ttft_ms",
        "langfuse.observation.completion_start_time",
    ),
}
"""What is looked for, by field of `Facts`, in this order; `queue_wait` and `ttft` are the fields that end in `_s`.

A name may point into an attribute that holds a JSON object: `langfuse.observation.usage_details{input}`, and with dots
into objects within it. `ttft` and `queue_wait` are seconds, or milliseconds where the name ends in `_ms`; `ttft` may
also be the moment of the first token as ISO 8601. A name that ends in `resend_count` counts from 0, `attempt` from 1.
"""

_SEARCHED = frozenset({SpanKind.RETRIEVAL})
_MODELS = frozenset({SpanKind.MODEL, SpanKind.EMBEDDING})

ONLY: dict[str, frozenset[SpanKind]] = {
    "db.collection.name": _SEARCHED,
    "db.namespace": _SEARCHED,
    "db.name": _SEARCHED,
    "db.system.name": _SEARCHED,
    "db.system": _SEARCHED,
    "cloud.region": _MODELS,
    "traceloop.entity.name": frozenset({SpanKind.TOOL}),
    "gen_ai.operation.name": frozenset({SpanKind.MEMORY}),
}
"""Default names that count on spans of these kinds only: a table is a retrieval source where it was searched,
and a region is a model's where the model was called."""
