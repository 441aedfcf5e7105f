"""The adapter `bundle`: what stands in the file, as a trace store that never changes."""

import asyncio
import time
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from console.domain.asked import asked_for
from console.domain.bundles import MOST_BYTES, Bundle, Shown, decode
from console.domain.conversations import Mark, MarkQuery
from console.domain.errors import BackendError, ConfigError, ErrorKind
from console.domain.marks import wanted
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, ReplicaStatus, Request
from console.domain.refs import Kind, Ref
from console.domain.spans import RequestQuery, Span, Trace
from console.domain.text import clean
from console.domain.wire import CheckRow

FILE = "file"
"""The name of its only replica."""
ON_BOARD = 500
"""Requests on the board; all can be asked for."""
_WORDS = {
    Shown.STRUCTURE: "the applications' words were taken out",
    Shown.MASKED: "what looks like a credential was taken out",
    Shown.RAW: "nothing was taken out",
}


class BundleAdapter:
    """One file, read once."""

    def __init__(self, context: AdapterContext) -> None:
        self._source = context.source
        self._clock = context.clock
        self._path = Path(context.options.file).expanduser().absolute()
        self._bundle: Bundle | None = None
        self._requests: dict[str, tuple[Request, Trace]] = {}
        """By trace id, newest first."""

    async def observe(self) -> Observation:
        """Everything that is in the file; see `ports.Adapter`."""
        bundle, now = await self._read(), self._clock.now()
        shown = islice((request for request, _ in self._requests.values()), ON_BOARD)
        return Observation(
            observed_at=now,
            readings=tuple(replace(request, observed_at=now) for request in shown),
            replicas=(ReplicaStatus(name=FILE, url=str(self._path), up=True, version=clean(bundle.version, 40)),),
            notes=(_origin(bundle), *(clean(note, 300) for note in bundle.notes)),
        )

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """See `ports.Traces`."""
        await self._read()
        found = (request for request, trace in self._requests.values() if asked_for(request, trace.spans, query))
        return tuple(islice(found, max(0, query.limit)))

    async def trace(self, trace_id: str) -> Trace:
        """See `ports.Traces`."""
        await self._read()
        found = self._requests.get(trace_id)
        if found is None:
            raise BackendError(
                ErrorKind.UNSUPPORTED, f"there is no request {clean(trace_id, 40)} in this file", where=str(self._path)
            )
        return found[1]

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        """See `ports.Traces`."""
        bundle = await self._read()
        found = sorted((mark for mark in bundle.marks if wanted(mark, query)), key=lambda mark: mark.at)
        return tuple(found[-query.limit :]) if query.limit > 0 else ()

    async def check(self) -> tuple[CheckRow, ...]:
        """Whether the file can be read."""
        try:
            words, ok = _origin(await self._read()), True
        except BackendError as error:
            words, ok = str(error.failure), False
        return (CheckRow(source=self._source, replica=FILE, what="file", ok=ok, words=words),)

    async def close(self) -> None:
        """Nothing is held."""

    async def _read(self) -> Bundle:
        if self._bundle is None:
            self._bundle = await asyncio.to_thread(self._load)
            traces = (self._own(trace) for trace in self._bundle.traces)
            listed = sorted(traces, key=lambda found: -found[0].started_at)
            self._requests = {trace.trace_id: (request, trace) for request, trace in listed}
        return self._bundle

    def _load(self) -> Bundle:
        where = str(self._path)
        try:
            with self._path.open("rb") as file:
                return decode(file.read(MOST_BYTES), where)
        except OSError as error:
            raise BackendError(ErrorKind.UNREACHABLE, f"it cannot be read: {error.strerror}", where=where) from error
        except ConfigError as error:
            raise BackendError(ErrorKind.MALFORMED, str(error), where=where) from error

    def _own(self, trace: Trace) -> tuple[Request, Trace]:
        """The trace as this source's; a request whose root had not arrived is told by its first span."""
        ref = Ref(self._source, Kind.REQUEST, trace.trace_id)
        request = trace.request or _rootless(ref, trace.spans, trace.trace_id)
        mine = replace(request, ref=ref)
        return mine, replace(trace, request=mine if trace.request else None)


def _rootless(ref: Ref, spans: tuple[Span, ...], trace_id: str) -> Request:
    first = spans[0] if spans else None
    return Request(
        ref=ref,
        observed_at=0.0,
        started_at=first.started_at if first else 0.0,
        name=first.name if first else "",
        service=first.service if first else "",
        spans=len(spans),
        trace_id=trace_id,
    )


def _origin(bundle: Bundle) -> str:
    at = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(bundle.exported_at))
    return f"a file of {clean(bundle.environment, 60)}, exported {at}: nothing here is live; {_WORDS[bundle.shown]}"
