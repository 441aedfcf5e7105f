"""Runs the evaluation: `python -m evaluation [OPTION …]`; one JSON object a line, progress on standard error.

`python -m evaluation runbooks [OPTION …]` plays incidents with somebody who follows what is offered, and with nobody.
`python -m evaluation forecasts [OPTION …]` holds forecasts against what comes a quarter of an hour later.
"""

import argparse
import json
import os
import pickle
import sys
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from adapters.simulator.platform import standard
from adapters.simulator.scenario import load_scenario, load_traffic, names
from console.domain.errors import ConfigError
from evaluation.lines import lines
from evaluation.protocol import DAY_S, HOUR_S, Outcome, Plan, run_all
from evaluation.scoring import thresholds
from evaluation.table import write

SHAPES = Path(__file__).with_name("shapes")
TUNING_SEEDS = range(9001, 9003)
CALM = "calm"


def main(arguments: list[str]) -> int:
    """Tune the rivals, run everything, print; exit code 1 when a goal does not hold, 2 when it cannot be run."""
    if arguments[:1] == ["runbooks"]:
        from evaluation.runbooks import main as runbooks

        return runbooks(arguments[1:])
    if arguments[:1] == ["forecasts"]:
        from evaluation.forecasts import main as forecasts

        return forecasts(arguments[1:])
    told = _parser().parse_args(arguments)
    try:
        tuning, testing = _plans(told)
    except (ConfigError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    outcomes = _run([*tuning, *testing], told)
    limits = thresholds([one.clean for one in outcomes[: len(tuning)]]) if tuning else {}
    tested = outcomes[len(tuning) :]
    played = [one for outcome in tested for one in outcome.played]
    clean = [outcome.clean for outcome in tested if outcome.clean.seconds]
    found = list(lines(played, clean, limits))
    for line in found:
        print(json.dumps(line, ensure_ascii=False), flush=True)
    if told.table:
        write(told.table, found)
    return 1 if any(line.get("holds") is False for line in found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    add = parser.add_argument
    add("--scenarios", type=Path, metavar="DIR", help="YAML files of incidents and controls; default: those shipped")
    add("--only", nargs="+", default=[], metavar="NAME", help="of the scenarios, only these")
    add(
        "--seeds",
        type=_seeds,
        default=range(101, 103),
        metavar="A:B",
        help="test seeds, B not included (default 101:103)",
    )
    add("--shapes", type=Path, metavar="DIR", help="YAML files of traffic to test on; default: those shipped")
    add("--vary", type=float, default=0.25, help="by how much parameters vary from seed to seed (default 0.25)")
    add("--warm-up", type=float, default=48.0, metavar="HOURS", help="clean traffic before anything (default 48)")
    add("--weeks", type=float, default=4.0, help="clean weeks in all, for testing and for tuning each (default 4)")
    add("--minutes", type=float, default=90.0, help="how long an incident is watched at the most (default 90)")
    add("--no-rivals", action="store_true", help="only the product: no tuning, no comparison")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time (default: one a core)")
    add("--table", type=Path, metavar="FILE", help="put the tables between the marks of this Markdown file")
    add("--keep", type=Path, metavar="FILE", help="keep all that was said, to score it again with --again")
    add("--again", type=Path, metavar="FILE", help="score what --keep kept, and run nothing")
    return parser


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last) if last else int(first) + 1)


def _plans(told: argparse.Namespace) -> tuple[list[Plan], list[Plan]]:
    scenarios = _scenarios(told)
    shapes = _shapes(told.shapes or SHAPES / "testing")
    if set(told.seeds) & set(TUNING_SEEDS):
        raise ValueError(f"seeds {TUNING_SEEDS.start} to {TUNING_SEEDS.stop - 1} are for tuning; test with others")
    many = len(told.seeds) * len(shapes)
    testing = [
        Plan(
            seed=seed,
            shape=shape,
            warm_up_s=told.warm_up * HOUR_S,
            clean_s=told.weeks * 7 * DAY_S / many,
            after_s=told.minutes * 60.0,
            scenarios=scenarios,
            vary=told.vary,
            rivals=not told.no_rivals,
        )
        for seed in told.seeds
        for shape in shapes
    ]
    if told.no_rivals:
        return [], testing
    own = _shapes(SHAPES / "tuning")
    tuning = [
        Plan(
            seed=seed,
            shape=shape,
            warm_up_s=told.warm_up * HOUR_S,
            clean_s=told.weeks * 7 * DAY_S / len(own),
            product=False,
        )
        for seed, shape in zip(cycle(TUNING_SEEDS), own, strict=False)
    ]
    return tuning, testing


def _scenarios(told: argparse.Namespace) -> tuple[Path | str, ...]:
    if told.scenarios is None:
        found: list[Path | str] = [name for name in names() if name != CALM]
    else:
        found = sorted((*told.scenarios.glob("*.yaml"), *told.scenarios.glob("*.yml")))
    kept = [one for one in found if not told.only or (one if isinstance(one, str) else one.stem) in told.only]
    if not kept:
        raise ValueError(f"there is no scenario in {told.scenarios or 'the package'} with that name")
    for one in kept:
        load_scenario(str(one)).fits(standard())
    return tuple(kept)


def _shapes(folder: Path) -> list[Path]:
    found = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))
    if not found:
        raise ValueError(f"there is no shape of traffic (*.yaml) in {folder}")
    for one in found:
        load_traffic(str(one))
    return found


def _run(plans: Sequence[Plan], told: argparse.Namespace) -> list[Outcome]:
    if told.again:
        kept: list[Outcome] = pickle.loads(told.again.read_bytes())  # noqa: S301  what this very program wrote
        return kept
    outcomes = run_all(plans, told.jobs, lambda words: print(words, file=sys.stderr, flush=True))
    if told.keep:
        told.keep.write_bytes(pickle.dumps(outcomes))
    return outcomes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
