"""Measures forecasts: `python -m evaluation forecasts [OPTION …]`; one JSON object a line."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from adapters.simulator.scenario import load_traffic, names
from console.domain.errors import ConfigError
from console.domain.forecasts import Quantity
from evaluation.foretold import Outcome, environment
from evaluation.forking import Branch
from evaluation.hours import Day, measured
from evaluation.table import put

T = TypeVar("T")
Line = dict[str, Any]
MARK: Final = "measured"
GOAL: Final = 0.25
"""The median error of backlog and spend is to be no more."""
HELD: Final = (str(Quantity.BACKLOG), "waiting", "left", str(Quantity.USD_PER_H))
SOME: Final = 10.0
"""Messages: `waiting` is the backlog where so many waited, were expected or came, and `left` where so many were
expected or came."""


def main(arguments: list[str]) -> int:
    """Run everything and print; exit code 1 when a goal does not hold, 2 when it cannot be run."""
    told = _parser().parse_args(arguments)
    try:
        shapes: list[Path | None] = sorted(told.shapes.glob("*.yaml")) if told.shapes else [None]
        for shape in shapes:
            if shape is not None:
                load_traffic(str(shape))
        scenarios = sorted(told.scenarios.glob("*.yaml")) if told.scenarios else [n for n in names() if n != "calm"]
        chosen = [one for one in scenarios if not told.only or Path(one).stem in told.only]
    except (ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if told.hours:
        days = _run([partial(measured, seed, shape) for seed in told.seeds for shape in shapes], told.jobs)
        for line in hours(days):
            print(json.dumps(line), flush=True)
        return 0
    found = _run(
        [partial(environment, chosen, seed, shape, told.vary, _say) for seed in told.seeds for shape in shapes],
        told.jobs,
    )
    for outcome in found if told.each else ():
        print(json.dumps(asdict(outcome) | {"error": outcome.error, "naive": outcome.naive}))
    summed = list(lines(found))
    for line in summed:
        print(json.dumps(line), flush=True)
    if told.table:
        put(told.table, MARK, table(summed))
    return 1 if any(line.get("holds") is False for line in summed) else 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _run(work: Sequence[partial[list[T]]], jobs: int) -> list[T]:
    found: list[T] = []
    running: list[Branch[list[T]]] = []
    for one in work:
        if len(running) >= jobs:
            found += running.pop(0).result()
        running.append(Branch(one))
    for left in running:
        found += left.result()
    return found


def lines(found: Sequence[Outcome]) -> Iterator[Line]:
    """Median and p90 of the relative error: by quantity, and by quantity and verb; naive beside ours."""
    kinds = [(str(quantity), [one for one in found if one.quantity is quantity]) for quantity in Quantity]
    backlogs = kinds[0][1]
    kinds.insert(1, ("waiting", [one for one in backlogs if max(one.now, one.expected, one.actual) >= SOME]))
    kinds.insert(2, ("left", [one for one in backlogs if max(one.expected, one.actual) >= SOME]))
    for name, of_it in kinds:
        for verb in ("all", *sorted({one.verb for one in of_it})):
            some = [one for one in of_it if verb in ("all", one.verb)]
            if not some:
                continue
            ours, naive = sorted(one.error for one in some), sorted(one.naive for one in some)
            line: Line = {"quantity": name, "verb": verb, "count": len(some)}
            line |= {"median": _at(ours, 0.5), "p90": _at(ours, 0.9)}
            line |= {"naive median": _at(naive, 0.5), "naive p90": _at(naive, 0.9)}
            if verb == "all" and name in HELD:
                line |= {"goal": GOAL, "holds": line["median"] <= GOAL}
            yield line


def hours(days: Sequence[Day]) -> Iterator[Line]:
    """How far off spending is on a calm day, with and without what the days before say of the hour."""
    errors: dict[str, list[float]] = {}
    for name, error in (pair for day in days for pair in day.errors()):
        errors.setdefault(name, []).append(error)
    for name, values in errors.items():
        found = sorted(values)
        yield {"calm day": name, "count": len(found), "median": _at(found, 0.5), "p90": _at(found, 0.9)}


def _at(values: Sequence[float], part: float) -> float:
    return round(values[min(len(values) - 1, int(part * len(values)))], 3)


def table(measured: Sequence[Line]) -> Iterator[str]:
    """The rows of a Markdown table."""
    yield "| quantity | done | compared | median off | p90 | naive median | naive p90 |"
    yield "|---|---|---|---|---|---|---|"
    for line in measured:
        errors = " | ".join(f"{100.0 * line[key]:,.0f} %" for key in ("median", "p90", "naive median", "naive p90"))
        yield f"| {line['quantity']} | {line['verb']} | {line['count']} | {errors} |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation forecasts", description=__doc__)
    add = parser.add_argument
    add("--scenarios", type=Path, metavar="DIR", help="YAML files of incidents and controls; default: those shipped")
    add("--only", nargs="+", default=[], metavar="NAME", help="of the scenarios, only these")
    add("--seeds", type=_seeds, default=range(401, 403), metavar="A:B", help="B not included (default 401:403)")
    add("--shapes", type=Path, metavar="DIR", help="YAML files of traffic; default: the usual traffic")
    add("--vary", type=float, default=0.25, help="by how much parameters vary from seed to seed (default 0.25)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time (default: one a core)")
    add("--each", action="store_true", help="print every comparison too")
    add("--hours", action="store_true", help="instead: what knowing the hour of the day is worth, on calm days")
    add("--table", type=Path, metavar="FILE", help="put the table between the marks of this Markdown file")
    return parser


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last) if last else int(first) + 1)
