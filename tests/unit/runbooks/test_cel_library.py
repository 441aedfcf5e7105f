"""What an engine loads of the CEL library."""

import subprocess
import sys

LOADS = """
import sys
from runbooks.compiling import compiled
compiled("run_s > 1")
print(sorted({"cel.cel", "prompt_toolkit", "typer", "pygments"} & sys.modules.keys()))
"""


def test_the_librarys_own_command_line_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['cel.cel']"
