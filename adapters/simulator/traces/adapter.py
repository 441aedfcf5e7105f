"""The simulated trace store as a source: services, the newest requests, and each of them span by span."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from adapters.simulator.platform import Platform
from adapters.simulator.stage import stage_of
from adapters.simulator.traces.examples import SHOWN_MOST
from adapters.simulator.traces.sample import Sample
from adapters.simulator.traces.samples import KEEP_S
from adapters.simulator.traces.services import services
from adapters.simulator.traces.telling import request_of
from adapters.simulator.traces.tree import count_of, spans_of, spans_of_knowledge, spans_without_words
from console.domain.answers import Answers, AnswersQuery
from console.domain.asked import asked_for
from console.domain.conversations import Mark, MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.marks import marks_of, service_marks, wanted
from console.domain.ports import AdapterContext
from console.domain.readings import Observation, ReplicaStatus, Request
from console.domain.spans import RequestQuery, Span, Trace
from console.domain.text import clean
from console.domain.wire import CheckRow

STORE: Final = "store-1"
"""Its only replica."""

KNOWLEDGE: Final = frozenset({MarkKind.RETRIEVAL, MarkKind.MEMORY})
"""The marks that are looked for all the time."""

KEEPS: Final = (
    f"it keeps the requests of {KEEP_S / 60:.0f} min (every job of a worker, and one direct request a second) and "
    f"{SHOWN_MOST} examples of what it counted"
)


class SimulatedTraces:
    """Some requests of one simulated platform."""

    def __init__(self, context: AdapterContext, platform: Platform | None = None) -> None:
        self._source = context.source
        self._stage = stage_of(context, platform)
        self._samples = self._stage.samples()
        self._shown: int = context.options.shown
        self._told: dict[str, Request] = {}
        """Readings by trace id: what is over does not change."""
        self._left: dict[str, list[Mark]] = {}
        """Marks of knowledge by trace id, in the same way."""

    async def observe(self) -> Observation:
        """Move the world up to the clock; read every service and the newest requests."""
        now = await self._stage.reach(self._source)
        shown = self._newest()[: self._shown]
        self._told = {one.trace_id: self._told.get(one.trace_id) or self._tell(one) for one in shown}
        return Observation(
            observed_at=now,
            readings=(*services(self._samples, self._source, now), *self._told.values()),
            replicas=(ReplicaStatus(name=STORE, url=f"sim://{STORE}", up=True),),
            notes=(self._stage.note, KEEPS),
        )

    def _newest(self) -> list[Sample]:
        kept = self._samples.examples.kept | {one.trace_id: one for one in self._samples.kept}
        return sorted(kept.values(), key=lambda one: one.began_at, reverse=True)

    def _tell(self, sample: Sample) -> Request:
        return request_of(sample, self._source, count_of(sample))

    async def check(self) -> tuple[CheckRow, ...]:
        """A store inside the process is always there."""
        return (CheckRow(source=self._source, replica=STORE, what="reachable", ok=True, words="it is simulated"),)

    async def close(self) -> None:
        """Nothing is held."""

    async def requests(self, query: RequestQuery) -> tuple[Request, ...]:
        """See `Traces.requests`."""
        await self._stage.reach(self._source)
        return tuple(islice(self._matching(query), max(0, query.limit)))

    def _matching(self, query: RequestQuery) -> Iterator[Request]:
        for sample in self._newest():
            request = self._told.get(sample.trace_id) or self._tell(sample)
            if asked_for(request, spans_without_words(sample) if query.lanes else (), query):
                yield request

    async def trace(self, trace_id: str) -> Trace:
        """See `Traces.trace`."""
        await self._stage.reach(self._source)
        for sample in self._newest():
            if sample.trace_id == trace_id:
                spans = spans_of(sample)
                return Trace(trace_id=trace_id, request=request_of(sample, self._source, len(spans)), spans=spans)
        raise BackendError(
            ErrorKind.UNSUPPORTED, f"there is no request {clean(trace_id, 40)}", where=self._source, way_out=KEEPS
        )

    async def marks(self, query: MarkQuery) -> tuple[Mark, ...]:
        """See `Traces.marks`: none from a time of which it has forgotten some."""
        await self._stage.reach(self._source)
        since = self._samples.forgotten_until
        left = self._knowledge() if query.kinds and KNOWLEDGE.issuperset(query.kinds) else map(_marks, self._newest())
        found = [mark for marks in left for mark in marks if mark.at >= since and wanted(mark, query)]
        return tuple(sorted(found, key=lambda mark: mark.at)[-max(0, query.limit) :])

    def _knowledge(self) -> Iterable[list[Mark]]:
        known = self._left
        self._left = {}
        for sample in self._newest():
            left = known.get(sample.trace_id)
            self._left[sample.trace_id] = _left_by(spans_of_knowledge(sample), sample) if left is None else left
        return self._left.values()

    async def answers(self, query: AnswersQuery) -> tuple[Answers, ...]:
        """See `Answering.answers`."""
        await self._stage.reach(self._source)
        return self._samples.minutes.between(query.since, query.until)


def _marks(sample: Sample) -> list[Mark]:
    spans = spans_without_words(sample)
    return _left_by(spans, sample) + service_marks(spans, sample.trace_id, sample.conversation)


def _left_by(spans: Iterable[Span], sample: Sample) -> list[Mark]:
    return [mark for span in spans for mark in marks_of(span, sample.trace_id, sample.conversation)]
