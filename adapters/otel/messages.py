"""Messages to and from models, in whichever form: GenAI's parts, the bodies of providers, OpenInference's objects."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from adapters.otel.wording import listed, named, structure, text_of
from console.domain.spans import Message, ToolCall

MOST_MESSAGES = 1_000
"""Of one span; of longer lists the first and the newest."""
_FIRST = 100
MOST_WORDS = 2**20
"""Characters of all messages of one side together."""
_MOST_PARTS = 1_000
_MOST_NAME = 200
_ROLES = {
    "human": "user",
    "ai": "assistant",
    "function_call_output": "tool",
    "function_call": "assistant",
    "reasoning": "assistant",
}
_LIST = re.compile(r'\s*\[|\s*\{.*?"messages"\s*:\s*\[', re.DOTALL)
"""Where the first message of a text begins that is a list of them, or a request's body."""
_GAP = re.compile(r"[\s,]*")
_TEXTS = ("text", "input_text", "output_text", "refusal", "compaction", "")
_THOUGHTS = ("reasoning", "thinking")
_CALLS = ("tool_call", "tool_use", "function_call", "server_tool_call")
_ANSWERS = ("tool_call_response", "tool_result", "function_call_output", "server_tool_call_response")


def messages_of(value: Any) -> tuple[Message, ...]:
    """The messages that a value holds: a list of them, one alone, a request's or an answer's body, or JSON of these."""
    if not value:
        return ()
    found = structure(value)
    if found is None:
        begins = _LIST.match(value) if isinstance(value, str) else None
        return _salvaged(begins.string, begins.end()) if begins else ()
    items = found if isinstance(found, list) else _items(found)
    return bounded([message for item in _ends(items) for message in _read(item)])


def bounded(messages: list[Message]) -> tuple[Message, ...]:
    """The same without what is beyond `MOST_WORDS`."""
    room = MOST_WORDS
    for at, message in enumerate(messages):
        room -= len(message.text) + sum(len(call.arguments) for call in message.calls)
        if room < 0:
            return (*messages[:at], Message(text=f"… {len(messages) - at} messages left out: too long"))
    return tuple(messages)


def _ends(items: list[Any]) -> Iterator[Any]:
    if len(items) <= MOST_MESSAGES:
        yield from items
        return
    yield from items[:_FIRST]
    yield f"… {len(items) - MOST_MESSAGES} messages left out"
    yield from items[_FIRST - MOST_MESSAGES :]


def _items(holder: dict[str, Any]) -> list[Any]:
    """The messages of a body; an object that is one is alone."""
    for name in ("messages", "choices", "input", "output", "generations"):
        if isinstance(inner := holder.get(name), list):
            system = holder.get("system")
            return [{"role": "system", "content": system}, *inner] if system and name == "messages" else inner
    if any(name in holder for name in ("role", "content", "parts", "message", "tool_calls")):
        return [holder]
    return []


def _salvaged(text: str, at: int) -> tuple[Message, ...]:
    """Of a JSON list that was cut off: the messages from `at` to the cut, and the rest as it stands."""
    decoder = json.JSONDecoder()
    found = list[Message]()
    for _ in range(MOST_MESSAGES):
        at = _GAP.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found += _read(item)
    if not found:
        return ()
    return bounded([*found, Message(text=text_of(text[at:]))])


def _read(item: Any) -> list[Message]:
    """One message; several where it answers several calls."""
    inner = named(item, "message")
    if isinstance(inner, dict | str):  # a choice, or OpenInference's wrapping
        item = inner
    if isinstance(item, str):
        return [Message(text=text_of(item))] if item else []
    if not isinstance(item, dict):
        return []
    said = text_of(item.get("role") or _ROLES.get(text_of(item.get("type"), _MOST_NAME), ""), _MOST_NAME)
    role = _ROLES.get(said, said)
    parts = _parts(item)
    calls = [*_calls(item), *(call for part in parts for call in _called(part))]
    answers = [answer for part in parts for answer in _answered(part)]
    text = "\n".join(words for part in parts if (words := _words(part)))
    answered = text_of(named(item, "tool_call_id", "call_id") if not calls else None, _MOST_NAME)
    found = [Message(role=role, text=text_of(text), calls=tuple(calls), answers=answered)] if text or calls else []
    if answered and not found and not answers:
        found = [Message(role=role, answers=answered)]
    return found + [Message(role="tool" if role == "user" else role, text=said, answers=call) for call, said in answers]


def _parts(item: dict[str, Any]) -> list[Any]:
    """What a message is made of; an item of a Responses body is its own part."""
    if text_of(item.get("type"), _MOST_NAME) in (*_CALLS, *_ANSWERS, *_THOUGHTS):
        return [item]
    for name in ("parts", "contents", "content"):
        value = item.get(name)
        if isinstance(value, str) and value[:2] in ("[{", "[ ") and name != "parts":
            inner = structure(value)
            value = inner if isinstance(inner, list) and all(named(one, "type") for one in inner) else value
        if isinstance(value, list):
            return [named(one, "message_content") or one for one in value[:_MOST_PARTS]]
        if value not in (None, "", {}):
            return [value]
    return [item] if item.get("text") else []


def _words(part: Any) -> str:
    """The text of a part that is no call and answers none; what is no text is named in brackets."""
    if not isinstance(part, dict):
        return text_of(part)
    kind = text_of(part.get("type"), _MOST_NAME)
    if kind in (*_CALLS, *_ANSWERS):
        return ""
    said = named(part, "text", "content", "refusal", "thinking", "summary")
    if kind in _TEXTS and said is not None:
        return text_of(said)
    if kind in _THOUGHTS:
        return f"[{kind}] {text_of(said)}" if said else ""
    what = [kind, *(text_of(part.get(name), _MOST_NAME) for name in ("modality", "mime_type", "file_id", "uri"))]
    return f"[{' '.join(word for word in what if word)}]" if kind else text_of(part)


def _calls(item: dict[str, Any]) -> Iterator[ToolCall]:
    """Calls beside the content, as OpenAI's bodies and OpenInference have them."""
    for one in islice(listed(item.get("tool_calls")), _MOST_PARTS):
        call = named(one, "tool_call") or one
        if isinstance(call, dict):
            yield _call(call)
    alone = item.get("function_call")
    if isinstance(alone, dict):
        yield _call(alone)
    elif name := item.get("function_call_name"):
        yield _call({"name": name, "arguments": item.get("function_call_arguments_json")})


def _called(part: Any) -> Iterator[ToolCall]:
    if isinstance(part, dict) and part.get("type") in _CALLS:
        yield _call(part)


def _call(call: dict[str, Any]) -> ToolCall:
    function = call.get("function")
    inner = function if isinstance(function, dict) else call
    return ToolCall(
        id=text_of(named(call, "id", "call_id"), _MOST_NAME),
        name=text_of(named(inner, "name"), _MOST_NAME),
        arguments=text_of(named(inner, "arguments", "input", "args", "server_tool_call")),
    )


def _answered(part: Any) -> Iterator[tuple[str, str]]:
    """(id of the call, what came back)."""
    if isinstance(part, dict) and part.get("type") in _ANSWERS:
        said = named(part, "response", "result", "content", "output", "server_tool_call_response")
        if isinstance(said, list):
            said = "\n".join(_words(one) for one in said[:_MOST_PARTS])
        yield text_of(named(part, "id", "tool_use_id", "call_id", "tool_call_id"), _MOST_NAME), text_of(said)
