"""The config's keys as a Markdown table, from the models themselves: `python -m console.config.reference`."""

from typing import Any

from console.config.model import Config


def table() -> str:
    """Every key of the file with its type, default and meaning, one row a key."""
    schema = Config.model_json_schema()
    rows = ["| Key | Type | Default | What |", "|---|---|---|---|"]
    for path, kind, default, words in rows_of(schema):
        rows.append(f"| `{path}` | {kind} | {default} | {words} |")
    return "\n".join(rows) + "\n"


def rows_of(schema: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(key, type, default, words) of each key; `ENV` stands for `environments.NAME`."""
    rows = _rows(schema, schema, "")
    return [(path.replace("environments.NAME", "ENV"), kind, default, words) for path, kind, default, words in rows]


def _rows(schema: dict[str, Any], node: dict[str, Any], prefix: str) -> list[tuple[str, str, str, str]]:
    found = []
    for key, value in node.get("properties", {}).items():
        path = f"{prefix}{key}"
        inner, suffix = _inner(schema, value)
        words = " ".join(str(value.get("description", "")).split())
        if inner is None:
            found.append((path, _kind(value), _default(node, key, value), words))
            continue
        found.append((path + suffix, "section", "", words or " ".join(str(inner.get("description", "")).split())))
        found += _rows(schema, inner, f"{path}{suffix}.")
    return found


def _inner(schema: dict[str, Any], value: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The section that a key holds, and how its path goes on: nothing, `.NAME` or `[]`."""
    if "$ref" in value:
        return schema["$defs"][value["$ref"].rpartition("/")[2]], ""
    for named in value.get("patternProperties", {}).values():
        return _inner(schema, named)[0], ".NAME"
    if "$ref" in value.get("items", {}):
        return _inner(schema, value["items"])[0], "[]"
    return None, ""


def _kind(value: dict[str, Any]) -> str:
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    kinds = [choice.get("type") for choice in value.get("anyOf", ())]
    if kinds:
        return {("number", "string"): "duration", ("number", "null"): "number"}.get(tuple(kinds), " or ".join(kinds))
    if value.get("type") == "array":
        return f"list of {value['items'].get('type', 'any')}s"
    return {"object": "mapping", "string": "text"}.get(value["type"], str(value["type"]))


def _default(node: dict[str, Any], key: str, value: dict[str, Any]) -> str:
    if key in node.get("required", ()):
        return "required"
    default = value.get("default")
    if default is None or default in ("", [], {}):
        return "–"
    if _kind(value) == "duration":
        return f"`{_duration(default)}`"
    return f"`{default}`".replace("'", '"')


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


if __name__ == "__main__":
    print(table())  # noqa: T201  this is its purpose
