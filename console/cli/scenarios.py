"""List the incidents that the simulated platform can get into."""

import argparse
import json
from typing import Any

from console.cli.catalogue import ask
from console.cli.exits import Exit
from console.cli.output import note, say, table
from console.domain.text import clean


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="this one only")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--labels", action="store_true", help="also who is to blame, what helps and what does not")
    which.add_argument("--schema", action="store_true", help="print the JSON Schema of a scenario's file, for editors")


def run(options: argparse.Namespace) -> int:
    """The simulator's side knows them; without `--labels` nothing of the answer is given away."""
    if options.schema:
        say(json.dumps(json.loads(ask("catalogue", "--schema")), indent=2))
        return Exit.OK
    found = json.loads(ask("catalogue", *(["--labels"] if options.labels else [])))
    if options.name:
        known = ", ".join(one["name"] for one in found)
        found = [one for one in found if one["name"] == options.name]
        if not found:
            note(f"there is no scenario {clean(options.name, 80)!r}; there are: {known}")
            return Exit.CONFIG
    if options.labels:
        for one in found:
            _tell(one)
    else:
        table(("SCENARIO", "WHAT HAPPENS"), [(one["name"], one["summary"]) for one in found])
    return Exit.OK


def _tell(one: dict[str, Any]) -> None:
    """One scenario with its labels, a line each."""
    numbers = ", ".join(f"{name} {value:g}" for name, value in one["parameters"].items())
    lines = (
        (one["kind"], one["summary"]),
        ("to blame", ", or ".join((one["culprit"], *one["also_right"])) or "nobody"),
        ("about", one["aspect"]),
        ("helps", "; ".join(one["right_actions"])),
        ("trap", "; ".join(one["traps"])),
        ("seen from", f"{one['onset']:g} s on" if one["kind"] == "incident" else ""),
        ("over after", "" if one["end_s"] is None else f"{one['end_s']:g} s"),
        ("parameters", numbers),
    )
    say(clean(one["name"]))
    for name, words in lines:
        if words:
            say(f"  {name:<11}{clean(words, 500)}")
    say()
