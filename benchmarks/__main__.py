"""Runs the benchmarks: `python -m benchmarks [GROUP …]`; exit code 1 when a promise does not hold."""

import importlib
import sys

from benchmarks.results import line

GROUPS = (
    "parsing",
    "requests",
    "opening",
    "starts",
    "live",
    "slow_line",
    "looks",
    "endpoints",
    "deployments",
    "world",
    "collect",
    "park",
    "queues",
    "detect",
)


def main(arguments: list[str]) -> int:
    """Run the groups that are named, or all."""
    unknown = [name for name in arguments if name not in GROUPS]
    if unknown:
        print(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    broken = 0
    for name in arguments or GROUPS:
        for result in importlib.import_module(f"benchmarks.{name}").measure():
            print(line(result), flush=True)
            broken += result.holds is False
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
