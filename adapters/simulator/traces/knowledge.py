"""What requests answer from: the retrieval index that is published, and what conversations remember."""

from bisect import bisect_left, bisect_right, insort
from typing import Final

from adapters.simulator.world import World

SNAPSHOT_S: Final = 1200.0
"""A new version of the retrieval index is published this often; every service answers from it at once."""

FIRST: Final = 41
"""The number of the version with which a world begins."""

PROMPT_S: Final = 1800.0
"""The prompts get a new version this often."""

FIRST_PROMPT: Final = 7
"""The version with which they begin."""


class Index:
    """The retrieval index of a world, version by version."""

    def __init__(self, world: World) -> None:
        self._begin = world.begin
        self._left_behind = world.scenario.left_behind
        self._onset = world.begin + world.scenario.quiet_s

    def snapshot(self, service: str, at: float) -> str:
        """What a service answers from at a moment; `at` in unix seconds."""
        passed = max(0, int((at - self._begin) // SNAPSHOT_S))
        if self._left_behind and at >= self._onset:
            passed = 0 if service == self._left_behind else passed + 1
        return f"kb-{FIRST + passed}"

    def prompt(self, at: float) -> str:
        """The version of the prompts at a moment."""
        return str(FIRST_PROMPT + max(0, int((at - self._begin) // PROMPT_S)))


class Memory:
    """What one conversation remembers: a summary that each answer writes anew."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        self._ends: list[float] = []
        """When each write ended, in unix seconds."""

    def write(self, end: float) -> None:
        """One more version, there from `end` on."""
        insort(self._ends, end)

    def read(self, at: float) -> int:
        """The version that is there at a moment; 0 before the first."""
        return bisect_right(self._ends, at)

    def made(self, end: float) -> int:
        """The version of the write that ended then."""
        return bisect_left(self._ends, end) + 1
