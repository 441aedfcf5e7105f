"""What requests answer from: the retrieval index that is published, and what conversations remember."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from functools import cache
from typing import Final

from adapters.simulator.answers.forms import deviate
from adapters.simulator.answers.rates import INDEX
from adapters.simulator.faults import Fault
from adapters.simulator.world import World

SNAPSHOT_S: Final = 1200.0
"""A new version of the retrieval index is published this often; every service answers from it at once."""

FIRST: Final = 41
"""The number of the version with which a world begins."""

PROMPT_S: Final = 36_000.0
"""A route's prompt gets a new version about this often, each at a time of its own."""

FIRST_PROMPT: Final = 7
"""The version with which they begin."""

CHANGES: Final = 200
"""Changes of a service's version that are remembered: requests that are told later began earlier."""


class Index:
    """The retrieval index of a world, version by version, and which service has which.

    Normally all have the newest. A service that is left behind has an older one; in a rollout, which is declared, they
    go over to the next one by one, and nothing else is published meanwhile.
    """

    def __init__(self, world: World, services: tuple[str, ...] = ()) -> None:
        self._world = world
        self._begin = world.begin
        self._services = list(services)
        self._extra = 0
        """Versions that were published out of turn."""
        self._newest = FIRST
        self._changes: dict[str, deque[tuple[float, int]]] = {}
        """By service: (unix seconds from which on it has it, version)."""
        self._lagging = False
        self._rolling = 0
        """The version from which a rollout goes to the next; 0 when there is none."""
        self._moved: set[str] = set()

    def join(self, service: str) -> None:
        """A service that answers from the index."""
        if service not in self._services:
            self._services.append(service)

    def step(self) -> None:
        """The world has moved."""
        world = self._world
        due = FIRST + max(0, int((world.now - self._begin) // SNAPSHOT_S)) + self._extra
        behind = {name: round(world.fault(Fault.OLD_SNAPSHOT, f"service/{name}")) for name in self._services}
        lagging = any(behind.values())
        if lagging and not self._lagging:
            # They are left behind by something: a version is published that they do not get.
            self._extra += 1
            due += 1
        self._lagging = lagging
        self._roll(due)
        for name in self._services:
            base = self._rolling + (name in self._moved) if self._rolling else self._newest
            self._have(name, base - behind[name])

    def _roll(self, due: int) -> None:
        """Publish what is due, or go on with a rollout: service by service, or as a part of all of them."""
        part = self._world.fault(Fault.ROLLOUT, f"index/{INDEX}")
        moves = {name: self._world.fault(Fault.ROLLOUT, f"service/{name}") for name in self._services}
        if part <= 0.0 and not any(moves.values()):
            if self._rolling:
                # What was rolled out is the newest now, and the clock goes on from there.
                self._extra += max(0, self._rolling + 1 - due)
                self._newest, self._rolling = max(due, self._rolling + 1), 0
            self._newest = max(self._newest, due)
            return
        if not self._rolling:
            self._rolling = self._newest
            self._moved.clear()
        self._moved |= {name for name, move in moves.items() if move >= 1.0}
        self._moved |= set(self._services[: int(part * len(self._services))])

    def _have(self, service: str, version: int) -> None:
        changes = self._changes.setdefault(service, deque(maxlen=CHANGES))
        if not changes or changes[-1][1] != version:
            changes.append((self._world.now if changes else float("-inf"), version))

    def snapshot(self, service: str, at: float) -> str:
        """What a service answered from at a moment; `at` in unix seconds."""
        for since, version in reversed(self._changes.get(service, ())):
            if at >= since:
                return f"kb-{version}"
        return f"kb-{self._changes[service][0][1] if service in self._changes else self._newest}"

    @property
    def rollout(self) -> str:
        """What is being rolled out, as the platform declares it; empty when nothing is."""
        return f"{INDEX} kb-{self._rolling} → kb-{self._rolling + 1}" if self._rolling else ""

    def prompt(self, route: str, at: float) -> str:
        """The version of a route's prompt at a moment."""
        every_s, phase = _releases(route)
        return str(FIRST_PROMPT + max(0, int((at - self._begin) / every_s + phase)))


@cache
def _releases(route: str) -> tuple[float, float]:
    """(seconds from one version of a route's prompt to the next, how long ago the first came, as a part of that)."""
    # The first change comes after at least a third of that.
    return PROMPT_S * (1.0 + 0.2 * deviate(f"prompt {route}")), 0.33 + 0.19 * deviate(f"release {route}")


class Memory:
    """What one conversation remembers: a summary that each answer writes anew."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        self._ends: list[float] = []
        """When each write ended that was not lost, in unix seconds."""

    def write(self, end: float) -> None:
        """One more version, there from `end` on."""
        insort(self._ends, end)

    def read(self, at: float) -> int:
        """The version that is there at a moment; 0 before the first."""
        return bisect_right(self._ends, at)

    def made(self, end: float) -> int:
        """The version of the write that ended then, also if it is lost."""
        return bisect_left(self._ends, end) + 1
