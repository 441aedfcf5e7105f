"""Rows of answers: what model calls of one group said in one whole minute, from what their spans say. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import msgspec

from adapters.spans.answering.calls import Call, calls_of, enclosing
from adapters.spans.answering.said import Said
from console.domain.answers import ANSWERS_STEP_S, OTHER, SHAPES_MOST, Answers, Finish, Group
from console.domain.spans import SpanKind

GROUPS_MOST = 500
"""Groups of one minute that are told apart by tenant and prompt; the calls of further ones are counted together."""
EXAMPLES_MOST = 3

_UNPARSED, _REFUSED, _EMPTY, _FAILED = range(4)
"""How strange an example is; the strangest first."""


@dataclass(slots=True)
class _Row:
    """One group's minute while it is counted."""

    calls: int = 0
    failed: int = 0
    finish: Counter[Finish] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    structured: int = 0
    unparsed: int = 0
    strange: int = 0
    with_text: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    chars_in: int = 0
    tokens_of_chars: int = 0
    overflows: int = 0
    usd: float | None = None
    ttft_s: list[float] = field(default_factory=list)
    s_per_token: list[float] = field(default_factory=list)
    by_request: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    repeating: str = ""
    retrievals: int = 0
    empty: int = 0
    scores: list[float] = field(default_factory=list)
    examples: dict[str, int] = field(default_factory=dict)
    """How strange the strangest call of a request was."""


_Rows = dict[float, dict[Group, _Row]]
"""By minute and group."""


def minute_of(moment: float) -> float:
    """The end (unix seconds) of the minute that a moment is in: at the very end of one it is that one's."""
    return math.ceil(moment / ANSWERS_STEP_S) * ANSWERS_STEP_S


def minutes_in(since: float, until: float) -> Iterator[float]:
    """The end (unix seconds) of each whole minute that ended after `since` and not after `until`."""
    at = (math.floor(since / ANSWERS_STEP_S) + 1) * ANSWERS_STEP_S
    while at <= until:
        yield at
        at += ANSWERS_STEP_S


def rows(
    requests: Iterable[tuple[str, Sequence[Said]]], since: float, until: float, *, part: float = 1.0
) -> tuple[Answers, ...]:
    """The minutes that ended after `since` and not after `until` (unix seconds), oldest first.

    Args:
        requests: trace id and what all spans of the request say that have ended, as far as they are known.
        since: where the first minute begins.
        until: where the last one ends.
        part: of the requests, these.
    """
    found: _Rows = {}
    for trace_id, spans in requests:
        _take(found, trace_id, spans, since, until)
    return tuple(_told(at, group, row, part) for at in sorted(found) for group, row in found[at].items())


def _take(found: _Rows, trace_id: str, spans: Sequence[Said], since: float, until: float) -> None:
    """Count one request's calls, then what it searched and which tools it called."""
    calls = calls_of(spans)
    placed: list[tuple[Call, _Row, float]] = []
    for call in calls:
        at = minute_of(call.span.ended_at)
        if since < at <= until:
            row = _row(found, at, call.group())
            _count(row, trace_id, call)
            placed.append((call, row, at))
    if not placed:
        return
    _count_searches(calls, placed, spans)
    _count_repeats(trace_id, placed, spans)


def _row(found: _Rows, at: float, group: Group) -> _Row:
    groups = found.setdefault(at, {})
    if group not in groups and len(groups) >= GROUPS_MOST:
        group = msgspec.structs.replace(group, tenant=group.tenant and OTHER, prompt=group.prompt and OTHER)
    return groups.setdefault(group, _Row())


def _count(row: _Row, trace_id: str, call: Call) -> None:
    facts, answer = call.facts, call.answer
    row.calls += 1
    row.failed += call.failed
    row.overflows += answer.overflow
    row.by_request[trace_id] += 1
    if answer.finish is not None:
        row.finish[answer.finish] += 1
    if answer.shape:
        row.shapes[answer.shape] += 1
    row.structured += answer.structured
    row.unparsed += answer.unparsed
    row.strange += answer.strange
    row.with_text += answer.with_text
    row.tokens_in += facts.tokens_in or 0
    row.tokens_out += facts.tokens_out or 0
    if answer.chars_in and facts.tokens_in:
        row.chars_in += answer.chars_in
        row.tokens_of_chars += facts.tokens_in
    if facts.usd is not None:
        row.usd = (row.usd or 0.0) + facts.usd
    _count_time(row, call)
    strange = _strangeness(call)
    if strange is not None:
        row.examples[trace_id] = min(strange, row.examples.get(trace_id, strange))


