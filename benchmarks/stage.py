"""What a benchmark runs on: gateways, a config of its own, the engine, the console, a bare Textual app to compare."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENT = "bench"


@dataclass(slots=True)
class Stage:
    """Running gateways and engine."""

    env: Mapping[str, str]
    """For every process of the benchmark: folders of its own, compiled modules allowed, true colour."""
    gateways: subprocess.Popen[str]
    engine: subprocess.Popen[bytes] | None
    endpoints: int

    def tell(self, command: str) -> object:
        """One command to the gateways, and their answer."""
        assert self.gateways.stdin is not None
        assert self.gateways.stdout is not None
        self.gateways.stdin.write(command + "\n")
        self.gateways.stdin.flush()
        return json.loads(self.gateways.stdout.readline())


def clean_environment(folder: Path) -> dict[str, str]:
    """The processes' environment: nothing of the caller's terminal or Python switches is left in it."""
    env = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "LC_ALL", "TZ")}
    for name in ("run", "state"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    return env | {
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "SWITCHGEAR_RUNTIME_DIR": str(folder / "run"),
        "SWITCHGEAR_STATE_DIR": str(folder / "state"),
        "SWITCHGEAR_CONFIG": str(folder / "config.yaml"),
        "BENCH_KEY": "sk-bench",
        "PYTHONPATH": str(ROOT),
    }


def config(ports: list[int], interval_s: float) -> str:
    """One source a gateway."""
    sources = "\n".join(
        f"      gw-{number:03d}: {{adapter: litellm, interval: {interval_s}s, timeout: {interval_s * 0.8}s,"
        f" options: {{replicas: ['http://127.0.0.1:{port}'], key: 'env:BENCH_KEY'}}}}"
        for number, port in enumerate(ports)
    )
    return f"schemaVersion: 1\nenvironments:\n  {ENVIRONMENT}:\n    sources:\n{sources}\n"


@contextlib.contextmanager
def stage(
    endpoints: int, *, deployments: int = 4, samples: int = 620, interval_s: float = 2.0, engine: bool = True
) -> Iterator[Stage]:
    """Gateways and an engine that looks at them; everything is ended at the end."""
    with tempfile.TemporaryDirectory(prefix="sg") as name, contextlib.ExitStack() as ending:
        folder = Path(name)
        env = clean_environment(folder)
        gateways = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.gateways", str(endpoints), str(deployments), str(samples)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            cwd=ROOT,
        )
        ending.callback(end, gateways)
        assert gateways.stdout is not None
        ports = json.loads(gateways.stdout.readline())
        (folder / "config.yaml").write_text(config(ports, interval_s))
        running = Stage(env, gateways, None, endpoints)
        if engine:
            running.engine = start_engine(env, ENVIRONMENT)
            ending.callback(end, running.engine)
        yield running


def start_engine(env: Mapping[str, str], environment: str) -> subprocess.Popen[bytes]:
    """An engine that stays; returns when it listens.

    Raises:
        TimeoutError: it did not listen within 30 s.
    """
    log = Path(env["SWITCHGEAR_STATE_DIR"]) / "engine.out"
    with log.open("wb") as out:
        engine = subprocess.Popen(
            [sys.executable, "-m", "console.server", environment, "--stay"], env=env, cwd=ROOT, stdout=out, stderr=out
        )
    socket = Path(env["SWITCHGEAR_RUNTIME_DIR"]) / f"{environment}.sock"
    deadline = time.monotonic() + 30
    while not socket.exists():
        if engine.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"the engine does not listen: {log.read_text()[-2000:]}")
        time.sleep(0.05)
    return engine


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and wait for it; one that does not is killed."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0
