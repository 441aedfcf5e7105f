"""Whether the runbooks are worth following: `python -m evaluation runbooks [OPTION …]`, one JSON object a line.

Every scenario is played with somebody who follows what the console offers, and with nobody. Who acts is a process of
the console's own (`console.runtime.proving`): what is judged does not know its judge.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from adapters.simulator.scenario import load_scenario, names
from console.domain.errors import ConfigError
from evaluation.table import put

SOONER = 0.9
"""Part of the incidents that has to be over sooner than with nobody acting."""
CALM = "calm"
MARK = "proven"

Line = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Play all, print, sum up; exit code 1 when a goal does not hold, 2 when it cannot be run."""
    told = _parser().parse_args(arguments)
    try:
        scenarios = _scenarios(told)
    except (ConfigError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    found: list[Line] = []
    with ThreadPoolExecutor(told.jobs) as pool:
        for rows in pool.map(lambda seed: _played(scenarios, seed, told.minutes), told.seeds):
            for row in rows:
                print(json.dumps(row, ensure_ascii=False), flush=True)
            found += rows
    goals = list(summary(found))
    for line in goals:
        print(json.dumps(line, ensure_ascii=False), flush=True)
    if told.table:
        put(told.table, MARK, table(found, goals))
    return 1 if any(line["holds"] is False for line in goals) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation runbooks", description=__doc__)
    add = parser.add_argument
    add("--scenarios", type=Path, metavar="DIR", help="YAML files of incidents and controls; default: those shipped")
    add("--only", nargs="+", default=[], metavar="NAME", help="of the scenarios, only these")
    add("--seeds", type=_seeds, default=range(101, 102), metavar="A:B", help="B not included (default 101:102)")
    add("--minutes", type=float, default=None, help="how long each is watched (default: until it is over by itself)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time (default: one a core)")
    add("--table", type=Path, metavar="FILE", help="put the table between the marks of this Markdown file")
    return parser


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last) if last else int(first) + 1)


def _scenarios(told: argparse.Namespace) -> list[str]:
    if told.scenarios is None:
        found = [name for name in names() if name != CALM]
    else:
        found = [str(path) for path in sorted((*told.scenarios.glob("*.yaml"), *told.scenarios.glob("*.yml")))]
    kept = [one for one in found if not told.only or Path(one).stem in told.only]
    if not kept:
        raise ValueError(f"there is no scenario in {told.scenarios or 'the package'} with that name")
    for one in kept:
        load_scenario(one)
    return kept


def _played(scenarios: Sequence[str], seed: int, minutes: float | None) -> list[Line]:
    watched = {} if minutes is None else {"watched_s": 60.0 * minutes}
    cases = [{"scenario": one, "seed": seed, **watched} for one in scenarios]
    command = [sys.executable, "-m", "console.runtime.proving"]
    done = subprocess.run(command, input=json.dumps(cases).encode(), capture_output=True, check=False)  # noqa: S603
    if done.returncode not in (0, 1) or len(done.stdout.splitlines()) != len(cases):
        raise RuntimeError(f"the trials of seed {seed} ended early: {done.stderr.decode(errors='replace')[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def summary(found: Sequence[Line]) -> Iterator[Line]:
    """The goals, each with what was measured; a goal of which nothing was played is left out."""
    incidents = [one for one in found if not one["control"] and one["yard"] != "nothing"]
    controls = [one for one in found if one["control"]]
    if incidents:
        sooner = sum(1 for one in incidents if one["holds"]) / len(incidents)
        offered = sum(1 for one in incidents if one["runbook"]) / len(incidents)
        yield _goal("offered and followed", None, offered)
        yield _goal("over sooner than with nobody acting", SOONER, sooner)
    if controls:
        yield _goal("no harm where nothing is wrong", 1.0, sum(1 for one in controls if one["holds"]) / len(controls))


def _goal(name: str, least: float | None, value: float) -> Line:
    return {"name": name, "goal": least, "value": round(value, 3), "holds": None if least is None else value >= least}


def table(found: Sequence[Line], goals: Sequence[Line]) -> Iterator[str]:
    """The figures as rows of Markdown."""
    yield "| scenario | followed | told, min | over, min | nobody, min | bad requests | nobody | $ | nobody | holds |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in sorted(found, key=lambda row: (row["control"], row["scenario"], row["seed"])):
        bad = [sum(one[who][what] for what in ("failed", "wrong", "slow")) for who in ("harm", "nothing")]
        cells = [
            f"`{one['scenario']}`{' (control)' if one['control'] else ''}",
            one["runbook"] or "–",
            *(_minutes(one[key]) for key in ("told_s", "recovered_s", "nothing_s")),
            *(f"{value:,.0f}" for value in bad),
            *(f"{one[who]['usd']:,.0f}" for who in ("harm", "nothing")),
            _holds(one),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    for goal in goals:
        wanted = "" if goal["goal"] is None else f" (at least {goal['goal']:.0%} wanted)"
        yield f"* {goal['name']}: {goal['value']:.0%}{wanted}"


def _holds(one: Line) -> str:
    if one["yard"] == "nothing" and not one["control"]:
        return "– (nobody had to bear anything in the time watched)"
    return "yes" if one["holds"] else f"**no**: {one['words']}"


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else str(round(seconds / 60.0))
