"""The spans of one request as a tree on one clock, whatever their parents and their clocks say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.domain.readings import Request
from console.domain.spans import Span, SpanKind

NO_SPAN = -1
"""Stands for a parent that there is not."""
TOLD_SKEW_S = 0.001
"""Clocks that are further apart are said; less is the network's."""


@dataclass(slots=True)
class Tree:
    """Every span once; numbers are places in `spans`."""

    spans: Sequence[Span]
    """By start, as their own clocks say."""
    base: float
    """Unix seconds that `starts` and `ends` count from."""
    parents: list[int]
    """`NO_SPAN` for those at the top. Spans that are each other's parents are cut open at the earliest."""
    children: list[list[int]]
    """By start."""
    tops: list[int]
    """Those without a parent that has arrived, by start."""
    root: int
    """The span of the request itself; `NO_SPAN` when that has not arrived and it is not clear what stands for it."""
    arrived: bool
    """Whether the root is a true one, that names no parent."""
    order: list[int]
    """Parents before their children, both by start."""
    starts: list[float] = field(default_factory=list)
    """Seconds after `base`, clocks put right."""
    ends: list[float] = field(default_factory=list)
    """Of a span that has not ended: the end of the last that is known beneath it."""
    skews: dict[str, float] = field(default_factory=dict)
    """By how many seconds a service's clock was put forward (negative: back), where that is worth a word."""

    def at(self, place: int) -> float:
        """When a span began, unix seconds."""
        return self.base + self.starts[place]

    def took(self, place: int) -> float | None:
        """Seconds; None while it has not ended."""
        duration = self.spans[place].duration_s
        return None if duration is None else self.ends[place] - self.starts[place]


def tree_of(spans: Sequence[Span], request: Request | None = None) -> Tree:
    """The tree; `request` helps to tell which of several roots is the request's."""
    ordered = sorted(spans, key=lambda span: _finite(span.started_at))
    places = {span.span_id: place for place, span in reversed(list(enumerate(ordered)))}  # of two the first counts
    parents = [_parent(place, span, places) for place, span in enumerate(ordered)]
    children: list[list[int]] = [[] for _ in ordered]
    for place, parent in enumerate(parents):
        if parent != NO_SPAN:
            children[parent].append(place)
    tops, order = _walk(parents, children)
    tree = Tree(
        spans=ordered,
        base=_finite(ordered[0].started_at) if ordered else 0.0,
        parents=parents,
        children=children,
        tops=tops,
        root=NO_SPAN,
        arrived=False,
        order=order,
    )
    _choose_root(tree, request)
    _set_clocks(tree)
    return tree


def _finite(number: float | None) -> float:
    return number if number is not None and math.isfinite(number) else 0.0


def _parent(place: int, span: Span, places: dict[str, int]) -> int:
    if not span.parent_id:
        return NO_SPAN
    found = places.get(span.parent_id, NO_SPAN)
    return NO_SPAN if found == place else found


def _walk(parents: list[int], children: list[list[int]]) -> tuple[list[int], list[int]]:
    """Tops and order; whoever is reached from no top is in a circle, which is cut open."""
    tops = [place for place, parent in enumerate(parents) if parent == NO_SPAN]
    seen = [False] * len(parents)
    order: list[int] = []
    for top in tops:
        _go_beneath(top, children, seen, order)
    if len(order) < len(parents):
        for place in range(len(parents)):
            if not seen[place]:
                children[parents[place]].remove(place)
                parents[place] = NO_SPAN
                tops.append(place)
                _go_beneath(place, children, seen, order)
        tops.sort()
    return tops, order


def _go_beneath(top: int, children: list[list[int]], seen: list[bool], order: list[int]) -> None:
    """Without recursion: a chain may be thousands deep."""
    waiting = [top]
    while waiting:
        place = waiting.pop()
        if seen[place]:
            continue
        seen[place] = True
        order.append(place)
        if inner := children[place]:
            waiting.extend(reversed(inner))


def _choose_root(tree: Tree, request: Request | None) -> None:
    """The first true root, one that is named like the request before others; a lone top stands for one."""
    name = request.name if request is not None else ""
    true = [top for top in tree.tops if not tree.spans[top].parent_id]
    if true:
        tree.root = min(true, key=lambda top: (bool(name) and tree.spans[top].name != name, top))
        tree.arrived = True
    elif len(tree.tops) == 1:
        tree.root = tree.tops[0]


def _set_clocks(tree: Tree) -> None:
    """Lay every span on the clock of the top above it."""
    spans, parents = tree.spans, tree.parents
    tree.starts = [_finite(span.started_at) - tree.base for span in spans]
    lengths = [max(0.0, _finite(span.duration_s)) for span in spans]
    shifts = [0.0] * len(spans)
    tree.ends = [start + length for start, length in zip(tree.starts, lengths, strict=True)]
    for place in tree.order:
        parent = parents[place]
        if parent == NO_SPAN:
            continue
        span, above = spans[place], spans[parent]
        if span.service == above.service:
            shift = shifts[parent]
        elif span.service and above.service:
            shift = _skew(tree, place, parent)
        else:
            continue
        if shift:
            shifts[place] = shift
            tree.starts[place] += shift
            tree.ends[place] += shift
            if abs(shift) >= max(TOLD_SKEW_S, abs(tree.skews.get(span.service, 0.0))):
                tree.skews[span.service] = shift
    for place in reversed(tree.order):
        parent = parents[place]
        if parent != NO_SPAN and spans[parent].duration_s is None:
            tree.ends[parent] = max(tree.ends[parent], tree.ends[place])


def _skew(tree: Tree, place: int, parent: int) -> float:
    """How far a span of another service is off: nothing begins before what called it.

    What a server answers also ends before its caller has the answer, where that waited for it; what goes through a
    queue may end much later and is left as it is.
    """
    start, end = tree.starts[place], tree.ends[place]
    lower, upper = tree.starts[parent], tree.ends[parent]
    span, above = tree.spans[place], tree.spans[parent]
    before, after = lower - start, end - upper
    waited = span.kind is SpanKind.REQUEST and above.kind is not SpanKind.QUEUE
    fits = end - start <= upper - lower and above.duration_s is not None
    if before <= 0 and not (waited and fits and after > 0):
        return 0.0
    if max(before, after) <= TOLD_SKEW_S or not fits:
        return before if before > 0 else -after
    # both ways over the network take about the same time
    return (before - after) / 2
