"""A LiteLLM that tells of its own calls: its OpenTelemetry callback, with the SDK that its install does not bring."""

import subprocess
import sys
from pathlib import Path

from tests.real.stack.cache import cache_dir, installing, key_of
from tests.real.stack.missing import Missing

_PACKAGES = ("opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2")
"""Of the version whose API LiteLLM's install has."""


def install_telling() -> Path:
    """A folder with the SDK, for the front of a LiteLLM's path; filled first when it is not there (10 MB).

    Raises:
        Missing: a package could not be had.
    """
    folder = cache_dir() / f"telling-{key_of(_PACKAGES, sys.version_info[:2])}"
    with installing(folder) as needed:
        if needed:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *_PACKAGES]
            done = subprocess.run(pip, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if done.returncode:
                tail = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()[-3:]
                raise Missing(f"could not install OpenTelemetry's SDK for LiteLLM: {' | '.join(tail)}")
    return folder


def telling(sdk: Path, collector_url: str) -> dict[str, str]:
    """The variables that make a LiteLLM with the callback `otel` send its spans, words and all, to a collector."""
    return {
        "PYTHONPATH": str(sdk),
        "OTEL_EXPORTER": "otlp_http",
        "OTEL_ENDPOINT": collector_url,
        "OTEL_SERVICE_NAME": "gateway",
    }
