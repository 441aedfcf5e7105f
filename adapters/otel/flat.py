"""Lists that were taken apart into attributes (`llm.input_messages.0.message.role`), put together again."""

from collections.abc import Mapping
from typing import Any

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
_DEEPEST = 16
"""Parts of a name that are followed."""
_MOST_MEMBERS = 10_000


def lists_in(attributes: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Those of `LISTS` that a span has, by name, their members in order; numbers that are left out leave no gap."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in attributes.items():
        if name.startswith(_STARTS):
            prefix = next(start for start in _STARTS if name.startswith(start))
            path = name[len(prefix) :].split(".", _DEEPEST)
            if path[0].isdecimal():
                _put(found.setdefault(prefix[:-1], {}), path, value)
    return {name: _members(tree) for name, tree in found.items()}


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.setdefault(path[-1], value)


def _members(tree: dict[str, Any]) -> list[Any]:
    numbers = sorted((name for name in tree if name.isdecimal()), key=lambda name: (len(name), name))
    return [_joined(tree[name]) for name in numbers[:_MOST_MEMBERS]]


def _joined(value: Any) -> Any:
    """An object all of whose keys are numbers is a list."""
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return _members(value)
    return {name: _joined(inner) for name, inner in value.items()}
