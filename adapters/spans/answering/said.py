"""What one span says of a model call, a tool call or a search, in little: no word of it is kept. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.otel.values import CUT
from adapters.otel.wording import REDACTED
from adapters.spans.answering import shapes
from adapters.spans.answering.reasons import finish_of, overflowed, refused
from adapters.spans.answering.scripts import strange
from console.domain.answers import Finish
from console.domain.spans import TAKEN_OUT, Content, Facts, Span, SpanKind

WORDED = frozenset({SpanKind.MODEL, SpanKind.TOOL, SpanKind.RETRIEVAL})
"""Kinds of span whose words are looked at."""

ID_MOST = 200
"""Characters of a response's id."""

_MESSAGES = ("gen_ai.output.messages", "gen_ai.completion", "llm.output_messages.")
_OUTPUTS = (*_MESSAGES, "output.value", "langfuse.observation.output")
"""Attributes that are there when answers are recorded, were it an empty one."""
_RESULTS = ("gen_ai.retrieval.documents", "output.value", "langfuse.observation.output", "traceloop.entity.output")
_LISTS = ("documents", "results", "matches", "hits", "nodes", "data")
_RESPONSE_IDS = ("gen_ai.response.id", "llm.response.id")
_JSON_ASKED = ("json_object", "json_schema", "application/json")
_TOOL_ASKED = re.compile(r'"tool_choice"\s*:\s*(?:"(?:required|any)"|\{\s*"type"\s*:\s*"(?:any|tool|function)")')
"""In the parameters of a call that has to call a tool, as OpenAI, Mistral and Anthropic write it."""


@dataclass(slots=True)
class Answer:
    """How a model call ended."""

    finish: Finish | None = None
    overflow: bool = False
    shape: str = ""
    """Empty where no word of it was recorded."""
    structured: bool = False
    unparsed: bool = False
    with_text: bool = False
    strange: bool = False
    chars_in: int | None = None
    """Characters of its whole input; None where that was not recorded, or was cut."""
    response_id: str = ""


@dataclass(slots=True)
class Search:
    """What a search found."""

    found: int | None
    """Documents; None where that was not recorded."""
    top: float | None
    """The best one's score."""


@dataclass(slots=True)
class Said:
    """One span that has ended."""

    span_id: str
    parent_id: str
    kind: SpanKind
    service: str
    started_at: float
    ended_at: float
    """Both unix seconds."""
    failed: bool
    facts: Facts
    answer: Answer | None = None
    """Of a model call."""
    search: Search | None = None
    """Of a retrieval."""
    called: int = 0
    """Of a tool: a hash of its name and its arguments; 0 where these were not recorded."""


def said(span: Span) -> Said | None:
    """What a span says, with its facts and content; None while it has not ended."""
    if span.duration_s is None:
        return None
    content = span.content if TAKEN_OUT not in span.attributes else None
    kind = span.kind
    return Said(
        span_id=span.span_id,
        parent_id=span.parent_id,
        kind=kind,
        service=span.service,
        started_at=span.started_at,
        ended_at=span.started_at + span.duration_s,
        failed=span.failed,
        facts=span.facts,
        answer=_answer(span, content) if kind is SpanKind.MODEL else None,
        search=_search(span, content) if kind is SpanKind.RETRIEVAL else None,
        called=_called(span, content) if kind is SpanKind.TOOL and content is not None else 0,
    )


def _answer(span: Span, content: Content | None) -> Answer:
    attributes = span.attributes
    answer = Answer(
        finish=finish_of(span.facts.finish_reason),
        response_id=next((str(attributes[name])[:ID_MOST] for name in _RESPONSE_IDS if attributes.get(name)), ""),
    )
    if span.failed:
        error = _error(span)
        answer.overflow = overflowed(error)
        answer.finish = Finish.REFUSAL if refused(error) else answer.finish or Finish.ERROR
        return answer
    if content is None:
        if answer.finish is Finish.STOP and _nothing_said(span):
            answer.finish = Finish.EMPTY
        return answer
    given, whole = _given(content), CUT not in attributes
    answer.chars_in = len(given) if given and whole else None
    _words(answer, span, content, given, whole=whole)
    return answer


def _words(answer: Answer, span: Span, content: Content, given: str, *, whole: bool) -> None:
    """Look at what it said; of words that were cut only their script is looked at."""
    calls = [call for message in content.messages_out for call in message.calls]
    text = _text(span, content)
    if text:
        answer.with_text = bool(given)
        answer.strange = bool(given) and strange(text, given)
    asked = content.parameters
    if not calls and answer.finish is Finish.STOP:
        silent = _TOOL_ASKED.search(asked) is not None if text else _nothing_said(span)
        answer.finish = Finish.EMPTY if silent else answer.finish
    if not whole or not (calls or text):
        return
    if calls:
        form = shapes.of_calls(calls, content.tools)
    else:
        said_so = span.attributes.get("gen_ai.output.type") == "json"
        form = shapes.of_text(text, json_asked=said_so or any(word in asked for word in _JSON_ASKED))
    answer.shape, answer.structured, answer.unparsed = form.shape, form.structured, not form.parsed


def _text(span: Span, content: Content) -> str:
    """What a model said in words. Where its messages were recorded and are empty, it is not the body around them."""
    if content.messages_out or any(name.startswith(_MESSAGES) for name in span.attributes):
        return "\n".join(message.text for message in content.messages_out if message.text).strip()
    return content.output.strip()


def _nothing_said(span: Span) -> bool:
    """Whether it is known that a model said nothing, and not only unknown what it said."""
    if span.facts.tokens_out == 0:
        return True
    said_so = [value for name, value in span.attributes.items() if name.startswith(_OUTPUTS)]
    return bool(said_so) and REDACTED not in said_so and TAKEN_OUT not in span.attributes


def _given(content: Content) -> str:
    """All that a model was given to read."""
    parts = [content.system, content.tools]
    for message in content.messages_in:
        parts.append(message.text)
        parts += (call.arguments for call in message.calls)
    if not content.messages_in:
        parts.append(content.input)
    return "\n".join(part for part in parts if part) if any(parts[2:]) else ""


def _error(span: Span) -> str:
    words = [span.error, str(span.attributes.get("error.type", "")), str(span.attributes.get("error.message", ""))]
    for event in span.events:
        words += (str(event.attributes.get(name, "")) for name in ("exception.type", "exception.message"))
    return " ".join(words)


def _search(span: Span, content: Content | None) -> Search:
    documents = content.documents if content is not None else ()
    if documents:
        scores = [one.score for one in documents if one.score is not None]
        return Search(len(documents), max(scores, default=None))
    return Search(0 if not span.failed and _found_nothing(span.attributes) else None, None)


def _found_nothing(attributes: Mapping[str, Any]) -> bool:
    """Whether an empty list of documents was recorded, and not none at all."""
    for name in _RESULTS:
        value = attributes.get(name)
        if isinstance(value, str) and len(value) < 1_000:
            try:
                value = msgspec.json.decode(value)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                continue
        if isinstance(value, dict):
            value = next((value[key] for key in _LISTS if key in value), None)
        if value == []:
            return True
    return False


def _called(span: Span, content: Content) -> int:
    name = span.facts.tool_name or span.name
    return hash((name, content.arguments)) if content.arguments else 0
