"""Agents under instrumentation that applications really use, in a virtual environment of their own in the cache."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.real.stack.cache import PROJECT, cache_dir, installing, key_of
from tests.real.stack.missing import Missing
from tests.real.stack.processes import Nursery

OTEL = "1.45.1"
OTEL_CONTRIB = "0.66b1"
VERSIONS = {
    "openai": "3.54.0",
    "openinference-instrumentation-openai": "0.1.66",
    "opentelemetry-instrumentation-genai-openai": "1.3b0",
    "opentelemetry-util-genai": "1.3b0",
    "opentelemetry-instrumentation-openai": "0.62.4",
    "langfuse": "5.0.4",
}
"""What was tried: OpenAI's own client, then OpenInference, the official GenAI instrumentation (with the helpers for an
agent's own steps), Traceloop and Langfuse for it."""
TRACELOOP_SDK = "0.62.4"
_BESIDE = (
    f"opentelemetry-sdk=={OTEL}",
    f"opentelemetry-exporter-otlp-proto-http=={OTEL}",
    f"opentelemetry-exporter-otlp-proto-grpc=={OTEL}",
    f"opentelemetry-instrumentation-threading=={OTEL_CONTRIB}",
    f"opentelemetry-instrumentation-logging=={OTEL_CONTRIB}",
    *("aiohttp>=3.12,<4", "colorama", "cuid", "deprecated", "httpx>=0.28,<0.29", "jinja2", "tenacity"),
)
"""What Traceloop's SDK imports; it asks for the instrumentation of 35 products, 2 GB, which no agent here uses."""
_PACKAGES = (*(f"{name}=={version}" for name, version in VERSIONS.items()), *_BESIDE)
TELLING = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
"""The environment in which all of them record what was said; the others do so when nobody tells them not to."""
SILENT = {
    "OPENINFERENCE_HIDE_INPUTS": "true",
    "OPENINFERENCE_HIDE_OUTPUTS": "true",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "NO_CONTENT",
    "TRACELOOP_TRACE_CONTENT": "false",
}
"""The environment in which they do not; Langfuse has a switch for that in the application only."""
LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Agents:
    """The environment in which they run."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "venv" / "bin" / "python"

    def run(
        self,
        convention: str,
        nursery: Nursery,
        *,
        upstream: str,
        spans: str,
        conversation: str,
        capture: Mapping[str, str] = TELLING,
    ) -> None:
        """Let the agent of one convention run one errand to its end, its spans sent.

        Args:
            convention: a module of `tests.real.agents`.
            nursery: whose folder has its output.
            upstream: the base address of an OpenAI-like API.
            spans: where OTLP over HTTP goes.
            conversation: its id.
            capture: `TELLING` or `SILENT`.

        Raises:
            AssertionError: it failed; the text ends with its output.
        """
        theirs = ("OTEL_", "OPENINFERENCE_", "TRACELOOP_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        env |= {"PYTHONDONTWRITEBYTECODE": "", "NO_PROXY": "127.0.0.1", **capture}
        command: list[str | Path] = [
            self.python,
            "-m",
            f"tests.real.agents.{convention}",
            upstream,
            spans,
            conversation,
        ]
        child = nursery.spawn(f"agent-{convention}", command, env=env, cwd=PROJECT)
        try:
            code = child.process.wait(LIMIT_S)
        finally:
            child.kill()
        assert code == 0, child.log_tail(40)


def install_agents() -> Agents:
    """The agents' environment, installed first when it is not there (136 MB, half a minute).

    Raises:
        Missing: a package could not be had.
    """
    installed = Agents(cache_dir() / f"agents-{key_of(_PACKAGES, TRACELOOP_SDK, sys.version_info[:2])}")
    with installing(installed.folder) as needed:
        if needed:
            print(f"installing instrumented agents into {installed.folder} (once, half a minute)", flush=True)
            _run([sys.executable, "-m", "venv", installed.folder / "venv"])
            pip: list[str | Path] = [installed.python, "-m", "pip", "install", "--quiet"]
            _run([*pip, *_PACKAGES])
            _run([*pip, "--no-deps", f"traceloop-sdk=={TRACELOOP_SDK}"])
    return installed


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        tail = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()[-3:]
        raise Missing(f"could not install the instrumented agents: {' | '.join(tail) or 'no word why'}")
