"""A runbook's JSON Schema, for editors: `python -m runbooks.json_schema` writes the shipped file anew."""

import json
from pathlib import Path

from runbooks.schema import Runbook

SHIPPED = Path(__file__).with_name("schema.json")
"""The file in the package; name it in a runbook with `# yaml-language-server: $schema=…`."""


def text() -> str:
    """The schema of a runbook as it is now."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Runbook.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    SHIPPED.write_text(text(), encoding="utf-8")
