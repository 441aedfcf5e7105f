"""Which lanes a span is in: the one place that makes the values by which requests are told apart and filtered.

A trace store asks it for each span that comes in, a reconstruction for each that it shows, so that what is shown is
what is found. It looks at one span alone: what nests in something with the same value is left to who sees the tree.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from console.domain.spans import Facts, LaneKind, Span, SpanKind

UNNAMED = "unnamed"
"""Stands for the name of a model or a queue that was measured but not named."""
MOST = 200
"""Characters of a value."""
WRITES = frozenset({"create", "update", "upsert", "delete"})
"""Operations that change memory."""

_DATABASES = ("db.system.name", "db.system")
_HOSTS = ("server.address", "net.peer.name", "http.host", "peer.service", "net.sock.peer.addr")
_URLS = ("url.full", "http.url")
_CHAIN, _TOOL = SpanKind.CHAIN, SpanKind.TOOL  # an enum is asked for a member in a tenth of a microsecond
_PROMPTS, _RETRIEVAL, _TOKENS, _PATH, _WORKERS, _QUEUES, _DEPENDENCIES, _MEMORY = LaneKind
_SPEAKS = frozenset({SpanKind.MODEL, SpanKind.EMBEDDING})
_INSIDE = frozenset({SpanKind.REQUEST, SpanKind.CHAIN, SpanKind.QUEUE})
"""Kinds whose hosts are not what was called: a server says its own address in the same attribute."""


class LaneValue(msgspec.Struct, frozen=True, gc=False):
    """One thing that a span puts into a lane."""

    lane: LaneKind
    value: str
    """See `LaneKind`; never empty, at most `MOST` characters, the application's text."""
    measure: float | None = None
    """In the lane's unit: tokens or seconds; None where it is not known."""
    words: str = ""
    """What stands beside it; of our own words and numbers alone."""


def lane_values(span: Span) -> list[LaneValue]:
    """What a span puts into the lanes, in their order; empty for most spans that are not about a model."""
    facts, kind = span.facts, span.kind
    found: list[LaneValue] = []
    if facts.prompt_name or facts.prompt_version:
        found.append(LaneValue(_PROMPTS, _at(facts.prompt_name, facts.prompt_version)))
    if facts.retrieval_source or facts.snapshot:
        found.append(LaneValue(_RETRIEVAL, _at(facts.retrieval_source, facts.snapshot)))
    if kind in _SPEAKS and (facts.tokens_in is not None or facts.tokens_out is not None):
        found.append(_tokens(facts))
    if kind is _CHAIN and span.name:
        found.append(LaneValue(_PATH, span.name[:MOST]))
    if facts.worker:
        found.append(LaneValue(_WORKERS, facts.worker[:MOST], span.duration_s))
    if facts.queue or facts.queue_wait_s is not None:
        attempt = f"attempt {facts.attempt}" if facts.attempt is not None else ""
        found.append(LaneValue(_QUEUES, facts.queue[:MOST] or UNNAMED, facts.queue_wait_s, attempt))
    if kind not in _INSIDE and (outside := _outside(span)):
        found.append(LaneValue(_DEPENDENCIES, outside[0][:MOST], span.duration_s, outside[1]))
    if facts.memory_op or facts.memory_key:
        found.append(_memory(facts))
    return found


def _at(name: str, version: str) -> str:
    """`name@version`; `name` without a version, `@version` without a name."""
    return (f"{name}@{version}" if version else name)[:MOST]


def _tokens(facts: Facts) -> LaneValue:
    into, out = facts.tokens_in, facts.tokens_out
    words = f"{'?' if into is None else into} in, {'?' if out is None else out} out"
    if facts.tokens_cached:
        words += f", {facts.tokens_cached} cached"
    return LaneValue(_TOKENS, facts.model[:MOST] or UNNAMED, float((into or 0) + (out or 0)), words)


def _memory(facts: Facts) -> LaneValue:
    what = _at(facts.memory_key, facts.memory_version)
    value = f"{facts.memory_op} {what}".strip()[:MOST]
    return LaneValue(_MEMORY, value, None, "write" if facts.memory_op in WRITES else "read")


def _outside(span: Span) -> tuple[str, str] | None:
    """What a span called outside its service, and what that is; None where it called nothing that is known."""
    facts, kind, attributes = span.facts, span.kind, span.attributes
    if kind in _SPEAKS:
        if facts.provider:
            return facts.provider, "provider"
        host = _host(attributes)
        if host:
            return host, "host"
        return (facts.model, "model") if facts.model else None
    if kind is _TOOL:
        name = facts.tool_name or span.name
        return (name, "tool") if name else None
    database = _first(attributes, _DATABASES)
    if database:
        return database, "database"
    host = _host(attributes)
    return (host, "host") if host else None


def _host(attributes: Mapping[str, Any]) -> str:
    named = _first(attributes, _HOSTS)
    if named:
        return named
    address = _first(attributes, _URLS)
    if not address:
        return ""
    try:
        return urlsplit(address[:2_000]).hostname or ""
    except ValueError:
        return ""


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first text among these attributes."""
    for name in names:
        value = attributes.get(name)
        if value and isinstance(value, str):
            return value
    return ""
