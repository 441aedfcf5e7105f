"""Langfuse as a trace store: pages of observations by time; see `spans.backend.Backend`."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from functools import partial
from urllib.parse import urlsplit

import msgspec

from adapters.http import Credential, Server
from adapters.http_wire import Transport
from adapters.langfuse.observations import ATTRIBUTES, FIELDS, RESOURCE, Observation, Page, as_spans
from adapters.langfuse.options import LangfuseOptions
from adapters.otel import Aliases, Normalised
from adapters.spans.answers import spans_from
from adapters.spans.backend import Look, Whole
from adapters.spans.moments import iso, nanoseconds
from adapters.spans.paging import PageSize
from adapters.spans.together import together
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.readings import ReplicaStatus
from console.domain.spans import LaneKind, RequestQuery
from console.domain.wire import CheckRow

OVERLAP_S = 60.0
"""How far before the newest known observation a look begins: they come late."""
FIRST_S = 3_600.0
"""How far back the first look goes."""
PAGE = 1_000
"""Observations of a page; Langfuse gives no more."""
LOOK_PAGES = 5
TRACE_PAGES = 10
GROUP = 20
"""Requests that are read at once, each with a question of its own."""
SEARCHED = 200
"""Requests that a search goes through."""
OBSERVATIONS = "/api/public/v2/observations"


class Health(msgspec.Struct):
    """What it says of itself."""

    version: str = ""


class Project(msgspec.Struct):
    """One project."""

    name: str = ""


class Projects(msgspec.Struct):
    """Those that the keys open: one."""

    data: list[Project]


class Langfuse:
    """One project of one Langfuse."""

    tails = False
    keeps_kinds = False
    drops = (
        "services are not recorded by this backend: Langfuse keeps resource attributes only of spans that came "
        "through OpenTelemetry"
    )

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        options: LangfuseOptions = context.options
        self._source = context.source
        self._aliases = Aliases.of(options.aliases)
        who = Credential(
            options.secret_key, lambda reference: _basic(options.public_key, context.secret(reference)), "Basic"
        )
        self._server = Server(
            options.url,
            timeout_s=context.timeout_s,
            credential=who,
            explain=_explain,
            transport=transport,
        )
        self._size = PageSize(PAGE)
        self._version = ""
        self._newest_s: float | None = None
        self._rejected = 0

    @property
    def requests(self) -> int:
        """How many requests it was sent so far."""
        return self._server.requests

    async def look(self, now: float) -> Look:
        """See `Backend`: what began since a minute before the newest that is known."""
        first = self._newest_s is None
        if first:
            self._version = (await self._server.json("/api/public/health", Health)).version
        since_s = now - FIRST_S if self._newest_s is None else self._newest_s - OVERLAP_S
        rows, more = await self._all({"fromStartTime": iso(since_s)}, LOOK_PAGES)
        starts = [nanoseconds(row.start_time) / 1e9 for row in rows]
        self._newest_s = max([min(one, now) for one in starts if one], default=self._newest_s or since_s)
        found = self._spans(rows)
        if first:
            self._rejected = found.rejected
        notes = []
        if more:
            notes.append(f"more came since the last look than the {LOOK_PAGES * PAGE:,} observations that are read")
        if self._rejected:
            notes.append(f"{self._rejected} observations have ids that are not OpenTelemetry's: of an older SDK")
        if not more:
            return Look(found.arrivals, since_s if first else None, notes=tuple(notes))
        return Look(found.arrivals, min(one for one in starts if one), notes=tuple(notes))

    async def find(self, query: RequestQuery) -> AsyncGenerator[Whole, None]:
        """See `Backend`."""
        asked = 0
        seen: set[str] = set()
        async for rows, more in self._pages(_question(query), SEARCHED, 100):
            traces = [one for one in dict.fromkeys(row.trace_id or "" for row in rows) if one and one not in seen]
            seen.update(traces)
            for at in range(0, len(traces), GROUP):
                group, problems = await together([self.whole(one) for one in traces[at : at + GROUP]])
                asked += len(group)
                arrivals = [one for whole in group for one in whole.arrivals]
                cut = (more or at + GROUP < len(traces)) and asked >= SEARCHED
                yield Whole(arrivals, cut=cut, problems=problems)
                if asked >= SEARCHED:
                    return

    async def whole(self, trace_id: str) -> Whole:
        """See `Backend`."""
        rows, more = await self._all({"traceId": trace_id}, TRACE_PAGES)
        return Whole(self._spans(rows).arrivals, cut=more)

    async def between(self, since_s: float, until_s: float) -> Whole:
        """See `Backend`."""
        rows, more = await self._all({"fromStartTime": iso(since_s), "toStartTime": iso(until_s)}, LOOK_PAGES)
        return Whole(self._spans(rows).arrivals, cut=more)

    def status(self) -> ReplicaStatus:
        """See `Backend`."""
        url = self._server.url
        return ReplicaStatus(name=urlsplit(url).netloc, url=url, up=True, version=self._version)

    async def check(self) -> tuple[CheckRow, ...]:
        """See `Backend`."""
        try:
            health = await self._server.json("/api/public/health", Health)
        except BackendError as error:
            return (self._row("reachable", False, str(error.failure)),)
        rows = [self._row("reachable", True, f"Langfuse {health.version} at {self._server.url}")]
        try:
            projects = await self._server.json("/api/public/projects", Projects)
            rows.append(self._row("keys", True, f"project {', '.join(one.name for one in projects.data)}"))
            page = await self._page({}, 1)
            rows.append(self._row("observations", bool(page.data) or None, "there" if page.data else "none yet"))
        except BackendError as error:
            rows.append(self._row("keys" if len(rows) == 1 else "observations", False, str(error.failure)))
        return tuple(rows)

    async def close(self) -> None:
        """See `Backend`."""
        await self._server.close()

    async def _page(self, asked: dict[str, str], size: int) -> Page:
        whole = {"fields": FIELDS, "expandMetadata": f"{ATTRIBUTES},{RESOURCE}", "limit": str(size), **asked}
        return await self._server.json(OBSERVATIONS, Page, whole)

    async def _pages(
        self, asked: dict[str, str], most: int, size: int = PAGE
    ) -> AsyncIterator[tuple[list[Observation], bool]]:
        cursor = ""
        for _ in range(most):
            more = {**asked, "cursor": cursor} if cursor else asked
            page = await self._size.ask(partial(self._page, more), size)
            behind = page.meta.cursor or ""
            yield page.data, bool(behind)
            if not behind or behind == cursor or not page.data:
                return
            cursor = behind

    async def _all(self, asked: dict[str, str], most: int) -> tuple[list[Observation], bool]:
        rows: list[Observation] = []
        behind = False
        async for found, more in self._pages(asked, most):
            rows += found
            behind = more
        return rows, behind

    def _spans(self, rows: Iterable[Observation]) -> Normalised:
        return spans_from(as_spans(rows), self._aliases, self._server.url)

    def _row(self, what: str, ok: bool | None, words: str) -> CheckRow:
        return CheckRow(source=self._source, replica=self.status().name, what=what, ok=ok, words=words)


def _question(query: RequestQuery) -> dict[str, str]:
    """Observations of the requests that the query may be about: a conversation is every observation's, a step has its
    name, and everything else is asked of roots."""
    asked = {} if query.before is None else {"toStartTime": iso(query.before)}
    steps = [lane.value for lane in query.lanes if lane.lane is LaneKind.PATH and lane.value]
    if query.conversation:
        return {**asked, "sessionId": query.conversation}
    if steps:
        return {**asked, "name": steps[0]}
    asked["isRootObservation"] = "true"
    if query.failed:
        asked["level"] = "ERROR"
    if query.name:
        asked["name"] = query.name
    return asked


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _explain(status: int, words: str) -> tuple[ErrorKind, str] | None:
    if status == 404:
        return ErrorKind.UNSUPPORTED, "observations are listed by Langfuse 4 and Langfuse Cloud, not by older servers"
    return None
