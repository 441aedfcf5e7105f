"""The adapter of any trace store that is asked over HTTP; what differs between them is their `Backend`."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from adapters.otel import Aliases, Arrival
from adapters.spans import readings
from adapters.spans.answering.lately import Lately
from adapters.spans.backend import Backend, Whole
from adapters.spans.options import TraceStoreOptions
from adapters.spans.recent import Recent, folded, marks_within
from adapters.spans.row import RequestRow, by_trace
from adapters.spans.tree import no_such, shown
from console.domain.answers import Answers, AnswersQuery
from console.domain.asked import asked_for
from console.domain.conversations import Mark, MarkQuery
from console.domain.errors import Failure
from console.domain.marks import wanted
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, Request
from console.domain.spans import RequestQuery, Trace
from console.domain.wire import CheckRow

SAID_S = 60.0
"""How long it is said what a search did not go through or could not read."""
EARLIER_S = 600.0
"""Requests whose calls ended in a while may have begun so long before it."""
PAGE = 500
"""The longest list of requests."""

_Request = tuple[RequestRow, list[Arrival]]


class TraceStoreAdapter:
    """One trace store: what is new is read at each look, everything else when it is asked for."""

    def __init__(self, context: AdapterContext, backend: Backend) -> None:
        options: TraceStoreOptions = context.options
        self._source = context.source
        self._clock = context.clock
        self._options = options
        self._aliases = Aliases.of(options.aliases)
        self.backend = backend
        self._recent = Recent(kinds=backend.keeps_kinds)
        self._lately = Lately()
        self._counted = 0
        self._searched_at = float("-inf")
        self._cut = False
        """Whether the last search ended before it had gone through everything."""
        self._unread: tuple[Failure, ...] = ()
        """What it could not read."""

    async def observe(self) -> Observation:
        """Read what is new, and say what is known of the last while; see `ports.Adapter`."""
        now = self._clock.now()
        look = await self.backend.look(now)
        if look.anew_since_s is not None:
            self._recent.begin(look.anew_since_s)
            self._lately.begin(look.anew_since_s)
        self._take(look.arrivals, now)
        if not self.backend.tails:
            for trace_id in self._recent.rootless(now):
                self._take((await self.backend.whole(trace_id)).arrivals, now)
        window = self._recent.window(now - self._options.window, now)
        total = self.backend.requests
        since, self._counted = total - self._counted, total
        return Observation(
            observed_at=now,
            readings=(
                *readings.services(self._source, self._recent.services(), window, now),
                *(readings.request(self._source, row, now) for row in self._recent.newest(self._options.requests)),
            ),
            replicas=(self.backend.status(),),
            problems=(*look.problems, *(self._unread if self._searched(now) else ())),
            notes=(*look.notes, *self._notes(now)),
            requests=since,
        )

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """A page of requests, newest first; see `ports.Traces`."""
        limit = max(0, min(PAGE, query.limit))
        now = self._clock.now()
        rows: list[RequestRow] = []
        async with aclosing(self._matching(query, now)) as groups:
            async for group in groups:
                rows += [row for row, _ in group]
                if len(rows) >= limit:
                    break
        newest = sorted(rows, key=lambda row: row.start_us, reverse=True)[:limit]
        return tuple(readings.request(self._source, row, now) for row in newest)

    async def trace(self, trace_id: str) -> Trace:
        """One request, span by span; see `ports.Traces`."""
        now = self._clock.now()
        asked = trace_id.strip().lower()
        if len(asked) != 32 or not set(asked) <= set("0123456789abcdef"):
            raise no_such(trace_id, self.backend.status().url)
        whole = await self.backend.whole(asked)
        spans = by_trace(whole.arrivals).get(bytes.fromhex(asked))
        if not spans:
            raise no_such(trace_id, self.backend.status().url)
        notes = (*whole.notes, *((self.backend.drops,) if self._nameless(list(spans.values())) else ()))
        return shown(self._source, list(spans.values()), now, self._aliases, cut=whole.cut, notes=notes)

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        """Who read which snapshot and touched which memory, oldest first; see `ports.Traces`."""
        older: list[Mark] = []
        if query.since < self._recent.since_s:
            if query.conversation:
                older = await self._of_conversation(query)
            elif query.until is not None and query.until < self._recent.since_s:
                older = await self._of_stretch(query, query.until)
            elif not self._recent.full:
                await self._reach_back(query.since)
        found = dict.fromkeys((*self._recent.marks(query), *older))
        newest = sorted(found, key=lambda mark: mark.at)
        return tuple(newest[max(0, len(newest) - max(0, query.limit)) :])

    async def answers(self, query: AnswersQuery) -> tuple[Answers, ...]:
        """What models answered, minute by minute; see `ports.Answering`."""
        if query.since < self._lately.since_s and not self._lately.full:
            now = self._clock.now()
            until = min(query.until, self._lately.since_s)
            stretch = await self.backend.between(query.since - EARLIER_S, until)
            first = min((one.start_ns for one in stretch.arrivals), default=0) / 1e9
            self._lately.reach(stretch.arrivals, first if stretch.cut else query.since, now)
        return self._lately.rows(query.since, query.until)

    async def check(self) -> tuple[CheckRow, ...]:
        """Try what can be tried without any side effect; see `ports.Adapter`."""
        return await self.backend.check()

    async def close(self) -> None:
        """Give every connection back."""
        await self.backend.close()

    def _take(self, arrivals: Sequence[Arrival], now: float) -> None:
        self._recent.add(arrivals, now)
        self._lately.add(arrivals, now)

    async def _matching(self, query: RequestQuery, now: float) -> AsyncGenerator[list[_Request], None]:
        """The requests that a query asks for, some at a time, with their spans."""
        self._searched_at, self._cut, self._unread = now, False, ()
        async with aclosing(self.backend.find(query)) as groups:
            async for group in groups:
                self._unread += group.problems
                found = _requests(group, now)
                yield [(row, spans) for row, spans in found if self._is_asked_for(row, spans, query, now)]
                self._cut = group.cut

    def _is_asked_for(self, row: RequestRow, arrivals: Sequence[Arrival], query: RequestQuery, now: float) -> bool:
        return asked_for(readings.request(self._source, row, now), [one.span for one in arrivals], query)

    async def _of_conversation(self, query: MarkQuery) -> list[Mark]:
        """Marks of one conversation's requests, however old."""
        asked = RequestQuery(source=query.source, conversation=query.conversation, limit=PAGE, before=query.until)
        marks: list[Mark] = []
        async with aclosing(self._matching(asked, self._clock.now())) as groups:
            async for group in groups:
                marks += _marks(group, query)
        return marks

    async def _of_stretch(self, query: MarkQuery, until_s: float) -> list[Mark]:
        """Marks of a time that lies apart from what is remembered."""
        now = self._clock.now()
        return _marks(_requests(await self.backend.between(query.since, until_s), now), query)

    async def _reach_back(self, since_s: float) -> None:
        """Read what the store has from before what is remembered, and remember it too: it is asked for again."""
        now = self._clock.now()
        stretch = await self.backend.between(since_s, min(now, self._recent.since_s))
        first = min((one.start_ns for one in stretch.arrivals), default=0) / 1e9
        self._recent.reach(stretch.arrivals, first if stretch.cut else since_s, now)

    def _nameless(self, spans: Sequence[Arrival]) -> bool:
        return bool(self.backend.drops) and not any(one.span.service for one in spans)

    def _searched(self, now: float) -> bool:
        """Whether a search was lately, so that what is to be said of it is said."""
        return now - self._searched_at <= SAID_S

    def _notes(self, now: float) -> tuple[str, ...]:
        notes: list[str] = []
        if self.backend.drops and (nameless := self._recent.nameless()):
            some = "" if nameless == len(self._recent) else "of some requests: "
            notes.append(some + self.backend.drops)
        if self._recent.full:
            notes.append("more comes than is remembered: what services read and wrote is known of the newest only")
        if self._cut and self._searched(now):
            notes.append("the last search did not go through all requests: there may be older ones")
        return tuple(notes)


def _requests(whole: Whole, now: float) -> list[_Request]:
    groups = ((trace, list(spans.values())) for trace, spans in by_trace(whole.arrivals).items())
    return [(folded(trace, spans, now), spans) for trace, spans in groups]


def _marks(requests: Sequence[_Request], query: MarkQuery) -> list[Mark]:
    found = (mark for row, spans in requests for mark in marks_within(spans, row.conversation))
    return [mark for mark in found if wanted(mark, query)]
