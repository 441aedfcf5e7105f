"""What is asked of Tempo, in TraceQL. Pure."""

import msgspec

from adapters.otel.names import DEFAULTS
from console.domain.spans import LaneKind, RequestQuery


def trace_ql(query: RequestQuery, aliases: dict[str, list[str]]) -> str:
    """Every request that the query asks for, and others that are looked at afterwards.

    Each condition is a set of spans of its own: they are about the same request, seldom about the same span.
    """
    sets: list[str] = []
    if query.failed:
        sets.append("{ status = error }")
    if query.name:
        sets.append(f"{{ rootName = {_text(query.name)} }}")
    if query.service:
        sets.append(f"{{ rootServiceName = {_text(query.service)} }}")
    if query.min_duration_s:
        sets.append(f"{{ traceDuration >= {max(0, round(query.min_duration_s * 1e6) - 1)}us }}")
    if query.conversation:
        names = (*aliases.get("conversation", ()), *DEFAULTS["conversation"])
        value = _text(query.conversation)
        sets.append("{ " + " || ".join(f"{_attribute(name)} = {value}" for name in names if "{" not in name) + " }")
    steps = (lane.value for lane in query.lanes if lane.lane is LaneKind.PATH and lane.value)
    sets.extend(f"{{ name = {_text(step)} }}" for step in steps)
    return " && ".join(sets) or "{}"


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _attribute(name: str) -> str:
    """An attribute of a span or its resource; a name that TraceQL could not read plainly is quoted."""
    plain = all(sign.isalnum() or sign in "._-" for sign in name)
    return f".{name}" if plain else f".{_text(name)}"
