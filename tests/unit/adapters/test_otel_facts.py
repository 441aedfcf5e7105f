"""What a span says of its work, in the words of every convention."""

import dataclasses
from typing import Any

import msgspec
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from adapters.otel import Aliases, Arrival, Limits, Parts, from_json, from_protobuf
from adapters.otel.names import DEFAULTS, ONLY
from console.domain.spans import Facts, SpanKind
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, body, message

ALIASES, LIMITS = Aliases.of(), Limits()
FIELDS = {"ttft_s": "ttft", "queue_wait_s": "queue_wait"}
"""Fields of `Facts` that the table names without their unit."""


def _arrivals(*spans: Sent, **resource: Any) -> list[Arrival]:
    return from_protobuf(body(*spans, **resource), ALIASES, LIMITS).arrivals


def test_the_table_has_a_row_for_each_fact_and_no_other() -> None:
    assert {FIELDS.get(name, name) for name in Facts.__struct_fields__} == set(DEFAULTS)
    assert all(len(set(names)) == len(names) for names in DEFAULTS.values())
    assert set(ONLY) <= {name for names in DEFAULTS.values() for name in names}


GENAI = {
    "gen_ai.conversation.id": "c-1",
    "gen_ai.prompt.name": "greet",
    "gen_ai.prompt.version": "7",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024",
    "gen_ai.response.finish_reasons": ["stop", "length"],
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.usage.cache_read.input_tokens": 2,
    "gen_ai.response.time_to_first_chunk": 0.25,
}
OPENINFERENCE = {
    "session.id": "c-1",
    "prompt.id": "greet",
    "llm.prompt_template.version": "7",
    "llm.provider": "openai",
    "llm.invocation_parameters": '{"model": "gpt-4o", "temperature": 0}',
    "llm.model_name": "gpt-4o-2024",
    "llm.finish_reason": "stop",
    "llm.token_count.prompt": 3,
    "llm.token_count.completion": 4,
    "llm.token_count.prompt_details.cache_read": 2,
    "llm.cost.total": 0.5,
}
LANGFUSE = {
    "langfuse.session.id": "c-1",
    "langfuse.observation.prompt.name": "greet",
    "langfuse.observation.prompt.version": 7,
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.usage_details": '{"input": 3, "output": 4, "input_cached_tokens": 2}',
    "langfuse.observation.cost_details": '{"total": 0.5}',
    "langfuse.observation.completion_start_time": "2026-11-18T11:06:41.500Z",
}
TRACELOOP = {
    "traceloop.association.properties.session_id": "c-1",
    "traceloop.prompt.key": "greet",
    "traceloop.prompt.version": 7,
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.usage.prompt_tokens": 3,
    "gen_ai.usage.completion_tokens": 4,
    "gen_ai.usage.cache_read_input_tokens": 2,
}
OWN = {
    "app.queue.wait_ms": 1500,
    "app.attempts": "2",
    "app.attempt": 1,
    "app.route": "chat",
    "app.deployment": "azure-b",
    "app.worker": "w-1",
    "retrieval.source": "docs",
    "retrieval.snapshot.version": 7,
    "app.memory.key": "user/1",
    "app.memory.op": "write",
    "app.memory.store": "profiles",
    "app.memory.version": 12,
}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (
            GENAI,
            {
                **{"conversation": "c-1", "prompt_name": "greet", "prompt_version": "7", "provider": "openai"},
                **{"request_model": "gpt-4o", "response_model": "gpt-4o-2024", "finish_reason": "stop,length"},
                **{"tokens_in": 3, "tokens_out": 4, "tokens_cached": 2, "ttft_s": 0.25, "model": "gpt-4o-2024"},
            },
        ),
        (
            OPENINFERENCE,
            {
                **{"conversation": "c-1", "prompt_name": "greet", "prompt_version": "7", "provider": "openai"},
                **{"request_model": "gpt-4o", "response_model": "gpt-4o-2024", "finish_reason": "stop"},
                **{"tokens_in": 3, "tokens_out": 4, "tokens_cached": 2, "usd": 0.5},
            },
        ),
        (
            LANGFUSE,
            {
                **{"conversation": "c-1", "prompt_name": "greet", "prompt_version": "7"},
                **{"request_model": "gpt-4o", "model": "gpt-4o", "ttft_s": 1.5},
                **{"tokens_in": 3, "tokens_out": 4, "tokens_cached": 2, "usd": 0.5},
            },
        ),
        (
            TRACELOOP,
            {
                **{"conversation": "c-1", "prompt_name": "greet", "prompt_version": "7", "provider": "openai"},
                **{"request_model": "gpt-4o", "response_model": "gpt-4o-2024", "finish_reason": "stop"},
                **{"tokens_in": 3, "tokens_out": 4, "tokens_cached": 2},
            },
        ),
        (
            OWN,
            {
                **{"queue_wait_s": 1.5, "attempts": 2, "attempt": 1, "route": "chat", "deployment": "azure-b"},
                **{"worker": "w-1", "retrieval_source": "docs", "snapshot": "7", "memory_key": "user/1"},
                **{"memory_op": "upsert", "memory_store": "profiles", "memory_version": "12"},
            },
        ),
        (
            {"gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call-1"},
            {"tool_name": "weather", "tool_call": "call-1"},
        ),
        ({"tool.name": "weather", "tool.id": "call-1"}, {"tool_name": "weather", "tool_call": "call-1"}),
        (
            {"traceloop.span.kind": "tool", "traceloop.entity.name": "weather"},
            {"tool_name": "weather"},
        ),
        ({"traceloop.span.kind": "task", "traceloop.entity.name": "plan"}, {"tool_name": ""}),
        (
            {"gen_ai.operation.name": "search_memory", "gen_ai.memory.record.id": "m", "gen_ai.memory.store.id": "s"},
            {"memory_op": "search", "memory_key": "m", "memory_store": "s"},
        ),
        ({"gen_ai.operation.name": "chat"}, {"memory_op": ""}),
        (
            {"db.system": "chroma", "db.operation": "query", "db.collection.name": "docs"},
            {"retrieval_source": "docs"},
        ),
        (
            {"db.system": "qdrant", "db.operation": "search", "qdrant.search.collection_name": "docs"},
            {"retrieval_source": "docs"},
        ),
        ({"db.system": "postgresql", "db.collection.name": "orders"}, {"retrieval_source": ""}),
        (
            {"openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.metadata": '{"snapshot": "s-7"}'},
            {"snapshot": "s-7"},
        ),
        (
            {"openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.metadata.snapshot": "s-7"},
            {"snapshot": "s-7"},
        ),
        (
            {
                "openinference.span.kind": "RETRIEVER",
                "retrieval.documents.0.document.metadata.retrieval.snapshot.version": "s-7",
            },
            {"snapshot": "s-7"},
        ),
        (
            {
                "openinference.span.kind": "RETRIEVER",
                "retrieval.documents.0.document.metadata": '{"snapshot": "s-7"}',
                "retrieval.documents.1.document.metadata": '{"snapshot": "s-8"}',
            },
            {"snapshot": ""},
        ),
        (
            {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": '[{"id": "1", "snapshot": "s-7"}]'},
            {"snapshot": "s-7"},
        ),
        (
            {"llm.request.model_name": "a", "llm.response.model_name": "b"},
            {"request_model": "a", "response_model": "b"},
        ),
        (
            {"messaging.destination.name": "jobs", "messaging.client.id": "w-2", "messaging.system": "rabbitmq"},
            {"queue": "jobs", "worker": "w-2"},
        ),
        ({"http.request.resend_count": 1}, {"attempt": 2}),
        ({"litellm.model_group": "chat", "hidden_params": '{"model_id": "azure-b"}'}, {"deployment": "azure-b"}),
        ({"gen_ai.response.finish_reasons": '["tool_calls"]'}, {"finish_reason": "tool_calls"}),
        ({"gen_ai.response.finish_reasons": ["tool_call"]}, {"finish_reason": "tool_calls"}),
        ({"gen_ai.response.finish_reasons": '["tool'}, {"finish_reason": ""}),
        ({"gen_ai.usage.input_tokens": -1, "gen_ai.usage.prompt_tokens": 5}, {"tokens_in": 5}),
        ({"gen_ai.usage.input_tokens": "many", "llm.cost.total": float("inf")}, {"tokens_in": None, "usd": None}),
        (
            {"langfuse.observation.usage_details": '{"input": 3, "prompt_tokens_details": {"cached_tokens": 2}}'},
            {"tokens_in": 3, "tokens_cached": 2},
        ),
        (
            {"langfuse.observation.usage_details": '{"prompt_tokens": 3, "prompt_tokens_details": null}'},
            {"tokens_in": 3, "tokens_cached": None},
        ),
        ({"langfuse.observation.usage_details": "{broken"}, {"tokens_in": None}),
        ({"session.id": "", "langfuse.session.id": "s"}, {"conversation": "s"}),
        ({"session.id": "x" * 300}, {"conversation": "x" * 200}),
    ],
)
def test_what_each_convention_calls_it(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    (found,) = _arrivals(Sent(1, attributes=attributes))
    assert {name: getattr(found.span.facts, name) for name in expected} == pytest.approx(expected)


def test_newer_names_come_before_older_ones_in_whatever_order_they_stand() -> None:
    both = {"gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 2}
    for attributes in (both, dict(reversed(both.items()))):
        assert ALIASES.facts(attributes, 0.0, SpanKind.MODEL).tokens_in == 2


def test_an_attribute_that_is_named_whole_and_by_a_key_says_both() -> None:
    aliases = Aliases.of({"route": ["x"], "worker": ["x{w}"]})
    facts = aliases.facts({"x": '{"w": "w-1"}'}, 0.0, SpanKind.OTHER)
    assert (facts.route, facts.worker) == ('{"w": "w-1"}', "w-1")


def test_the_process_that_was_asked_is_the_worker_and_no_inner_span_repeats_it() -> None:
    root, inner, server = _arrivals(
        Sent(1), Sent(2, parent=1), Sent(3, parent=2, kind=2), **{"service.instance.id": "i-1"}
    )
    assert [one.span.facts.worker for one in (root, inner, server)] == ["i-1", "", "i-1"]
    assert "service.instance.id" not in inner.span.attributes


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"traceloop.span.kind": "task"}, SpanKind.CHAIN),
        ({"traceloop.span.kind": "task", "retrieval.snapshot.version": "1"}, SpanKind.RETRIEVAL),
        ({"openinference.span.kind": "CHAIN", "app.memory.key": "k"}, SpanKind.MEMORY),
        ({"openinference.span.kind": "TOOL", "app.memory.key": "k"}, SpanKind.TOOL),
        ({"openinference.span.kind": "AGENT", "retrieval.snapshot.version": "1"}, SpanKind.CHAIN),
        ({"db.system": "qdrant", "db.operation": "upsert"}, SpanKind.OTHER),
        ({"db.system.name": "Pinecone", "db.operation.name": "query"}, SpanKind.RETRIEVAL),
    ],
)
def test_a_step_is_what_it_did(attributes: dict[str, Any], kind: SpanKind) -> None:
    _, found = _arrivals(Sent(1), Sent(2, parent=1, attributes=attributes))
    assert found.span.kind is kind


