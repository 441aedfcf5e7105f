"""100 endpoints every 2 s, three live tables in 160×50: keys, bytes, processor, memory."""

import random
import sys
import time
from collections.abc import Iterator

from benchmarks.keys import type_in_turn
from benchmarks.results import Result, at_most, beside, middle, percentile
from benchmarks.stage import ENVIRONMENT, Stage, cpu_s, memory_mb, stage
from benchmarks.terminal import Terminal, pump, pump_until

RUNS = 3
KEYS = 200
SETTLE_S = 12.0


def measure() -> Iterator[Result]:
    """All promises about a live screen."""
    with stage(100) as running:
        yield from _silence(running)
        running.tell("live")
        yield from _load(running)
        yield from _keys(running)


def _console(running: Stage) -> Terminal:
    return Terminal([sys.executable, "-m", "benchmarks.three_tables", ENVIRONMENT], env=running.env)


def _silence(running: Stage) -> Iterator[Result]:
    """Nothing changes at the gateways: nothing is sent to the terminal, though they are looked at all the time."""
    console = _console(running)
    try:
        pump_until(console, "dep-0", 60)
        for _ in range(12):  # the first looks bring the board up; then there is nothing new
            before = console.received
            pump([console], 5.0)
            if console.received == before:
                break
        before = console.received
        pump([console], 10.0)
        yield at_most("terminal, nothing changes", console.received - before, "bytes in 10 s", 0)
    finally:
        console.end()


def _load(running: Stage) -> Iterator[Result]:
    console = _console(running)
    assert running.engine is not None
    try:
        pump_until(console, "dep-0", 30)
        pump([console], SETTLE_S)
        pids = {"console": console.process.pid, "engine": running.engine.pid}
        used = {name: cpu_s(pid) for name, pid in pids.items()}
        before, begun = console.received, time.monotonic()
        pump([console], 20.0)
        span = time.monotonic() - begun
        yield at_most("terminal, live", (console.received - before) / span / 1024, "KB/s", 8)
        for name, limit in (("console", 8), ("engine", 20)):
            yield at_most(f"{name}, processor", 100 * (cpu_s(pids[name]) - used[name]) / span, "% of a core", limit)
        yield at_most("console and engine, memory", sum(memory_mb(pid) for pid in pids.values()), "MB", 180)
    finally:
        console.end()


def _keys(running: Stage) -> Iterator[Result]:
    """Keys go to the console and to a bare, idle app in turn, in one run."""
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    for _ in range(RUNS):
        mine, other = one_run(running)
        ours.append(mine)
        bare.append(other)
    p50 = middle([percentile(run, 0.5) for run in ours])
    p50_bare = middle([percentile(run, 0.5) for run in bare])
    yield at_most("key to paint, p50", p50, "ms", 5)
    yield at_most("key to paint, p99", middle([percentile(run, 0.99) for run in ours]), "ms", 40)
    yield beside("key to paint, p50, bare idle app", p50_bare, "ms")
    yield beside("key to paint, p99, bare idle app", middle([percentile(run, 0.99) for run in bare]), "ms")
    yield at_most("key to paint, p50 / bare idle app", p50 / p50_bare, "×", 1.5)


def one_run(running: Stage, keys: int = KEYS) -> tuple[list[float], list[float]]:
    """(the console's delays, the bare app's delays) in ms, one a key."""
    console = _console(running)
    bare = Terminal([sys.executable, "-m", "benchmarks.bare"], env=running.env)
    both = [console, bare]
    try:
        pump_until(console, "dep-0", 30)
        pump(both, 6.0)
        mine, other = type_in_turn(console, bare, keys, random.Random(7))
    finally:
        console.end()
        bare.end()
    return mine.delays, other.delays
