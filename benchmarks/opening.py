"""What a person waits for a request of 5,000 spans: collector, engine and console as they are shipped, key to paint."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.results import Result, at_most, beside, middle
from benchmarks.span_senders import one_request
from benchmarks.stage import ENVIRONMENT, ROOT, clean_environment, cpu_s, end, start_engine
from benchmarks.terminal import Terminal, pump, pump_until

SPANS = 5_120
ROUNDS = 9
CONFIG = """\
schemaVersion: 1
environments:
  {environment}:
    sources:
      traces: {{adapter: otlp, interval: 2s, timeout: 1s, options: {{file: {file}}}}}
"""


def measure() -> Iterator[Result]:
    """Open it and go through its views; the first time is not counted, nor is anything kept from it."""
    with _platform() as (env, engine), _console(env) as console:
        console.press("6")
        pump_until(console, "agent", 20)
        pump([console], 3)
        _until(console, "\r", "final result")
        before, begun = cpu_s(engine.pid), cpu_s(console.process.pid)
        opened = [_reopened(console) for _ in range(ROUNDS)]
        spent = (cpu_s(engine.pid) - before) / ROUNDS
        painted = (cpu_s(console.process.pid) - begun) / ROUNDS
        yield at_most("open a request of 5,000 spans, processor of the console", 1000 * painted, "ms CPU", 200)
        yield at_most("the same, key to paint", 1000 * middle(opened), "ms", 200)
        yield beside("the same, key to paint, the slowest", 1000 * max(opened), "ms")
        yield beside("the same, processor of the engine: store, reconstruction, wire", 1000 * spent, "ms CPU")
        views = (("e", "critical path", "tree"), ("l", "worker timing", "lanes"), ("n", "as recorded", "playback"))
        for key, words, name in views:
            shown = [_turned(console, key, words) for _ in range(ROUNDS)]
            yield at_most(f"its view {name}, key to paint", 1000 * middle(shown), "ms", 100)


def _until(console: Terminal, key: str, words: str) -> float:
    """Seconds from a key to words that it brings."""
    console.chunks.clear()
    pressed = console.press(key) - console.started
    return pump_until(console, words, 10) - pressed


def _reopened(console: Terminal) -> float:
    console.press("\x1b")
    pump([console], 0.7)
    return _until(console, "\r", "final result")


def _turned(console: Terminal, key: str, words: str) -> float:
    console.press("i")
    pump([console], 0.4)
    return _until(console, key, words)


@contextmanager
def _platform() -> Iterator[tuple[Mapping[str, str], "subprocess.Popen[bytes]"]]:
    """A trace store with that one request, and the engine on it."""
    with tempfile.TemporaryDirectory(prefix="sg") as name, ExitStack() as ending:
        folder = Path(name)
        env = clean_environment(folder)
        file = folder / "traces.db"
        command = [sys.executable, "-m", "adapters.otlp.collect", "--listen", "127.0.0.1:0", "--file", str(file)]
        collector = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT)
        ending.callback(end, collector)
        assert collector.stdout is not None
        found = re.search(r"http://\S+", collector.stdout.readline())
        assert found is not None
        assert one_request(found[0], SPANS, 7)() == SPANS
        (folder / "config.yaml").write_text(CONFIG.format(environment=ENVIRONMENT, file=file))
        engine = start_engine(env, ENVIRONMENT)
        ending.callback(end, engine)
        yield env, engine


@contextmanager
def _console(env: Mapping[str, str]) -> Iterator[Terminal]:
    switchgear = str(Path(sys.executable).with_name("switchgear"))
    console = Terminal([switchgear, ENVIRONMENT], env=env, columns=120, rows=40)
    try:
        pump_until(console, "Requests", 20)
        time.sleep(0.5)
        yield console
    finally:
        console.end()
