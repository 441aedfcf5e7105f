"""The eight lanes of a request, in order."""

from collections import defaultdict
from collections.abc import Sequence

from console.domain.lanes import LaneValue, lane_values
from console.domain.reconstruction import Lane, LaneEntry
from console.domain.spans import LaneKind
from console.traces.absence import lane_missing
from console.traces.case import Case

_EVERY_STEP = frozenset({LaneKind.PATH, LaneKind.TOKENS})
"""Lanes in which something within its like is another thing; in the others it is the same thing, told again."""

_Key = tuple[LaneKind, str]


def lanes(case: Case) -> tuple[Lane, ...]:
    """What every lane has, or why it has nothing.

    What a span says that lies in one which says the same is told once; so is a call that several spans tell of, and its
    tokens are counted once, whatever each of them calls the model.
    """
    tree, stands = case.tree, case.stands
    entries: dict[LaneKind, list[LaneEntry]] = {kind: [] for kind in LaneKind}
    told: set[tuple[int, LaneKind, str]] = set()
    above = _Above()
    for place in tree.order:
        above.leave_to(tree.parents[place])
        values = lane_values(tree.spans[place])
        work = stands.get(place, place)
        for one in values:
            key = (work, one.lane, "" if one.lane is LaneKind.TOKENS else one.value)
            if key not in told and not above.says(one):
                told.add(key)
                entries[one.lane].append(_entry(case, place, one))
        above.enter(place, values)
    return tuple(_lane(case, kind, found) for kind, found in entries.items())


class _Above:
    """What the spans above one say, while all are gone through parents first."""

    def __init__(self) -> None:
        self._path: list[tuple[int, Sequence[_Key]]] = []
        self._said: defaultdict[_Key, int] = defaultdict(int)

    def leave_to(self, parent: int) -> None:
        """Forget what lies beneath a span, or everything for `NO_SPAN`."""
        while self._path and self._path[-1][0] != parent:
            for key in self._path.pop()[1]:
                self._said[key] -= 1

    def says(self, one: LaneValue) -> bool:
        """Whether a span above says the same."""
        return self._said.get((one.lane, one.value), 0) > 0

    def enter(self, place: int, values: Sequence[LaneValue]) -> None:
        """Go beneath a span."""
        keys = [(one.lane, one.value) for one in values if one.lane not in _EVERY_STEP] if values else ()
        self._path.append((place, keys))
        for key in keys:
            self._said[key] += 1


def _lane(case: Case, kind: LaneKind, entries: list[LaneEntry]) -> Lane:
    entries.sort(key=lambda one: one.at)
    return Lane(kind=kind, entries=tuple(entries), missing="" if entries else lane_missing(case.trace, kind))


def _entry(case: Case, place: int, one: LaneValue) -> LaneEntry:
    span = case.tree.spans[place]
    return LaneEntry(
        span_id=span.span_id,
        service=span.service,
        at=case.tree.at(place),
        took_s=case.tree.took(place),
        value=one.value,
        measure=one.measure,
        words=one.words,
        failed=span.failed,
    )
