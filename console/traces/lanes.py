"""The eight lanes of a request, in order."""

from console.domain.lanes import LaneValue, lane_values
from console.domain.reconstruction import Lane, LaneEntry
from console.domain.spans import LaneKind
from console.traces.absence import lane_missing
from console.traces.case import Case
from console.traces.tree import NO_SPAN

_EVERY_STEP = frozenset({LaneKind.PATH, LaneKind.TOKENS})
"""Lanes in which something within its like is another thing; in the others it is the same thing, told again."""
_Told = frozenset[tuple[LaneKind, str]]


def lanes(case: Case) -> tuple[Lane, ...]:
    """What every lane has, or why it has nothing.

    What a span says that lies in one which says the same is told once; so is a call that several spans tell of, and its
    tokens are counted once, whatever each of them calls the model.
    """
    tree = case.tree
    entries: dict[LaneKind, list[LaneEntry]] = {kind: [] for kind in LaneKind}
    within: list[_Told] = [frozenset()] * len(tree.spans)
    told: set[tuple[int, LaneKind, str]] = set()
    for place in tree.order:
        parent = tree.parents[place]
        above = within[parent] if parent != NO_SPAN else frozenset()
        values = lane_values(tree.spans[place])
        work = case.stands.get(place, place)
        for one in values:
            key = (work, one.lane, "" if one.lane is LaneKind.TOKENS else one.value)
            if key not in told and (one.lane, one.value) not in above:
                told.add(key)
                entries[one.lane].append(_entry(case, place, one))
        mine = frozenset((one.lane, one.value) for one in values if one.lane not in _EVERY_STEP)
        within[place] = above if mine <= above else above | mine
    return tuple(_lane(case, kind, found) for kind, found in entries.items())


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
