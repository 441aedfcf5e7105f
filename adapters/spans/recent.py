"""What the latest looks at a trace store brought, in little: rows, what services were asked, and marks, but no text.

A store is asked only for what is new; the board, the rates and the marks of the last while are made from here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from msgspec.structs import replace

from adapters.otel import Arrival
from adapters.spans.readings import Window
from adapters.spans.row import RequestRow, by_trace
from console.domain.conversations import Mark, MarkQuery
from console.domain.marks import marks_of, service_marks, wanted

AGAIN_S = 30.0
"""How often a request is read again whose root has not come, and for how long that goes on."""
AGAIN_FOR_S = 3_600.0
AGAIN_MOST = 10
"""Of them at one look."""
REQUESTS_MOST = 5_000
"""Requests that are remembered, 2–3 KB each."""
SPANS_MOST = 100_000
"""Spans of them in all."""


Entry = tuple[int, str, int | None, str]
"""(start in ns, service, microseconds, failure) of a span by which a service was asked something."""


@dataclass(slots=True)
class _Known:
    """One request."""

    row: RequestRow
    spans: dict[bytes, str] = field(default_factory=dict)
    """Service by span."""
    entries: list[Entry] = field(default_factory=list)
    calls: list[tuple[bytes, Entry]] = field(default_factory=list)
    """Spans, with their parent, that are entries if that turns out to be another service's."""
    snapshots: list[tuple[int, str, str]] = field(default_factory=list)
    """(start in ns, service, retrieval snapshot)."""
    marks: list[Mark] = field(default_factory=list)
    services: dict[str, Mark] = field(default_factory=dict)
    """The first span of each service."""
    again_at: float = 0.0
    """Unix seconds: when it may be read again while its root has not come."""


