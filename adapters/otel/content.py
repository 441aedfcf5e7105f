"""What was recorded of a span's words, in four conventions; derived when a span is read, never at intake."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from adapters.otel.by_names import ByNames
from adapters.otel.documents import documents_of
from adapters.otel.flat import are_listed, lists_in
from adapters.otel.messages import bounded, messages_of
from adapters.otel.values import CUT
from adapters.otel.wording import listed, named, structure, text_of
from console.domain.spans import Content, Document, Message, SpanEvent, SpanKind

_INPUT = ("input.value", "langfuse.observation.input", "langfuse.trace.input")
_OUTPUT = ("output.value", "langfuse.observation.output", "langfuse.trace.output")
_DECORATED = ("traceloop.entity.input", "traceloop.entity.output")
"""A decorated function's arguments and what it returned, both as JSON."""
_TEMPLATE = ("llm.prompt_template.template", "traceloop.prompt.template")
_VARIABLES = ("llm.prompt_template.variables",)
_VARIABLE = "traceloop.prompt.template_variables."
"""Followed by a variable's name."""
_QUERY = ("gen_ai.retrieval.query.text", "gen_ai.memory.query.text", "reranker.query")
_PARAMETERS = ("llm.invocation_parameters", "embedding.invocation_parameters", "langfuse.observation.model.parameters")
_ASKED = frozenset({"gen_ai.input.messages", "gen_ai.prompt"})
_ANSWERED = frozenset({"gen_ai.output.messages", "gen_ai.completion"})
_DOCUMENTS = "gen_ai.retrieval.documents"
_TEXTS = {
    "input": _INPUT,
    "output": _OUTPUT,
    "template": _TEMPLATE,
    "variables": _VARIABLES,
    "tools": ("gen_ai.tool.definitions",),
    "parameters": _PARAMETERS,
    "query": _QUERY,
    "arguments": ("gen_ai.tool.call.arguments",),
    "result": ("gen_ai.tool.call.result", "gen_ai.memory.records"),
}
"""Fields of `Content` and the attributes that hold them as one text, the first that says something first."""
_OTHERS = (*_DECORATED, "gen_ai.system_instructions", _DOCUMENTS, "tool.parameters")
WORDED = frozenset((*(name for names in _TEXTS.values() for name in names), *_ASKED, *_ANSWERED, *_OTHERS))
"""All attributes that hold words, besides lists that were taken apart: most spans have none of them."""
_FOUND = ("db.query.result", "db.search.result")
_SETTINGS = "gen_ai.request."
_NO_SETTINGS = ("gen_ai.request.model",)
_DETAILS = "gen_ai.client.inference.operation.details"
"""The event that has the content where a span has none."""

_BLANK: dict[str, Any] = dict.fromkeys(Content.__struct_fields__, "")
"""Nothing of any field."""

_Attributes = Mapping[str, Any]


class _Shape(NamedTuple):
    """What the names of a span's attributes say of its words."""

    listed: bool
    """Whether lists that were taken apart are among them."""
    worded: bool
    texts: tuple[tuple[str, tuple[str, ...]], ...]
    """Fields of `Content` that are one text, each with those of its attributes that are there."""
    asked: bool
    """Whether any has messages to a model."""
    answered: bool
    """Whether any has messages from one."""
    settings: tuple[str, ...]
    """Those of parameters."""
    variables: bool
    """Whether any has a variable of a prompt's template."""


def _shape(names: tuple[str, ...]) -> _Shape:
    texts = ((field, tuple(name for name in known if name in names)) for field, known in _TEXTS.items())
    return _Shape(
        listed=are_listed(names),
        worded=not WORDED.isdisjoint(names),
        texts=tuple((field, there) for field, there in texts if there),
        asked=not _ASKED.isdisjoint(names),
        answered=not _ANSWERED.isdisjoint(names),
        settings=tuple(name for name in names if name.startswith(_SETTINGS) and name not in _NO_SETTINGS),
        variables=any(name.startswith(_VARIABLE) for name in names),
    )


_SHAPES = ByNames(_shape)


