"""From the command to the first paint: with an engine, without one, and a bare Textual app, in turn."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.results import Result, at_most, beside, middle
from benchmarks.stage import clean_environment, start_engine
from benchmarks.terminal import Terminal, pump_until

ROUNDS = 9
SWITCHGEAR = str(Path(sys.executable).with_name("switchgear"))


def measure() -> Iterator[Result]:
    """First paint is the first chunk that shows text of the first screen."""
    times: dict[str, list[float]] = {"bare": [], "running": [], "none": []}
    with tempfile.TemporaryDirectory(prefix="sg") as name:
        env = clean_environment(Path(name))
        for number in range(ROUNDS + 1):
            round_ = {
                "bare": _paint([sys.executable, "-m", "benchmarks.bare"], env, "option 0"),
                "none": _paint([SWITCHGEAR, "demo-calm"], env, "Overview"),
            }
            _stop(env)
            engine = start_engine(env, "demo-calm")
            try:
                time.sleep(0.5)
                round_["running"] = _paint([SWITCHGEAR, "demo-calm"], env, "Overview")
            finally:
                engine.terminate()
                engine.wait(10)
            if number:  # The first round compiles the modules.
                for kind, value in round_.items():
                    times[kind].append(value)
    bare = middle(times["bare"])
    yield beside("first paint, bare app", bare * 1000, "ms")
    yield beside("first paint, engine running", middle(times["running"]) * 1000, "ms")
    yield beside("first paint, no engine", middle(times["none"]) * 1000, "ms")
    yield at_most("first paint, engine running / bare app", middle(times["running"]) / bare, "×", 1.5)
    yield at_most("first paint, no engine / bare app", middle(times["none"]) / bare, "×", 2.0)


def _paint(command: list[str], env: Mapping[str, str], text: str) -> float:
    terminal = Terminal(command, env=env)
    try:
        return pump_until(terminal, text, 30)
    finally:
        terminal.end()


def _stop(env: Mapping[str, str]) -> None:
    """End the engine that the console started."""
    subprocess.run([SWITCHGEAR, "stop", "demo-calm"], env=dict(env), check=False, capture_output=True)
