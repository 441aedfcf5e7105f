"""Jaeger as a trace store: it finds whole traces by service and time; see `spans.backend.Backend`."""

from collections.abc import AsyncGenerator, Sequence
from urllib.parse import quote, urlsplit

import msgspec

from adapters.http_wire import Transport
from adapters.jaeger.options import JaegerOptions
from adapters.otel import Aliases, Arrival
from adapters.spans.answers import documents, is_absent, spans_of
from adapters.spans.backend import Look, Whole
from adapters.spans.moments import iso, stretches
from adapters.spans.server import server_of
from adapters.spans.together import together
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import ReplicaStatus
from console.domain.spans import RequestQuery
from console.domain.wire import CheckRow

OVERLAP_S = 60.0
"""How far before the last look the next begins: spans come late."""
FIRST_S = 3_600.0
"""How far back the first look goes."""
SERVICES_MOST = 50
SEARCHED = 200
"""Requests of one service that a search reads in one stretch of time."""
TRACES = "/api/v3/traces"


class Services(msgspec.Struct):
    """The names that Jaeger knows."""

    services: list[str] | None = None


class Jaeger:
    """One Jaeger."""

    tails = False
    keeps_kinds = True
    drops = ""

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        options: JaegerOptions = context.options
        self._options = options
        self._source = context.source
        self._clock = context.clock
        self._aliases = Aliases.of(options.aliases)
        self._server = server_of(context, options.url, options.token, transport)
        self._looked_at: float | None = None

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        return self._server.requests

    async def look(self, now: float) -> Look:
        """See `Backend`: the requests of the time since the last look, and of a minute before it."""
        first = self._looked_at is None
        since_s = now - FIRST_S if self._looked_at is None else self._looked_at - OVERLAP_S
        services = await self._services()
        depth = self._options.requests
        found, problems = await self._of_services(services, since_s, now, {"searchDepth": str(depth)})
        self._looked_at = now
        notes = [] if services else ["no service has told it anything yet"]
        if any(_traces(spans) >= depth for spans in found):
            notes.append(f"more requests of a service than the {depth} that are read at once")
        arrivals = [one for spans in found for one in spans]
        return Look(arrivals, since_s if first else None, problems=problems, notes=tuple(notes))

    async def find(self, query: RequestQuery) -> AsyncGenerator[Whole, None]:
        """See `Backend`: hour by hour, day by day, back to a week."""
        services = [query.service] if query.service else await self._services()
        more = {"searchDepth": str(SEARCHED)}
        if query.name:
            more["operationName"] = query.name
        if query.min_duration_s:
            more["durationMin"] = f"{query.min_duration_s:.6f}s"
        for since_s, until_s in stretches(self._clock.now() if query.before is None else query.before):
            found, problems = await self._of_services(services, since_s, until_s, more)
            yield Whole([one for spans in found for one in spans], cut=True, problems=problems)

    async def whole(self, trace_id: str) -> Whole:
        """See `Backend`."""
        return Whole(await self._spans(f"{TRACES}/{quote(trace_id, safe='')}", {}))

    async def between(self, since_s: float, until_s: float) -> Whole:
        """See `Backend`."""
        services = await self._services()
        found, problems = await self._of_services(services, since_s, until_s, {"searchDepth": str(SEARCHED)})
        cut = any(_traces(spans) >= SEARCHED for spans in found)
        return Whole([one for spans in found for one in spans], cut=cut, problems=problems)

    def status(self) -> ReplicaStatus:
        """See `Backend`."""
        return ReplicaStatus(name=urlsplit(self._server.url).netloc, url=self._server.url, up=True)

    async def check(self) -> tuple[CheckRow, ...]:
        """See `Backend`."""
        now = self._clock.now()
        try:
            services = await self._services()
            rows = [self._row("reachable", True, f"{self._server.url} knows {len(services)} services")]
            found, _ = await self._of_services(services[:1], now - FIRST_S, now, {"searchDepth": "1"})
            some = any(found)
            rows.append(self._row("spans", some or None, "can be read" if some else "none in the last hour"))
        except BackendError as error:
            return (self._row("reachable", False, str(error.failure)),)
        return tuple(rows)

    async def close(self) -> None:
        """See `Backend`."""
        await self._server.close()

    async def _services(self) -> list[str]:
        if self._options.services:
            return self._options.services
        found = await self._server.json("/api/v3/services", Services)
        return (found.services or [])[:SERVICES_MOST]

    async def _of_services(
        self, services: Sequence[str], since_s: float, until_s: float, more: dict[str, str]
    ) -> tuple[list[list[Arrival]], tuple[Failure, ...]]:
        """The spans of each service's requests, and what could not be read."""
        asked = {"startTimeMin": iso(since_s), "startTimeMax": iso(until_s), **more}
        return await together([self._spans(TRACES, {"serviceName": one, **asked}) for one in services])

    async def _spans(self, path: str, asked: dict[str, str]) -> list[Arrival]:
        where = f"GET {self._server.url}{path}"
        try:
            body = await self._server.body(path, ("json",), _both(asked))
        except BackendError as error:
            if is_absent(error):
                return []
            raise
        found = documents(body, where)
        for document in found:
            if "error" in document:
                raise BackendError(ErrorKind.FAILED, f"Jaeger says: {document['error']}"[:300], where=where)
        return spans_of([document.get("result") for document in found], self._aliases, where)

    def _row(self, what: str, ok: bool | None, words: str) -> CheckRow:
        return CheckRow(source=self._source, replica=self.status().name, what=what, ok=ok, words=words)


def _both(asked: dict[str, str]) -> list[tuple[str, str]]:
    """Every parameter under the name that Jaeger has now, and under that which older ones know: others are skipped."""
    pairs: list[tuple[str, str]] = []
    for name, value in asked.items():
        older = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)
        pairs += [(f"query.{name}", value), (f"query.{older}", value)]
    return pairs


def _traces(spans: Sequence[Arrival]) -> int:
    return len({one.trace_id for one in spans})
