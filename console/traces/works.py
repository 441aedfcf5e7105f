"""Which spans tell of the same piece of work, so that a call that two libraries instrumented counts once."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, TypeVar

import msgspec

from console.domain.spans import Content, Facts, Span, SpanKind
from console.traces.tree import NO_SPAN, Tree

SLACK_S: Final = 0.005
"""Two libraries begin and end their spans of one call within so much."""
LOOKED_AT: Final = 4
"""Works before it, of the same key, that one is held against."""
COUNTED: Final = (SpanKind.MODEL, SpanKind.TOOL, SpanKind.RETRIEVAL)
"""Kinds of work that are folded."""

Filled = TypeVar("Filled", Facts, Content)

_SEE_THROUGH = frozenset({SpanKind.REQUEST, SpanKind.OTHER, SpanKind.QUEUE})
"""What may lie between two tellings of one call: HTTP, a gateway's door, a queue."""
_RESPONSE_IDS = ("gen_ai.response.id", "llm.response.id")
_NAMELESS = {""}


@dataclass(slots=True, eq=False)
class Work:
    """One model call, tool call or retrieval."""

    place: int
    """Of the span that stands for it: the outermost."""
    span: Span
    facts: Facts
    """Of all its spans together."""
    content: Content | None
    start: float
    """Seconds, as in the tree."""
    end: float
    again: list[int] = field(default_factory=list)
    """Places of the spans that tell of it again."""
    attempts: int = 1
    """Calls of which the outermost span is made, where a gateway tried several."""


def works_of(tree: Tree) -> dict[SpanKind, list[Work]]:
    """Every work of the kinds that count, by start."""
    enclosing = _enclosing(tree)
    inner: dict[int, list[Work]] = defaultdict(list)
    found: dict[SpanKind, list[Work]] = {kind: [] for kind in COUNTED}
    for place in reversed(tree.order):
        kind = tree.spans[place].kind
        if kind not in found:
            continue
        works = [_work(tree, place)]
        if place in inner:
            works, apart = _FOLDS[kind](works[0], inner.pop(place))
            found[kind].extend(apart)
        outer = enclosing[place]
        nested = outer != NO_SPAN and tree.spans[outer].kind is kind
        (inner[outer] if nested else found[kind]).extend(works)
    return {kind: _once(kind, works) for kind, works in found.items()}


def _work(tree: Tree, place: int) -> Work:
    span = tree.spans[place]
    return Work(place, span, span.facts, span.content, tree.starts[place], tree.ends[place])


def _enclosing(tree: Tree) -> list[int]:
    """For each span the nearest above it that does work of its own."""
    found = [NO_SPAN] * len(tree.spans)
    for place in tree.order:
        parent = tree.parents[place]
        if parent != NO_SPAN:
            found[place] = found[parent] if tree.spans[parent].kind in _SEE_THROUGH else parent
    return found


_Folded = tuple[list[Work], list[Work]]
"""Works that may be told again by one further out, and those that are works of their own whatever lies around them."""


def _fold_models(outer: Work, inner: list[Work]) -> _Folded:
    """A call and what it was made of: at most one of those answered. With more it only wraps calls of their own."""
    if sum(not work.span.failed for work in inner) > 1:
        return inner, []
    outer.attempts = max(outer.attempts, sum(work.attempts for work in inner))
    # what was answered tells more than what was tried before
    _take_all(outer, sorted(inner, key=lambda work: work.span.failed))
    return [outer], []


def _fold_tools(outer: Work, inner: list[Work]) -> _Folded:
    same = [work for work in inner if _tool_name(work) == _tool_name(outer)]
    _take_all(outer, same)
    return [outer], [work for work in inner if work not in same]


def _fold_retrievals(outer: Work, inner: list[Work]) -> _Folded:
    """What found the same, or does not say what it found, tells of the same search."""
    found = _documents(outer)
    same = [work for work in inner if not _documents(work) or _documents(work) == found]
    if not found and len(inner) == 1:
        same = inner
    _take_all(outer, same)
    return [outer], [work for work in inner if work not in same]


