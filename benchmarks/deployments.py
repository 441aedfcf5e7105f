"""1,000 deployments on the product's own screens: as quick as ever; and memory over a simulated day."""

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.keys import type_in_turn
from benchmarks.results import Result, at_most, beside, percentile
from benchmarks.stage import ENVIRONMENT, ROOT, clean_environment, cpu_s, start_engine
from benchmarks.terminal import Terminal, pump, pump_until

DEPLOYMENTS = 1000
KEYS = 150
CONFIG = """schemaVersion: 1
environments:
  bench:
    access: operate
    sources:
      world: {{adapter: simulator, interval: 2s, timeout: 1.5s, options: {{size: {size}}}}}
"""
SCREENS = {"1": "Overview", "2": "Providers"}


def measure() -> Iterator[Result]:
    """Keys and bytes on two screens, then the day."""
    with tempfile.TemporaryDirectory(prefix="sg") as name:
        folder = Path(name)
        env = clean_environment(folder)
        (folder / "config.yaml").write_text(CONFIG.format(size=DEPLOYMENTS))
        engine = start_engine(env, ENVIRONMENT)
        try:
            for digit, title in SCREENS.items():
                yield from _screen(env, digit, title)
        finally:
            engine.terminate()
            engine.wait(10)
        yield from _day(env)


def _screen(env: Mapping[str, str], digit: str, title: str) -> Iterator[Result]:
    switchgear = str(Path(sys.executable).with_name("switchgear"))
    console = Terminal([switchgear, ENVIRONMENT], env=env)
    bare = Terminal([sys.executable, "-m", "benchmarks.bare"], env=env)
    both = [console, bare]
    try:
        pump_until(console, "world", 30)
        pump(both, 3.0)
        console.press(digit)
        pump(both, 4.0)
        used, before = cpu_s(console.process.pid), console.received
        pump(both, 10.0)
        rate = (console.received - before) / 10 / 1024
        busy = (cpu_s(console.process.pid) - used) * 10
        typist, idle = type_in_turn(console, bare, KEYS, random.Random(5))
    finally:
        console.end()
        bare.end()
    mine, other = typist.delays, idle.delays
    yield at_most(f"1,000 deployments, {title}, keys that moved nothing", typist.unmoved, f"of {len(mine)}", 0)
    yield at_most(f"1,000 deployments, {title}, key to paint, p50", percentile(mine, 0.5), "ms", 5)
    yield at_most(f"1,000 deployments, {title}, key to paint, p99", percentile(mine, 0.99), "ms", 40)
    yield beside(f"1,000 deployments, {title}, key to paint, p50, bare idle app", percentile(other, 0.5), "ms")
    yield at_most(f"1,000 deployments, {title}, terminal", rate, "KB/s", 8)
    yield beside(f"1,000 deployments, {title}, console, processor", busy, "% of a core")


def _day(env: Mapping[str, str]) -> Iterator[Result]:
    """Memory after the day beside memory after its third hour, when every buffer of the past hour is full."""
    command = [sys.executable, "-m", "benchmarks.day", str(DEPLOYMENTS), "300"]
    done = subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, check=True)
    hours = [json.loads(line) for line in done.stdout.splitlines()]
    assert hours[-1]["seen"] == DEPLOYMENTS
    early, late = hours[2]["mb"], hours[-1]["mb"]
    yield beside("1,000 deployments, memory after 3 h", early, "MB")
    yield beside("1,000 deployments, memory after 24 h", late, "MB")
    yield at_most("1,000 deployments, memory after 24 h / after 3 h", late / early, "×", 1.1)
