"""What a request did, as its spans say: a tree that a trace store keeps and a screen shows."""

from enum import StrEnum
from typing import Any

import msgspec

from console.domain.readings import Request

TAKEN_OUT = "switchgear.taken_out"
"""The attribute of a span whose words were taken out when it was exported: what stands in their place is no content."""


class SpanKind(StrEnum):
    """What a span is about; adapters map the names of every convention onto these."""

    REQUEST = "request"
    """The request as it came in and its answer as it went out."""
    CHAIN = "chain"
    """Orchestration: a step of a workflow or an agent."""
    RETRIEVAL = "retrieval"
    MODEL = "model"
    """A call of a language model."""
    EMBEDDING = "embedding"
    TOOL = "tool"
    MEMORY = "memory"
    QUEUE = "queue"
    """Put into or taken from a queue."""
    OTHER = "other"


class Facts(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What one span says of its work, whatever convention it was named in; None or empty where it says nothing."""

    conversation: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    provider: str = ""
    request_model: str = ""
    """The model that was asked for."""
    response_model: str = ""
    """The model that answered."""
    fingerprint: str = ""
    """The provider's own word for the build that answered (`system_fingerprint`)."""
    finish_reason: str = ""
    """`stop`, `length`, `tool_calls` …; several with commas between."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    """Of `tokens_in`: those that the provider read from its cache."""
    usd: float | None = None
    retrieval_source: str = ""
    """The index or data source that was searched."""
    snapshot: str = ""
    """Version of the retrieval snapshot that was answered from."""
    tool_name: str = ""
    tool_call: str = ""
    """The id by which a model's answer names this call."""
    memory_op: str = ""
    """`create`, `update`, `upsert`, `delete` (writes), `search`, `read`."""
    memory_store: str = ""
    """Where the key is one of; empty where the application has one store, or does not say."""
    memory_key: str = ""
    memory_version: str = ""
    """The version that was written, or that was found by a read."""
    queue: str = ""
    queue_wait_s: float | None = None
    worker: str = ""
    attempt: int | None = None
    """Which try this is, from 1."""
    attempts: int | None = None
    """How many there were in all."""
    route: str = ""
    deployment: str = ""
    region: str = ""
    """Where the model runs, as the deployment or the provider calls it."""
    tenant: str = ""
    """Whose request it was: a key's alias, a team, a customer."""
    ttft_s: float | None = None

    @property
    def model(self) -> str:
        """The model that answered, or else the one that was asked for."""
        return self.response_model or self.request_model


class ToolCall(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A tool that a model asked for."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    """JSON, as the model wrote it: it may be broken."""


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One message to or from a model."""

    role: str = ""
    """`system`, `user`, `assistant`, `tool` …"""
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    """Of a tool's message: the id of the call that it answers."""


class Document(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One thing that retrieval found."""

    id: str = ""
    score: float | None = None
    text: str = ""
    snapshot: str = ""
    """The version of the index that it came from, where its metadata says one."""


class Content(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What was recorded of a span's words; all of it the application's own, and often not recorded at all."""

    input: str = ""
    """What the span was given, as text or JSON."""
    output: str = ""
    system: str = ""
    """Instructions beside the messages."""
    template: str = ""
    """The prompt's template."""
    variables: str = ""
    """What was put into it, as JSON."""
    messages_in: tuple[Message, ...] = ()
    messages_out: tuple[Message, ...] = ()
    tools: str = ""
    """Definitions of the tools that the model might ask for, as JSON."""
    parameters: str = ""
    """How the model was asked (temperature …), as JSON."""
    query: str = ""
    """What retrieval or memory was searched for."""
    documents: tuple[Document, ...] = ()
    arguments: str = ""
    """Of a tool, as JSON."""
    result: str = ""
    """What a tool or memory gave back."""


class SpanEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Something that happened at one moment of a span."""

    name: str
    at: float
    """Unix seconds."""
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One piece of work. Every text in it is the application's: clean it before a person sees it."""

    span_id: str
    """16 hexadecimal digits."""
    parent_id: str = ""
    """Empty for a root; it may name a span that has not arrived (yet)."""
    name: str
    kind: SpanKind = SpanKind.OTHER
    service: str = ""
    started_at: float
    """Unix seconds."""
    duration_s: float | None = None
    """None while it has not ended."""
    failed: bool = False
    error: str = ""
    attributes: dict[str, Any] = {}
    """As they were sent, under the names that were sent; JSON values."""
    facts: Facts = Facts()
    """What the attributes mean."""
    content: Content | None = None
    """What was recorded of the words; None where nothing was."""
    events: tuple[SpanEvent, ...] = ()


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Every span of one request that has arrived, by start."""

    trace_id: str
    """32 hexadecimal digits."""
    request: Request | None = None
    """The request in a line; None when its root has not arrived."""
    spans: tuple[Span, ...] = ()
    cut: int = 0
    """Spans that were left out because there are too many."""
    notes: tuple[str, ...] = ()
    """What this backend does not record, and the like."""


class LaneKind(StrEnum):
    """The eight ways in which requests are told apart and compared."""

    PROMPTS = "prompts"
    """`name@version` of the prompts that were used."""
    RETRIEVAL = "retrieval"
    """`source@snapshot` that was answered from."""
    TOKENS = "tokens"
    """The model; measured in tokens, in and out."""
    PATH = "path"
    """The steps of the orchestration, by span name."""
    WORKERS = "workers"
    """The worker; measured in seconds at work."""
    QUEUES = "queues"
    """The queue; measured in seconds waited."""
    DEPENDENCIES = "dependencies"
    """What was called outside (provider, tool, database, HTTP host); measured in seconds."""
    MEMORY = "memory"
    """`op key@version`."""


class LaneFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Only requests in one of whose lane entries all of this holds."""

    lane: LaneKind
    value: str = ""
    """The entry's value, whole; empty for any."""
    at_least: float | None = None
    """The entry's measure, in the lane's unit."""


class RequestQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a trace store for requests, newest first."""

    source: str
    limit: int = 100
    before: float | None = None
    """Unix seconds: only requests that started earlier."""
    failed: bool = False
    """Only those that failed."""
    good: bool = False
    """Only those that ended without failing."""
    name: str = ""
    """Of the request, whole."""
    service: str = ""
    conversation: str = ""
    min_duration_s: float | None = None
    lanes: tuple[LaneFilter, ...] = ()
    """All of them."""


class TraceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a trace store for one request."""

    source: str
    trace_id: str
    brief: bool = False
    """Put together, for a first look: of a long one the lanes and most of the spans may be left out."""
