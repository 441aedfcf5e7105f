"""List the adapters that are installed, or say what one of them takes."""

import argparse
import json
import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

from console.cli.exits import Exit
from console.cli.output import note, say, table
from console.domain.text import clean


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="print this adapter's options")


def run(options: argparse.Namespace) -> int:
    """Names come from the packages' metadata, the rest from the engine's side."""
    if options.name:
        return _describe(options.name)
    done = _ask("--describe-all")
    tested = json.loads(done.stdout) if done.returncode == 0 else {}
    found = sorted(entry_points(group="switchgear.adapters"), key=lambda entry: entry.name)
    rows = [(entry.name, clean(tested.get(entry.name, "?")), entry.dist.name if entry.dist else "?") for entry in found]
    table(("ADAPTER", "TESTED AGAINST", "PACKAGE"), rows)
    return Exit.OK


def _ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask the engine's side, which alone imports adapters."""
    command = [sys.executable, "-P", "-m", "console.server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  this interpreter


def _describe(name: str) -> int:
    done = _ask("--describe", name)
    if done.returncode:
        note(clean(done.stderr.strip().removeprefix("switchgear: "), 500))
        return Exit.CONFIG
    adapter = json.loads(done.stdout)
    say(f"{adapter['name']}: {clean(adapter['summary'])}")
    say(f"tested against: {clean(adapter['tested'])}")
    say()
    schema = adapter["options"]
    required = set(schema.get("required", ()))
    rows = [
        (
            key,
            _type(schema, value),
            "required" if key in required else _default(value),
            str(value.get("description", "")),
        )
        for key, value in schema.get("properties", {}).items()
    ]
    table(("OPTION", "TYPE", "DEFAULT", "WHAT"), rows)
    return Exit.OK


def _default(value: dict[str, Any]) -> str:
    return "–" if value.get("default") is None else json.dumps(value["default"])


def _type(schema: dict[str, Any], value: dict[str, Any]) -> str:
    """A JSON Schema type in a word or two."""
    if "$ref" in value:
        return _type(schema, schema["$defs"][value["$ref"].rpartition("/")[2]])
    if "enum" in value:
        return " | ".join(map(str, value["enum"]))
    if "anyOf" in value:
        kinds = [_type(schema, choice) for choice in value["anyOf"] if choice.get("type") != "null"]
        return "duration" if kinds == ["number", "string"] else " | ".join(kinds)
    if value.get("type") == "array":
        return f"list of {_type(schema, value.get('items', {}))}"
    return str(value.get("format") or value.get("type", "any"))
