"""Tempo as a trace store: a search names traces, and each is read by its id; see `spans.backend.Backend`."""

from collections.abc import AsyncGenerator, Iterable
from urllib.parse import quote, urlsplit

import msgspec

from adapters.http_wire import Transport
from adapters.otel import Aliases, Arrival
from adapters.spans.answers import documents, is_absent, spans_of
from adapters.spans.backend import Look, Whole
from adapters.spans.moments import stretches
from adapters.spans.server import server_of
from adapters.spans.together import together
from adapters.tempo.options import TempoOptions
from adapters.tempo.questions import trace_ql
from console.domain.errors import BackendError, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import ReplicaStatus
from console.domain.spans import RequestQuery
from console.domain.wire import CheckRow

OVERLAP_S = 60.0
"""How far before the last look the next begins: spans come late."""
FIRST_S = 3_600.0
"""How far back the first look goes."""
SETTLED_S = 30.0
"""A request that was read sooner after it began is read once more: some of its spans were on their way."""
SEARCHED = 200
"""Requests that a search reads in one stretch of time."""
GROUP = 20
"""Requests that are read at once."""
READS = 40
"""Requests that one look reads; it has to end in time. The others wait for the next."""


class Found(msgspec.Struct):
    """One request of a search's answer."""

    traceID: str
    """Hexadecimal, without leading zeros."""
    startTimeUnixNano: str = "0"


class Search(msgspec.Struct):
    """A search's answer."""

    traces: list[Found] = []


class Tempo:
    """One Tempo."""

    tails = False
    keeps_kinds = True
    drops = ""

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        options: TempoOptions = context.options
        self._options = options
        self._source = context.source
        self._clock = context.clock
        self._aliases = Aliases.of(options.aliases)
        tenant = {"x-scope-orgid": options.tenant} if options.tenant else None
        self._server = server_of(context, options.url, options.token, transport, tenant)
        self._looked_at: float | None = None
        self._read: dict[str, bool] = {}
        """Traces of the last stretch that were read, and whether they had settled."""
        self._waiting: list[str] = []
        """Traces that are still to be read, the newest first."""

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        return self._server.requests

    async def look(self, now: float) -> Look:
        """See `Backend`: the requests of the time since the last look and of a minute before it, each read twice."""
        first = self._looked_at is None
        since_s = now - FIRST_S if self._looked_at is None else self._looked_at - OVERLAP_S
        limit = self._options.requests
        found = await self._search("{}", since_s, now, limit)
        settled = {_id(one): now - _start(one) / 1e9 > SETTLED_S for one in sorted(found, key=_start, reverse=True)}
        unread = [trace for trace in settled if trace not in self._read]
        again = [trace for trace, done in settled.items() if done and self._read.get(trace) is False]
        due = list(dict.fromkeys((*unread, *self._waiting, *again)))
        read = await self._of_traces(due[:READS])
        self._waiting = due[READS:][: self._options.requests]
        late = set(self._waiting)
        self._read = {
            trace: self._read[trace] if trace in late else done
            for trace, done in settled.items()
            if trace not in late or trace in self._read
        }
        self._looked_at = now
        notes = (f"more requests than the {limit} that are read at once",) if len(found) >= limit else ()
        return Look(read.arrivals, since_s if first else None, problems=read.problems, notes=notes)

    async def find(self, query: RequestQuery) -> AsyncGenerator[Whole, None]:
        """See `Backend`: hour by hour, day by day, back to a week."""
        asked = trace_ql(query, self._options.aliases)
        for since_s, until_s in stretches(self._clock.now() if query.before is None else query.before):
            found = sorted(await self._search(asked, since_s, until_s, SEARCHED), key=lambda one: -_start(one))
            for at in range(0, len(found), GROUP):
                read = await self._of_traces(_id(one) for one in found[at : at + GROUP])
                yield Whole(read.arrivals, cut=True, problems=read.problems)

    async def whole(self, trace_id: str) -> Whole:
        """See `Backend`."""
        path = f"/api/v2/traces/{quote(trace_id, safe='')}"
        where = f"GET {self._server.url}{path}"
        try:
            body = await self._server.body(path, ("json",))
        except BackendError as error:
            if is_absent(error) or error.failure.message == "HTTP 404":
                return Whole([])
            raise
        found = documents(body, where)
        partial = any(str(one.get("status") or "").upper() == "PARTIAL" for one in found)
        return Whole(spans_of([one.get("trace") for one in found], self._aliases, where), cut=partial)

    async def between(self, since_s: float, until_s: float) -> Whole:
        """See `Backend`."""
        found = await self._search("{}", since_s, until_s, SEARCHED)
        read = await self._of_traces(_id(one) for one in found)
        return Whole(read.arrivals, cut=len(found) >= SEARCHED, problems=read.problems)

    def status(self) -> ReplicaStatus:
        """See `Backend`."""
        return ReplicaStatus(name=urlsplit(self._server.url).netloc, url=self._server.url, up=True)

    async def check(self) -> tuple[CheckRow, ...]:
        """See `Backend`."""
        now = self._clock.now()
        try:
            found = await self._search("{}", now - FIRST_S, now, 1)
        except BackendError as error:
            return (self._row("reachable", False, str(error.failure)),)
        words = "can be read" if found else "none in the last hour"
        rows = (self._row("reachable", True, self._server.url), self._row("spans", bool(found) or None, words))
        return rows

    async def close(self) -> None:
        """See `Backend`."""
        await self._server.close()

    async def _search(self, asked: str, since_s: float, until_s: float, limit: int) -> list[Found]:
        params = {"q": asked, "start": str(int(max(0.0, since_s))), "end": str(int(until_s) + 1), "limit": str(limit)}
        return (await self._server.json("/api/search", Search, params)).traces

    async def _of_traces(self, traces: Iterable[str]) -> Whole:
        found: list[Arrival] = []
        problems: tuple[Failure, ...] = ()
        wanted = list(traces)
        for at in range(0, len(wanted), GROUP):
            group, failed = await together([self.whole(one) for one in wanted[at : at + GROUP]])
            found += [one for whole in group for one in whole.arrivals]
            problems += failed
        return Whole(found, problems=problems)

    def _row(self, what: str, ok: bool | None, words: str) -> CheckRow:
        return CheckRow(source=self._source, replica=self.status().name, what=what, ok=ok, words=words)


def _id(found: Found) -> str:
    return found.traceID.lower().rjust(32, "0")


def _start(found: Found) -> int:
    return int(found.startTimeUnixNano) if found.startTimeUnixNano.isdigit() else 0
