"""Rows of the tables `lanes` and `marks`: what requests are found by besides their own row. Pure."""

from collections.abc import Iterable

from adapters.spans.row import RequestRow
from console.domain.conversations import Mark, MarkKind
from console.domain.lanes import lane_values
from console.domain.marks import marks_of, service_marks
from console.domain.spans import LaneKind, Span

WHOLE = ""
"""The value under which a request stands for a whole lane, with the largest measure of all its values there."""
VALUES_MOST = 100
"""Values of one lane that one request is found by; an agent that makes names up has no end of them."""

LANES = {
    LaneKind.PROMPTS: 0,
    LaneKind.RETRIEVAL: 1,
    LaneKind.TOKENS: 2,
    LaneKind.PATH: 3,
    LaneKind.WORKERS: 4,
    LaneKind.QUEUES: 5,
    LaneKind.DEPENDENCIES: 6,
    LaneKind.MEMORY: 7,
}
"""How lanes are written; a file is full of these numbers."""
MARKS = {MarkKind.RETRIEVAL: 0, MarkKind.MEMORY: 1, MarkKind.PROMPT: 2, MarkKind.SERVICE: 3}
"""How kinds of mark are written; a file is full of these numbers too."""

Entries = dict[tuple[int, str], float | None]
"""(lane, value) of one request, and the largest measure that was seen there."""

MarkRow = tuple[int, int, int, bytes, bytes, int | None, str, str, str, str, str, str]
"""A row of `marks`, in the order of its columns."""

Started = tuple[int, Span]
"""When a span began, in unix nanoseconds, and the span with its facts."""


def entries(spans: Iterable[Span], known: set[tuple[int, str]]) -> Entries:
    """What these spans put into the lanes; values beyond `VALUES_MOST` are left out, their lane's whole is not.

    `known` are those that their request has already.
    """
    found: Entries = {}
    for span in spans:
        for one in lane_values(span):
            lane = LANES[one.lane]
            _largest(found, (lane, one.value), one.measure)
            _largest(found, (lane, WHOLE), one.measure)
    if len(found) + len(known) > VALUES_MOST:
        _bound(found, known)
    return found


def _largest(found: Entries, where: tuple[int, str], measure: float | None) -> None:
    before = found.get(where)
    if before is None or (measure is not None and measure > before):
        found[where] = measure


def _bound(found: Entries, known: set[tuple[int, str]]) -> None:
    room = dict.fromkeys(LANES.values(), VALUES_MOST)
    for lane, value in known:
        room[lane] -= value != WHOLE
    for where in list(found):
        if where in known or where[1] == WHOLE:
            continue
        room[where[0]] -= 1
        if room[where[0]] < 0:
            del found[where]


def mark_rows(row: RequestRow, spans: Iterable[Started]) -> list[MarkRow]:
    """The marks of some of a request's spans, those of their services left out."""
    return [_mark_row(row, start_ns, mark) for start_ns, span in spans for mark in marks_of(span, "", row.conversation)]


def service_rows(row: RequestRow, spans: Iterable[Started]) -> dict[str, MarkRow]:
    """The mark of each service among these spans: it stands at its first."""
    first: dict[str, Started] = {}
    for one in spans:
        known = first.get(one[1].service)
        if known is None or (one[0], one[1].span_id) < (known[0], known[1].span_id):
            first[one[1].service] = one
    return {
        service: _mark_row(row, start_ns, mark)
        for service, (start_ns, span) in first.items()
        for mark in service_marks((span,), "", row.conversation)
    }


def _mark_row(row: RequestRow, start_ns: int, mark: Mark) -> MarkRow:
    return (
        MARKS[mark.kind],
        start_ns,
        row.id,
        bytes.fromhex(mark.span_id),
        row.trace,
        None if mark.ended_at is None else start_ns + round((mark.ended_at - mark.at) * 1e9),
        mark.service,
        mark.conversation,
        mark.source,
        mark.key,
        mark.op,
        mark.version,
    )
