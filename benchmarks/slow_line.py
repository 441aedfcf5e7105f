"""The same live screen over a line of 64 KB/s."""

import random
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.keys import Typist
from benchmarks.results import Result, at_most, beside, middle, percentile
from benchmarks.stage import ENVIRONMENT, Stage, stage
from benchmarks.terminal import Terminal, pump, pump_until

RUNS = 3
KEYS = 150


def measure() -> Iterator[Result]:
    """Keys are answered in time on a slow line too."""
    with stage(100) as running:
        running.tell("live")
        for rate, limit in ((64, 150.0), (16, None)):
            runs = [_run(running, rate * 1024.0) for _ in range(RUNS if limit else 1)]
            p99 = middle([percentile(run, 0.99) for run in runs])
            name = f"key to paint, p99, {rate} KB/s line"
            yield at_most(name, p99, "ms", limit) if limit else beside(name, p99, "ms")


def _run(running: Stage, rate: float) -> list[float]:
    rng = random.Random(11)
    console = Terminal([sys.executable, "-m", "benchmarks.three_tables", ENVIRONMENT], env=running.env, rate=rate)
    try:
        pump_until(console, "dep-0", 60)
        pump([console], 6.0)
        typist = Typist(console, "j", "k")
        for _ in range(KEYS):
            typist.press(partial(pump, [console]), rng.uniform(0.1, 0.25))
    finally:
        console.end()
    return typist.delays
