"""The eight lanes of a request, in order."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from console.domain.lanes import LaneValue, lane_values
from console.domain.reconstruction import Lane, LaneEntry
from console.domain.spans import LaneKind
from console.traces.absence import lane_missing
from console.traces.case import Case

_EVERY_STEP = frozenset({LaneKind.PATH, LaneKind.TOKENS})
"""Lanes in which something within its like is another thing; in the others it is the same thing, told again."""

_BY_TIME = attrgetter("at")

_Key = tuple[LaneKind, str]


def lanes(case: Case) -> tuple[Lane, ...]:
    """What every lane has, or why it has nothing.

    What a span says that lies in one which says the same is told once; so is a call that several spans tell of, and its
    tokens are counted once, whatever each of them calls the model.
    """
    tree, stands = case.tree, case.stands
    several = {*stands, *stands.values()}
    entries: dict[LaneKind, list[LaneEntry]] = {kind: [] for kind in LaneKind}
    told: set[tuple[int, LaneKind, str]] = set()
    above = _Above()
    for place in tree.order:
        above.leave_to(tree.parents[place])
        values = lane_values(tree.spans[place])
        fresh = [one for one in values if not above.says(one)] if above.said else values
        if place in several:
            fresh = _once(fresh, stands.get(place, place), told)
        if fresh:
            _enter(entries, case, place, fresh)
        if tree.children[place]:
            above.enter(place, values)
    return tuple(_lane(case, kind, found) for kind, found in entries.items())


def _once(values: Sequence[LaneValue], work: int, told: set[tuple[int, LaneKind, str]]) -> list[LaneValue]:
    """What no other span has told of the same work."""
    found: list[LaneValue] = []
    for one in values:
        key = (work, one.lane, "" if one.lane is LaneKind.TOKENS else one.value)
        if key not in told:
            told.add(key)
            found.append(one)
    return found


class _Above:
    """What the spans above one say, while all are gone through parents first."""

    def __init__(self) -> None:
        self._path: list[tuple[int, Sequence[_Key]]] = []
        self.said: Counter[_Key] = Counter()
        """How many of them say it; what none says is not in it."""

    def leave_to(self, parent: int) -> None:
        """Forget what lies beneath a span, or everything for `NO_SPAN`."""
        while self._path and self._path[-1][0] != parent:
            for key in self._path.pop()[1]:
                self.said[key] -= 1
                if not self.said[key]:
                    del self.said[key]

    def says(self, one: LaneValue) -> bool:
        """Whether a span above says the same."""
        return (one.lane, one.value) in self.said

    def enter(self, place: int, values: Sequence[LaneValue]) -> None:
        """Go beneath a span."""
        keys = [(one.lane, one.value) for one in values if one.lane not in _EVERY_STEP] if values else ()
        self._path.append((place, keys))
        self.said.update(keys)


def _lane(case: Case, kind: LaneKind, entries: list[LaneEntry]) -> Lane:
    entries.sort(key=_BY_TIME)
    return Lane(kind=kind, entries=tuple(entries), missing="" if entries else lane_missing(case.trace, kind))


def _enter(entries: dict[LaneKind, list[LaneEntry]], case: Case, place: int, values: Sequence[LaneValue]) -> None:
    """What one span puts into the lanes."""
    span, at, took = case.tree.spans[place], case.tree.at(place), case.tree.took(place)
    name, service, failed = span.span_id, span.service, span.failed
    for one in values:
        entries[one.lane].append(
            LaneEntry(
                span_id=name, service=service, at=at, took_s=took, value=one.value, measure=one.measure,
                words=one.words, failed=failed,
            )
        )  # fmt: skip
