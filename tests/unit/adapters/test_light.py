"""An engine loads no more than it needs."""

import subprocess
import sys


def test_httpx_comes_without_its_own_command_line() -> None:
    code = "import adapters.http, sys, httpx; httpx.Client().close(); print({'pygments', 'click'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
