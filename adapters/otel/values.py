"""Attribute values, bounded: an application may put a whole document, or a mistake, into one."""

import math
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

CUT = "switchgear.cut"
"""The attribute that names those of its span that were cut."""
_WORD = 2**63
_NO_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one body and of one span is kept."""

    spans: int = 50_000
    """Spans of one body; SDKs send 512 at once, collectors 8,192."""
    text: int = 65_536
    """Characters of one text."""
    attributes: int = 256
    """Attributes of a span, without lists that were taken apart."""
    listed: int = 1_024
    """Attributes of those lists (`flat`): OpenInference makes two to six of each message."""
    events: int = 128
    """Events of a span."""
    depth: int = 8
    """Lists and objects within each other."""
    items: int = 1_000
    """Members of one list or object."""
    name: int = 300
    """Characters of a name: of a span, an event, an attribute."""


def plain(value: Any, limits: Limits, depth: int = 0) -> Any:
    """A value that JSON has, within the limits: of whatever a JSON body held.

    A number that is none becomes its name, an integer beyond 64 bits its hexadecimal digits, bytes become base64.
    """
    if isinstance(value, str):
        return unicode(value[: limits.text])
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_WORD <= value < _WORD else hex(value)[:40]
    if isinstance(value, float):
        return value if math.isfinite(value) else _NO_NUMBERS[str(value)]
    if isinstance(value, bytes):
        return b64encode(value[: limits.text]).decode()
    if depth >= limits.depth:
        return "…"
    if isinstance(value, dict):
        pairs = list(value.items())[: limits.items]
        return {unicode(str(key)[: limits.name]): plain(inner, limits, depth + 1) for key, inner in pairs}
    if isinstance(value, list | tuple):
        return [plain(inner, limits, depth + 1) for inner in value[: limits.items]]
    return None


def unicode(text: str) -> str:
    """`text` without lone surrogates, which no encoding takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def is_cut(value: Any, limits: Limits) -> bool:
    """Whether a text is longer than what is kept of it."""
    return isinstance(value, str) and len(value) > limits.text
