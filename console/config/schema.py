"""The config's JSON Schema, for editors: `python -m console.config.schema` writes the shipped file anew."""

import json
from pathlib import Path

from console.config.model import Config

SHIPPED = Path(__file__).with_name("schema.json")
"""The file in the package; name it in a config with `# yaml-language-server: $schema=…`."""


def text() -> str:
    """The schema of the config as it is now."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Config.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    SHIPPED.write_text(text(), encoding="utf-8")
