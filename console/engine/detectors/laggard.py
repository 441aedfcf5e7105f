"""Which of the services that disagree is the one that lags behind, or whose write was lost."""

import re
from collections import Counter
from collections.abc import Iterable

from console.domain.answers import Group
from console.domain.conversations import Divergence, DivergenceKind
from console.domain.readings import Service
from console.domain.wire import Change

VERSIONS_KEPT = 200
"""Versions of snapshots whose first sight is remembered; the oldest are forgotten."""
MOST_OF_THEM = 0.6
"""Part of the disagreements in which one service has to be the one behind before it is named."""


_NUMBER = re.compile(r"(\d{1,18})")


class Laggard:
    """Knows which of two snapshot versions is the older: by the one number in which they differ, else by when each was
    first seen. A service that falls back to what nobody has seen before would else look as if it were ahead."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}
        """(trace source, version) → unix seconds."""

    def feed(self, change: Change) -> None:
        """Hear which versions services answer from; a service lists its newest first."""
        for reading in change.readings:
            if isinstance(reading, Service):
                for age, version in enumerate(reversed(reading.snapshots)):
                    self._seen.setdefault((reading.ref.source, version), change.at + age / 1000.0)
        while len(self._seen) > VERSIONS_KEPT:
            self._seen.pop(next(iter(self._seen)))

    def about(self, source: str, found: Iterable[Divergence]) -> Group | None:
        """The service that is behind in most of these; None where that cannot be said."""
        behind = Counter(self._behind(source, one) for one in found)
        total = behind.total()
        del behind[""]
        if not behind:
            return None
        name, often = behind.most_common(1)[0]
        return Group(service=name) if often >= MOST_OF_THEM * total else None

    def _behind(self, source: str, one: Divergence) -> str:
        """Of snapshots who answered from the older one; of memory who wrote what was lost, or wrote over it."""
        if one.kind is DivergenceKind.LOST_WRITE:
            return one.against.service or one.first.service
        if one.kind is DivergenceKind.FOREIGN_WRITE:
            return one.against.service
        first, other = _numbered(one.first.version, one.against.version)
        if first is None or other is None:
            first, other = (self._seen.get((source, mark.version)) for mark in (one.first, one.against))
        if first is None or other is None or first == other:
            return ""
        return one.first.service if first < other else one.against.service


def _numbered(one: str, other: str) -> tuple[float | None, float | None]:
    """The numbers of two versions that are the same but for one number; none where they differ in more, or in words."""
    parts, others = _NUMBER.split(one), _NUMBER.split(other)
    differ = [at for at, (mine, its) in enumerate(zip(parts, others, strict=False)) if mine != its]
    if len(parts) != len(others) or len(differ) != 1 or differ[0] % 2 == 0:
        return None, None
    return float(parts[differ[0]]), float(others[differ[0]])
