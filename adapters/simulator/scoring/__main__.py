"""`python -m adapters.simulator.scoring`: a `Played` game as JSON on standard input, its `Score` on standard output."""

import asyncio
import sys

from adapters.simulator.scoring.score import score
from console.domain.games import Played
from console.domain.wire import decode, encode


def main() -> int:
    """Judge one game."""
    played = decode(sys.stdin.buffer.read(), Played)
    sys.stdout.buffer.write(encode(asyncio.run(score(played))) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