def _count_time(row: _Row, call: Call) -> None:
    ttft_s, tokens = call.facts.ttft_s, call.facts.tokens_out
    if call.failed or ttft_s is None:
        return
    row.ttft_s.append(ttft_s)
    lasted = call.span.ended_at - call.span.started_at - ttft_s
    if tokens is not None and tokens > 1 and lasted > 0:
        row.s_per_token.append(lasted / (tokens - 1))


def _strangeness(call: Call) -> int | None:
    if call.answer.unparsed:
        return _UNPARSED
    if call.answer.finish is Finish.REFUSAL:
        return _REFUSED
    if call.answer.finish is Finish.EMPTY:
        return _EMPTY
    return _FAILED if call.failed else None


def _count_searches(calls: Sequence[Call], placed: Sequence[tuple[Call, _Row, float]], spans: Sequence[Said]) -> None:
    """A search counts with the first call of its request that ended after it: once, and in one minute."""
    rows_of = {id(call): row for call, row, _ in placed}
    by_id = {one.span_id: one for one in spans}
    for one in spans:
        if one.search is None or one.search.found is None or enclosing(one, by_id) is not None:
            continue
        call = next((call for call in calls if call.span.ended_at >= one.ended_at), None)
        row = rows_of.get(id(call))
        if row is not None:
            row.retrievals += 1
            row.empty += one.search.found == 0
            if one.search.top is not None:
                row.scores.append(one.search.top)


def _count_repeats(trace_id: str, placed: Sequence[tuple[Call, _Row, float]], spans: Sequence[Said]) -> None:
    """How often a tool was called with the same arguments until the minute's end, beside the newest call of each."""
    newest = {at: row for _, row, at in placed}
    by_id = {one.span_id: one for one in spans}
    tools = [one for one in spans if one.kind is SpanKind.TOOL and one.called and not _again(one, by_id)]
    for at, row in newest.items():
        counted = Counter(one.called for one in tools if one.ended_at <= at)
        most = max(counted.values(), default=0)
        if most > row.repeats:
            row.repeats, row.repeating = most, trace_id


def _again(one: Said, by_id: Mapping[str, Said]) -> bool:
    """Whether a tool's span tells of the same call as the one that it lies within."""
    above = enclosing(one, by_id)
    return above is not None and above.called == one.called


def _told(at: float, group: Group, row: _Row, part: float) -> Answers:
    return Answers(
        at=at,
        group=group,
        calls=row.calls,
        part=part,
        failed=row.failed,
        finish=dict(row.finish),
        shapes=_commonest(row.shapes),
        structured=row.structured,
        unparsed=row.unparsed,
        strange_script=row.strange,
        with_text=row.with_text,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        chars_in=row.chars_in,
        tokens_of_chars=row.tokens_of_chars,
        overflows=row.overflows,
        usd=row.usd,
        ttft_p50_s=median(row.ttft_s) if row.ttft_s else None,
        s_per_token_p50=median(row.s_per_token) if row.s_per_token else None,
        requests=len(row.by_request),
        calls_most=max(row.by_request.values(), default=0),
        repeats_most=row.repeats,
        repeating=row.repeating,
        retrievals=row.retrievals,
        empty_retrievals=row.empty,
        top_score_p50=median(row.scores) if row.scores else None,
        examples=tuple(sorted(row.examples, key=row.examples.__getitem__)[:EXAMPLES_MOST]),
    )


def _commonest(shapes: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(shapes.items(), key=lambda item: (-item[1], item[0]))
    found = dict(ordered[:SHAPES_MOST])
    if rest := sum(count for _, count in ordered[SHAPES_MOST:]):
        found[OTHER] = rest
    return found
