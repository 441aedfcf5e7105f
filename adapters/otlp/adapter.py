"""The adapter `otlp`: reads the collector's file, also while no collector runs; it never writes to it."""

import sqlite3
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.otel import Aliases
from adapters.otlp import answering, listing, marking, questions, tree
from adapters.otlp.lock import collector_runs
from adapters.otlp.options import OtlpOptions
from adapters.otlp.questions import Totals
from adapters.otlp.reader import WAY_OUT, Reader
from adapters.spans import readings
from adapters.spans.answering.minutes import minutes_in
from adapters.spans.readings import Window
from adapters.spans.row import RequestRow
from console.domain.answers import Answers, AnswersQuery
from console.domain.conversations import Mark, MarkQuery
from console.domain.errors import BackendError, ErrorKind, Failure
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, ReplicaStatus, Request
from console.domain.spans import RequestQuery, Trace
from console.domain.wire import CheckRow
from console.places import spans_path

COLLECTOR = "collector"
"""The name of the one replica: the process that writes the file."""
QUIET_S = 60.0
"""After this long without a span it is said."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Everything that one look read."""

    totals: Totals
    newest: list[RequestRow]
    services: list[str]
    window: Window | None
    """None while nobody collects: silence then says nothing about the services."""


class OtlpAdapter:
    """One store of spans."""

    def __init__(self, context: AdapterContext) -> None:
        options: OtlpOptions = context.options
        self._source = context.source
        self._clock = context.clock
        self._options = options
        self._aliases = Aliases.of(options.aliases)
        self.path = Path(options.file).expanduser().absolute() if options.file else spans_path()
        self._reader = Reader(self.path, context.timeout_s)
        self._part = 1.0
        """Of the requests in the last minute that was counted, those that were read."""

    async def observe(self) -> Observation:
        """Read the newest requests and what services did lately; see `ports.Adapter`."""
        now = self._clock.now()
        look = await self._reader.ask(lambda connection: self._look(connection, now))
        down = None if look.window else self._down()
        return Observation(
            observed_at=now,
            readings=(
                *readings.services(self._source, look.services, look.window, now),
                *(readings.request(self._source, row, now) for row in look.newest),
            ),
            replicas=(ReplicaStatus(name=COLLECTOR, url=str(self.path), up=down is None, failure=down),),
            problems=() if down is None else (down,),
            notes=_notes(look, now, self._part),
        )

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """A page of requests, newest first; see `ports.Traces`."""
        rows = await self._reader.ask(lambda connection: listing.requests(connection, query))
        now = self._clock.now()
        return tuple(readings.request(self._source, row, now) for row in rows)

    async def trace(self, trace_id: str) -> Trace:
        """One request, span by span; see `ports.Traces`."""
        now = self._clock.now()
        try:
            trace = bytes.fromhex(trace_id)
        except ValueError:
            trace = b""
        found = await self._reader.ask(lambda connection: self._trace(connection, trace, now))
        if found is None:
            raise BackendError(
                ErrorKind.UNSUPPORTED,
                f"there is no request {trace_id} here",
                where=str(self.path),
                way_out="it is too old and gone, or its spans have not arrived; a trace id has 32 hexadecimal digits",
            )
        return found

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        """Who read which snapshot and touched which memory; see `ports.Traces`."""
        return await self._reader.ask(lambda connection: marking.marks(connection, query))

    async def answers(self, query: AnswersQuery) -> tuple[Answers, ...]:
        """What models answered, minute by minute; see `ports.Answering`."""
        found: list[Answers] = []
        for at in minutes_in(query.since, query.until):
            minute = await self._reader.ask(partial(answering.minute, at=at, aliases=self._aliases))
            self._part = minute.part
            found += minute.rows
        return tuple(found)

    async def check(self) -> tuple[CheckRow, ...]:
        """Try the file and look for its collector; see `ports.Adapter`."""
        try:
            totals = await self._reader.ask(questions.totals)
        except BackendError as error:
            rows = [self._row("file", False, str(error.failure))]
        else:
            rows = [
                self._row("file", True, str(self.path)),
                self._row("spans", totals.spans > 0 or None, _fullness(totals) if totals.spans else "none yet"),
            ]
        runs = collector_runs(self.path)
        words = "runs" if runs else f"no collector writes to this file: {WAY_OUT}"
        return (*rows, self._row("collecting", runs, words, COLLECTOR))

    async def close(self) -> None:
        """Give the file back."""
        await self._reader.close()

    def _look(self, connection: sqlite3.Connection, now: float) -> _Look:
        query = RequestQuery(source=self._source, limit=self._options.requests)
        runs = collector_runs(self.path)
        return _Look(
            totals=questions.totals(connection),
            newest=listing.requests(connection, query),
            services=questions.services(connection, readings.SERVICES_MOST),
            window=questions.window(connection, now - self._options.window, now) if runs else None,
        )

    def _trace(self, connection: sqlite3.Connection, trace: bytes, now: float) -> Trace | None:
        row = questions.one_request(connection, trace)
        return (
            None
            if row is None
            else tree.trace(self._source, row, questions.spans(connection, row.id), self._aliases, now)
        )

    def _down(self) -> Failure:
        return Failure(
            kind=ErrorKind.UNREACHABLE,
            message="no collector writes to this file: nothing new arrives",
            where=str(self.path),
            way_out=WAY_OUT,
        )

    def _row(self, what: str, ok: bool | None, words: str, replica: str = "") -> CheckRow:
        return CheckRow(source=self._source, replica=replica, what=what, ok=ok, words=words)


def _notes(look: _Look, now: float, part: float) -> tuple[str, ...]:
    totals = look.totals
    if not totals.spans:
        return ("no span has arrived yet: point OTEL_EXPORTER_OTLP_ENDPOINT at the collector",)
    notes = [_fullness(totals)]
    quiet_s = now - totals.newest_at
    if quiet_s > QUIET_S:
        notes.append(f"the newest span came {_ago(quiet_s)} ago")
    if totals.rejected:
        notes.append(f"{totals.rejected} spans could not be kept: wrong ids or times, or too many in one request")
    if look.window and len(look.window.entries) == questions.ENTRIES_MOST:
        notes.append(f"rates are those of the newest {questions.ENTRIES_MOST:,} requests")
    if part < 1.0:
        notes.append(f"more comes than is read: answers are counted in {100 * part:.2g} % of the requests, by chance")
    return tuple(notes)


def _fullness(totals: Totals) -> str:
    """In few digits, so that it does not change with every look."""
    part = 100 * totals.used_bytes / max(1, totals.most_bytes)
    room = f"{part:.0f} % of {totals.most_bytes / 2**30:.3g} GB"
    return f"{_about(totals.spans)} spans are kept, {room}; each for {_ago(totals.keep_s)} at most"


def _about(count: int) -> str:
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count // size} {unit}"
    return str(count)


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
