"""Spans that name each other as parents. Pure."""

from collections.abc import Sequence

import msgspec

from console.domain.spans import Span


def without_circles(spans: Sequence[Span]) -> tuple[list[Span], int]:
    """The spans with every circle of parents opened at its first span, and how many circles there were."""
    parents = {span.span_id: span.parent_id for span in spans}
    safe: set[str] = set()
    opened: set[str] = set()
    for span in spans:
        above = parents[span.span_id]
        if above in safe or above not in parents:
            safe.add(span.span_id)
            continue
        path: dict[str, None] = {}
        here = span.span_id
        while here in parents and here not in safe:
            if here in path:
                opened.add(here)
                break
            path[here] = None
            here = parents[here]
        safe.update(path)
    if not opened:
        return list(spans), 0
    return [msgspec.structs.replace(s, parent_id="") if s.span_id in opened else s for s in spans], len(opened)
