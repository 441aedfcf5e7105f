"""The spans of one request in the order of a tree: every span once, whatever their parents say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from console.domain.spans import Span


class Node(NamedTuple):
    """One span at its place in the tree."""

    span: Span
    depth: int
    """0 for a root."""
    orphan: bool = False
    """Whether it names a parent that has not arrived."""


def nodes(spans: Sequence[Span]) -> list[Node]:
    """Every span once: parents before their children, both by start.

    A span whose parent has not arrived stands as a root, and so does the earliest of spans that are each other's
    parents. Spans with the same id are siblings; their children stand beneath the first of them.
    """
    ordered = sorted(range(len(spans)), key=lambda at: (spans[at].started_at, at))
    places: dict[str, int] = {}
    for at in ordered:
        places.setdefault(spans[at].span_id, at)
    children: dict[int, list[int]] = defaultdict(list)
    roots: list[int] = []
    for at in ordered:
        parent = places.get(spans[at].parent_id) if spans[at].parent_id else None
        if parent is None or parent == at:
            roots.append(at)
        else:
            children[parent].append(at)
    found: list[Node] = []
    seen: set[int] = set()
    for root in (*roots, *ordered):
        found += _beneath(root, spans, children, places, seen)
    return found


def _beneath(
    root: int, spans: Sequence[Span], children: dict[int, list[int]], places: dict[str, int], seen: set[int]
) -> Iterator[Node]:
    """A root and all beneath it that were not seen yet; without recursion, since a chain may be thousands deep."""
    waiting = [(root, 0)]
    while waiting:
        at, depth = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        span = spans[at]
        orphan = bool(span.parent_id) and span.parent_id not in places
        yield Node(span, depth, orphan)
        waiting += ((child, depth + 1) for child in reversed(children.get(at, ())))
