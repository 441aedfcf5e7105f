"""The scenarios as JSON for other processes: `python -m adapters.simulator.catalogue [--labels | --schema]`.

The console does not import adapters; it asks this.
"""

import argparse
import json
import sys
from typing import Any

from adapters.simulator.scenario import Scenario, load_scenario, names


def catalogue(*, labels: bool) -> list[dict[str, Any]]:
    """Every shipped scenario; with `labels` what a player should not know."""
    return [_row(load_scenario(name), labels=labels) for name in names()]


def schema() -> dict[str, Any]:
    """The JSON Schema of a scenario's file; `$defs/Traffic` is that of a shape of traffic."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | Scenario.model_json_schema()


def _row(scenario: Scenario, *, labels: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": scenario.name, "summary": scenario.summary}
    if labels:
        row |= {
            "kind": scenario.kind,
            "parameters": scenario.parameters,
            "aspect": scenario.aspect,
            "culprit": scenario.culprit,
            "also_right": scenario.also_right,
            "right_actions": [act.words for act in scenario.right_actions],
            "traps": [act.words for act in scenario.traps],
            "onset": scenario.onset,
            "end_s": scenario.end_s,
        }
    return row


def main(arguments: list[str]) -> int:
    """Print what is asked for as one JSON value."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--labels", action="store_true", help="what a player should not know, too")
    which.add_argument("--schema", action="store_true", help="the JSON Schema of a scenario's file")
    asked = parser.parse_args(arguments)
    json.dump(schema() if asked.schema else catalogue(labels=asked.labels), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
