"""Whose calls reached which deployment in a minute: the world's flows, told apart by tenant and service."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from adapters.simulator.habits import AGAIN_S
from adapters.simulator.parts import ATTEMPTS, CHANCES, HANDED_ON, REFUSED, TOO_LONG, Deployment, Stream
from adapters.simulator.world import World

FRONT: Final = "api"
"""The service that takes requests in, and that puts jobs into queues."""


@dataclass(slots=True)
class Flow:
    """What one tenant's calls by way of one service did at one deployment."""

    deployment: Deployment
    stream: Stream
    """Whose calls they are; where they came as a fallback, it is a stream of another route than the deployment's."""
    service: str
    calls: float
    """Those that are longer than the window apart."""
    fail: float
    """Part of them that failed."""
    too_long: float


class _Counted(NamedTuple):
    """Some of a deployment's sums, or what they grew by."""

    attempts: float
    failed: float
    """Those that failed whatever they asked."""
    too_long: float
    refused: float
    """Those that were refused because of who asked."""


@dataclass(slots=True)
class _Asked:
    """What one stream asked since the last look."""

    calls: float = 0.0
    too_long: float = 0.0


@dataclass(slots=True)
class _Part:
    """What one stream and service asks of a route."""

    stream: Stream
    service: str
    calls: float
    too_long: float


@dataclass(slots=True)
class _Mix:
    """Everybody who asks a route."""

    parts: list[_Part] = field(default_factory=list)

    def put(self, part: _Part, factor: float = 1.0) -> None:
        """Somebody asks, with so much of what he asks in all."""
        self.parts.append(_Part(part.stream, part.service, part.calls * factor, part.too_long * factor))


class Flows:
    """Reads a world's flows, minute by minute."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked = [_Asked() for _ in world.streams]
        self.jobs: Counter[tuple[str, str, str]] = Counter()
        """Deliveries since the last look, by (route, tenant, service)."""
        self._before: dict[str, _Counted] = {}
        self._handed: dict[str, float] = {}
        self._look()

    def step(self, dt: float) -> None:
        """The world has moved by `dt` seconds."""
        for asked, stream in zip(self._asked, self._world.streams, strict=True):
            calls = max(0.0, stream.now * (1.0 - stream.overflow) + stream.jobs) * stream.calls
            asked.calls += (calls + stream.backlog / self._world.platform.gateway.client_backoff_s) * dt
            if stream.overflow or stream.overflowing:
                asked.too_long += (stream.now * stream.overflow + stream.overflowing / AGAIN_S) * dt

    def take(self) -> Iterator[Flow]:
        """What flowed since the last look."""
        before, handed = self._before, self._handed
        self._look()
        mixes = self._mixes({name: now - handed[name] for name, now in self._handed.items()})
        for name, item in self._world.deployments.items():
            sums = _Counted(*(now - was for now, was in zip(self._before[name], before[name], strict=True)))
            mix = mixes.get(item.route)
            # Texts that are made into vectors answer nothing.
            if mix is not None and sums.attempts > 0.0 and item.spec.tokens_out > 0:
                yield from self._shared(item, mix.parts, sums)

    def _look(self) -> None:
        self._before = {}
        for name, item in self._world.deployments.items():
            sums = item.sums.now
            failed = sum(sums[index] for index in CHANCES)
            self._before[name] = _Counted(sums[ATTEMPTS], failed, sums[TOO_LONG], sums[REFUSED])
        self._handed = {name: route.sums.now[HANDED_ON] for name, route in self._world.routes.items()}

    def _mixes(self, handed: Mapping[str, float]) -> dict[str, _Mix]:
        """Who asks each route, fallbacks and aliases followed."""
        mixes: dict[str, _Mix] = {}
        for name, parts in self._own().items():
            route = self._world.routes[name]
            total = sum(part.calls for part in parts)
            first = self._world.routes[self._world.gateway.alias(route) or name]
            behind = next((one for one in first.spec.fallbacks if one != name), "")
            on = min(1.0, handed[name] / total) if total > 0.0 and behind else 0.0
            for part in parts:
                mixes.setdefault(first.spec.name, _Mix()).put(part)
                if on > 0.0:
                    mixes.setdefault(behind, _Mix()).put(part, on)
        return mixes

    def _own(self) -> dict[str, list[_Part]]:
        """What each route was asked for by its own streams, and by way of which service."""
        own: dict[str, list[_Part]] = {}
        jobs: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for (route, tenant, service), count in self.jobs.items():
            jobs.setdefault((route, tenant), []).append((service, count))
        self.jobs.clear()
        for asked, stream in zip(self._asked, self._world.streams, strict=True):
            parts = own.setdefault(stream.route.spec.name, [])
            left = asked.calls
            for service, count in jobs.get((stream.route.spec.name, stream.key), ()):
                part = min(left, count * stream.calls)
                parts.append(_Part(stream, service, part, 0.0))
                left -= part
            parts.append(_Part(stream, FRONT, left, asked.too_long))
            asked.calls = asked.too_long = 0.0
        return own

    def _shared(self, item: Deployment, parts: list[_Part], sums: _Counted) -> Iterator[Flow]:
        """A deployment's calls, shared among those who ask its route."""
        fine = max(0.0, sums.attempts - sums.too_long - sums.refused)
        fail = min(1.0, sums.failed / fine) if fine > 0.0 else 0.0
        hurt = [self._world.hurting.get(part.stream.key, {}).get(item.spec.name, 0.0) for part in parts]
        passing = _shares([part.calls * (1.0 - one) for part, one in zip(parts, hurt, strict=True)], fine)
        refused = _shares([part.calls * one for part, one in zip(parts, hurt, strict=True)], sums.refused)
        too_long = _shares([part.too_long for part in parts], sums.too_long)
        for place, part in enumerate(parts):
            calls = passing[place] + refused[place]
            yield Flow(
                deployment=item,
                stream=part.stream,
                service=part.service,
                calls=calls,
                fail=(passing[place] * fail + refused[place]) / calls if calls > 0.0 else 0.0,
                too_long=too_long[place],
            )


def _shares(weights: list[float], whole: float) -> list[float]:
    total = sum(weights)
    return [whole * weight / total for weight in weights] if total > 0.0 else [0.0] * len(weights)
