"""Which piece of one request stands against which of another: by structure, not by time."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

from console.domain.reconstruction import Piece, Reconstruction, StageKind
from console.domain.spans import Span, SpanKind

PRODUCT_MOST: Final = 250_000
"""Pieces of one times pieces of the other up to which their order is aligned; more are paired by their counts."""
FARTHEST: Final = 64
"""Levels up that are searched for the step that a piece belongs to."""

Pair = tuple[Piece | None, Piece | None]
_PAIRED_ANYHOW = frozenset({StageKind.RETRIEVAL, StageKind.MODEL_INPUT, StageKind.MODEL_RESPONSE, StageKind.CONTEXT})
"""Stages in which a piece that stands where another stood is that one, changed; one tool is not another."""


class Structure:
    """What the pieces of one request are aligned by."""

    def __init__(self, request: Reconstruction) -> None:
        self._spans: Mapping[str, Span] = {span.span_id: span for span in reversed(request.trace.spans)}

    def key(self, kind: StageKind, piece: Piece) -> Hashable:
        """The work's name without what may change from one request to the next, and the step that it belongs to."""
        if kind in (StageKind.INCOMING, StageKind.RESULT):
            return kind
        if kind is StageKind.TOOLS:
            return next((value for name, value in piece.facts if name == "tool"), piece.name)
        span = self._spans.get(piece.span_id)
        if span is None:
            return piece.name
        facts = span.facts
        name = span.name
        for part in (facts.response_model, facts.request_model, facts.retrieval_source):
            name = name.replace(part, "") if part else name
        return (name.strip(), self._step(span))

    def _step(self, span: Span) -> str:
        """The nearest step above; empty where there is none."""
        for _ in range(FARTHEST):
            above = self._spans.get(span.parent_id) if span.parent_id else None
            if above is None:
                return ""
            if above.kind is SpanKind.CHAIN:
                return above.name
            span = above
        return ""


def pairs(
    kind: StageKind, first: Sequence[Piece], second: Sequence[Piece], structures: tuple[Structure, Structure]
) -> list[Pair]:
    """Every piece once, in an order that keeps both; None where a piece has no counterpart."""
    mine = [structures[0].key(kind, piece) for piece in first]
    others = [structures[1].key(kind, piece) for piece in second]
    if len(mine) * len(others) > PRODUCT_MOST:
        return _by_count(first, second, mine, others)
    found: list[Pair] = []
    for change, a, b, c, d in SequenceMatcher(None, mine, others, autojunk=False).get_opcodes():
        anyhow = change == "equal" or kind in _PAIRED_ANYHOW
        found += _side_by_side(first[a:b], second[c:d]) if anyhow else _apart(first[a:b], second[c:d])
    return found


def _side_by_side(first: Sequence[Piece], second: Sequence[Piece]) -> Iterator[Pair]:
    both = min(len(first), len(second))
    yield from zip(first[:both], second[:both], strict=True)
    yield from _apart(first[both:], second[both:])


def _apart(first: Sequence[Piece], second: Sequence[Piece]) -> Iterator[Pair]:
    yield from ((piece, None) for piece in first)
    yield from ((None, piece) for piece in second)


def _by_count(
    first: Sequence[Piece], second: Sequence[Piece], mine: Sequence[Hashable], others: Sequence[Hashable]
) -> list[Pair]:
    """The n-th of a name against the n-th of the same name."""
    waiting: dict[Hashable, list[Piece]] = defaultdict(list)
    for key, piece in zip(reversed(others), reversed(second), strict=True):
        waiting[key].append(piece)
    found: list[Pair] = [
        (piece, waiting[key].pop() if waiting[key] else None) for key, piece in zip(mine, first, strict=True)
    ]
    left = {id(piece) for rest in waiting.values() for piece in rest}
    return found + [(None, piece) for piece in second if id(piece) in left]
