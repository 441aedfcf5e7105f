"""The shape of an answer: which keys JSON has and of which types, never what stands in it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2s
from typing import Any, NamedTuple

import msgspec

from console.domain.spans import ToolCall

PROSE = "text"
"""The shape of an answer that is no JSON."""
DEEPEST = 6
PATHS_MOST = 200
_LIKE_JSON = ('{"', "{\n", "{ ", "[{", "[\n")
"""What prose does not begin with; `[1]` may be a footnote."""
_FENCE = "```"

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


class Form(NamedTuple):
    """What an answer looks like."""

    shape: str
    structured: bool
    """Whether it had to be of a form."""
    parsed: bool
    """Whether it was, where it had to be."""


def of_text(text: str, *, json_asked: bool) -> Form:
    """The form of an answer in words; where nobody asked for JSON it is held to it if it begins like it."""
    plain = text.strip()
    fenced = not json_asked and plain.startswith(_FENCE)
    if fenced:
        plain = plain.removeprefix(_FENCE).removeprefix("json").removesuffix(_FENCE).strip()
    if not json_asked and not plain.startswith(_LIKE_JSON):
        return Form(PROSE, structured=False, parsed=True)
    found, parsed = _decoded(plain)
    if not parsed and fenced:  # code in another language
        return Form(PROSE, structured=False, parsed=True)
    parsed = parsed and isinstance(found, dict | list)
    return Form(_named(found) if parsed else PROSE, structured=True, parsed=parsed)


def of_calls(calls: Sequence[ToolCall], tools: str) -> Form:
    """The form of an answer that calls tools; `tools` are the definitions that the model was given, as JSON."""
    schemas = _schemas(tools) if tools else {}
    fit, shapes = True, list[str]()
    for call in calls:
        found, parsed = _decoded(call.arguments or "{}")
        fit = fit and parsed and isinstance(found, dict) and _fits(found, schemas.get(call.name))
        shapes.append(f"{call.name}({_named(found) if parsed else PROSE})")
    return Form(_hash(sorted(set(shapes))), structured=True, parsed=fit)


def _decoded(text: str) -> tuple[Any, bool]:
    try:
        return msgspec.json.decode(text), True
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None, False


def _named(value: Any) -> str:
    paths = set[str]()
    for path in _paths(value, "$", DEEPEST):
        paths.add(path)
        if len(paths) >= PATHS_MOST:
            break
    return _hash(sorted(paths))


def _hash(parts: Sequence[str]) -> str:
    return blake2s("\n".join(parts).encode("utf-8", "replace"), digest_size=4).hexdigest()


def _paths(value: Any, path: str, deep: int) -> Iterator[str]:
    if deep and isinstance(value, dict):
        yield f"{path}:object"
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}", deep - 1)
    elif deep and isinstance(value, list):
        yield f"{path}:array"
        for inner in value[:PATHS_MOST]:
            yield from _paths(inner, f"{path}[]", deep - 1)
    else:
        yield f"{path}:{_type(value)}"


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next((name for name, kinds in _TYPES.items() if name != "integer" and isinstance(value, kinds)), "null")


@lru_cache(maxsize=64)
def _schemas(tools: str) -> dict[str, Mapping[str, Any]]:
    """The JSON Schema of each tool's arguments, by name, from the forms in which conventions keep definitions."""
    listed, _ = _decoded(tools)
    found: dict[str, Mapping[str, Any]] = {}
    for one in listed if isinstance(listed, list) else ():
        inner = one.get("function") if isinstance(one, dict) else None
        tool = inner if isinstance(inner, dict) else one
        if isinstance(tool, dict) and isinstance(tool.get("name"), str):
            schema = tool.get("parameters") or tool.get("input_schema")
            if isinstance(schema, dict):
                found[tool["name"]] = schema
    return found


def _fits(arguments: Mapping[str, Any], schema: Mapping[str, Any] | None) -> bool:
    """Whether what is required is there, and everything at the top of its type: deeper is left to the application."""
    if schema is None:
        return True
    required, known = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and any(isinstance(name, str) and name not in arguments for name in required):
        return False
    if not isinstance(known, dict):
        return True
    return all(_is_of(value, known.get(name)) for name, value in arguments.items())


def _is_of(value: Any, schema: Any) -> bool:
    said = schema.get("type") if isinstance(schema, dict) else None
    names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    kinds = [_TYPES[name] for name in names if isinstance(name, str) and name in _TYPES]
    if not kinds:
        return True
    if isinstance(value, bool):
        return (bool,) in kinds
    if isinstance(value, float) and value.is_integer() and (int,) in kinds:
        return True
    return any(isinstance(value, kind) for kind in kinds)
