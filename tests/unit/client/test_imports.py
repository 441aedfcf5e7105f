"""What the screen's process loads: nothing that only the engine needs."""

import subprocess
import sys

import pytest

ENGINES_OWN = {"pydantic", "httpx", "aiohttp", "sqlite_utils", "prometheus_client", "redis", "genai_prices", "ruamel"}


@pytest.mark.parametrize(
    "module",
    ["console.client", "console.cli.main", "console.cli.screen", "console.cli.demo", "console.ui", "console.ui.app"],
)
def test_the_front_imports_nothing_of_the_engines(module: str) -> None:
    code = f"import sys, {module}; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert ENGINES_OWN.isdisjoint({name.partition(".")[0] for name in loaded})


def test_the_command_line_shows_its_help_without_the_screen() -> None:
    code = "import sys\nfrom console.cli.main import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "textual" not in done.stdout.split()
    assert "rich" not in done.stdout.split()
