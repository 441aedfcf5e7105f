"""Texts and structures from attributes that applications filled: bounded, valid Unicode, and never an exception."""

import json
from typing import Any

import msgspec

from adapters.otel.values import unicode

MOST = 65_536
"""Characters of one text."""
REDACTED = "__REDACTED__"
"""What OpenInference puts where it was told to hide."""


def structure(value: Any) -> Any:
    """The list or object that a value is, or whose JSON it is; None where it is neither."""
    if isinstance(value, str):
        if not value.lstrip()[:1].startswith(("{", "[")):
            return None
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
    return value if isinstance(value, dict | list) else None


def text_of(value: Any, most: int = MOST) -> str:
    """A text as it is, anything else as JSON; what is longer than `most` characters ends in an ellipsis."""
    if isinstance(value, str):
        text = "" if value == REDACTED else value
    elif value is None:
        text = ""
    else:
        text = _json(value)
    return unicode(text if len(text) <= most else text[:most] + "…")


def named(holder: Any, *names: str) -> Any:
    """What an object has under the first of `names` that it has; None for anything else."""
    if isinstance(holder, dict):
        for name in names:
            if (value := holder.get(name)) is not None:
                return value
    return None


def listed(value: Any) -> list[Any]:
    """A list as it is; anything else is one of none."""
    return value if isinstance(value, list) else []


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return "…"
