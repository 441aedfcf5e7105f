"""Lists that were taken apart into attributes (`llm.input_messages.0.message.role`), put together again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapters.otel.values import Limits

LISTS = (
    "llm.input_messages",
    "llm.output_messages",
    "llm.prompts",
    "llm.choices",
    "llm.tools",
    "llm.request.functions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "retrieval.documents",
    "reranker.input_documents",
    "reranker.output_documents",
    "embedding.embeddings",
)
"""Attributes of OpenInference and of the older GenAI conventions that are followed by a number."""
_STARTS = tuple(f"{name}." for name in LISTS)
_ASKED = ("llm.input_messages", "gen_ai.prompt")
"""Of a conversation: the longest by far, and its newest messages matter most."""
_FIRST = 2
"""Members that are kept however long a conversation is: the instructions, and what it began with."""
_DEEPEST = 16
"""Parts of a name that are followed."""
_MOST_MEMBERS = 10_000


def are_listed(names: Iterable[str]) -> bool:
    """Whether any of these is an attribute of such a list: others begin like one (`gen_ai.prompt.name`)."""
    return any(_member(name) is not None for name in names)


def lists_in(attributes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Those of `LISTS` that a span has, by name, their members in order; of a conversation it is said how many messages
    are not there.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in [name for name in attributes if name.startswith(_STARTS)]:
        prefix = next(start for start in _STARTS if name.startswith(start))
        path = name[len(prefix) :].split(".", _DEEPEST)
        if path[0].isdecimal() and path[0].isascii():
            _put(found.setdefault(prefix[:-1], {}), path, attributes[name])
    return {name: _members(tree, gaps=name in _ASKED) for name, tree in found.items()}


def kept(names: Sequence[str], limits: Limits) -> list[int]:
    """Which attributes of a span with too many are kept, by their places: whole members of lists, none by half.

    A conversation keeps its beginning and its newest messages; everything else comes before it.
    """
    plain: list[int] = []
    members: dict[tuple[str, int], list[int]] = {}
    for place, name in enumerate(names):
        member = _member(name)
        if member is None:
            plain.append(place)
        else:
            members.setdefault(member, []).append(place)
    found, room = plain[: limits.attributes], limits.listed
    last = dict(sorted(members))
    for name, number in sorted(members, key=lambda one: _order(one, last)):
        room -= len(members[name, number])
        if room < 0:
            break
        found += members[name, number]
    return sorted(found)


def _member(name: str) -> tuple[str, int] | None:
    """The list and the number in it that an attribute belongs to."""
    if not name.startswith(_STARTS):
        return None
    prefix = next(start for start in _STARTS if name.startswith(start))
    number = name[len(prefix) :].partition(".")[0][:8]
    return (prefix[:-1], int(number)) if number.isdecimal() and number.isascii() else None


def _order(member: tuple[str, int], last: Mapping[str, int]) -> tuple[bool, int]:
    name, number = member
    if name not in _ASKED:
        return (False, number)
    return (True, number if number < _FIRST else _FIRST + last[name] - number)


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.setdefault(path[-1], value)


def _members(tree: dict[str, Any], *, gaps: bool = False) -> list[Any]:
    numbers = sorted((int(name), name) for name in tree if name.isdecimal() and len(name) < 9)[:_MOST_MEMBERS]
    found: list[Any] = []
    before = -1
    for number, name in numbers:
        if gaps and number > before + 1:
            found.append(f"… {number - before - 1} messages left out")
        before = number
        found.append(_joined(tree[name]))
    return found


def _joined(value: Any) -> Any:
    """An object all of whose keys are numbers is a list."""
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() and name.isascii() for name in value):
        return _members(value)
    return {name: _joined(inner) for name, inner in value.items()}