_FOLDS: Final[dict[SpanKind, Callable[[Work, list[Work]], _Folded]]] = {
    SpanKind.MODEL: _fold_models,
    SpanKind.TOOL: _fold_tools,
    SpanKind.RETRIEVAL: _fold_retrievals,
}


def _take_all(work: Work, others: Iterable[Work]) -> None:
    for other in others:
        # the longer list is kept, so that a chain of thousands costs no more than its length
        longer, shorter = sorted((work.again, other.again), key=len, reverse=True)
        longer += (other.place, *shorter)
        work.again = longer
        work.facts = _filled(work.facts, other.facts)
        if work.content is None or other.content is None:
            work.content = work.content or other.content
        else:
            work.content = _filled(work.content, other.content)


def _filled(mine: Filled, others: Filled) -> Filled:
    """Mine, and where it says nothing the other's."""
    blank = type(mine)()
    missing = {
        name: value
        for name in mine.__struct_fields__
        if getattr(mine, name) == getattr(blank, name) and (value := getattr(others, name)) != getattr(blank, name)
    }
    return msgspec.structs.replace(mine, **missing) if missing else mine


def _once(kind: SpanKind, works: list[Work]) -> list[Work]:
    """Fold works that two libraries tell of side by side."""
    kept: list[Work] = []
    alike: dict[Hashable, list[Work]] = defaultdict(list)
    keys_of = _KEYS[kind]
    for work in sorted(works, key=attrgetter("start", "place")):
        keys = [key for key in keys_of(work) if key]
        first = next((one for key in keys if key in alike for one in alike[key][-LOOKED_AT:] if _same(one, work)), None)
        if first is not None:
            _take_all(first, [work])
            continue
        kept.append(work)
        for key in keys:
            alike[key].append(work)
    return kept


def _same(one: Work, other: Work) -> bool:
    """Whether two works that share a key are one: at the same time, and told by different libraries or under one id."""
    within = one.start - SLACK_S <= other.start and other.end <= one.end + SLACK_S
    around = other.start - SLACK_S <= one.start and one.end <= other.end + SLACK_S
    if not (within or around) or one.span.service != other.span.service:
        return False
    mine, others = _ids(one), _ids(other)
    if mine and others:
        return bool(mine & others)
    dialects = {_dialect(one.span), _dialect(other.span)}
    return len(dialects) == 2 and "" not in dialects


def _ids(work: Work) -> set[str]:
    """By which a provider or a model named this very work."""
    attributes = work.span.attributes
    named = {work.facts.tool_call, *[name for each in _RESPONSE_IDS if isinstance(name := attributes.get(each), str)]}
    return named - _NAMELESS


def _dialect(span: Span) -> str:
    """The convention that a span was named in, as far as two libraries can be told apart by it."""
    names = span.attributes
    if "openinference.span.kind" in names:
        return "openinference"
    heads = {name.partition(".")[0] for name in names}
    if "traceloop" in heads or "llm.request.type" in names:
        return "traceloop"
    return "langfuse" if "langfuse" in heads else "gen_ai" if "gen_ai" in heads else ""


def _model_keys(work: Work) -> tuple[Hashable, ...]:
    facts = work.facts
    counted = (facts.tokens_in, facts.tokens_out) if facts.tokens_in and facts.tokens_out else None
    return (*_ids(work), counted)


def _tool_keys(work: Work) -> tuple[Hashable, ...]:
    return (work.facts.tool_call, _tool_name(work))


def _retrieval_keys(work: Work) -> tuple[Hashable, ...]:
    return (_documents(work), work.content.query if work.content else "")


_KEYS: Final[dict[SpanKind, Callable[[Work], tuple[Hashable, ...]]]] = {
    SpanKind.MODEL: _model_keys,
    SpanKind.TOOL: _tool_keys,
    SpanKind.RETRIEVAL: _retrieval_keys,
}


def _tool_name(work: Work) -> str:
    return work.facts.tool_name or work.span.name


def _documents(work: Work) -> tuple[tuple[str, str], ...]:
    """What was found: ids and texts."""
    return tuple((one.id, one.text) for one in work.content.documents) if work.content else ()
