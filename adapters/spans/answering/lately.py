"""What the spans say that looks at a store brought lately, in little: answers are counted without asking it again."""

import math
from collections.abc import Iterable

from msgspec.structs import replace

from adapters.otel import Arrival, content_of
from adapters.spans.answering.minutes import rows
from adapters.spans.answering.said import WORDED, Said, said
from console.domain.answers import ANSWERS_STEP_S, Answers

KEPT_S = 4_500.0
"""How long what a request said is kept after its last span: an engine asks for an hour of the past when it starts."""
SPANS_MOST = 30_000
"""Spans that are remembered, about 1 KB each."""


class Lately:
    """Requests by trace id."""

    def __init__(self) -> None:
        self._requests: dict[str, dict[str, Said]] = {}
        self._spans = 0
        self.since_s = math.inf
        """Unix seconds from which on everything is here; infinite before the first look."""
        self.full = False
        """Whether something had to be forgotten too soon: what is older is not read again to be forgotten again."""
        self._swept_at = 0.0

    def begin(self, since_s: float) -> None:
        """Everything from `since_s` (unix seconds) on comes with the next `add`; before that there may be a gap."""
        self.since_s, self.full = since_s, False

    def add(self, arrivals: Iterable[Arrival], now: float) -> None:
        """Take in what was read at `now`; spans that have not ended, or are here already, change nothing."""
        for one in arrivals:
            trace, span = one.trace_id.hex(), one.span
            known = self._requests.setdefault(trace, {})
            if span.span_id in known:
                continue
            if span.kind in WORDED:
                span = replace(span, content=content_of(span.attributes, span.events, span.kind))
            told = said(span)
            if told is not None:
                known[span.span_id] = told
                self._spans += 1
        self._forget(now)

    def reach(self, arrivals: Iterable[Arrival], since_s: float, now: float) -> None:
        """Take in what a store had before, so that everything from `since_s` (unix seconds) on is here."""
        self.since_s = min(self.since_s, since_s)
        self.add(arrivals, now)

    def rows(self, since: float, until: float) -> tuple[Answers, ...]:
        """The minutes that ended after `since` and not after `until`, of those that are here from their beginning."""
        whole = math.ceil(self.since_s / ANSWERS_STEP_S) * ANSWERS_STEP_S if math.isfinite(self.since_s) else until
        begin = max(since, whole)
        found = ((trace, list(spans.values())) for trace, spans in self._requests.items() if _ended(spans) > begin)
        return rows(found, begin, until)

    def _forget(self, now: float) -> None:
        """Let go of what is too old, once a minute, and of the oldest where there is too much, a tenth at once."""
        crowded = self._spans > SPANS_MOST
        if not crowded and now - self._swept_at < ANSWERS_STEP_S:
            return
        self._swept_at = now
        most = 0.9 * SPANS_MOST if crowded else SPANS_MOST
        for ended, trace in sorted((_ended(spans), trace) for trace, spans in self._requests.items()):
            old = ended < now - KEPT_S
            if not old and self._spans <= most:
                break
            self.full = self.full or not old
            self._spans -= len(self._requests.pop(trace))
            self.since_s = max(self.since_s, ended)


def _ended(spans: dict[str, Said]) -> float:
    """When the last of a request's spans ended; long ago where none has."""
    return max((one.ended_at for one in spans.values()), default=0.0)