class Recent:
    """The requests that the latest looks brought."""

    def __init__(self, *, kinds: bool) -> None:
        """`kinds`: whether the store keeps which spans are a server's; else those are whose parent is another's."""
        self._kinds = kinds
        self._known: dict[bytes, _Known] = {}
        self._spans = 0
        self.since_s = float("inf")
        """Unix seconds from which on everything is here; infinite before the first look."""
        self.full = False
        """Whether something had to be forgotten: what is older is not read again to be forgotten again."""

    def add(self, arrivals: Iterable[Arrival], now: float) -> None:
        """Take in what a look brought at `now`; spans that are here already change nothing."""
        now_ns = int(now * 1e9)
        for trace, spans in by_trace(arrivals).items():
            known = self._known.get(trace) or self._known.setdefault(trace, _Known(RequestRow(0, trace, int(now))))
            news = _in_order(one for number, one in spans.items() if number not in known.spans)
            if news:
                _take(known, news, now_ns, infer=not self._kinds)
                _mark(known, news)
                self._spans += len(news)
        self._forget()

    def begin(self, since_s: float) -> None:
        """Forget everything: what comes with the next `add` is all that there is from `since_s` (unix seconds) on."""
        self._known.clear()
        self._spans = 0
        self.full = False
        self.since_s = since_s

    def reach(self, arrivals: Iterable[Arrival], since_s: float, now: float) -> None:
        """Take in what a store had before, so that everything from `since_s` (unix seconds) on is here."""
        self.since_s = min(self.since_s, since_s)
        self.add(arrivals, now)

    def newest(self, most: int) -> list[RequestRow]:
        """The newest requests, by start."""
        rows = (known.row for known in self._known.values())
        return sorted(rows, key=attrgetter("start_us"), reverse=True)[:most]

    def services(self) -> list[str]:
        """Every service that took a request in."""
        return sorted({known.row.service for known in self._known.values() if known.row.service})

    def nameless(self) -> int:
        """How many requests do not say which service took them in."""
        return sum(not known.row.service for known in self._known.values())

    def rootless(self, now: float) -> list[str]:
        """The trace ids of some requests whose root has not come, each at most every `AGAIN_S`; the newest first."""
        due = [
            known
            for known in self._known.values()
            if not known.row.rooted and known.again_at <= now and known.row.last_ns / 1e9 > now - AGAIN_FOR_S
        ]
        due.sort(key=lambda known: -known.row.last_ns)
        for known in due[:AGAIN_MOST]:
            known.again_at = now + AGAIN_S
        return [known.row.trace.hex() for known in due[:AGAIN_MOST]]

    def __len__(self) -> int:
        return len(self._known)

    def window(self, since_s: float, until_s: float) -> Window:
        """What services did between two moments (unix seconds); it begins later where not everything is here."""
        since_s = min(max(since_s, self.since_s), until_s)
        since_ns, until_ns = int(since_s * 1e9), int(until_s * 1e9)
        there = [known for known in self._known.values() if known.row.last_ns >= since_ns]
        entries = [one for known in there for one in known.entries if since_ns <= one[0] <= until_ns and one[1]]
        rows = [known.row for known in there if since_ns // 1000 <= known.row.start_us <= until_ns // 1000]
        snapshots = [one for known in there for one in known.snapshots if since_ns <= one[0] <= until_ns and one[1]]
        return Window(
            since_s=since_s,
            entries=[entry[1:] for entry in sorted(entries, key=lambda one: -one[0])],
            requests=[_told(row) for row in rows if row.service],
            snapshots=list(dict.fromkeys(one[1:] for one in sorted(snapshots, key=lambda one: -one[0]))),
        )

    def marks(self, query: MarkQuery) -> list[Mark]:
        """The marks that the query asks for, as far as they are here, in no order."""
        return [
            mark
            for known in self._known.values()
            for mark in whole_marks((*known.marks, *known.services.values()), known.row.conversation)
            if wanted(mark, query)
        ]

    def _forget(self) -> None:
        """Let the oldest go when there are too many, a tenth at once."""
        if len(self._known) <= REQUESTS_MOST and self._spans <= SPANS_MOST:
            return
        oldest = sorted(self._known, key=lambda trace: self._known[trace].row.start_us)
        for trace in oldest:
            if len(self._known) <= 0.9 * REQUESTS_MOST and self._spans <= 0.9 * SPANS_MOST:
                break
            self.full = True
            gone = self._known.pop(trace)
            self._spans -= len(gone.spans)
            self.since_s = max(self.since_s, gone.row.last_ns / 1e9)


def folded(trace: bytes, arrivals: Sequence[Arrival], now: float) -> RequestRow:
    """The row of a request of which these are the spans."""
    row = RequestRow(0, trace, int(now))
    row.add(_in_order(arrivals), int(now * 1e9))
    return row


def _in_order(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """As they ended, which is how an application sends them; stores answer in orders of their own."""
    return sorted(arrivals, key=lambda one: (one.end_ns, -one.start_ns))


def marks_within(arrivals: Sequence[Arrival], conversation: str) -> list[Mark]:
    """The marks of one request's spans."""
    known = _Known(RequestRow(0, b"", 0))
    _mark(known, arrivals)
    return list(whole_marks((*known.marks, *known.services.values()), conversation))


def whole_marks(marks: Iterable[Mark], conversation: str) -> Iterator[Mark]:
    """The marks with the conversation of their request, which is often known only later than they are."""
    return (mark if mark.conversation == conversation else replace(mark, conversation=conversation) for mark in marks)


def _mark(known: _Known, news: Sequence[Arrival]) -> None:
    trace_id = news[0].trace_id.hex()
    for one in news:
        known.marks.extend(marks_of(one.span, trace_id, ""))
    for mark in service_marks(tuple(one.span for one in news), trace_id, ""):
        first = known.services.get(mark.service)
        if first is None or mark.at < first.at:
            known.services[mark.service] = mark


def _take(known: _Known, news: Sequence[Arrival], now_ns: int, *, infer: bool) -> None:
    known.row.add(news, now_ns)
    for one in news:
        span = one.span
        known.spans[one.span_id] = span.service
        took_us = (one.end_ns - one.start_ns) // 1000 if one.end_ns >= one.start_ns else None
        entry = (one.start_ns, span.service, took_us, one.failure)
        if one.entry:
            known.entries.append(entry)
        elif infer and span.service:
            known.calls.append((one.parent_id, entry))
        if span.facts.snapshot:
            known.snapshots.append((one.start_ns, span.service, span.facts.snapshot))
    if known.calls:
        found = [entry for parent, entry in known.calls if known.spans.get(parent, entry[1]) not in ("", entry[1])]
        known.entries.extend(found)
        known.calls = [call for call in known.calls if call[0] not in known.spans]


def _told(row: RequestRow) -> tuple[str, str, int | None, int | None, float | None]:
    return (
        row.service,
        row.conversation,
        row.rolled_in if row.tokens_in is None else row.tokens_in,
        row.rolled_out if row.tokens_out is None else row.tokens_out,
        row.ttft_s,
    )