def content_of(attributes: _Attributes, events: Sequence[SpanEvent], kind: SpanKind) -> Content | None:
    """The words of a span; None where none were recorded. Bounded, and it never raises."""
    said = _with_details(attributes, events) if events else attributes
    shape = _SHAPES.of(said)
    lists = lists_in(said) if shape.listed else {}
    if not lists and not events and not shape.worded:
        return Content(parameters=_settings(said, shape)) if shape.settings else None
    found = _BLANK.copy()
    for field, names in shape.texts:
        found[field] = _first(said, names)
    if _DECORATED[0] in said:
        found["input"] = found["input"] or _arguments(said[_DECORATED[0]])
    if _DECORATED[1] in said:
        found["output"] = found["output"] or _returned(said[_DECORATED[1]])
    given, gave = found["input"], found["output"]
    if "gen_ai.system_instructions" in said:
        found["system"] = _instructions(said["gen_ai.system_instructions"])
    if shape.variables:
        found["variables"] = found["variables"] or _variables(said)
    spread = bool(lists or events)
    if shape.asked or spread or given:
        found["messages_in"] = _asked(said, lists, events, given, kind)
    if shape.answered or spread or gave:
        found["messages_out"] = _answered(said, lists, events, gave, kind)
    if lists or given:
        found["tools"] = found["tools"] or _tools(lists) or (_offered(given) if kind is SpanKind.MODEL else "")
    found["parameters"] = _parameters(found["parameters"]) or _settings(said, shape)
    if spread or gave or _DOCUMENTS in said:
        found["documents"] = _documents(said, lists, events, gave, kind)
    _by_kind(found, said, lists, kind)
    kept = {name: value for name, value in found.items() if value}
    return Content(**kept) if kept else None


def _with_details(attributes: _Attributes, events: Sequence[SpanEvent]) -> _Attributes:
    for event in events:
        if event.name == _DETAILS:
            return {**event.attributes, **attributes}
    return attributes


def _by_kind(found: dict[str, Any], said: _Attributes, lists: dict[str, list[Any]], kind: SpanKind) -> None:
    """What a span was given and gave back is something else for a tool, for a search, for a model; it stands once."""
    match kind:
        case SpanKind.TOOL:
            found["arguments"] = found["arguments"] or found["input"] or _called_with(said.get("tool.parameters"))
            found["result"] = found["result"] or found["output"]
            found["input"] = found["output"] = ""
        case SpanKind.MEMORY:
            found["result"] = found["result"] or found["output"]
            found["output"] = ""
        case SpanKind.RETRIEVAL:
            found["query"] = found["query"] or _query(found["input"])
            found["input"] = ""
            found["output"] = "" if found["documents"] else found["output"]
        case SpanKind.MODEL:
            found["input"] = "" if found["messages_in"] else found["input"]
            found["output"] = "" if found["messages_out"] else found["output"]
        case SpanKind.EMBEDDING:
            found["input"] = found["input"] or _embedded(lists.get("embedding.embeddings", []))


def _first(said: _Attributes, names: Iterable[str]) -> str:
    return next((text for name in names if name in said and (text := text_of(said[name]))), "")


def _instructions(value: Any) -> str:
    """System instructions: a text, or parts."""
    parts = structure(value)
    if isinstance(parts, list):
        return "\n".join(text for part in parts[:100] if (text := text_of(named(part, "content", "text") or "")))
    return text_of(value)


def _asked(
    said: _Attributes, lists: dict[str, list[Any]], events: Sequence[SpanEvent], given: str, kind: SpanKind
) -> tuple[Message, ...]:
    return (
        messages_of(said.get("gen_ai.input.messages"))
        or _longer(messages_of(lists.get("llm.input_messages")), given if CUT in said else "")
        or messages_of(lists.get("gen_ai.prompt"))
        or messages_of(said.get("gen_ai.prompt"))
        or _told(events, _asking)
        or messages_of([named(one, "prompt") for one in lists.get("llm.prompts", [])])
        or (messages_of(given) if kind is SpanKind.MODEL else ())
    )


def _answered(
    said: _Attributes, lists: dict[str, list[Any]], events: Sequence[SpanEvent], gave: str, kind: SpanKind
) -> tuple[Message, ...]:
    return (
        messages_of(said.get("gen_ai.output.messages"))
        or messages_of(lists.get("llm.output_messages"))
        or messages_of(lists.get("gen_ai.completion"))
        or messages_of(said.get("gen_ai.completion"))
        or _told(events, _answering)
        or messages_of([named(one, "completion") for one in lists.get("llm.choices", [])])
        or (messages_of(gave) if kind is SpanKind.MODEL else ())
    )


def _longer(messages: tuple[Message, ...], body: str) -> tuple[Message, ...]:
    """The messages, or those of the whole request beside them where that has more: it may not be cut."""
    return max((messages, messages_of(body)), key=len) if body else messages


def _told(events: Sequence[SpanEvent], reading: Callable[[SpanEvent], Any]) -> tuple[Message, ...]:
    return bounded([message for event in events for message in messages_of(reading(event))])


