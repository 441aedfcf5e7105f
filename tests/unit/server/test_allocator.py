"""What was needed for a moment is given back to the system."""

import subprocess
import sys

import pytest

from console.allocator import spare

_PLAY = """
from console.allocator import spare
assert spare()

def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024

before, kept, blocks = resident(), [], []
first = bytearray(8 * 2**20)
del first  # glibc learns from it that such blocks come and go
for _ in range(16):
    blocks.append(bytearray(4 * 2**20))
    blocks[-1][:] = bytes(4 * 2**20)  # so that it is really there
    kept.append(bytearray(2000))  # a small one that stays, behind each
del blocks
print(resident() - before)
"""


@pytest.mark.skipif(not spare(), reason="only glibc's allocator can be told")
def test_large_blocks_leave_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", _PLAY], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 16, "MB, of 64 that were taken for a moment"
