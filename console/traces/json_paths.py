"""Two JSON values, by path."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from console.domain.difference import Difference
from console.traces.texts import Effort, text_difference, value_difference

MOST: Final = 200
"""Differences that are told of two values."""
DEEPEST: Final = 64
"""Levels that are gone into; what lies deeper is compared as a value."""
SHORT: Final = 120
"""Characters of a value that is told as it is; longer ones are compared as texts."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ABSENT: Final = object()
"""A value that there is not; it equals nothing else."""


def json_difference(first: str, second: str, effort: Effort, *, before: str = "") -> list[Difference]:
    """What differs between two JSON texts, `$.filters.year`, `$.ids[2]`; as texts where one is no JSON.

    Args:
        first: JSON, or what an application wrote instead.
        second: the same of the other.
        effort: what words may still cost.
        before: stands before each path.
    """
    if first == second:
        return []
    mine, others = parsed(first), parsed(second)
    if mine is _ABSENT or others is _ABSENT:
        return text_difference(before.strip() or "arguments", first, second, effort)
    found: list[Difference] = []
    for path, one, other in _differing("$", mine, others, DEEPEST):
        if len(found) == MOST:
            found += value_difference(f"{before}…", "more differences", "than are shown")
            break
        found += _value(before + path, one, other, effort)
    return found


def parsed(text: str) -> Any:
    """What a JSON text holds, also where it was written as JSON twice; `_ABSENT` where it is none."""
    found = _decoded(text)
    inner = _decoded(found) if isinstance(found, str) and found[:1] in ("{", "[") else _ABSENT
    return found if inner is _ABSENT else inner


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text else _ABSENT
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return _ABSENT


def is_tree(text: str) -> bool:
    """Whether a text is a JSON object or list."""
    return text.lstrip()[:1] in ("{", "[") and isinstance(parsed(text), dict | list)


def _differing(path: str, first: Any, second: Any, depth: int) -> Iterator[tuple[str, Any, Any]]:
    """Path and both values of every leaf that differs."""
    if depth and isinstance(first, dict) and isinstance(second, dict):
        for key in dict.fromkeys((*first, *second)):
            step = f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{_text(key)}]"
            yield from _differing(path + step, first.get(key, _ABSENT), second.get(key, _ABSENT), depth - 1)
    elif depth and isinstance(first, list) and isinstance(second, list):
        for at in range(max(len(first), len(second))):
            mine = first[at] if at < len(first) else _ABSENT
            others = second[at] if at < len(second) else _ABSENT
            yield from _differing(f"{path}[{at}]", mine, others, depth - 1)
    elif type(first) is not type(second) or first != second:
        yield path, first, second


def _value(path: str, first: Any, second: Any, effort: Effort) -> list[Difference]:
    if isinstance(first, str) and isinstance(second, str) and max(len(first), len(second)) > SHORT:
        return text_difference(path, first, second, effort)
    mine, others = _text(first), _text(second)
    if max(len(mine), len(others)) > SHORT:
        return text_difference(path, mine, others, effort)
    return value_difference(path, mine, others)


def _text(value: Any) -> str:
    return "" if value is _ABSENT else msgspec.json.encode(value).decode()