def _asking(event: SpanEvent) -> Any:
    """What an event of the older GenAI conventions has of the messages to a model."""
    if event.name == "gen_ai.content.prompt":
        return event.attributes.get("gen_ai.prompt")
    start, _, end = event.name.removeprefix("gen_ai.").partition(".")
    if end == "message" and event.name.startswith("gen_ai."):
        calls = structure(event.attributes.get("tool_calls"))
        answers = event.attributes.get("id") if start == "tool" else None
        return [{"role": start, **event.attributes, "tool_calls": calls, "tool_call_id": answers}]
    return None


def _answering(event: SpanEvent) -> Any:
    if event.name == "gen_ai.content.completion":
        return event.attributes.get("gen_ai.completion")
    if event.name == "gen_ai.choice":
        message = event.attributes.get("message")
        found = structure(message)
        return [found if isinstance(found, dict) else message]
    return None


def _tools(lists: dict[str, list[Any]]) -> str:
    """Definitions that were taken apart, as the JSON of a list."""
    shown = [structure(named(tool, "tool.json_schema", "json_schema") or _schema(tool)) for tool in _tool_list(lists)]
    return text_of([tool for tool in shown if tool]) if any(shown) else ""


def _offered(body: str) -> str:
    """The tools of a request's whole body."""
    return text_of(named(structure(body), "tools", "functions")) if body else ""


def _tool_list(lists: dict[str, list[Any]]) -> list[Any]:
    return lists.get("llm.tools") or lists.get("llm.request.functions") or []


def _schema(tool: Any) -> Any:
    """OpenInference keeps a tool's JSON in one text; the older GenAI conventions its parts, parameters as JSON."""
    if (inner := named(named(tool, "tool"), "json_schema")) is not None:
        return inner
    parameters = structure(named(tool, "parameters"))
    return {**tool, "parameters": parameters} if isinstance(tool, dict) and parameters else tool


def _parameters(whole: str) -> str:
    given = structure(whole) if "Infinity" in whole else None
    if isinstance(given, dict) and "Infinity" in given.values():  # Langfuse's word for no limit
        return text_of({name: value for name, value in given.items() if value != "Infinity"})
    return whole


def _settings(said: _Attributes, shape: _Shape) -> str:
    found = {name.removeprefix(_SETTINGS): said[name] for name in shape.settings}
    return text_of(found) if found else ""


def _documents(
    said: _Attributes, lists: dict[str, list[Any]], events: Sequence[SpanEvent], gave: str, kind: SpanKind
) -> tuple[Document, ...]:
    return (
        documents_of(said.get(_DOCUMENTS))
        or documents_of(lists.get("retrieval.documents"))
        or documents_of(lists.get("reranker.output_documents"))
        or documents_of(list(_results(events)))
        or (documents_of(gave) if kind is SpanKind.RETRIEVAL else ())
    )


def _results(events: Sequence[SpanEvent]) -> Iterator[dict[str, Any]]:
    """What Traceloop's instrumentations of vector stores tell of each document that was found."""
    for event in events:
        if event.name in _FOUND:
            said = event.attributes.items()
            yield {name.removeprefix(f"{event.name}."): value for name, value in said}


def _called_with(parameters: Any) -> str:
    """OpenInference's `tool.parameters` are the arguments for some instrumentations, for others their schema."""
    found = structure(parameters)
    schema = isinstance(found, dict) and (found.get("type") == "object" or "properties" in found)
    return "" if schema else text_of(parameters)


def _arguments(value: Any) -> str:
    """A decorated function's arguments without what Traceloop wraps them in: `{"args": …, "kwargs": …}`."""
    found = structure(value)
    if not isinstance(found, dict) or not {"args", "kwargs"} >= found.keys():
        return text_of(value)
    args, kwargs = listed(found.get("args")), found.get("kwargs")
    return text_of(found if args and kwargs else args or kwargs)


def _returned(value: Any) -> str:
    """What a decorated function returned; a text without its quotes."""
    if isinstance(value, str) and value.startswith('"'):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, ValueError):
            return text_of(value)
    return text_of(value)


def _variables(said: _Attributes) -> str:
    """Traceloop has an attribute for each variable."""
    found = {name.removeprefix(_VARIABLE): value for name, value in said.items() if name.startswith(_VARIABLE)}
    return text_of(found) if found else ""


def _query(given: str) -> str:
    """What was searched for, of a call's arguments: a single text is it."""
    found = structure(given)
    values = found if isinstance(found, list) else list(found.values()) if isinstance(found, dict) else []
    asked = named(found, "query", "question", "text", "input") or (values[0] if len(values) == 1 else None)
    return text_of(asked) if isinstance(asked, str) else given


def _embedded(vectors: list[Any]) -> str:
    texts = [text for one in vectors if isinstance(text := named(named(one, "embedding"), "text"), str)]
    return texts[0] if len(texts) == 1 else text_of(texts) if texts else ""
