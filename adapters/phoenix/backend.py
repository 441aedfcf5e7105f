"""Phoenix as a trace store: a tail of what comes in, and questions about the past."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from urllib.parse import urlsplit

import msgspec

from adapters.http_wire import Transport
from adapters.otel import Aliases, Normalised
from adapters.otel.names import DEFAULTS
from adapters.phoenix.api import PAGE, Api
from adapters.phoenix.checks import check_rows
from adapters.phoenix.options import PhoenixOptions
from adapters.phoenix.pages import Row, as_spans, cursor_at, number_of
from adapters.spans.answers import spans_from
from adapters.spans.backend import Look, Whole
from adapters.spans.moments import iso
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.readings import ReplicaStatus
from console.domain.spans import LaneKind, RequestQuery
from console.domain.wire import CheckRow

OVERLAP = 20
"""Rows before the last one known that are read again: with several writers a row may be seen after a later one."""
LATEST = 100
"""Spans that came in last, among which requests without a root are looked for at the beginning."""
LOOK_PAGES = 10
"""Pages that one look follows; more than that came, and it begins anew."""
GROUP = 20
"""Requests whose spans are read at once."""
GROUP_PAGES = 10
TRACE_PAGES = 10
STRETCH_PAGES = 5
SEARCHED = 500
"""Requests that a search goes through for what Phoenix cannot be asked."""
NEWEST = (("sort", "start_time"), ("order", "desc"))
ROOTS = (("parent_id", "null"), *NEWEST)


class Phoenix:
    """One project of one Phoenix; see `spans.backend.Backend`."""

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        options: PhoenixOptions = context.options
        self._options = options
        self._source = context.source
        self._aliases = Aliases.of(options.aliases)
        self._api = Api(context, transport)
        self._version = ""
        self._known: int | None = None
        """The row that came in last, 0 for none; None before the first look, and after a gap."""
        self._rejected = 0
        self.tails, self.keeps_kinds = True, False
        self.drops = (
            f"services and workers are not recorded by this backend: Phoenix drops resource attributes; applications "
            f"that put {options.service} onto their spans are named"
        )

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        return self._api.server.requests

    async def look(self, now: float) -> Look:
        """See `Backend`: what came in since, by the order in which it came, however late it is."""
        if self._known is None:
            return await self._anew()
        begin = self._known - OVERLAP
        pairs = (("sort", "id"), ("order", "asc"), ("cursor", cursor_at(begin)))
        rows, more = await self._api.all(pairs, LOOK_PAGES)
        last = _last(rows)
        if more or last < self._known:  # too much at once; or rows went away: a project emptied, another database
            return await self._anew()
        self._known = last
        return Look(self._spans(rows).arrivals, notes=self._notes())

    async def find(self, query: RequestQuery) -> AsyncGenerator[Whole, None]:
        """See `Backend`."""
        seen: set[str] = set()
        asked = 0
        async for rows, more in self._candidates(query):
            traces = [one for one in dict.fromkeys(row.context.trace_id for row in rows) if one not in seen]
            seen.update(traces)
            for at in range(0, len(traces), GROUP):
                group = traces[at : at + GROUP]
                asked += len(group)
                whole = await self._of_traces(group)
                yield Whole(whole.arrivals, cut=(more or at + GROUP < len(traces)) and asked >= SEARCHED)
                if asked >= SEARCHED:
                    return

    async def whole(self, trace_id: str) -> Whole:
        """See `Backend`."""
        rows, more = await self._api.all((("trace_id", trace_id),), TRACE_PAGES)
        found = self._spans(rows)
        left_out = (f"left out, because {found.why}: {found.rejected} spans",) if found.rejected else ()
        return Whole(found.arrivals, cut=more, notes=left_out)

    async def between(self, since_s: float, until_s: float) -> Whole:
        """See `Backend`."""
        pairs = (*NEWEST, ("start_time", iso(since_s)), ("end_time", iso(until_s)))
        rows, more = await self._api.all(pairs, STRETCH_PAGES)
        return Whole(self._spans(rows).arrivals, cut=more)

    def status(self) -> ReplicaStatus:
        """See `Backend`."""
        url = self._api.server.url
        return ReplicaStatus(name=urlsplit(url).netloc, url=url, up=True, version=self._version)

    async def check(self) -> tuple[CheckRow, ...]:
        """See `Backend`."""
        return await check_rows(self._source, self.status().name, self._api, self._options)

    async def close(self) -> None:
        """See `Backend`."""
        await self._api.server.close()

    async def _anew(self) -> Look:
        """Read the newest requests whole, and those that have no root yet, and remember where the tail begins.

        That is asked first, so that nothing is lost that comes in meanwhile.
        """
        self._known = None
        latest = await self._api.first((), LATEST)
        self._version = await self._api.version()
        roots = await self._api.first(ROOTS, self._options.requests)
        traces = list(dict.fromkeys(row.context.trace_id for row in (*roots, *latest)))
        rows: list[Row] = []
        for at in range(0, len(traces), GROUP):
            rows += await self._rows_of(traces[at : at + GROUP])
        first = min((one.start_ns for one in self._spans(roots).arrivals), default=0) / 1e9
        self._rejected = 0
        found = self._spans(rows)
        self._known = _last(latest)
        since_s = first if len(roots) >= self._options.requests else 0.0
        return Look(found.arrivals, anew_since_s=since_s, notes=self._notes())

    async def _candidates(self, query: RequestQuery) -> AsyncIterator[tuple[list[Row], bool]]:
        """Spans of the requests that the query may be about, newest first."""
        before = (("end_time", iso(query.before)),) if query.before is not None else ()
        for pairs in self._questions(query):
            async for page in self._api.pages((*pairs, *before), SEARCHED, _page_of(query)):
                yield page

    def _questions(self, query: RequestQuery) -> list[tuple[tuple[str, str], ...]]:
        """The lists of spans to go through, one after the other.

        A conversation stands at any span, under one of several names; everything else is asked of roots.
        """
        if query.conversation:
            names = (*self._options.aliases.get("conversation", ()), *DEFAULTS["conversation"])
            values = _values(query.conversation)
            return [
                (*NEWEST, ("attribute", f"{name}:{value}")) for name in names if "{" not in name for value in values
            ]
        steps = [lane.value for lane in query.lanes if lane.lane is LaneKind.PATH and lane.value]
        if steps:
            return [(*NEWEST, ("name", steps[0]))]
        pairs: list[tuple[str, str]] = list(ROOTS)
        if query.failed:
            pairs.append(("status_code", "ERROR"))
        elif query.good:
            pairs += [("status_code", "OK"), ("status_code", "UNSET")]
        if query.name:
            pairs.append(("name", query.name))
        if query.service:
            pairs.append(("attribute", f"{self._options.service}:{msgspec.json.encode(query.service).decode()}"))
        return [tuple(pairs)]

    async def _of_traces(self, traces: list[str]) -> Whole:
        return Whole(self._spans(await self._rows_of(traces)).arrivals)

    async def _rows_of(self, traces: list[str]) -> list[Row]:
        """All spans of some requests; of one with more than are read at once, the newest."""
        rows, more = await self._api.all(tuple(("trace_id", one) for one in traces), GROUP_PAGES)
        if not more or len(traces) == 1:
            return rows
        half = len(traces) // 2
        return [*await self._rows_of(traces[:half]), *await self._rows_of(traces[half:])]

    def _spans(self, rows: Iterable[Row]) -> Normalised:
        found = spans_from(as_spans(rows, self._options.service), self._aliases, self._api.server.url)
        self._rejected += found.rejected
        return found

    def _notes(self) -> tuple[str, ...]:
        if not self._known:
            return ("no span has arrived yet: point OTEL_EXPORTER_OTLP_ENDPOINT at Phoenix",)
        return (f"{self._rejected} spans could not be read: wrong ids or times",) if self._rejected else ()


def _page_of(query: RequestQuery) -> int:
    """How many spans to ask for at once: as many as are wanted, where the store itself finds the right ones."""
    exact = not query.lanes and query.min_duration_s is None and not query.conversation
    return min(PAGE, max(1, query.limit)) if exact else 200


def _values(text: str) -> list[str]:
    """How Phoenix is asked for an attribute that is this text: also as the number that an application may have put."""
    return [msgspec.json.encode(text).decode(), *([text] if text.isascii() and text.isdigit() else [])]


def _last(rows: Iterable[Row]) -> int:
    """The number of the row that came in last; 0 where there is none.

    Raises:
        BackendError: MALFORMED when its ids are not those of this version.
    """
    numbers = [number_of(row.id) for row in rows]
    if None in numbers:
        raise BackendError(ErrorKind.MALFORMED, "an unknown kind of span id: another version of Phoenix?")
    return max((one for one in numbers if one is not None), default=0)