def test_a_root_step_stays_one_whatever_it_says_of_the_whole_request() -> None:
    (found,) = _arrivals(Sent(1, attributes={"traceloop.span.kind": "task", "retrieval.snapshot.version": "1"}))
    assert found.span.kind is SpanKind.CHAIN


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just('{"input": {}}'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted({name.partition("{")[0] for names in DEFAULTS.values() for name in names})


@given(st.dictionaries(st.sampled_from(NAMES), ANY), st.sampled_from(SpanKind))
def test_no_value_breaks_the_facts(attributes: dict[str, Any], kind: SpanKind) -> None:
    facts = ALIASES.facts(attributes, BEGIN_NS / 1e9, kind)
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Facts, strict=True) == facts


def test_a_name_of_the_configs_own_counts_on_spans_of_every_kind() -> None:
    aliases = Aliases.of({"retrieval_source": ["db.name"]})
    assert aliases.facts({"db.name": "orders"}, 0.0, SpanKind.OTHER).retrieval_source == "orders"


def test_what_a_screen_leaves_is_all_that_there_is() -> None:
    def screen(parts: Parts, service: str) -> tuple[Parts, str]:
        return dataclasses.replace(parts, attributes={"session.id": "hidden"}, message="hidden"), service.upper()

    sent = Sent(1, failed=True, message="secret", attributes={"session.id": "secret"})
    (found,) = from_protobuf(body(sent), ALIASES, LIMITS, screen).arrivals
    (again,) = from_json(MessageToDict(message(sent)), ALIASES, LIMITS, screen).arrivals
    assert found == again
    assert (found.span.service, found.span.error, found.span.facts.conversation) == ("SHOP", "hidden", "hidden")
