"""Spans of model calls, tools and searches, and what they say, for a minute that ended at `AT`."""

import json
from typing import Any

from adapters.otel import Aliases, read
from adapters.spans.answering.said import Said, said
from console.domain.spans import Span, SpanKind

AT = 1_795_000_020.0
"""The end of a whole minute."""
_ALIASES = Aliases.of()
_FACTS = {"deployment": "app.deployment", "tenant": "app.tenant", "region": "app.region", "route": "app.route"}


def told(
    number: int, kind: SpanKind, *, parent: int = 0, ends: float = AT - 1.0, lasts: float | None = 1.0,
    failed: str = "", attributes: dict[str, Any] | None = None, **facts: str,
) -> Span:  # fmt: skip
    """A span with facts and content, as any store gives it."""
    named = {_FACTS[name]: value for name, value in facts.items()}
    span = Span(
        span_id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=f"span {number}",
        kind=kind,
        service="shop",
        started_at=ends - (lasts or 0.0),
        duration_s=lasts,
        failed=bool(failed),
        error=failed,
        attributes={**named, **(attributes or {})},
    )
    return read(span, _ALIASES)


def call(
    text: str | None, *, number: int = 1, finish: str = "stop", tokens: tuple[int | None, int | None] = (None, None),
    usd: float | None = None, ttft_s: float | None = None, system: str = "", prompt: str = "", fingerprint: str = "",
    answered: str = "", parameters: str = "", attributes: dict[str, Any] | None = None, **more: Any,
) -> Said:  # fmt: skip
    """A model call that answered `text`; None: nobody recorded any words."""
    name, _, version = prompt.partition("@")
    said_so: dict[str, Any] = {
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.finish_reasons": [finish] if finish else None,
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
        "gen_ai.usage.cost": usd,
        "gen_ai.response.time_to_first_chunk": ttft_s,
        "gen_ai.prompt.name": name,
        "gen_ai.prompt.version": version,
        "gen_ai.response.model": answered,
        "openai.response.system_fingerprint": fingerprint,
        "llm.invocation_parameters": parameters,
    }
    if text is not None:
        said_so["gen_ai.system_instructions"] = system
        said_so["gen_ai.input.messages"] = json.dumps([{"role": "user", "content": "Is it raining?"}])
        said_so["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "content": text}])
    named = {name: value for name, value in said_so.items() if value not in (None, "")}
    return _said(told(number, SpanKind.MODEL, attributes={**named, **(attributes or {})}, **more))


def asked(form: str) -> dict[str, Any]:
    """Parameters of a call that has to answer in a form."""
    return {"parameters": json.dumps({"response_format": {"type": form}})}


def tool(name: str, arguments: str, **more: Any) -> Said:
    """A tool that was called."""
    attributes = {"gen_ai.tool.name": name, "gen_ai.tool.call.arguments": arguments}
    return _said(told(more.pop("number"), SpanKind.TOOL, attributes=attributes, **more))


def search(scores: list[float] | None, **more: Any) -> Said:
    """A search that found documents with these scores; None: nobody recorded what it found."""
    attributes: dict[str, Any] = {"gen_ai.data_source.id": "handbook"}
    if scores is not None:
        found = [{"id": f"doc-{place}", "score": score} for place, score in enumerate(scores)]
        attributes["gen_ai.retrieval.documents"] = json.dumps(found)
    more.setdefault("ends", AT - 2.0)
    return _said(told(more.pop("number"), SpanKind.RETRIEVAL, attributes=attributes, **more))


def _said(span: Span) -> Said:
    found = said(span)
    assert found is not None
    return found
