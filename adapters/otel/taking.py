"""From an attribute's value to a fact's: of the right type and bounded, or None where it makes no sense there."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

MOST_TEXT = 200
"""Characters of a name that is kept beside a request; a conversation's id is rarely longer than 64."""
MOST_COUNT = 2**53
"""Tokens and attempts beyond this are no counts."""

Take = Callable[[Any, float], Any]
"""(value, unix seconds at which the span began) to the fact, or None."""

_OPS = {
    "insert": "create",
    "add": "upsert",
    "put": "upsert",
    "save": "upsert",
    "set": "upsert",
    "store": "upsert",
    "write": "upsert",
    "remove": "delete",
    "forget": "delete",
    "fetch": "read",
    "get": "read",
    "load": "read",
    "recall": "read",
    "query": "search",
}
"""What applications call the operations on memory, and what the domain calls them."""


def taker(field: str, name: str) -> Take:
    """How the attribute `name` is read for `field` of the table."""
    if field in ("ttft", "queue_wait"):
        return _milliseconds if name.endswith("_ms") else _seconds
    if field == "attempt" and name.endswith("resend_count"):
        return _resent
    return _TAKERS.get(field, _text)


def inside(value: Any) -> dict[str, Any]:
    """An attribute that is an object, or its JSON; empty where it is neither."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _text(value: Any, _: float) -> str | None:
    if type(value) is str:
        return value[:MOST_TEXT].strip() or None
    return str(value)[:MOST_TEXT] if isinstance(value, int | float) else None


def _reasons(value: Any, _: float) -> str | None:
    """Several with commas between; some write the list as JSON, and newer conventions a call in the singular."""
    if isinstance(value, str):
        if not value.startswith("["):
            value = [value.strip()]
        else:
            try:
                value = msgspec.json.decode(value)
            except (msgspec.MsgspecError, RecursionError):
                return None
    if not isinstance(value, list):
        return None
    words = ("tool_calls" if one == "tool_call" else one for one in value[:8] if isinstance(one, str))
    return ",".join(words)[:MOST_TEXT] or None


def _operation(value: Any, _: float) -> str | None:
    if not isinstance(value, str):
        return None
    word = value[:MOST_TEXT].strip().lower().removesuffix("_memory")
    return _OPS.get(word, word) or None


def number(value: Any) -> float | None:
    """A finite number that is not negative, also written as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < math.inf else None


def _count(value: Any, _: float) -> int | None:
    if type(value) is int:
        return value if 0 <= value <= MOST_COUNT else None
    found = number(value)
    return int(found) if found is not None and found <= MOST_COUNT else None


def _resent(value: Any, started_at: float) -> int | None:
    again = _count(value, started_at)
    return None if again is None else again + 1


def _dollars(value: Any, _: float) -> float | None:
    return number(value)


def _milliseconds(value: Any, _: float) -> float | None:
    found = number(value)
    return None if found is None else found / 1000


def _seconds(value: Any, started_at: float) -> float | None:
    found = number(value)
    if found is not None:
        return found
    try:
        read = datetime.fromisoformat(str(value)[:64].strip('"'))
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return moment - started_at if moment >= started_at else None


_TAKERS: dict[str, Take] = {
    "finish_reason": _reasons,
    "tokens_in": _count,
    "tokens_out": _count,
    "tokens_cached": _count,
    "attempt": _count,
    "attempts": _count,
    "usd": _dollars,
    "memory_op": _operation,
}
